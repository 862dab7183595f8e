"""What an admin sees while editing: the text on each screen for each sample customer, findings, and what changes."""

from __future__ import annotations

import pytest

from bot.wordings import SAMPLES, Place, Screen, check, difference, preview, previews, refused, sample
from bot.wordings.differences import Kind
from conversations.wording import Wording
from conversations.wording.length import weighted_length

PUBLIC = Place.parse("de.acknowledge.public.a")
DIRECT = Place.parse("en.reflect.direct.a")
SORRY = """\
Das mit {{ topic_thing }} tut uns leid.
Das tut uns leid.

[if dm_invite]
Schreiben Sie uns hier oder per Direktnachricht.

Ich bin ein automatischer Assistent.
"""
LANGUAGES = ("en", "de", "es", "fr", "pt")


def test_a_public_text_is_shown_as_a_post_with_its_weight_and_in_slack():
    found = preview(SORRY, PUBLIC, sample("usual"))
    post = found.look(Screen.X_POST)
    assert post.text.startswith("Das mit") and "Direktnachricht" in post.text
    assert (post.length, post.length_max) == (weighted_length(post.text), 280)
    assert found.look(Screen.SLACK).text == post.text
    assert (found.look(Screen.DIRECT).text, found.look(Screen.DIRECT).why_not) == (None, "only said in public")


def test_what_is_not_known_of_a_customer_is_not_said():
    little, closed = (preview(SORRY, PUBLIC, sample(key)).look(Screen.X_POST).text for key in ("little", "no_direct"))
    assert little.startswith("Das tut uns leid.")
    assert "Direktnachricht" not in closed
    assert "none" not in (little + closed).casefold()


def test_an_emoji_weighs_two_in_a_post_and_long_values_are_shown():
    text = preview(SORRY.replace("Assistent.", "Assistent. 🙂"), PUBLIC, sample("usual")).look(Screen.X_POST)
    assert text.length == len(text.text) + 1
    usual, longest = (preview(SORRY, PUBLIC, sample(key)).look(Screen.X_POST).length for key in ("usual", "longest"))
    assert longest > usual


def test_a_direct_text_is_never_a_post():
    source = "You wrote: {{ quote }}. {{ brand }} will look at it.\n"
    found = preview(source, DIRECT, sample("usual"), brand={"brand": "Kettle & Co"})
    assert found.look(Screen.X_POST).why_not == "never said in public"
    assert "Kettle & Co" in found.look(Screen.DIRECT).text
    assert found.look(Screen.DIRECT).length_max == 10_000
    untold = preview(source, DIRECT, sample("little")).look(Screen.DIRECT)
    assert untold.text is None and "not known" in untold.why_not


def test_while_it_cannot_be_parsed_the_preview_says_why():
    found = preview("Sorry\n{{ nonsense }}", PUBLIC, sample("usual"))
    assert found.looks == ()
    assert found.problem.startswith("line 2: unknown variable nonsense")


def test_other_phrasings_can_be_seen():
    template = next(t for t in Wording.default().packs["en"].templates if t.name == "en.acknowledge.public.a")
    texts = {preview(template.source, Place.of(template), sample("usual"), number=n).looks[0].text for n in range(12)}
    assert len(texts) > 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_default_can_be_said_to_some_sample_on_its_screen(language):
    for template in Wording.default().packs[language].templates:
        place = Place.of(template)
        looks = [look for found in previews(template.source, place) for look in found.looks if look.text is not None]
        assert looks, place.name
        assert all(look.length <= look.length_max for look in looks), place.name


def test_samples_are_told_apart():
    assert len({entry.key for entry in SAMPLES}) == len(SAMPLES)
    with pytest.raises(KeyError):
        sample("nobody")


def test_a_check_names_the_words_at_fault():
    source = SORRY + "\nSie hätten das prüfen müssen.\n"
    (found,) = refused(check(source, PUBLIC))
    assert found.rule == "blame"
    assert "hätten" in source[found.start : found.end]
    assert found.suggestion and found.reason
    assert refused(check(SORRY, PUBLIC)) == []


def test_a_difference_is_told_line_by_line():
    lines = difference("a\nb\nc\n", "a\nB\nc\nd\n")
    assert [(line.kind, line.text, line.old, line.new) for line in lines] == [
        (Kind.SAME, "a", 1, 1),
        (Kind.REMOVED, "b", 2, None),
        (Kind.ADDED, "B", None, 2),
        (Kind.SAME, "c", 3, 3),
        (Kind.ADDED, "d", None, 4),
    ]
    assert difference("", "") == []
