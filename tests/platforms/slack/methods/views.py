"""views.open, views.push, views.update, views.publish (https://docs.slack.dev/surfaces/modals)."""

from tests.platforms.slack.log import Did
from tests.platforms.slack.methods.base import Desk, Method, json_argument
from tests.platforms.slack.values import Call, Json, SlackError
from tests.platforms.slack.views import Shown


def open_(desk: Desk, call: Call) -> Json:
    """Open a modal for the person whose trigger this is. A refused view leaves the trigger usable."""
    view = _view(call)
    desk.views.check(view)
    return _shown(desk, call, Did.VIEW, desk.views.open(_person(desk, call), view))


def push(desk: Desk, call: Call) -> Json:
    """Put a modal on top of the open one."""
    view = _view(call)
    desk.views.check(view)
    return _shown(desk, call, Did.VIEW, desk.views.push(_person(desk, call), view))


def update(desk: Desk, call: Call) -> Json:
    """Change an open view by `view_id` or `external_id`; with `hash`, only if nobody else did meanwhile."""
    if not call.text("view_id") and not call.text("external_id"):
        raise SlackError("invalid_arguments")
    shown = desk.views.update(call.text("view_id"), call.text("external_id"), _view(call), call.text("hash"))
    return _shown(desk, call, Did.VIEW, shown)


def publish(desk: Desk, call: Call) -> Json:
    """Set what a person sees in the app's home."""
    user = desk.world.users.get(call.text("user_id"))
    if user is None or user.deleted:
        raise SlackError("user_not_found")
    return _shown(
        desk,
        call,
        Did.HOME,
        desk.views.publish(user.id, _view(call), call.text("hash")),
    )


def _person(desk: Desk, call: Call) -> str:
    if not call.text("trigger_id"):
        raise SlackError("invalid_arguments")
    return desk.interactions.use_trigger(call.text("trigger_id"))


def _view(call: Call) -> Json:
    view = json_argument(call, "view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments")
    return view


def _shown(desk: Desk, call: Call, did: Did, shown: Shown) -> Json:
    desk.world.log.append(
        desk.world.clock.now(),
        did,
        call.method,
        ts=shown.id,
        user=shown.user,
        blocks=tuple(shown.view["blocks"]),
    )
    return {"view": desk.views.json(shown)}


METHODS = {
    "views.open": Method(open_),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
