"""Plays a dialogue through the real program, and says where it went another way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bot.desk.acts import ActError
from bot.store.records import Kind
from conversations.conversation import Agent, Conversation, Customer
from conversations.deadlines import BusinessHours, Span
from conversations.events import AgentReplied
from conversations.policy import Queue
from conversations.protocol import OWNED
from conversations.wording import guard
from conversations.wording.findings import Severity
from conversations.wording.guard import Author as Speaker
from conversations.wording.length import weighted_length
from conversations.wording.request import Act, Surface
from tests.dialogues.agents import AGENTS, event_of, span
from tests.dialogues.script import Dialogue, Line
from tests.engine.stage import DANA, START, Platform, Post, Stage

OTHERS = {"E": Customer("43", "eli", "Eli Moss")}
LANGUAGES = {"en", "es", "de", "fr", "pt"}


class WentAnotherWay(AssertionError):
    """The dialogue was not played as written."""


class Player:
    """One dialogue on its stage."""

    def __init__(self, dialogue: Dialogue, stage: Stage, customer: Customer, began_at: datetime) -> None:
        self.dialogue = dialogue
        self.stage = stage
        self.customer = customer
        self.began_at = began_at
        self.last_at = began_at
        self.heard = 0
        self.called = 0
        self.posts: list[str] = []
        self.last_said: Post | None = None
        self.refused: ActError | None = None
        self.findings: list[str] = []

    @classmethod
    async def play(cls, dialogue: Dialogue, folder: Path) -> list[Post]:
        """Play it. Returns what the customer was sent. Raises ``WentAnotherWay``."""
        settings = dialogue.settings
        began_at = START
        if "starts" in settings:
            began_at = datetime.fromisoformat(settings["starts"])
            began_at = began_at if began_at.tzinfo else began_at.replace(tzinfo=UTC)
        policy: dict[str, object] = {"languages": tuple(sorted(LANGUAGES, key=lambda code: code != "en"))}
        queues = [Queue(settings.get("queue", "support"), hours=hours(settings.get("hours", "")))]
        if "second_queue" in settings:
            queues.insert(0, Queue(settings["second_queue"], topics=("billing",)))
        policy["queues"] = tuple(queues)
        for name in ("check_back_rounds_max", "reflections_max", "reopen_days", "held_terms", "check_backs_paused"):
            if name in settings:
                policy[name] = tuple(settings[name].split(", ")) if name == "held_terms" else int(settings[name])
        stage = await Stage.open(
            folder / "dialogue.db", settings.get("channel", "x"), at=began_at, platform=Platform(), **policy
        )
        customer = Customer(DANA.id, DANA.handle, DANA.name, time_zone=settings.get("zone"))
        player = cls(dialogue, stage, customer, began_at)
        try:
            for line in dialogue.lines:
                await player.line(line)
            await player.nothing_unsaid(None)
            await player.all_words_are_fit_to_send()
            return list(stage.platform.log)
        finally:
            await stage.store.close()

    # ---------------------------------------------------------------- lines

    async def line(self, line: Line) -> None:
        """One line: time passes, it happens, and what follows is looked at."""
        at = (self.last_at if line.relative else self.began_at) + line.after
        if at < self.last_at:
            self.fail(line, "it happens before the line above it")
        self.last_at = at
        self.called = len(await self.stage.calls())
        if line.who == "B":
            await self.bot_says(line, at)
        else:
            if at > self.stage.clock.now():
                await self.stage.pass_to(at)
            await self.nothing_unsaid(line)
            self.refused, self.findings = None, []
            try:
                await self.happens(line)
            except ActError as error:
                self.refused = error
            except (ValueError, IndexError, KeyError) as error:
                self.fail(line, f"cannot be read: {error!r}")
            await self.stage.settle()
        await self.expect(line)
        if self.refused is not None and not any(word[0] == "refused" for word in line.expected):
            self.fail(line, f"refused: {self.refused}")

    async def bot_says(self, line: Line, at: datetime) -> None:
        """The next message to the customer is this one, and it is there by then."""
        await self.stage.pass_to(at)
        act, where = line.words[0], line.words[1] if len(line.words) > 1 else None
        log = self.stage.platform.log
        if self.heard >= len(log):
            self.fail(line, f"nothing was said by then; it stands at {await self.standing()}")
        post = log[self.heard]
        self.heard += 1
        self.last_said = post
        if (post.act or "words") != act or (where is not None and post.place != SURFACES[where]):
            self.fail(line, f"said instead: {self.shown(post)}")

    async def nothing_unsaid(self, line: Line | None) -> None:
        """Everything that was said stands in the dialogue."""
        log = self.stage.platform.log
        if self.heard < len(log):
            self.fail(line, f"said, and not in the dialogue: {self.shown(log[self.heard])}")

    async def happens(self, line: Line) -> None:
        """What a customer, a colleague, an agent or the platform does."""
        if line.who == "C" or line.who in OTHERS:
            await self.customer_does(line, OTHERS.get(line.who, self.customer))
        elif line.who == "Time":
            pass
        elif line.who == "Platform":
            self.stage.platform.faults.append(" ".join(line.words))
        elif line.who == "Colleague":
            await self.stage.colleague(line.words[-1], self.posts[-1])
        elif line.who in AGENTS:
            await self.agent_does(line, AGENTS[line.who])
        else:
            raise ValueError(f"nobody is called {line.who}")

    async def customer_does(self, line: Line, customer: Customer) -> None:
        """``"words"``, ``dm "words"``, ``photo "words"``, ``late 40 "words"``, ``edits "words"``, ``deletes``."""
        words = line.words
        if words[0] == "edits":
            await self.stage.edit(self.post_id(words[1:-1]), words[-1])
            return
        if words[0] == "deletes":
            await self.stage.delete(self.post_id(words[1:]))
            return
        post_id = f"p{len(self.posts) + 1}"
        self.posts.append(post_id)
        late = span(words[words.index("late") + 1]) if "late" in words[:-1] else timedelta()
        taken = await self.stage.post(
            words[-1],
            customer,
            post_id=post_id,
            surface=Surface.DIRECT if "dm" in words[:-1] else Surface.PUBLIC,
            media=int("photo" in words[:-1]),
            posted_at=self.stage.clock.now() - late,
        )
        self.taken = taken[0]

    def post_id(self, words: tuple[str, ...]) -> str:
        """The n-th post, or the last."""
        return self.posts[int(words[0]) - 1] if words else self.posts[-1]

    async def agent_does(self, line: Line, agent: Agent) -> None:
        """An agent's act, by its verb."""
        verb, rest = line.words[0], line.words[1:]
        if verb == "replies":
            case = await self.case()
            review = await self.stage.app.acts.review(case, rest[-1], None, agent.id)
            self.findings = [finding.rule for finding in review.findings]
            await self.stage.act(AgentReplied(agent=agent, text=rest[-1], surface=surface_of(rest)), case.key)
            await self.stage.settle()
            if len(self.stage.platform.log) > self.heard:
                self.last_said = self.stage.platform.log[self.heard]
                self.heard += 1
            return
        event = event_of(verb, rest, agent, self.stage.clock.now())
        await self.stage.act(event, (await self.case()).key)
        if verb == "proposes":
            await self.stage.settle()
            if len(self.stage.platform.log) > self.heard and self.stage.platform.log[self.heard].act == "propose_plan":
                self.last_said = self.stage.platform.log[self.heard]
                self.heard += 1

    # ---------------------------------------------------------------- what is expected

    async def case(self) -> Conversation:
        """The customer's conversation."""
        return await self.stage.case(self.customer.id)

    async def expect(self, line: Line) -> None:
        """Look at everything after the arrow."""
        for words in line.expected:
            check = CHECKS.get(words[0])
            if check is None and len(words) == 1 and words[0].isupper():
                check, words = CHECKS["state"], ("state", words[0])
            if check is None:
                self.fail(line, f"{words[0]!r} is nothing that can be expected")
            problem = await check(self, words[1:])
            if problem:
                self.fail(line, f"expected {' '.join(words)}: {problem}")

    async def all_words_are_fit_to_send(self) -> None:
        """What holds for every word of the bot: tone, length, language, and who may speak when."""
        for post in self.stage.platform.log:
            if post.author != "bot":
                continue
            surface = Surface(post.place)
            found = guard.findings(post.text, post.language, surface, Speaker.BOT, act=Act(post.act or ""))
            refused = [finding for finding in found if finding.severity is Severity.REFUSED]
            if refused:
                self.fail(None, f"the guard refuses {self.shown(post)}: {refused}")
            if surface is Surface.PUBLIC and self.stage.channel.name == "x" and weighted_length(post.text) > 280:
                self.fail(None, f"too long: {self.shown(post)}")
        for row in await self.stage.store.audits(limit=1000):
            action = str(row["action"])
            before, _, after = action.partition(" ")
            if before in OWNED and after.rsplit(" ", 1)[-1] in OWNED and "quiet_elapsed" in action:
                self.fail(None, f"the bot spoke while the case was owned: {action}")

    async def standing(self) -> str:
        """Where it stands, for messages."""
        found = await self.stage.store.conversations(customer=self.customer.id)
        if not found:
            return "no conversation"
        case = await self.case()
        readings = [f"{turn.reading.complaint.decision}, told: {turn.reading.story_told}" for turn in case.story]
        return f"{case.state} (language {case.language}, wish {case.wish!r}, topics {case.topics}, turns {readings})"

    def shown(self, post: Post) -> str:
        """A message of ours, for messages."""
        minutes = (post.at - self.began_at) / timedelta(minutes=1)
        return f"{post.act or 'words'} ({post.place}, minute {minutes:g}, {post.language}): {post.text!r}"

    def fail(self, line: Line | None, problem: str) -> None:
        """Say where, and what."""
        place = f"{self.dialogue.file}.txt, line {line.number}" if line else f"{self.dialogue.file}.txt, at the end"
        what = f" [{line.who} {' '.join(line.words)}]" if line else ""
        raise WentAnotherWay(f"{self.dialogue.title} ({place}){what}: {problem}")


