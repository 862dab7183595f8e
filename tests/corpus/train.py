"""Makes a language's linear triage from its corpus: ``python -m tests.corpus.train en``; without one it gets the prior.

What the network makes of a text (``complaints.py``) enters with a share of its own. The patterns
are split by number, so that the printed figures are on patterns that the weights have not seen.
"""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from bot.evaluate import figures
from bot.learn import fit, text_features
from conversations.comprehension import Reader
from conversations.comprehension.linear import Weights
from tests.corpus.generate import HERE, generate

PRIOR_SHARE = 0.6
TOLD = {"told": 0.6, "told:alone": 1.5}
"""What a log-odd of the network is worth, beside words of complaint and without any: more would do better on authors left out
(``python -m tests.corpus.people complaints``), and worse on posts full of angry words.
"""
LANGUAGES = Path(__file__).parents[2] / "conversations" / "languages"


def prior() -> Weights:
    """The author's weights, before any training."""
    data = tomllib.loads((HERE / "prior.toml").read_text(encoding="utf-8"))
    return Weights(float(data["bias"]), data["weights"])


def train(language: str) -> Weights:
    """The weights of a language from its corpus and the prior."""
    pack = Reader.default().packs[language]
    if not (HERE / f"{language}.txt").is_file():
        return prior()
    bare = replace(pack, complaints=None)
    rows = [
        (text_features(bare, sample.text), sample.complaint, str(sample.source)) for sample in generate(language, 30)
    ]
    seen = [row for row in rows if int(row[2]) % 4]
    unseen = [row for row in rows if not int(row[2]) % 4]
    half = fit(seen, prior(), PRIOR_SHARE)
    print(
        language,
        "on unseen patterns:",
        figures([row[1] for row in unseen], [half.probability(row[0]) for row in unseen]),
    )
    made = fit(rows, prior(), PRIOR_SHARE)
    return replace(made, weights={**made.weights, **TOLD})


if __name__ == "__main__":
    for code in sys.argv[1:]:
        text = json.dumps(train(code).to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (LANGUAGES / code / "triage.json").write_text(text + "\n", encoding="utf-8")
