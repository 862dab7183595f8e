"""The thread under a card: every turn of the conversation in order, edits, deletions and files included.

A burst is batched into one message; a long text goes out in chunks. Each message names the outbox rows it shows
(opaquely), so that a
row whose turn came in an earlier batch needs no message of its own, and a lost answer can be read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.desk.slack.alarms import Alarms
from bot.desk.slack.board import Board
from bot.desk.slack.cards import STATUSES
from bot.desk.slack.record import Record
from bot.slack.marks import opaque, status_mark
from bot.slack.text import CHUNK_CHARS_MAX, ago, chunks, cut, escape, link, quoted
from bot.slack.trouble import Trouble
from bot.store.records import Kind, OutboxRow, Place, Status, TurnRecord
from conversations.conversation import Author, Conversation
from conversations.effects import Alarm
from conversations.ids import ConversationKey, EffectKey, ExternalId

ROWS_MAX = 20_000
"""Rows of one conversation that are looked through when a post was deleted."""
BATCH_MAX = 40
"""Turns in one message."""
FAILED = (Status.REJECTED, Status.REFUSED, Status.FAILED, Status.WITHDRAWN)


class Mirror:
    """Writes threads."""

    def __init__(self, board: Board, alarms: Alarms) -> None:
        self.board = board
        self.alarms = alarms

    async def show(self, row: OutboxRow, case: Conversation) -> ExternalId:
        """Show the turn of a row, together with those that wait behind it. Raises ``Trouble``."""
        board = self.board
        record = await board.ensure(case)
        own = opaque(row.key)
        if own in record.covered:
            ts = record.covered[own]
            await board.records.put(case.key, record.without(own))
            return ExternalId(f"{record.channel}:{ts}")
        turn = await board.store.turn(case.key, row.body["id"])
        if turn is not None and turn.key is not None and turn.key in record.status:
            return await self.settle_status(case, record, turn)
        if row.body.get("change") == "deleted":
            await self.wipe(case, str(row.body["id"]))
        texts = await self.texts(row, case, turn)
        if len(texts) > 1:
            return await self.show_long(row, case, texts)
        batch, text = await self.batch(row, case, record, texts[0])
        ids = tuple(opaque(entry.key) for entry in batch)
        ts = await board.reply(case, text, ids=ids)
        record = await board.records.get(case.key)
        if len(ids) > 1:
            record = await board.records.put(case.key, record.covering(dict.fromkeys(ids[1:], ts)))
        return ExternalId(f"{record.channel}:{ts}")

    async def show_long(self, row: OutboxRow, case: Conversation, texts: Sequence[str]) -> ExternalId:
        """A long text in several messages; those that an interrupted try has posted already are not posted again."""
        board = self.board
        own = opaque(row.key)
        have: dict[str, str] = {}
        if row.attempt > 1:
            have = await board.shown_in_thread(await board.ensure(case), row.created_at)
        ts = ""
        for n, text in enumerate(texts):
            id_ = own if n == len(texts) - 1 else f"{own}.{n}"
            ts = have.get(id_) or await board.reply(case, text, ids=(id_,))
        record = await board.records.get(case.key)
        return ExternalId(f"{record.channel}:{ts}")

    async def wipe(self, case: Conversation, post: str) -> None:
        """The words of a post that is gone leave the thread as well: our copy is deleted wherever it is (X: within a day)."""
        family = await self.board.family(case)
        for member in family.values():
            rows = await self.board.store.outbox(conversation=member.key, limit=ROWS_MAX)
            mirrors = [row for row in rows if row.kind is Kind.MIRROR and row.external_id]
            for row in mirrors:
                if row.body["id"] != post or row.body.get("change") == "deleted":
                    continue
                channel, _, ts = str(row.external_id).partition(":")
                parts = []
                for other in mirrors:
                    if other.external_id == row.external_id:
                        turn = await self.turn_of(family, other.body["id"])
                        parts += (await self.texts(other, member, turn))[:1]
                await self.rewrite(channel, ts, "\n\n".join(parts))
                shown = await self.board.shown_in_thread(await self.board.ensure(member), row.created_at)
                own = f"{opaque(row.key)}."
                for chunk in [at for id_, at in shown.items() if id_.startswith(own)]:
                    await self.rewrite(channel, chunk, "🗑 _deleted by the customer_")

    async def turn_of(self, family: Iterable[ConversationKey], post: str) -> TurnRecord | None:
        """A turn, whichever of these cases has it now."""
        for key in family:
            if (turn := await self.board.store.turn(key, post)) is not None:
                return turn
        return None

    async def rewrite(self, channel: str, ts: str, text: str) -> None:
        """Change a message of the thread; one that is gone needs no change. Raises ``Trouble``."""
        try:
            await self.board.update(channel, ts, text[:CHUNK_CHARS_MAX])
        except Trouble as trouble:
            if trouble.error not in ("message_not_found", "cant_update_message"):
                raise

    async def batch(
        self, row: OutboxRow, case: Conversation, record: Record, first: str
    ) -> tuple[list[OutboxRow], str]:
        """This row and those that may share its message, with the text."""
        rows, texts, size = [row], [first], len(first)
        waiting = await self.board.store.outbox(conversation=case.key, statuses=(Status.PENDING.value,), limit=200)
        for other in waiting:
            if other.place is not Place.DESK or other.sequence <= row.sequence or other.kind is Kind.CARD:
                continue
            if len(rows) >= BATCH_MAX:
                break
            if other.kind is Kind.ALARM and other.body["alarm"] == Alarm.CUSTOMER_WROTE.value:
                more = [await self.alarms.line(other, case)]
            elif other.kind is Kind.MIRROR:
                turn = await self.board.store.turn(case.key, other.body["id"])
                if turn is not None and turn.key in record.status:
                    break
                more = await self.texts(other, case, turn)
            else:
                break
            if len(more) != 1 or size + len(more[0]) + 2 > CHUNK_CHARS_MAX:
                break
            rows.append(other)
            texts += more
            size += len(more[0]) + 2
        return rows, "\n\n".join(texts)

    async def texts(self, row: OutboxRow, case: Conversation, turn: TurnRecord | None) -> list[str]:
        """A turn as messages: who, when, the words, and what belongs to them."""
        if turn is None:
            return ["_a post that is not part of this case any more_"]
        change = row.body.get("change", "said")
        who = escape(await self.board.who(case)) if turn.author is Author.CUSTOMER else ""
        head = heading(turn, change, who)
        if change == "deleted" or turn.text is None:
            return [head]
        words = turn.reading.masked if turn.reading and turn.author is Author.CUSTOMER else turn.text
        foot = ""
        if turn.media:
            where = self.board.post_link(case, turn.id)
            label = f"📎 {turn.media} file{'s' if turn.media > 1 else ''}"
            foot = "\n" + (link(where, label) if where else label)
        if not words.strip():
            return [head + foot]
        room = CHUNK_CHARS_MAX - len(head) - len(foot) - 40
        parts = chunks(words, room - 2 * min(words.count("\n"), room // 4))
        if len(parts) == 1:
            return [f"{head}\n{quoted(parts[0])}{foot}"]
        numbered = [f"{head} ({n}/{len(parts)})\n{quoted(part)}" for n, part in enumerate(parts, 1)]
        return [*numbered[:-1], numbered[-1] + foot]

    # ---------------------------------------------------------------- sending → sent, failed, unknown

    async def follow(self, case: Conversation, rows: Sequence[OutboxRow]) -> None:
        """Agents' words that are on their way get a line in the thread that says so. Best effort."""
        record = await self.board.records.get(case.key)
        for row in rows:
            if row.kind is not Kind.WORDS or row.author is not Author.AGENT or row.key in record.status:
                continue
            if row.status not in (Status.PENDING, Status.SENDING, Status.UNKNOWN):
                continue
            try:
                ts = await self.board.reply(case, status_line(row), ids=(opaque(status_mark(row.key)),))
            except Trouble:
                return
            record = await self.board.records.put(
                case.key, (await self.board.records.get(case.key)).following(row.key, ts)
            )

    async def update_status(self, case: Conversation, key: EffectKey) -> None:
        """The line of an agent's words says what became of them. Raises ``Trouble``."""
        record = await self.board.records.get(case.key)
        row = await self.board.store.outbox_row(key)
        if row is None:
            return
        if key not in record.status:
            await self.follow(case, [row])
            return
        await self.board.update(record.channel, record.status[key], status_line(row))
        if row.status in FAILED:
            await self.board.records.put(case.key, record.following(key, None))

    async def settle_status(self, case: Conversation, record: Record, turn: TurnRecord) -> ExternalId:
        """Words that were followed have arrived: their line becomes the mirrored turn."""
        assert turn.key is not None
        ts = record.status[turn.key]
        text = f"{heading(turn, 'said', '')}\n{quoted(cut(turn.text or '', CHUNK_CHARS_MAX - 1_200))}"
        try:
            await self.board.update(record.channel, ts, text[:CHUNK_CHARS_MAX])
        except Trouble as trouble:
            if trouble.error not in ("message_not_found", "cant_update_message"):
                raise
            ts = await self.board.reply(case, text[:CHUNK_CHARS_MAX], ids=(opaque(turn.key),))
        await self.board.records.put(case.key, (await self.board.records.get(case.key)).following(turn.key, None))
        return ExternalId(f"{record.channel}:{ts}")


