"""What an admin may do when something goes wrong for many at once: pause, hold a topic, tell everybody the same, answer a group.

Each act turns a switch that outlives a restart (``bot.switches``), or answers the open cases of a storm, each customer once
(``bot.storms``). All are written into the audit log.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.console.forms import BadInput, Form
from bot.console.frame import SAID, act, noted, person_of, running
from bot.console.incident import OPEN, SINCE, UPDATE_CHARS_MAX, answerable
from bot.console.overview import home_with
from bot.console.parts import Running
from bot.console.people import Page, Role
from bot.desk.acts import ActError
from bot.storms import answer_group, group_of
from conversations.conversation import Conversation
from conversations.wording import guard
from conversations.wording.findings import Severity
from conversations.wording.length import weighted_length
from conversations.wording.request import Surface

CASES_MAX = 5000
"""Open cases that are looked through for a group."""
ANSWER_CHARS_MAX = 5000

SAID |= {
    "paused": "The bot is paused: it says nothing of its own. Agents' words still go out.",
    "resumed": "The bot speaks again.",
    "held": "First replies about this topic now wait for a person. The alarm comes before their window ends.",
    "released": "First replies about this topic go out again.",
    "check-backs-paused": "Nobody is asked whether they are happy, until you resume it.",
    "check-backs-resumed": "Check-backs go on.",
    "update-set": "First replies about this topic now carry your update.",
    "update-cleared": "The update is taken out of first replies.",
    "answered": "The group was answered: each customer once, cases of other agents left to them.",
    "nobody": "Nobody of this group is left to answer.",
}


async def done(request: Request, do: str, **changes: object) -> str:
    """Turn switches; the address to go on to."""
    await running(request).switches.turn(person_of(request).actor, **changes)
    return f"/?said={do}"


async def again(request: Request, trouble: str) -> Response:
    """The overview, with what is wrong."""
    return await home_with(request, trouble, 422)


async def pause(request: Request) -> Response:
    """``POST /incident/pause``: the bot says nothing of its own, or speaks again."""

    async def do(form: Form) -> str:
        if form.flag("on"):
            return await done(request, "paused", paused=f"by {person_of(request).name}")
        return await done(request, "resumed", paused="")

    return await act(request, do, lambda words: again(request, words))


async def check_backs(request: Request) -> Response:
    """``POST /incident/check-backs``: ask nobody whether they are happy, or go on asking."""

    async def do(form: Form) -> str:
        on = form.flag("on")
        return await done(request, f"check-backs-{'paused' if on else 'resumed'}", check_backs_paused=on)

    return await act(request, do, lambda words: again(request, words))


async def hold(request: Request) -> Response:
    """``POST /incident/topics``: first replies about a topic wait for a person, or go out again."""

    async def do(form: Form) -> str:
        topic, now = topic_of(form), running(request).switches.now
        others = tuple(name for name in now.held_topics if name != topic)
        if form.flag("on"):
            return await done(request, "held", held_topics=(*others, topic))
        return await done(request, "released", held_topics=others)

    return await act(request, do, lambda words: again(request, words))


async def update(request: Request) -> Response:
    """``POST /incident/updates``: one shared sentence in the first replies about a topic; empty takes it out."""

    async def do(form: Form) -> str:
        topic, app = topic_of(form), running(request)
        text = form.text("text", UPDATE_CHARS_MAX).strip()
        others = {name: words for name, words in app.switches.now.updates.items() if name != topic}
        if not text:
            return await done(request, "update-cleared", updates=others)
        guarded(app, text, Surface.PUBLIC, app.acts.policy().languages[0])
        return await done(request, "update-set", updates={**others, topic: text})

    return await act(request, do, lambda words: again(request, words))


async def answer(request: Request) -> Response:
    """``POST /incident/answers``: one answer to all open cases of a topic in one language, each customer once."""

    async def do(form: Form) -> str:
        topic, app, person = topic_of(form), running(request), person_of(request)
        text = form.words("text", ANSWER_CHARS_MAX).strip()
        group, language = form.id("id"), form.words("language", 10)
        now = app.clock.now()
        cases = await app.store.conversations(states=OPEN, limit=CASES_MAX)
        chosen = [
            case
            for case in group_of(cases, topic, now - SINCE)
            if case.language == language and answerable(case, person.id)
        ]
        for case in chosen:
            fits(app, case, text)
        guarded(app, text, Surface.DIRECT, language)
        try:
            count = await answer_group(app.acts, chosen, person.agent, text, group)
        except ActError as error:
            raise BadInput(error.field, error.message) from error
        await noted(request, "answer group", f"{topic}, {language}: {count} cases")
        return f"/?said={'answered' if count else 'nobody'}"

    return await act(request, do, lambda words: again(request, words))


def topic_of(form: Form) -> str:
    """The topic that is meant. Raises ``BadInput``."""
    return form.words("topic", 80).strip()


def guarded(app: Running, text: str, surface: Surface, language: str) -> None:
    """Stop words that may not leave. Raises ``BadInput`` with the first finding."""
    known = language if language != "und" else app.acts.policy().languages[0]
    for finding in guard.findings(text, known, surface):
        if finding.severity is Severity.REFUSED:
            raise BadInput("text", f"“{text[finding.start : finding.end]}”: {finding.message}. {finding.suggestion}")


def fits(app: Running, case: Conversation, text: str) -> None:
    """Stop words that are too long for where a case would be answered. Raises ``BadInput``."""
    traits = app.channels[case.channel].traits
    public = case.last_surface is Surface.PUBLIC and not case.direct
    most = traits.public_chars_max if public else traits.direct_chars_max
    weight = weighted_length(text) if case.channel == "x" and public else len(text)
    if most and weight > most:
        where = "public replies" if public else "direct messages"
        raise BadInput("text", f"{weight} of {most} characters: too long for {where}, which some of this group get.")


PAGES: tuple[Page, ...] = (
    Page("/incident/pause", "POST", pause, Role.ADMIN),
    Page("/incident/check-backs", "POST", check_backs, Role.ADMIN),
    Page("/incident/topics", "POST", hold, Role.ADMIN),
    Page("/incident/updates", "POST", update, Role.ADMIN),
    Page("/incident/answers", "POST", answer, Role.LEAD),
)
