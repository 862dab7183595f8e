"""Lint finds each kind of mistake an admin can make, and says where."""

import pytest

from conversations.wording.chooser import Wording
from conversations.wording.findings import Finding, Severity
from conversations.wording.lint import check_template, lint
from conversations.wording.packs import load_packs
from conversations.wording.request import Act, Surface
from conversations.wording.template import Template

GOOD = """\
We're sorry about {{ topic_thing }}.
We're sorry you had to write this.

Write as much as you like, here or by direct message.

I'm an automated assistant.
"""


def check(
    source: str, act: Act = Act.ACKNOWLEDGE, surface: Surface = Surface.PUBLIC, language: str = "en"
) -> list[Finding]:
    return check_template(source, act, language, surface)


def refused(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.severity is Severity.REFUSED}


def test_a_good_template_is_only_warned_of_its_few_texts() -> None:
    findings = check(GOOD)
    assert refused(findings) == set()
    assert {finding.rule for finding in findings} == {"too_uniform"}


@pytest.mark.parametrize(
    ("rule", "act", "surface", "change"),
    [
        ("syntax", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text.replace("topic_thing", "topic_thin")),
        ("intro", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text.replace("I'm an automated assistant.", "Bye.")),
        ("intro", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\nI'm an automated assistant, an automated assistant."),
        ("intro", Act.CHECK_BACK, Surface.PUBLIC, lambda text: text),
        ("apologies", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text.replace("sorry", "listening")),
        ("apologies", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nWe apologise."),
        ("apologies", Act.RECEIVE, Surface.PUBLIC, lambda text: text),
        ("apologies", Act.RISK_FIRE, Surface.PUBLIC, lambda text: text),
        ("apology_formula", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text.replace("you had to write this", "if it hurt")),
        ("apology_formula", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text.replace("you had to write this", "but")),
        ("questions", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nWhat happened? And when?"),
        ("questions", Act.RISK_FIRE, Surface.PUBLIC, lambda text: text + "\n\nIs it hot?"),
        ("questions", Act.REFLECT, Surface.DIRECT, lambda text: text + "\n\nA? B? C? D?"),
        ("proposal", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nYou get a refund."),
        ("proposal", Act.REOPEN, Surface.DIRECT, lambda text: "You get a voucher."),
        ("public_url", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nSee acme.com."),
        ("over_length", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\n" + "We read all of it here. " * 12),
        ("unsayable", Act.CHECK_BACK, Surface.PUBLIC, lambda text: "{{ team }} asks."),
        ("blame", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nYou should have read the manual."),
        ("excuse", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nOur courier lost it."),
        ("stock_phrase", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nYour feedback is important to us."),
        ("undated_promise", Act.ACKNOWLEDGE, Surface.PUBLIC, lambda text: text + "\n\nWe will get back to you soon."),
        ("empty_empathy", Act.CHECK_BACK, Surface.DIRECT, lambda text: "We're so sorry."),
    ],
)  # fmt: skip
def test_each_mistake_is_found(rule: str, act: Act, surface: Surface, change: object) -> None:
    assert callable(change)
    if rule == "unsayable":
        broken = Template("en", act, surface, str(change(GOOD)))
        pack = load_packs()["en"]
        others = tuple(template for template in pack.templates if template.key != broken.key)
        wording = Wording(
            {"en": pack.__class__("en", (*others, broken), pack.words, pack.marks, pack.guard, pack.nouns)}
        )
        assert rule in refused(lint(wording))
    else:
        assert rule in refused(check(str(change(GOOD)), act, surface))


def test_a_finding_points_at_its_words() -> None:
    source = GOOD + "\nYou should have read the manual, really."
    found = next(finding for finding in check(source) if finding.rule == "blame")
    assert source[found.start : found.end].startswith("You should have")
    assert found.suggestion
    assert found.reason
    assert "line 8" in found.message


def test_a_line_that_is_never_said_in_public_is_a_warning() -> None:
    found = next(finding for finding in check(GOOD + "\n{{ agent }} is here.") if finding.rule == "private_fact")
    assert found.severity is Severity.WARNING


def test_siblings_that_say_the_same_are_a_warning() -> None:
    said = "We hear you, we are here, and we read all that you write to us"
    assert "too_close" in {finding.rule for finding in check(f"{said}.\n{said} now.", Act.CHECK_BACK, Surface.DIRECT)}


def test_german_is_judged_as_german() -> None:
    source = "Es tut uns leid. Sie hätten die Anleitung lesen müssen.\n\nIch bin ein automatischer Assistent."
    assert "blame" in refused(check(source, language="de"))
    assert (
        refused(check("Das tut uns leid: Wir hören zu.\n\nIch bin ein automatischer Assistent.", language="de-AT"))
        == set()
    )


def test_a_missing_act_is_named() -> None:
    pack = load_packs()["en"]
    templates = tuple(template for template in pack.templates if template.act is not Act.FAREWELL)
    wording = Wording({"en": pack.__class__("en", templates, pack.words, pack.marks, pack.guard, pack.nouns)})
    missing = [finding.message for finding in lint(wording) if finding.rule == "missing"]
    assert len(missing) == 2
    assert all("farewell" in message for message in missing)


def test_the_json_form_is_the_one_that_is_promised() -> None:
    for finding in check("{{ nonsense }}"):
        assert {"rule", "message", "start", "end", "severity"} <= set(finding.to_json())
        assert finding.to_json()["severity"] in ("refused", "warning")


def test_a_source_of_a_megabyte_and_odd_characters_are_judged() -> None:
    assert refused(check("a\n" * 500_000)) == {"syntax"}
    assert check("\x00\ud800 ‮ 😀", Act.CHECK_BACK, Surface.DIRECT) is not None
