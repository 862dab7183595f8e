"""A language as data: loads a folder of ``conversations/languages`` and builds its one matcher.

Adding a language is adding a folder (docs/languages.md). A folder that cannot be loaded says which file, which key, and why.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from conversations.comprehension.linear import Weights
from conversations.comprehension.network import Network
from conversations.comprehension.phrases import PhraseError, Phrases
from conversations.comprehension.reading import RiskLevel
from conversations.comprehension.risk import Pair
from conversations.comprehension.senses import Senses
from conversations.comprehension.tokens import Tokens, fold, tokenize
from conversations.comprehension.traces import Traces
from conversations.errors import LanguagePackError


@dataclass(frozen=True, slots=True)
class Mark:
    """What a phrase stands for: ``kind`` is ``cue``, ``topic``, ``risk``, ``part`` (of a risk) or ``lexicon``;
    ``weight`` is in 0..1.

    For a cue, weight 1 is certain and less is likely. For a topic it is how much the phrase tells.
    """

    kind: str
    name: str
    weight: float = 1.0
    level: RiskLevel | None = None
    sign: str = ""

    def __post_init__(self) -> None:
        """``sign`` is the name that ``traces.py`` knows it by; the weight tells cues that are sure from likely ones."""
        object.__setattr__(self, "sign", f"{self.kind}:{self.name}:{self.weight:g}")


@dataclass(frozen=True, slots=True)
class LanguagePack:
    """Everything that reading needs to know about one language."""

    code: str
    name: str
    phrases: Phrases
    aliases: Mapping[str, tuple[str, ...]]
    hints: frozenset[str]
    small: frozenset[str]
    negators: frozenset[str]
    negation_after: int
    open_ends: frozenset[str]
    topics: tuple[str, ...]
    risk_levels: dict[str, RiskLevel]
    pairs: tuple[Pair, ...]
    weights: Weights | None
    complaints: Network | None = None
    dangers: Traces | None = None
    answers: Network | None = None
    senses: Senses = field(default_factory=lambda: Senses({}), repr=False, compare=False)
    forms: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def tokens(self, text: str) -> Tokens:
        """The words of a clean text, as this language writes them."""
        return tokenize(text, self.aliases, self.phrases.vocabulary, self.forms)


def _strings(file: str, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LanguagePackError(file, key, "expected a list of strings")
    return value


def _table(folder: Traversable, name: str) -> dict[str, Any]:
    label = f"{folder.name}/{name}"
    try:
        return tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LanguagePackError(label, "-", "the file is missing; every language needs it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LanguagePackError(label, "-", f"is no TOML: {error}") from None


def _fill(phrases: Phrases, file: str, key: str, cues: Sequence[str], mark: Mark) -> None:
    for cue in cues:
        try:
            phrases.add(cue, mark)
        except PhraseError as error:
            raise LanguagePackError(file, key, str(error)) from None


def load_pairs(root: Traversable) -> tuple[Pair, ...]:
    """The pairs of word classes that make a danger in every language. Raises: LanguagePackError."""
    pairs: list[Pair] = []
    for kind, table in _table(root, "risk_pairs.toml").items():
        for written in _strings("risk_pairs.toml", kind, table.get("pairs")):
            names = written.split()
            if len(names) != 2:
                raise LanguagePackError("risk_pairs.toml", kind, f"{written!r} is not two classes")
            pairs.append(Pair(kind, *names))
    return tuple(pairs)


def load_pack(folder: Traversable, pairs: tuple[Pair, ...]) -> LanguagePack:
    """The language in a folder. Raises: LanguagePackError."""
    code = folder.name
    language = _table(folder, "language.toml")
    file = f"{code}/language.toml"
    for key in ("name", "hints", "small", "negators", "open_ends"):
        if key not in language:
            raise LanguagePackError(file, key, "is missing")
    aliases = {fold(short): tokenize(long).words for short, long in language.get("aliases", {}).items()}
    classes = {name: _strings(file, f"classes.{name}", words) for name, words in language.get("classes", {}).items()}
    risks = _table(folder, "risk.toml")
    risk_classes = risks.pop("classes", {})
    phrases = Phrases(classes, aliases)
    for name, words in risk_classes.items():
        listed = _strings(f"{code}/risk.toml", f"classes.{name}", words)
        _fill(phrases, f"{code}/risk.toml", f"classes.{name}", listed, Mark("part", name))
    topics = _table(folder, "topics.toml")
    for name, topic in topics.items():
        for key in ("name", "thing", "about"):
            if not isinstance(topic.get(key), str):
                raise LanguagePackError(f"{code}/topics.toml", f"{name}.{key}", "expected a string")
        for key, weight in (("cues", 1.0), ("hints", 0.4)):
            cues = _strings(f"{code}/topics.toml", f"{name}.{key}", topic.get(key, []))
            _fill(phrases, f"{code}/topics.toml", f"{name}.{key}", cues, Mark("topic", name, weight))
    for name, cue in _table(folder, "cues.toml").items():
        for key, weight in (("certain", 1.0), ("likely", 0.5)):
            cues = _strings(f"{code}/cues.toml", f"{name}.{key}", cue.get(key, []))
            _fill(phrases, f"{code}/cues.toml", f"{name}.{key}", cues, Mark("cue", name, weight))
    for name, risk in risks.items():
        if risk.get("level") not in ("red", "amber"):
            raise LanguagePackError(f"{code}/risk.toml", f"{name}.level", 'must be "red" or "amber"')
        mark = Mark("risk", name, 1.0, RiskLevel(risk["level"]))
        _fill(phrases, f"{code}/risk.toml", name, _strings(f"{code}/risk.toml", name, risk.get("cues")), mark)
    for name, cues in _table(folder, "lexicon.toml").items():
        listed = _strings(f"{code}/lexicon.toml", name, cues.get("words", []))
        _fill(phrases, f"{code}/lexicon.toml", name, listed, Mark("lexicon", name))
    for words in ("hints", "small"):
        phrases.vocabulary.update(word for text in language[words] for word in tokenize(text).words)
    senses = load_senses(folder)

    def learnt(name: str) -> dict[str, Any] | None:
        path = folder.joinpath(name)
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def network(name: str) -> Network | None:
        data = learnt(name)
        return Network.from_json(data, senses) if data else None

    triage, dangers = learnt("triage.json"), learnt("risk.json")

    def folded(key: str) -> frozenset[str]:
        return frozenset(word for text in _strings(file, key, language[key]) for word in tokenize(text, aliases).words)

    known = {name for pair in pairs for name in (pair.first, pair.second)}
    for name in risk_classes.keys() - known:
        raise LanguagePackError(f"{code}/risk.toml", f"classes.{name}", "no pair of risk_pairs.toml uses this class")
    levels = {name: RiskLevel(risk["level"]) for name, risk in risks.items()}
    for pair in pairs:
        if pair.kind not in levels:
            raise LanguagePackError(f"{code}/risk.toml", pair.kind, "is missing; risk_pairs.toml has pairs for it")
    return LanguagePack(
        code, language["name"], phrases, aliases, folded("hints"), folded("small"), folded("negators"),
        int(language.get("negation_after", 0)), folded("open_ends"), tuple(topics), levels, pairs,
        Weights.from_json(triage) if triage else None, network("complaints.json"),
        Traces.from_json(dangers, senses) if dangers else None, network("cues.json"), senses,
    )  # fmt: skip


def load_senses(folder: Traversable) -> Senses:
    """The senses of a language's words, which the tone guard weighs as well; none without a file. Raises: LanguagePackError."""
    file = f"{folder.name}/senses.toml"
    table = _table(folder, "senses.toml") if folder.joinpath("senses.toml").is_file() else {}
    listed = {name: _strings(file, name, words) for name, words in table.items()}
    try:
        return Senses(listed)
    except ValueError as error:
        raise LanguagePackError(file, "-", str(error)) from None


