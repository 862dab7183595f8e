"""Customers who write in Slack: mentions in channels, threads, and direct messages."""

from bot.channels.slack.channel import SlackChannel
from bot.channels.slack.settings import CustomerSettings

__all__ = ["CustomerSettings", "SlackChannel"]
