"""Rules of the cues, one sentence a rule: what shields, doubts, echoes, hedges and tells."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.reading import CueName, ReadingContext

CASES = [
    ("en", "plan", "no problem, go ahead", "agrees", "declines"),
    ("en", "plan", "we'll see", "", "agrees"),
    ("en", "plan", "yes but not on a Monday?", "question", "agrees"),
    ("en", "check_back", "no complaints here, works like new", "satisfied", "unsatisfied"),
    ("en", "check_back", "no thanks that is all", "done", "unsatisfied"),
    ("en", "resolved", "Resolved? My card is still blocked.", "unsatisfied", "satisfied"),
    ("en", "resolved", "cheers 👍", "only_thanks", "satisfied"),
    ("en", "check_back", "i want my money back", "states_wish", "satisfied"),
    ("en", "story", "I spoke to a manager on Tuesday and she laughed", "", "asks_for_human"),
    ("de", "check_back", "das Geld ist leider nicht da", "unsatisfied", "satisfied"),
    ("de", "mirror", "kann ich so unterschreiben", "confirms", "adds"),
    ("de", "check_back", "noch nicht getestet", "", "unsatisfied"),
    ("es", "plan", "no hay problema, adelante", "agrees", "declines"),
    ("fr", "check_back", "rien à redire", "satisfied", "unsatisfied"),
    ("pt", "plan", "sem problema, podem avançar", "agrees", "declines"),
]


@pytest.mark.parametrize(("language", "asked", "text", "there", "absent"), CASES)
def test_a_rule_of_the_cues(language: str, asked: str, text: str, there: str, absent: str) -> None:
    reading = Reader.default().read(text, ReadingContext(language=language, asked=asked))
    assert not there or reading.has(CueName(there))
    assert not reading.has(CueName(absent))


WEIGHED = [
    ("en", "plan", "suits us down to the ground", "agrees", "declines"),
    ("de", "mirror", "haargenau auf den Punkt gebracht", "confirms", "adds"),
    ("es", "check_back", "el técnico vino hoy y fue un crack", "satisfied", "unsatisfied"),
    ("fr", "resolved", "le nouveau est en panne aussi", "unsatisfied", "satisfied"),
    ("pt", "story", "deixa eu terminar", "more_to_come", "done"),
]


@pytest.mark.parametrize(("language", "asked", "text", "there", "absent"), WEIGHED)
def test_an_answer_that_no_phrase_knows_is_likely_by_its_words(
    language: str, asked: str, text: str, there: str, absent: str
) -> None:
    reading = Reader.default().read(text, ReadingContext(language=language, asked=asked))
    assert reading.has(CueName(there))
    assert not reading.has(CueName(absent))
    assert all(cue.evidence and cue.evidence in text for cue in reading.cues)


def test_where_nothing_was_asked_the_rules_stand_alone() -> None:
    pack = Reader.default().packs["en"]
    assert pack.answers is not None
    assert set(pack.answers.heads) == {name.value for name in CueName} - {"mixed"}
    assert not Reader.default().read("see you on Friday then, I'll be in").has(CueName.AGREES)