class Shelved:
    """A language whose pack is read when somebody first writes in it: a pack takes 0.3 s and 20 MB. ``hints`` tell it apart."""

    def __init__(self, folder: Traversable, pairs: tuple[Pair, ...]) -> None:
        self.code = folder.name
        self.hints = frozenset(
            word for text in _table(folder, "language.toml").get("hints", ()) for word in tokenize(text).words
        )
        self._folder = folder
        self._pairs = pairs

    @cached_property
    def pack(self) -> LanguagePack:
        """The pack. Raises: LanguagePackError."""
        return load_pack(self._folder, self._pairs)


def languages() -> Traversable:
    """The folder of the languages that the package ships, each a folder named by its code."""
    return resources.files("conversations") / "languages"


def shelve_packs() -> tuple[Shelved, ...]:
    """Every language that the package ships, English first. Raises: LanguagePackError."""
    root = languages()
    folders = [item for item in root.iterdir() if item.is_dir() and item.joinpath("language.toml").is_file()]
    pairs = load_pairs(root)
    return tuple(Shelved(folder, pairs) for folder in sorted(folders, key=lambda item: (item.name != "en", item.name)))


def load_packs() -> tuple[LanguagePack, ...]:
    """Every language's pack, read now. Raises: LanguagePackError."""
    return tuple(shelved.pack for shelved in shelve_packs())
