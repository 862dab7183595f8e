"""The Web API's methods, one family a file; `METHODS` names them all."""

from tests.platforms.slack.methods import chat, conversations, files, people, views
from tests.platforms.slack.methods.base import Method

METHODS: dict[str, Method] = {
    **people.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **views.METHODS,
    **files.METHODS,
}
