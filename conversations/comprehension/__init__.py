"""From a customer's text to a Reading. ``Reader`` is the door; each file reads one thing."""

from conversations.comprehension.reader import Reader

__all__ = ["Reader"]
