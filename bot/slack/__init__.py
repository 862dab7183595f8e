"""What both Slack parts share: one app, one client, the sockets and their watchdog, who people are, and Slack's text."""

from bot.slack.app import Slack
from bot.slack.settings import Mode, SlackSettings
from bot.slack.trouble import Trouble, TroubleKind

__all__ = ["Mode", "Slack", "SlackSettings", "Trouble", "TroubleKind"]
