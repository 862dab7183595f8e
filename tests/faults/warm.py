"""Imported once by the process that the victims of ``fleet`` are forked from: all that takes long is done before."""

from __future__ import annotations

import bot.live
import bot.store.postgres
import tests.live.company
from conversations.comprehension import Reader
from conversations.wording import Wording

Reader.default().read("My parcel is three weeks late and nobody answers")
Wording.default()
READY = (bot.live, bot.store.postgres, tests.live.company)
