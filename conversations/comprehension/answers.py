"""What an answer says, weighed: the rules of ``cues.py`` are heard, and the words are weighed beside them (``network.py``).

Where it is known what was asked, a small network decides which cues are there. It adds what no phrase says ("suits us down to
the ground" is a yes to a plan) and takes back what the rules read the wrong way round. A cue is *certain* only when the rules
say so and the model does not doubt it; that more follows, as soon as it is there, since listening harms nobody. Where nothing
was asked, the rules stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conversations.comprehension.network import Network
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.reading import Certainty, Cue, CueName
from conversations.comprehension.signs import Signs, form
from conversations.comprehension.tokens import Tokens

SITUATIONS = ("story", "mirror", "plan", "check_back", "resolved")
ONLY_IN: Mapping[str, tuple[str, ...]] = {
    "confirms": ("mirror",), "adds": ("mirror",), "agrees": ("plan",), "declines": ("plan",),
    "satisfied": ("check_back", "resolved"), "unsatisfied": ("check_back", "resolved"),
    "needs_more": ("check_back", "resolved", "mirror"),
}  # fmt: skip
"""What was asked, for the cues that mean something only as an answer to it; the other cues may stand in any text."""
LABELS = tuple(name.value for name in CueName if name is not CueName.MIXED)
OPPOSITE = {"satisfied": "unsatisfied", "unsatisfied": "satisfied", "agrees": "declines", "declines": "agrees"}


def answer_signs(parts: Sequence[Signs], tokens: Tokens, cues: Sequence[Cue], asked: str) -> list[Signs]:
    """The signs of each part of a text, with how it looks, what was asked and what the rules read."""
    read = [f"read:{cue.name.value}:{cue.certainty.value}" for cue in cues] or ["read:none"]
    said = [*form(tokens), f"asked:{asked}", *read, *[f"asked:{asked} {sign}" for sign in read]]
    return [Signs(part.words, [*part.more, *said]) for part in parts]


def weigh_answer(
    pack: LanguagePack, tokens: Tokens, parts: Sequence[Signs], cues: tuple[Cue, ...], asked: str | None
) -> tuple[Cue, ...]:
    """The cues of an answer, in the order of ``CueName``. ``cues`` are those of the rules."""
    network = pack.answers
    if network is None or asked not in SITUATIONS or not tokens.words:
        return cues
    signs = answer_signs(parts, tokens, cues, asked)
    odds = network.weigh(signs)
    ruled = {cue.name: cue for cue in cues}
    weighed: list[Cue] = []
    for name in CueName:
        cue = ruled.get(name)
        if name is CueName.MIXED or asked not in ONLY_IN.get(name, SITUATIONS):
            weighed += [cue] if cue else []
        elif _there(name, odds, network.limits, cue):
            if cue is None:
                weighed.append(Cue(name, Certainty.LIKELY, _evidence(network, name, tokens, signs)))
            elif odds[name] < network.limits["certain"] and name is not CueName.MORE_TO_COME:
                weighed.append(Cue(name, Certainty.LIKELY, cue.evidence))
            else:
                weighed.append(cue)
    return tuple(weighed)


def _there(name: str, odds: Mapping[str, float], limits: Mapping[str, float], cue: Cue | None) -> bool:
    """Whether a cue is in the text: likely enough, and clearly likelier than an opposite that may be meant; else neither is."""
    if cue is not None and cue.certainty is Certainty.CERTAIN and odds[name] >= limits["certain"]:
        return True
    if odds[name] < limits[name]:
        return False
    other = OPPOSITE.get(name)
    return other is None or odds[other] < limits["opposed"] or odds[name] >= odds[other] + limits["ahead"]


def _evidence(network: Network, name: str, tokens: Tokens, parts: Sequence[Signs]) -> str:
    span = network.telling(name, tokens, parts)
    return tokens.evidence(*span) if span else tokens.text.strip()[-40:]
