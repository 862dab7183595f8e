"""Every dialogue in this folder, played through the real intake, reading, engine, wording, delivery and store."""

from pathlib import Path
from typing import Any

import pytest

from tests.dialogues.player import Player, WentAnotherWay
from tests.dialogues.script import Dialogue, ScriptError, read

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parent
DIALOGUES = [dialogue for path in sorted(FOLDER.glob("*.txt")) for dialogue in read(path)]


def marked(one: Dialogue) -> Any:
    """A dialogue that today's reading or wording gets wrong says so itself; once it goes right, the mark has to go."""
    misread = one.settings.get("misread")
    marks = [pytest.mark.xfail(reason=misread, strict=True, raises=AssertionError)] if misread else []
    return pytest.param(one, id=f"{one.file}: {one.title}", marks=marks)


@pytest.mark.parametrize("dialogue", [marked(one) for one in DIALOGUES])
async def test_dialogue(dialogue: Dialogue, tmp_path: Path):
    said = iter([post.act or "words" for post in await Player.play(dialogue, tmp_path)])
    expected = [line.words[0] for line in dialogue.lines if line.who == "B"]
    assert all(act in said for act in expected), f"not all of {expected} was said in this order"


def test_there_are_dialogues_in_all_languages_and_no_two_of_one_name():
    titles = [(one.file, one.title) for one in DIALOGUES]
    assert len(titles) == len(set(titles))
    assert len(titles) >= 60
    assert {"en", "es", "de", "fr", "pt"} <= {one.file.split("-")[0] for one in DIALOGUES}


WRONG = {
    "a wrong act": '0 C "@brand my parcel is three weeks late"\n10 B farewell',
    "a wrong place": '0 C "@brand my parcel is three weeks late"\n10 B acknowledge dm',
    "too early": '0 C "@brand my parcel is three weeks late"\n1 B acknowledge',
    "left out": '0 C "@brand my parcel is three weeks late"\n200 Noor claims',
    "a wrong state": '0 C "@brand my parcel is three weeks late" -> CLOSED',
    "a wrong word": '0 C "@brand my parcel is three weeks late"\n10 B acknowledge -> says "giraffe"',
    "a word that must not be": '0 C "@brand my parcel is three weeks late"\n10 B acknowledge -> never "sorry"',
    "a call that was not made": '0 C "@brand my parcel is three weeks late" -> desk red_risk',
    "an unknown expectation": '0 C "@brand my parcel is three weeks late" -> sunshine',
    "back in time": '5 C "@brand my parcel is three weeks late"\n1 C "@brand hello"',
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
async def test_a_dialogue_that_went_another_way_is_found(body: str, tmp_path: Path):
    path = tmp_path / "wrong.txt"
    path.write_text(f"== wrong\n{body}\n", encoding="utf-8")
    (dialogue,) = read(path)
    with pytest.raises(WentAnotherWay):
        await Player.play(dialogue, tmp_path)


@pytest.mark.parametrize("body", ['0 C "no title"', "== t\nsoon C hello", "== t\n-> LISTENING", '== t\n0 C "no end'])
def test_a_line_that_cannot_be_read_says_where(body: str, tmp_path: Path):
    path = tmp_path / "wrong.txt"
    path.write_text(body + "\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=r"wrong\.txt, line \d"):
        read(path)
