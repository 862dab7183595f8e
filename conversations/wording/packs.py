"""The language packs' part that wording needs: templates, words for dates, the guard's patterns, the topics' nouns.

A pack is read once, by ``load_packs``; after that nothing here touches a file, but for a language's weights (``load_weights``).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from conversations.errors import LanguagePackError
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.template import Template

LANGUAGES = ("en", "de", "es", "fr", "pt")
_GUARD, _SENSES, _WEIGHTS = "guard.toml", "senses.toml", "guard.json"
_WORDS, _NOUNS, _SHARED = "words.toml", "nouns.toml", "compositions.toml"
_GENERIC = "other"
"""The topic that is none: general phrasings say it better than its noun."""


@dataclass(frozen=True, slots=True)
class Noun:
    """What a topic is called in a sentence: ``thing`` ("the parcel"), ``about`` after a preposition."""

    thing: str
    about: str


@dataclass(frozen=True)
class Pack:
    """What wording knows of one language.

    ``nouns`` are noun phrases by topic; ``words`` the small words of dates and steps; ``marks`` how lint
    knows the bot's introduction and an apology; ``guard`` the tone guard's patterns by rule, ``senses`` what its second reading
    finds in sentences (``weighing.py``); ``samples`` what previews show.
    """

    language: str
    templates: tuple[Template, ...]
    words: Mapping[str, str]
    marks: Mapping[str, tuple[str, ...]]
    guard: Mapping[str, Mapping[str, tuple[str, ...]]]
    nouns: Mapping[str, Noun]
    samples: Mapping[str, str] = field(default_factory=dict)
    senses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def load_packs() -> Mapping[str, Pack]:
    """The packs that come with Hearout, by language. Raises LanguagePackError if a file is wrong."""
    root = files("conversations").joinpath("languages")
    shared = _toml(files("conversations").joinpath("wording", _SHARED))
    return {
        language: load_pack(language, root.joinpath(language), shared)
        for language in LANGUAGES
        if _present(root, language)
    }


def load_weights(language: str) -> dict[str, Any] | None:
    """The weights of a language's second reading, as they are on disk, several times as large in memory; None without them.

    Raises LanguagePackError for what is no JSON.
    """
    entry = files("conversations").joinpath("languages", language, "templates", _WEIGHTS)
    try:
        return dict(json.loads(entry.read_text("utf-8"))) if entry.is_file() else None
    except ValueError as error:
        raise LanguagePackError(entry.name, "JSON", str(error)) from None


def _present(root: Traversable, language: str) -> bool:
    return root.joinpath(language).joinpath("templates").is_dir()


def load_pack(language: str, folder: Traversable, shared: Mapping[str, Any]) -> Pack:
    """Read one language's folder; ``shared`` are the compositions of all languages.

    Raises LanguagePackError with the file and the key that is wrong.
    """
    documents: dict[str, dict[str, Any]] = {}
    for entry in sorted(folder.joinpath("templates").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            documents[entry.name] = _toml(entry)
    words = documents.pop(_WORDS, {})
    guard = documents.pop(_GUARD, {})
    senses = documents.pop(_SENSES, {}).get("senses", {})
    topics = folder.joinpath("topics.toml")
    nouns = {**(_toml(topics) if topics.is_file() else {}), **documents.pop(_NOUNS, {})}
    return Pack(
        language,
        tuple(_templates(language, {**documents, _SHARED: dict(shared)})),
        {name: word for name, word in words.items() if isinstance(word, str)},
        {name: tuple(found) for name, found in words.items() if isinstance(found, list)},
        {rule: {kind: tuple(patterns) for kind, patterns in table.items()} for rule, table in guard.items()},
        {topic: Noun(table["thing"], table["about"]) for topic, table in nouns.items() if topic != _GENERIC},
        dict(words.get("samples", {})),
        {sense: tuple(phrases) for sense, phrases in senses.items()},
    )


def _toml(entry: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(entry.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LanguagePackError(entry.name, "TOML", str(error)) from None


def _templates(language: str, documents: Mapping[str, dict[str, Any]]) -> list[Template]:
    slots: dict[str, str] = {}
    for file, document in documents.items():
        for name, text in document.get("slots", {}).items():
            if name in slots:
                raise LanguagePackError(f"{language}/{file}", name, "this slot is there twice: rename one")
            slots[name] = text.strip()
    templates: list[Template] = []
    for file, document in documents.items():
        for number, entry in enumerate(document.get("templates", ()), start=1):
            where = f"{language}/{file}, template {number}"
            try:
                source = "\n\n".join(_slot(slots, name) for name in entry["slots"])
                templates += [
                    Template(
                        language,
                        Act(entry["act"]),
                        Surface(surface),
                        source,
                        entry.get("topic"),
                        frozenset(Situation(name) for name in entry.get("situations", ())),
                        entry.get("variant", "a"),
                        where=where,
                    )
                    for surface in (entry["surfaces"] if "surfaces" in entry else [entry["surface"]])
                ]
            except KeyError as error:
                raise LanguagePackError(where, str(error.args[0]), "no such slot or key") from None
            except ValueError as error:
                raise LanguagePackError(where, "act, surface or situation", str(error)) from None
    return templates


def _slot(slots: Mapping[str, str], name: str) -> str:
    """A slot's source by its name; ``name?`` may be left out when the text would be too long."""
    source = slots[name.removesuffix("?")]
    if not name.endswith("?") or source.startswith(("[optional", "[paragraph optional")):
        return source
    return f"[optional {source[1:]}" if source.startswith("[") else f"[optional]\n{source}"
