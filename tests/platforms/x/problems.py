"""X's error bodies. Their wording follows X's documentation and public threads."""

import json
from collections.abc import Sequence

from tests.platforms.x.model import Json

_PROBLEMS = "https://api.twitter.com/2/problems/"
NOT_MENTIONED = "You can only reply to or quote posts where you are mentioned or are the author of."
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
INVISIBLE_PARENT = "You attempted to reply to a Tweet that is deleted or not visible to you."
BLOCKED = "You have been blocked from the author of this tweet, so cannot perform this action."
DM_REFUSED = "You do not have permission to DM one or more participants."
NOT_PERMITTED = "You are not permitted to perform this action."


class Problem(Exception):
    """A request that X refuses: `status` and the JSON `body` it answers with."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {json.dumps(body)}")
        self.status = status
        self.body = body


def plain(status: int, title: str, detail: str) -> Problem:
    """The short form that most refusals have."""
    return Problem(status, {"detail": detail, "type": "about:blank", "title": title, "status": status})


def unauthorized() -> Problem:
    """401. X does not say why; the platform keeps the reason in `XPlatform.auth_failures`."""
    return plain(401, "Unauthorized", "Unauthorized")


def forbidden(detail: str) -> Problem:
    """403 with its reason."""
    return plain(403, "Forbidden", detail)


def not_found() -> Problem:
    """404 of a route or of an object that an act needs."""
    return plain(404, "Not Found", "Not Found")


def too_many_requests() -> Problem:
    """429."""
    return plain(429, "Too Many Requests", "Too Many Requests")


def too_long() -> Problem:
    """400 of a text beyond 280."""
    see = "For more information on how Twitter determines text length see https://github.com/twitter/twitter-text."
    return plain(400, "Bad Request", f"Your Tweet text is too long. {see}")


def credits_depleted(account_id: str) -> Problem:
    """402: nothing works until somebody pays."""
    detail = f"Your enrolled account [{account_id}] does not have any credits to fulfill this request."
    return Problem(402, {"title": "CreditsDepleted", "detail": detail, "type": _PROBLEMS + "credits"})


def unsupported_authentication(used: str, supported: Sequence[str]) -> Problem:
    """403 of a route that does not take this kind of token."""
    detail = (
        f"Authenticating with {used} is forbidden for this endpoint.  "
        f"Supported authentication types are [{', '.join(supported)}]."
    )
    kind = _PROBLEMS + "unsupported-authentication"
    return Problem(403, {"title": "Unsupported Authentication", "detail": detail, "type": kind, "status": 403})


def missing_permission() -> Problem:
    """403 of a token that was authorised for less."""
    detail = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
    kind = _PROBLEMS + "oauth1-permissions"
    return Problem(403, {"title": "Forbidden", "detail": detail, "type": kind, "status": 403})


def invalid(message: str, parameter: str, value: str) -> Problem:
    """400 that names the parameter and what is wrong with its value."""
    return Problem(
        400,
        {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": _PROBLEMS + "invalid-request",
        },
    )


def too_many_connections() -> Problem:
    """429 of a second stream."""
    return Problem(
        429,
        {
            "title": "ConnectionException",
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "connection_issue": "TooManyConnections",
            "type": _PROBLEMS + "streaming-connection",
        },
    )


def missing(kind: str, parameter: str, value: str) -> Json:
    """An entry of `errors` in a 200: the object does not exist (any more)."""
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": _PROBLEMS + "resource-not-found",
    }


def hidden(kind: str, parameter: str, value: str) -> Json:
    """An entry of `errors` in a 200: the object exists but not for us (protected, or its author blocks us)."""
    return {
        "value": value,
        "detail": f"Sorry, you are not authorized to see the {kind.capitalize()} with {parameter}: [{value}].",
        "title": "Authorization Error",
        "section": "data",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": _PROBLEMS + "not-authorized-for-resource",
    }
