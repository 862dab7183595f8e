"""Templates over HTTP: drafts, findings, publication, a second admin, rollback, rehearsal; the bot says what is in force."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.console.kit import Site, monday, site
from tests.console.office import URL, office

pytestmark = pytest.mark.anyio
NAME = "de.acknowledge.public.a"
BLAMES = "Sie haben das falsch verstanden."


async def source_of(here: Site, name: str = NAME) -> str:
    """What is in force."""
    return (await here.app.wordings.entry(name)).source


async def send(here: Site, act: str, **fields: str) -> httpx.Response:
    """Send a form of the editor."""
    return await here.client.post(f"/templates/{NAME}/{act}", data=fields)


async def test_the_list_shows_every_act_in_every_language(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for language in ("en", "de", "es", "fr", "pt"):
            page = (await here.client.get(f"/templates?language={language}")).text
            for entry in await here.app.wordings.entries(language):
                assert f"/templates/{entry.name}" in page
        assert (await here.client.get("/templates?language=xx")).status_code == 200
        assert (await here.client.get("/templates/no.such.template.a")).status_code == 404


async def test_what_is_typed_is_checked_and_shown_with_its_length(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        good = await source_of(here)
        page = await send(here, "look", source=good, sample="usual")
        assert "Nothing to object to" in page.text
        assert "of 280" in page.text
        page = await send(here, "look", source=good.replace("\n\n", f"\n{BLAMES}\n\n", 1), sample="usual")
        assert f"<mark dir=\"auto\">{BLAMES[:10]}" in page.text or "falsch verstanden" in page.text
        assert "cannot be published like this" in page.text
        page = await send(here, "look", source="{% for x in y %}{% endfor %}")
        assert "It cannot be read" in page.text
        one, two = [(await send(here, "look", source=good, number=str(n))).text for n in (0, 1)]
        assert one != two


async def test_a_draft_changes_nothing_until_it_is_published_and_can_be_taken_back(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        before = await source_of(here)
        new = before.replace("Wir hören zu und möchten alles wissen.", "Wir hören Ihnen zu.")
        answer = await send(here, "drafts", source=new)
        assert answer.headers["location"].endswith("said=drafted")
        assert await source_of(here) == before
        page = (await here.client.get(f"/templates/{NAME}")).text
        assert "Draft 1" in page
        assert "Wir hören Ihnen zu." in page
        assert (await send(here, "publish", version="1")).status_code == 303
        assert (await source_of(here)).strip() == new.strip()
        assert (await send(here, "rollback")).status_code == 303
        assert await source_of(here) == before
        done = [line["action"] for line in await here.app.store.audits(action="template")]
        assert done == ["template rolled back", "template published", "template drafted"]
        history = (await here.client.get(f"/templates/{NAME}")).text
        assert "rolled back" in history


async def test_a_faulty_draft_is_kept_but_never_published(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        before = await source_of(here)
        faulty = before.replace("\n\n", f"\n{BLAMES}\n\n", 1)
        assert (await send(here, "drafts", source=faulty)).status_code == 303
        refused = await send(here, "publish", version="1")
        assert refused.status_code == 422
        assert "cannot be published" in refused.text
        assert (await send(here, "drafts", source=faulty, publish="1")).status_code == 422
        broken = await send(here, "drafts", source="{{ 7*7 }}")
        assert broken.status_code == 422
        assert "{{ 7*7 }}" in broken.text
        assert (await send(here, "publish", version="99")).status_code == 422
        assert (await send(here, "drafts", source="  ")).status_code == 422
        assert await source_of(here) == before


async def test_what_is_published_is_what_the_bot_says_next(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("clock", to=monday())
        before = await source_of(here)
        marked = before.replace("Ich bin ein automatischer Assistent.", "Ich bin der automatische Assistent hier.")
        keep = "\n".join(line for line in marked.splitlines() if "automatisch" not in line or "Assistent hier" in line)
        assert (await send(here, "drafts", source=keep, publish="1")).status_code == 303
        text = "@brand seit drei Wochen warte ich auf mein Paket und niemand antwortet mir. Unglaublich."
        await here.json("posts", customer="jonas", text=text, id="p1", surface="public")
        await here.json("clock", minutes=10)
        case = await here.case("jonas")
        assert any("Assistent hier" in turn["text"] for turn in case["turns"] if turn["author"] == "bot")
        page = (await here.client.get(f"/conversations/{case['key']}")).text
        assert f"<code>{NAME}</code></a>, version 1" in page


async def test_a_variant_is_written_beside_the_first(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        answer = await send(here, "variants", variant="kurz", **{"situation-late": "1"})
        assert answer.headers["location"] == "/templates/de.acknowledge.public.late.kurz?from=de.acknowledge.public.a"
        page = await here.client.get(answer.headers["location"])
        assert page.status_code == 200
        assert "Wir hören zu und möchten alles wissen." in page.text
        assert (await send(here, "variants", variant="<b>")).status_code == 422


async def test_a_change_is_rehearsed_on_our_past_and_on_a_file(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        changed = (await source_of(here)).replace("tut uns leid", "tut uns sehr leid")
        await here.json("clock", to=monday())
        text = "@brand seit drei Wochen warte ich auf mein Paket und niemand antwortet mir. Unglaublich."
        await here.json("posts", customer="jonas", text=text, id="p1", surface="public")
        await here.json("clock", minutes=10)
        page = (await send(here, "rehearse", source=changed)).text
        assert "Rehearsed on 1 conversations" in page
        assert "sehr leid" in page
        assert (await source_of(here)) != changed
        turn = {"id": "1", "author": "c", "role": "customer", "t": "2026-03-02T10:00:00Z", "parent": None, "text": text}
        line = json.dumps({"root": "1", "customer": "c", "brand": "b", "turns": [turn]})
        head = json.dumps({"source": changed, "format": "threads", "file": "past.jsonl"})
        url = f"/templates/{NAME}/rehearse-file"
        assert "sehr leid" in (await here.client.post(url, content=f"{head}\n{line}\n")).text
        for body in ("", "{}", head.replace("threads", "fax") + "\n" + line, f"{head}\nno thread"):
            assert (await here.client.post(url, content=body)).status_code in (200, 422), body


async def test_public_words_need_a_second_admin_where_the_configuration_says_so(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        here.desk.parts.wordings.second_admin = True
        here.desk.desk.people.staff = replace(here.desk.desk.people.staff, admins=(here.desk.lena.id, here.desk.tom.id))
        author, other = await here.sign_in(here.desk.lena), await here.sign_in(here.desk.tom)
        before = (await here.desk.parts.wordings.entry(NAME)).source
        draft = {"source": before.replace("Wir sind da und hören zu.", "Wir hören Ihnen zu.")}
        assert (await author.post(f"/templates/{NAME}/drafts", data=draft, headers={"origin": URL})).status_code == 303
        alone = await author.post(f"/templates/{NAME}/publish", data={"version": "1"}, headers={"origin": URL})
        assert alone.status_code == 422
        assert "somebody else has to publish it" in alone.text
        assert "another admin has to publish" in (await author.get(f"/templates/{NAME}")).text
        done = await other.post(f"/templates/{NAME}/publish", data={"version": "1"}, headers={"origin": URL})
        assert done.status_code == 303
        assert (await here.desk.parts.wordings.entry(NAME)).version == "1"
