"""What the bot says: templates, the tone guard, privacy, the mirror and length."""

from conversations.wording.chooser import NoTemplate, Wording
from conversations.wording.request import Act, Rendered, Request, Situation, Surface
from conversations.wording.spoken import plan_text, spoken_hours, spoken_time

__all__ = [
    "Act",
    "NoTemplate",
    "Rendered",
    "Request",
    "Situation",
    "Surface",
    "Wording",
    "plan_text",
    "spoken_hours",
    "spoken_time",
]