SURFACES = {"public": "public", "dm": "direct"}
Check = Callable[[Player, tuple[str, ...]], Awaitable[str | None]]


def surface_of(words: tuple[str, ...]) -> Surface | None:
    """Where an agent sends it, if they say so."""
    return Surface.DIRECT if "dm" in words[:-1] else Surface.PUBLIC if "public" in words[:-1] else None


def hours(text: str) -> BusinessHours:
    """``09:00-17:00 Europe/Berlin`` on weekdays; nothing: day and night."""
    if not text:
        return BusinessHours()
    times, zone = text.split()
    starts, ends = (time.fromisoformat(part) for part in times.split("-"))
    day = (Span(starts, ends),)
    return BusinessHours(zone, (day, day, day, day, day, (), ()))


async def state(player: Player, words: tuple[str, ...]) -> str | None:
    """Where the conversation stands."""
    found = (await player.case()).state
    return None if found.value == words[0] else await player.standing()


def field_of(name: str) -> Check:
    """A field of the conversation, as text; "none" is None."""

    async def check(player: Player, words: tuple[str, ...]) -> str | None:
        value = getattr(await player.case(), name)
        if name == "owner":
            value = value.name if value else "nobody"
        shown = "none" if value is None else str(value)
        return None if shown.casefold() == " ".join(words).casefold() else f"it is {shown!r}"

    return check


