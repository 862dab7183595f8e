"""What a brand's labels taught the triage: kept in the store, used from the next start on."""

from __future__ import annotations

import json

from bot.log import get_logger
from bot.store.port import Store
from conversations.comprehension import Reader
from conversations.comprehension.linear import Weights

META = "triage.weights."

log = get_logger("triage")


async def keep_weights(store: Store, language: str, weights: Weights) -> None:
    """Keep the weights of a language."""
    await store.set_meta(META + language, json.dumps(weights.to_json()))


async def learned_reader(store: Store) -> Reader:
    """The reader, with what was learned. Weights that cannot be read are left out, and logged: the shipped ones serve."""
    shipped = Reader.default()
    learned: dict[str, Weights] = {}
    for language in shipped.languages:
        document = await store.get_meta(META + language)
        if document is None:
            continue
        try:
            learned[language] = Weights.from_json(json.loads(document))
        except (KeyError, TypeError, ValueError) as error:
            log.error("learned weights cannot be used", language=language, error=repr(error))
    return shipped.with_weights(learned) if learned else shipped
