"""A draft wording in a file: templates with their sources, in TOML.

[[templates]]
language = "de"
act = "acknowledge"
surface = "public"
situations = ["late"]     # optional, as are topic and variant
source = '''
Das tut uns leid.
…
'''
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.wordings.places import Place
from conversations.errors import HearoutError
from conversations.wording.template import Template

KEYS = frozenset({"language", "act", "surface", "topic", "situations", "variant", "source"})
FILE_BYTES_MAX = 2_000_000


class BadDraft(HearoutError):
    """The file is no draft; the message names the file, the template and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A source and where it would apply."""

    place: Place
    source: str

    def template(self) -> Template:
        """As a template of the version ``draft``."""
        return self.place.template(self.source)


def read_drafts(path: Path) -> list[Draft]:
    """The templates of a file. Raises ``BadDraft``; the sources are not checked yet."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadDraft(f"{path}: larger than {FILE_BYTES_MAX:,} bytes: split it")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDraft(f"{path}: cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDraft(f"{path}: not TOML: {error}") from None
    entries = document.get("templates")
    if not isinstance(entries, list) or not entries or set(document) != {"templates"}:
        raise BadDraft(f"{path}: holds no [[templates]], or something else beside them: see docs/wording.md, Drafts")
    drafts = [_draft(entry, f"{path}, template {number}") for number, entry in enumerate(entries, 1)]
    names = [draft.place.name for draft in drafts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadDraft(f"{path}: {', '.join(twice)}: is there twice: give one of them another variant")
    return drafts


def _draft(entry: Any, where: str) -> Draft:
    if not isinstance(entry, dict):
        raise BadDraft(f"{where}: write it as a table, [[templates]]")
    if strange := sorted(set(entry) - KEYS):
        raise BadDraft(f"{where}: {', '.join(strange)}: no such key; there is {', '.join(sorted(KEYS))}")
    situations = entry.get("situations", [])
    for name in ("language", "act", "surface", "source", "topic", "variant"):
        if name in ("topic", "variant") and name not in entry:
            continue
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise BadDraft(f"{where}: {name}: give it as a text")
    if not isinstance(situations, list) or not all(isinstance(name, str) for name in situations):
        raise BadDraft(f'{where}: situations: give a list of names, e.g. ["late"]')
    try:
        place = Place.make(
            entry["language"],
            entry["act"],
            entry["surface"],
            entry.get("topic"),
            set(situations),
            entry.get("variant", "a"),
        )
    except HearoutError as error:
        raise BadDraft(f"{where}: {error}") from None
    return Draft(place, entry["source"].strip("\n") + "\n")
