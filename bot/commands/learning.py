"""``hearout learn``: agents' labels retrain the triage for this brand: before and after are shown, nothing changes silently."""

from __future__ import annotations

import json
from collections import defaultdict

from bot.app import open_store
from bot.clock import SystemClock
from bot.config import Config, ConfigError
from bot.triage_weights import keep_weights, learned_reader


async def learn_from_labels(config: Config, *, apply: bool) -> int:
    """Relearn each language that has labels enough. Returns the exit code: 0 done, 1 when nothing could be learned."""
    try:
        from bot.learn import Labelled, relearn
    except ImportError:
        raise ConfigError(["learning needs scikit-learn: install it with 'pip install hearout[learn]'"]) from None
    store = await open_store(config)
    try:
        reader = await learned_reader(store)
        labels: dict[str, list[Labelled]] = defaultdict(list)
        for label in await store.labels():
            labels[str(label["language"])].append(
                Labelled(str(label["text"]), bool(label["complaint"]), str(label["conversation"]))
            )
        if not labels:
            print("no labels yet: agents give them with 'It is a complaint' and 'Not a complaint'")
            return 1
        learned = 0
        for language, entries in sorted(labels.items()):
            try:
                result = relearn(entries, reader, language)
            except ValueError as error:
                print(f"{language}: {len(entries)} labels: {error}")
                continue
            learned += 1
            print(f"{language}: {len(entries)} labels; on the part held back:")
            print(f"  before: {json.dumps(dict(result.before))}")
            print(f"  after:  {json.dumps(dict(result.after))}")
            if apply:
                await keep_weights(store, language, result.weights)
                await store.audit("command line", "learn", language, SystemClock().now())
                print("  in use from the next start")
        if learned and not apply:
            print("nothing was changed: give --yes to use what was learned")
        return 0 if learned else 1
    finally:
        await store.close()