async def wish(player: Player, words: tuple[str, ...]) -> str | None:
    """What would put it right, as far as it was understood: these words are in it."""
    found = (await player.case()).wish
    if words == ("none",):
        return None if found is None else f"it is {found!r}"
    missing = [word for word in words if found is None or word.casefold() not in found.casefold()]
    return f"it is {found!r}" if missing else None


async def topic(player: Player, words: tuple[str, ...]) -> str | None:
    """The topic is among those understood."""
    found = (await player.case()).topics
    return None if words[0] in found else f"it is {found}"


async def desk(player: Player, words: tuple[str, ...]) -> str | None:
    """The desk was called for it since the line above, as time passed or by what happens here."""
    rows = (await player.stage.calls())[player.called :]
    found = [row.body["alarm"] for row in rows if row.kind is Kind.ALARM]
    if words == ("nothing",):
        return f"it was called for {found}" if found else None
    missing = [word for word in words if word not in found]
    return f"it was called for {found}" if missing else None


async def told(player: Player, words: tuple[str, ...]) -> str | None:
    """The agent who acted was told."""
    rows = (await player.stage.calls())[player.called :]
    found = [row.body["reason"] for row in rows if row.kind is Kind.TELL]
    return None if list(words) == found else f"told: {found}"


async def says(player: Player, words: tuple[str, ...]) -> str | None:
    """What was said last has each of these words."""
    said = player.last_said
    if said is None:
        return "nothing was said"
    missing = [word for word in words if word.casefold() not in said.text.casefold()]
    return f"{missing} missing in {said.text!r}" if missing else None


