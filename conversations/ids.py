"""Names of things, and keys that come out the same whenever they are made again: a repeat is a no-op."""

from __future__ import annotations

from typing import NewType

ConversationKey = NewType("ConversationKey", str)
"""One conversation: ``{channel}:{account}:{external id of its first post}``; split off: ``{where from}~{version}``."""

ExternalId = NewType("ExternalId", str)
"""What a platform calls a post or message. Unique together with the channel's name."""

EffectKey = NewType("EffectKey", str)
"""One effect of one decision: ``{conversation}:{version}:{n}``."""

AgentId = NewType("AgentId", str)
"""A human at the desk, e.g. a Slack user id."""

PromiseId = NewType("PromiseId", str)
"""One promised step of a plan: ``{plan number}.{step number}``."""


def conversation_key(channel: str, account: str, first_post: str) -> ConversationKey:
    """The key of the conversation that this first post opens."""
    return ConversationKey(f"{channel}:{account}:{first_post}")


def split_key(conversation: ConversationKey, version: int) -> ConversationKey:
    """The key of what is split off from a conversation in the decision that made this version."""
    return ConversationKey(f"{conversation}~{version}")


def effect_key(conversation: ConversationKey, version: int, n: int) -> EffectKey:
    """The key of the n-th effect of the decision that made this version."""
    return EffectKey(f"{conversation}:{version}:{n}")
