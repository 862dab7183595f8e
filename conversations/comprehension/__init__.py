"""From a customer's text to a Reading. ``Reader`` is the door; each file reads one thing.

``Reader`` is imported when it is first asked for: the values in ``reading`` are wanted everywhere, its language model is not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conversations.comprehension.reader import Reader

__all__ = ["Reader"]


def __getattr__(name: str) -> Any:
    if name == "Reader":
        from conversations.comprehension.reader import Reader

        return Reader
    raise AttributeError(name)