async def never(player: Player, words: tuple[str, ...]) -> str | None:
    """What was said last has none of these words."""
    said = player.last_said
    found = [word for word in words if said and word.casefold() in said.text.casefold()]
    return f"{found} in {said.text!r}" if said and found else None


async def language(player: Player, words: tuple[str, ...]) -> str | None:
    """The language of what was said last."""
    said = player.last_said
    return None if said and said.language == words[0] else f"said in {said.language if said else None}: {said}"


async def aside(player: Player, words: tuple[str, ...]) -> str | None:
    """It was set aside, and no conversation opened."""
    found = await player.stage.store.conversations(customer=player.customer.id)
    asides = await player.stage.store.asides()
    return None if asides and not found else await player.standing()


async def cases(player: Player, words: tuple[str, ...]) -> str | None:
    """How many conversations the customer has."""
    found = await player.stage.store.conversations(customer=player.customer.id)
    return None if len(found) == int(words[0]) else f"{len(found)}"


async def answers(player: Player, words: tuple[str, ...]) -> str | None:
    """How the check-backs were answered, round by round: yes, no, unclear."""
    shown = {True: "yes", False: "no", None: "unclear"}
    found = [shown[answer.satisfied] for answer in (await player.case()).answers]
    return None if found == list(words) else str(found)


async def agreed(player: Player, words: tuple[str, ...]) -> str | None:
    """The customer's yes, word for word."""
    plan = (await player.case()).plan
    found = plan.agreed_words if plan else None
    return None if found == words[0] else f"it is {found!r}"


async def refused(player: Player, words: tuple[str, ...]) -> str | None:
    """The act was refused at the desk, at this field."""
    if player.refused is None:
        return "it was not refused"
    return None if not words or player.refused.field == words[0] else f"refused at {player.refused.field}"


async def findings(player: Player, words: tuple[str, ...]) -> str | None:
    """What the guard found in the agent's words."""
    found = player.findings
    if words == ("nothing",):
        return f"found {found}" if found else None
    return None if set(words) <= set(found) else f"found {found}"


async def draft(player: Player, words: tuple[str, ...]) -> str | None:
    """The last call to the desk offers words to send, with these in them."""
    rows = (await player.stage.calls())[player.called :]
    found = next((row.body.get("draft") for row in reversed(rows) if row.body.get("draft")), None)
    if not found:
        return "there is none"
    missing = [word for word in words if word.casefold() not in found.casefold()]
    return f"{missing} missing in {found!r}" if missing else None


async def promises(player: Player, words: tuple[str, ...]) -> str | None:
    """How many promises are open."""
    found = len((await player.case()).promises_open)
    return None if found == int(words[0]) else str(found)


CHECKS: dict[str, Check] = {
    "state": state,
    "wish": wish,
    "topic": topic,
    "desk": desk,
    "told": told,
    "says": says,
    "never": never,
    "language": language,
    "aside": aside,
    "cases": cases,
    "answers": answers,
    "agreed": agreed,
    "refused": refused,
    "findings": findings,
    "draft": draft,
    "promises": promises,
    "outcome": field_of("outcome"),
    "owner": field_of("owner"),
    "triage": field_of("triage"),
    "round": field_of("rounds"),
    "muted": field_of("opted_out"),
    "queue": field_of("queue"),
    "reference": field_of("reference"),
    "replied": field_of("replied_at"),
    "understood": field_of("language"),
}
"""What may stand after an arrow."""
