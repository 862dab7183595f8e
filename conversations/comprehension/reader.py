"""The door: ``Reader.default().read(text)`` gives a Reading. Pure after construction: no file, clock, chance or log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from conversations.comprehension import language as languages
from conversations.comprehension.answers import weigh_answer
from conversations.comprehension.cues import gather, read_cues
from conversations.comprehension.intensity import read_intensity
from conversations.comprehension.linear import Weights
from conversations.comprehension.pack import LanguagePack, Shelved, shelve_packs
from conversations.comprehension.reading import Complaint, Decision, Reading, ReadingContext, RiskLevel
from conversations.comprehension.risk import read_risk
from conversations.comprehension.signs import signs
from conversations.comprehension.story import story_told
from conversations.comprehension.tokens import bounded, clean
from conversations.comprehension.topics import read_topics
from conversations.comprehension.triage import features, judge
from conversations.comprehension.wish import read_wish
from conversations.wording.mirror import quotable
from conversations.wording.privacy import mask, private_spans

UNKNOWN_LANGUAGE = "the language is not one of ours"
DANGER = "+ it may be about a danger"
TOO_LONG = "only the beginning and the end were read"


class Reader:
    """Reads texts with the given language packs. ``weights`` replaces a pack's triage by language code (``hearout learn``)."""

    def __init__(self, packs: Sequence[LanguagePack | Shelved], weights: Mapping[str, Weights] | None = None) -> None:
        if not packs:
            raise ValueError("a Reader needs at least one language pack")
        self._shelf = {pack.code: pack for pack in packs}
        self._learned = dict(weights or {})
        self._first = packs[0].code
        self._hints = languages.hint_table(packs)

    def warm(self) -> None:
        """Read the first pack and the detector's model, so that no later reading touches a file."""
        self._pack(self._first)
        languages.warm()

    def _pack(self, code: str) -> LanguagePack:
        pack = self._shelf[code]
        return pack.pack if isinstance(pack, Shelved) else pack

    @staticmethod
    @cache
    def default() -> Reader:
        """The reader with every language that is shipped."""
        return Reader(shelve_packs())

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages, none of them read for it."""
        return tuple(self._shelf)

    def with_weights(self, weights: Mapping[str, Weights]) -> Reader:
        """The same languages with other triage weights."""
        return Reader(tuple(self._shelf.values()), weights)

    @property
    def packs(self) -> Mapping[str, LanguagePack]:
        """The languages by code, all of them read. Raises: LanguagePackError."""
        return {code: self._pack(code) for code in self._shelf}

    @property
    def weights(self) -> Mapping[str, Weights]:
        """The triage in use, by language code."""
        return {code: pack.weights for code, pack in self.packs.items() if pack.weights} | self._learned

    def read(self, text: str, context: ReadingContext = ReadingContext()) -> Reading:  # noqa: B008, it is frozen
        """What a text says. Never raises for any string; of a very long one the beginning and the end are read."""
        part, cut = bounded(text)
        cleaned = clean(part)
        private = private_spans(text)
        masked = mask(text, private)
        first = self._pack(self._first)
        tokens = first.tokens(cleaned)
        code = languages.read_language(tokens.text, tokens.plain, self._hints, context.language)
        pack = self._pack(code) if code in self._shelf else None
        known = pack is not None or code == languages.UNKNOWN  # a thumb, or "lol": the first language will do
        pack = pack or first
        if pack is not first:
            tokens = pack.tokens(cleaned)
        hits = pack.phrases.find(tokens)
        seen = gather(pack, tokens, hits)
        parts = signs(tokens, hits)
        weights = self._learned.get(pack.code) or pack.weights
        if known and weights:
            complaint = judge(weights, features(pack, tokens, hits, parts), tokens, hits)
        else:
            complaint = Complaint(0.5, Decision.UNSURE, (UNKNOWN_LANGUAGE,))
        if cut:
            complaint = Complaint(complaint.probability, complaint.decision, (*complaint.why, TOO_LONG))
        risk = read_risk(tokens, hits, pack.pairs, pack.risk_levels, pack.dangers, parts)
        if complaint.decision is Decision.NO and any(item.level is RiskLevel.RED for item in risk):
            complaint = Complaint(complaint.probability, Decision.UNSURE, (DANGER, *complaint.why))
        if not known:
            return Reading(code, complaint, risk=risk, private=private, masked=masked)
        wish = read_wish(seen)
        return Reading(
            language=code,
            complaint=complaint,
            topics=read_topics(hits),
            risk=risk,
            intensity=read_intensity(seen),
            cues=weigh_answer(pack, tokens, parts, read_cues(seen, context.asked), context.asked),
            wish=mask(wish, private_spans(wish)) if wish else None,
            story_told=story_told(seen, private),
            private=private,
            masked=masked,
            quotable=quotable(seen),
        )
