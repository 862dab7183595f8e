"""X (Twitter): mentions and direct messages in, replies out, within X's rules. ``docs/x.md`` takes an admin through
it."""

from bot.channels.x.channel import XChannel
from bot.channels.x.settings import XAccount, XKeys, XPrices, XSettings

__all__ = ["XAccount", "XChannel", "XKeys", "XPrices", "XSettings"]