def heading(turn: TurnRecord, change: str, who: str) -> str:
    """Who said it, where and when."""
    place = " in a direct message" if turn.place is Place.DIRECT else ""
    if change == "deleted" or turn.deleted_at:
        return f"🗑 *{who or 'The customer'}* deleted a post{place} of {ago(turn.posted_at)}; our copy is gone as well"
    if change == "edited":
        return f"✏️ *{who or 'The customer'}* edited a post{place}"
    when = ago(turn.posted_at)
    match turn.author:
        case Author.CUSTOMER:
            return f"🗣 *{who}*{place} · {when}"
        case Author.AGENT:
            sent = link(turn.url, "sent") if turn.url else "sent"
            return f"✅ *{escape(turn.agent or 'agent')}*{place} · {sent} {when}"
        case Author.BRAND:
            return f"💬 *{escape(turn.agent or 'a colleague')}* answered on the platform{place} · {when}"
        case _:
            sent = link(turn.url, "sent") if turn.url else "sent"
            return f"🤖 the bot{place} ({escape((turn.act or '').replace('_', ' '))}) · {sent} {when}"


def status_line(row: OutboxRow) -> str:
    """Where an agent's words stand."""
    agent = escape(str(row.body.get("agent") or "agent"))
    reason = f" ({escape(cut(row.reason, 300))})" if row.reason and row.status in (*FAILED, Status.UNKNOWN) else ""
    return f"{STATUSES[row.status]}{reason} · *{agent}*\n{quoted(cut(str(row.body.get('text', '')), 2_500))}"[
        :CHUNK_CHARS_MAX
    ]
