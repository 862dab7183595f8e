"""What an admin may do when something goes wrong for many at once: pause, hold a topic, tell everybody the same, answer a group.

The acts themselves are ``bot.incidents``', which every desk shares. All are written into the audit log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from bot.console.forms import BadInput, Form, read_form
from bot.console.frame import SAID, act, page, person_of, running
from bot.console.overview import home_with
from bot.console.people import Page
from bot.desk.acts import ActError
from bot.desk.incident import ANSWER_CHARS_MAX, Look
from bot.staff import Role

SAID |= {
    "paused": "The bot is paused: it says nothing of its own. Agents' words still go out.",
    "resumed": "The bot speaks again.",
    "held": "First replies about this topic now wait for a person. The alarm comes before their window ends.",
    "released": "First replies about this topic go out again.",
    "check-backs-paused": "Nobody is asked whether they are happy, until you resume it.",
    "check-backs-resumed": "Check-backs go on.",
    "update-set": "First replies about this topic now carry your update.",
    "update-cleared": "The update is taken out of first replies.",
    "answered": "The group is being answered: each customer once, cases of other agents left to them.",
    "nobody": "Nobody of this group is left to answer.",
}
Do = Callable[[Form], Awaitable[str]]


async def done(request: Request, do: Do) -> Response:
    """Do it and go back to the overview; a mistake is shown there, with what was typed."""

    async def told(form: Form) -> str:
        try:
            return f"/?said={await do(form)}"
        except ActError as error:
            raise BadInput(error.field, error.message) from error

    return await act(request, told, lambda words, form: home_with(request, words, form, 422))


async def pause(request: Request) -> Response:
    """``POST /incident/pause``: the bot says nothing of its own, or speaks again."""

    async def do(form: Form) -> str:
        app, person, on = running(request), person_of(request), form.flag("on")
        await app.switches.turn(person.actor, paused=f"by {person.name}" if on else "")
        return "paused" if on else "resumed"

    return await done(request, do)


async def check_backs(request: Request) -> Response:
    """``POST /incident/check-backs``: ask nobody whether they are happy, or go on asking."""

    async def do(form: Form) -> str:
        on = form.flag("on")
        await running(request).incidents.pause_check_backs(on, person_of(request).actor)
        return f"check-backs-{'paused' if on else 'resumed'}"

    return await done(request, do)


async def hold(request: Request) -> Response:
    """``POST /incident/topics``: first replies about a topic wait for a person, or go out again."""

    async def do(form: Form) -> str:
        on = form.flag("on")
        await running(request).incidents.hold(topic_of(form), on, person_of(request).actor)
        return "held" if on else "released"

    return await done(request, do)


async def update(request: Request) -> Response:
    """``POST /incident/updates``: one shared sentence in the first replies about a topic; empty takes it out."""

    async def do(form: Form) -> str:
        text, language = form.text("text", 1000).strip(), form.words("language", 20)
        await running(request).incidents.set_update(topic_of(form), language, text, person_of(request).actor)
        return "update-set" if text else "update-cleared"

    return await done(request, do)


async def answer(request: Request) -> Response:
    """``POST /incident/answers``: one answer to all open cases of a topic in one language, each customer once."""

    async def do(form: Form) -> str:
        app, agent = running(request), person_of(request).agent
        text = form.words("text", ANSWER_CHARS_MAX).strip()
        topic, language, group = topic_of(form), form.words("language", 20), form.id("id")
        look = await app.incidents.look_at_answer(topic, language, text, agent)
        if look.findings and not form.flag("anyway"):
            finding = look.findings[0]
            raise BadInput("text", f"“{text[finding.start : finding.end]}”: {finding.message}. {finding.suggestion}")
        count = await app.incidents.answer(topic, language, text, agent, group)
        return "answered" if count else "nobody"

    return await done(request, do)


async def look(request: Request) -> Response:
    """``POST /incident/look``: what an update would look like in first replies, or whom an answer would reach."""
    app, found, trouble = running(request), None, ""
    try:
        form = await read_form(request)
        found = await looked(request, form)
    except (BadInput, ActError) as error:
        trouble = error.message
    values = {"look": found, "message": trouble, "incidents": app.incidents}
    return await page(request, "incident_look.html", "", values, 422 if trouble else 200)


async def looked(request: Request, form: Form) -> Look | None:
    """See ``look``; nothing while nothing was written. Raises ``ActError``."""
    incidents, text = running(request).incidents, form.text("text", ANSWER_CHARS_MAX).strip()
    if not text:
        return None
    if form.flag("group"):
        return await incidents.look_at_answer(
            topic_of(form), form.words("language", 20), text, person_of(request).agent
        )
    return incidents.look_at_update(topic_of(form), form.words("language", 20), text)


def topic_of(form: Form) -> str:
    """The topic that is meant. Raises ``BadInput``."""
    return form.words("topic", 80).strip()


PAGES: tuple[Page, ...] = (
    Page("/incident/pause", "POST", pause, Role.ADMIN),
    Page("/incident/check-backs", "POST", check_backs, Role.ADMIN),
    Page("/incident/topics", "POST", hold, Role.ADMIN),
    Page("/incident/updates", "POST", update, Role.ADMIN),
    Page("/incident/answers", "POST", answer, Role.LEAD),
    Page("/incident/look", "POST", look, Role.LEAD),
)
