"""The agents' desk in Slack."""

from bot.desk.slack.desk import SlackDesk
from bot.desk.slack.settings import DeskSettings, QueuePlace

__all__ = ["DeskSettings", "QueuePlace", "SlackDesk"]
