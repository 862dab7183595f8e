"""Where a template applies, between its name, its parts and its row in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.store.records import TemplateVersion
from conversations.errors import HearoutError
from conversations.wording.facts import SITUATIONS
from conversations.wording.packs import load_packs
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.template import Template

VARIANT_CHARS_MAX = 20


class NoSuchTemplate(HearoutError):
    """Nothing is known by that name or version; the message says what is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Language × act × surface × topic and situations, and which variant. ``name`` is its id in the store and in turns."""

    language: str
    act: Act
    surface: Surface
    topic: str | None = None
    situations: frozenset[Situation] = frozenset()
    variant: str = "a"

    @property
    def name(self) -> str:
        """E.g. ``en.acknowledge.public.delivery.late.a``; the variant comes last."""
        return self.template("").name

    @property
    def shared(self) -> str:
        """The name without the variant: what competing variants have in common."""
        return self.template("").place

    def template(self, source: str, version: str = "draft") -> Template:
        """A template for this place. Its source is parsed when it is first used."""
        where = f"{self.language} {self.act.value}, {self.surface.value}"
        return Template(
            self.language, self.act, self.surface, source, self.topic, self.situations, self.variant, version, where
        )

    def row(self, source: str, author: str, at: datetime) -> TemplateVersion:
        """A new draft as the store keeps it."""
        situations = tuple(sorted(situation.value for situation in self.situations))
        return TemplateVersion(
            id=self.name,
            language=self.language,
            act=self.act.value,
            surface=self.surface.value,
            source=source,
            author=author,
            at=at,
            topic=self.topic,
            situations=situations,
        )

    @classmethod
    def of(cls, template: Template) -> Place:
        """Where a template applies."""
        return cls(
            template.language,
            template.act,
            template.surface,
            template.topic,
            template.situations,
            template.variant,
        )

    @classmethod
    def parse(cls, name: str) -> Place:
        """A place by its name. Raises ``NoSuchTemplate`` with the part that is wrong."""
        parts = name.strip().split(".")
        if len(parts) < 4:
            raise NoSuchTemplate(
                f"{name!r} names no template: write language.act.surface[.topic][.situations].variant, "
                "e.g. en.acknowledge.public.a"
            )
        language, act, surface, *middle = parts[:-1]
        situations = {part for part in middle if part in SITUATIONS}
        topics = [part for part in middle if part not in situations]
        return cls.make(language, act, surface, topics[0] if topics else None, situations, parts[-1], extra=topics[1:])

    @classmethod
    def make(
        cls,
        language: str,
        act: str,
        surface: str,
        topic: str | None = None,
        situations: tuple[str, ...] | set[str] = (),
        variant: str = "a",
        extra: list[str] | None = None,
    ) -> Place:
        """A place by its parts, each looked up. Raises ``NoSuchTemplate`` with the part that is wrong and what there is."""
        packs = load_packs()
        code = language.replace("_", "-").split("-")[0].lower()
        topics = packs[code].nouns if code in packs else {}
        for what, given, known in (
            ("language", code, list(packs)),
            ("act", act, [one.value for one in Act]),
            ("surface", surface, [one.value for one in Surface]),
            *(("situation", name, [one.value for one in Situation]) for name in sorted(situations)),
            *(("topic", name, sorted(topics)) for name in ([topic] if topic else []) + (extra or [])),
        ):
            if given not in known:
                raise NoSuchTemplate(f"{given!r} is no {what}: there is {', '.join(known)}")
        if extra:
            raise NoSuchTemplate(f"{', '.join(extra)}: a template has at most one topic")
        if not (variant.isalnum() and variant.isascii()) or len(variant) > VARIANT_CHARS_MAX or variant in SITUATIONS:
            raise NoSuchTemplate(
                f"variant {variant!r}: at most {VARIANT_CHARS_MAX} letters and digits, e.g. a, b, short"
            )
        chosen = frozenset(Situation(name) for name in situations)
        return cls(code, Act(act), Surface(surface), topic or None, chosen, variant)


def place_of(row: TemplateVersion) -> Place:
    """Where a row of the store applies. Raises ``NoSuchTemplate`` where this version of Hearout knows no such place."""
    return Place.make(
        row.language, row.act, row.surface, row.topic, set(row.situations), row.id.rpartition(".")[2] or "a"
    )


def template_of(row: TemplateVersion) -> Template:
    """A row as a template. Raises ``NoSuchTemplate``; a broken source raises when ``slots`` is first read."""
    return place_of(row).template(row.source, str(row.version))
