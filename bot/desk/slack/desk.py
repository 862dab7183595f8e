"""The Desk port in Slack: rows of the outbox become cards, threads, alarms and answers; agents' clicks become acts.

What agents write in threads stays there. Only the acts of ``actions.py`` reach a customer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bot.channels.port import Accepted, DeliveryError, Rejected, Transient, Unknown
from bot.clock import Clock
from bot.desk.acts import Acts
from bot.desk.incident import Incidents
from bot.desk.slack.actions import Actions, Controls, OpenAside
from bot.desk.slack.alarms import Alarms
from bot.desk.slack.board import POST_PACE_S, UPDATE_PACE_S, Board
from bot.desk.slack.digest import Digest
from bot.desk.slack.mirror import Mirror
from bot.desk.slack.replies import Starts
from bot.desk.slack.settings import DeskSettings
from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.marks import opaque
from bot.slack.people import People
from bot.slack.text import escape, mention
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store, StoreError
from bot.store.records import Kind, OutboxRow, Status
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import Conversation
from conversations.effects import Alarm
from conversations.ids import EffectKey, ExternalId
from conversations.policy import Policy
from conversations.wording import guard
from conversations.wording.request import Surface

WAIT_S = 60.0
"""While Slack refuses our token or no channel is left, rows wait for so long between tries; none is given up."""

log = get_logger("desk.slack")


class SlackDesk:
    """Agents in Slack. ``bind`` it to the acts before it runs."""

    def __init__(
        self, slack: Slack, store: Store, clock: Clock, settings: DeskSettings, policy: Callable[[], Policy]
    ) -> None:
        self.slack = slack
        self.store = store
        self.clock = clock
        self.settings = settings
        self.quarantine_s = settings.quarantine_s
        self.sending_s = settings.sending_s
        self.people = People(slack, settings.staff)
        self.board = Board(slack, store, clock, settings, policy, self.people)
        self.alarms = Alarms(self.board)
        self.mirror = Mirror(self.board, self.alarms)
        self.digest = Digest(self.board)
        self.actions = Actions(self.board, self.digest)
        self.noted: set[str] = set()
        slack.alert = self.post_alert

    def bind(
        self,
        acts: Acts,
        open_aside: OpenAside,
        controls: Controls | None = None,
        approved: Starts | None = None,
        incidents: Incidents | None = None,
    ) -> None:
        """Give agents' clicks their doors: the acts, the opening of what was set aside, what admins may switch and incident
        mode (None: not offered), and approved wording that a reply may start from."""
        self.actions.bind(acts, open_aside, controls, approved, incidents)

    def lane(self, conversation: Conversation) -> str:
        """One lane per channel: Slack takes one message a second in each. Cases in danger have a lane of their own beside it, so
        that they do not wait behind a hundred others."""
        lane = f"slack:{self.settings.place(conversation.queue).channel or self.settings.fallback_channel}"
        return f"{lane}:danger" if conversation.risk_level is RiskLevel.RED else lane

    # ---------------------------------------------------------------- delivering

    async def deliver(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """See ``Desk.deliver``."""
        try:
            await self.slack.open()
            match row.kind:
                case Kind.CARD:
                    return await self.show_card(conversation)
                case Kind.MIRROR:
                    posts = self.board.posts
                    shown = await self.mirror.show(row, conversation)
                    return self.accepted(shown, POST_PACE_S if self.board.posts > posts else 0.0)
                case Kind.ALARM:
                    return await self.call(row, conversation)
                case Kind.TELL:
                    return await self.tell(row, conversation)
                case _:
                    raise Rejected(f"{row.kind.value} is nothing for the desk")
        except Trouble as trouble:
            raise outcome(trouble, again=row.kind is Kind.TELL) from trouble

    async def find_shown(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """See ``Desk.find_shown``. A card is shown again in any case: updating it twice does no harm."""
        try:
            await self.slack.open()
            record = await self.board.find_card(conversation)
            if not record.up or row.kind in (Kind.CARD, Kind.TELL):
                return None
            shown = await self.board.shown_in_thread(record, row.created_at)
        except Trouble as trouble:
            raise outcome(trouble) from trouble
        own = opaque(row.key)
        if own not in shown:
            return None
        same = {id_: ts for id_, ts in shown.items() if ts == shown[own] and id_ != own}
        if same:
            await self.board.records.put(conversation.key, record.covering(same))
        return Accepted(ExternalId(f"{record.channel}:{shown[own]}"), self.clock.now())

    async def show_card(self, case: Conversation) -> Accepted:
        """Bring the card up to date, and say of agents' words that they are on their way."""
        record, asked = await self.board.refresh(case)
        rows = await self.store.outbox(
            conversation=case.key, statuses=(Status.PENDING.value, Status.SENDING.value, Status.UNKNOWN.value)
        )
        await self.mirror.follow(case, rows)
        self.actions.decided(case)
        return self.accepted(ExternalId(f"{record.channel}:{record.ts}"), UPDATE_PACE_S if asked else 0.0)

    async def call(self, row: OutboxRow, case: Conversation) -> Accepted:
        """An alarm in the case's thread."""
        own = opaque(row.key)
        record = await self.board.records.get(case.key)
        if own in record.covered:
            await self.board.records.put(case.key, record.without(own))
            return self.accepted(ExternalId(f"{record.channel}:{record.covered[own]}"), 0.0)
        if row.body["alarm"] == Alarm.SEND_FAILED.value:
            for key in list(record.status):
                await self.update_status(case, EffectKey(key))
        text, blocks, loud = await self.alarms.message(row, case)
        ts = await self.board.reply(case, text, blocks, ids=(own,), broadcast=loud)
        record = await self.board.records.get(case.key)
        return self.accepted(ExternalId(f"{record.channel}:{ts}"), POST_PACE_S)

    async def tell(self, row: OutboxRow, case: Conversation) -> Accepted:
        """Answer one agent where they look; in direct messages when they are not in the channel. Repeating it does no harm."""
        agent = str(row.body["agent"]["id"])
        text = f"{mention(agent)} {self.alarms.told(row, case)}"
        record = await self.board.ensure(case)
        await self.whisper(record.channel, agent, text)
        return self.accepted(ExternalId(f"{record.channel}:{record.ts}"), 0.0)

    async def whisper(self, channel: str, user: str, text: str) -> None:
        """Say something to one person. Raises ``Trouble``."""
        client = self.slack.client
        try:
            await self.slack.ask("chat.postEphemeral", client.chat_postEphemeral(channel=channel, user=user, text=text))
        except Trouble as trouble:
            if trouble.kind not in (TroubleKind.PLACE, TroubleKind.MISSING, TroubleKind.REFUSED):
                raise
            await self.slack.ask(
                "chat.postMessage", client.chat_postMessage(channel=user, text=text, unfurl_links=False)
            )

    async def update_status(self, case: Conversation, key: EffectKey) -> None:
        """Best effort: an alarm must not wait for it."""
        try:
            await self.mirror.update_status(case, key)
        except Trouble as trouble:
            log.info("status left as it was", error=str(trouble))

    def accepted(self, id_: ExternalId, pace_s: float) -> Accepted:
        """Taken by Slack; the channel rests a little."""
        now = self.clock.now()
        return Accepted(id_, now, next_at=now + timedelta(seconds=pace_s) if pace_s else None)

    # ---------------------------------------------------------------- alerts

    async def alert(self, kind: str, words: str) -> None:
        """See ``Desk.alert``. Repeats are folded."""
        await self.slack.raise_alert(kind, escape(words))

    async def post_alert(self, kind: str, words: str) -> None:
        """Post an alert where somebody reads it. ``words`` are safe for Slack already."""
        log.error("alert", kind=kind, words=words)
        channels = [self.settings.fallback_channel, *(queue.channel for queue in self.settings.queues)]
        for channel in dict.fromkeys(channel for channel in channels if channel and channel not in self.board.gone):
            try:
                await self.slack.open()
                text = f"⚠️ *{escape(kind.partition(':')[0].replace('_', ' '))}* {words}"[:3_900]
                blocks = await self.actions.incident.call(kind, text)
                await self.board.post(channel, text, blocks, ids=(opaque(f"{kind}:{self.clock.now()}"),))
            except Trouble as trouble:
                log.error("alert not shown", kind=kind, error=str(trouble))
                continue
            return

    # ---------------------------------------------------------------- running

    async def run(self) -> None:
        """Take agents' acts; watch over words whose outcome is unknown; publish the digest when it is due."""
        self.warm()
        async with self.slack.listening():
            while True:
                await self.round()
                await self.clock.wait(asyncio.Event(), self.clock.now() + timedelta(seconds=self.settings.watch_s))

    def warm(self) -> None:
        """Read the guard's patterns before the first agent waits for them."""
        for language in self.board.policy().languages:
            guard.findings("warm", language, Surface.PUBLIC, customer_language=language)

    async def round(self) -> None:
        """What comes round again and again. An error of Slack is logged and waits for the next round."""
        for work in (self.people.refresh, self.watch_unknown, self.digest.publish_if_due):
            try:
                await work()
            except Trouble as trouble:
                log.warning("round", error=str(trouble))
            except StoreError as error:
                log.warning("round", error=str(error))

    async def watch_unknown(self) -> None:
        """Words whose outcome nobody knows are said to be so in their thread."""
        unknown = await self.store.outbox(statuses=(Status.UNKNOWN.value,), limit=50)
        self.noted &= {row.key for row in unknown}
        for row in unknown:
            if row.kind is not Kind.WORDS:
                continue
            case = await self.store.conversation(row.conversation)
            if case is None or not case.on_desk or row.key in self.noted:
                continue
            self.noted.add(row.key)
            await self.mirror.update_status(case, row.key)

    async def close(self) -> None:
        """See ``Desk.close``."""
        await self.slack.close()


def outcome(trouble: Trouble, *, again: bool = False) -> DeliveryError:
    """What a failed call means for a row of the desk. ``again``: repeating it does no harm, so an unknown outcome is
    no matter."""
    match trouble.kind:
        case TroubleKind.LATER:
            return Transient(str(trouble), trouble.retry_after_s, pause_lane=True)
        case TroubleKind.UNKNOWN:
            return Transient(str(trouble), 2.0) if again or trouble.method == "chat.update" else Unknown(str(trouble))
        case TroubleKind.PLACE | TroubleKind.SIGN_IN:
            return Transient(str(trouble), WAIT_S, pause_lane=True)
        case _:
            return Rejected(str(trouble))
