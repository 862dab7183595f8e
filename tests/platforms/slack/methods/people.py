"""auth.test, apps.connections.open, users.*, usergroups.*, team.info."""

from tests.platforms.slack.methods.base import Desk, Method, page
from tests.platforms.slack.values import Call, Json, SlackError, UserGroup


def auth_test(desk: Desk, call: Call) -> Json:
    """Who the token is."""
    world = desk.world
    return {
        "url": f"https://{world.team.domain}.slack.com/",
        "team": world.team.name,
        "user": world.app.name,
        "team_id": world.team.id,
        "user_id": world.app.bot_user,
        "bot_id": world.app.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(desk: Desk, call: Call) -> Json:
    """A Socket Mode URL that is good for one handshake."""
    websocket = desk.world.base_url.replace("http", "ws", 1)
    return {"url": f"{websocket}link/?ticket={desk.sockets.issue()}&app_id={desk.world.app.id}"}


def users_info(desk: Desk, call: Call) -> Json:
    """One person, strangers of shared channels included."""
    return {"user": desk.world.user_json(desk.world.user_for_app(call.text("user")), call.scopes)}


def users_list(desk: Desk, call: Call) -> Json:
    """The workspace's own people, the deleted and the bots included."""
    own = [user for user in desk.world.users.values() if not desk.world.is_stranger(user)]
    members, metadata = page(call, own, default=len(own) or 1)
    return {
        "members": [desk.world.user_json(user, call.scopes) for user in members],
        "cache_ts": int(desk.world.now_s),
        "response_metadata": metadata,
    }


def usergroups_list(desk: Desk, call: Call) -> Json:
    """The user groups, with their people when `include_users` is set."""
    groups = [g for g in desk.world.groups.values() if call.flag("include_disabled") or not g.is_disabled]
    return {"usergroups": [_group_json(desk, group, users=call.flag("include_users")) for group in groups]}


def usergroups_users_list(desk: Desk, call: Call) -> Json:
    """The people of one user group."""
    group = desk.world.groups.get(call.text("usergroup"))
    if group is None or (group.is_disabled and not call.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def team_info(desk: Desk, call: Call) -> Json:
    """The workspace, or another one that shares a channel."""
    team = desk.world.teams.get(call.text("team") or desk.world.team.id)
    if team is None:
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "email_domain": "",
        }
    }


def _group_json(desk: Desk, group: UserGroup, *, users: bool) -> Json:
    facts: Json = {
        "id": group.id,
        "team_id": desk.world.team.id,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.handle.title(),
        "date_delete": int(group.is_disabled),
        "user_count": len(group.users),
    }
    return facts | {"users": list(group.users)} if users else facts


METHODS = {
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(connections_open, ("connections:write",), token="app"),
    "users.info": Method(users_info, ("users:read",)),
    "users.list": Method(users_list, ("users:read",)),
    "usergroups.list": Method(usergroups_list, ("usergroups:read",)),
    "usergroups.users.list": Method(usergroups_users_list, ("usergroups:read",)),
    "team.info": Method(team_info, ("team:read",)),
}
