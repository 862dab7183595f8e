"""Some days in the life of a brand, played through the playground's JSON door, so that the console has something to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.console.kit import Site, monday

STORIES = (
    ("Mara Lindt", "three weeks for a parcel, it hasn't moved since the 3rd and nobody answers. i want my money back"),
    ("Tom Okafor", "40 minutes on hold AGAIN and then your hotline hung up on me. joke of a company"),
    ("Aisha Khan", "you charged me twice for order 4471-22, write to aisha.khan@example.org, i want one of them back"),
    ("Jonas Weber", "seit drei Wochen warte ich auf mein Paket und niemand antwortet mir. Unglaublich."),
    ("Lucía Pérez", "llevo tres semanas esperando mi paquete y nadie contesta, quiero mi dinero"),
    ("Grace Lee", "the blender arrived broken, second time now, and the chat just closes"),
    ("Ben Adeyemi", "my refund was promised for friday and it still isn't there"),
    ("Nora Vik", "your app logs me out every minute since the update, I can't order anything"),
)
HAPPY, UNHAPPY = "yes, all good, I'm happy with it. thank you!", "no. still not fixed."


class Season:
    """Plays customers and agents."""

    def __init__(self, here: Site) -> None:
        self.here = here
        self.posts = 0

    async def to(self, **where: Any) -> None:
        """Move the clock."""
        (await self.here.json("clock", **where)).raise_for_status()

    async def complains(self, name: str, text: str, surface: str = "direct") -> str:
        """A new customer of that name; their id."""
        self.posts += 1
        customer = "".join(letter for letter in name.lower() if letter.isalnum() and letter.isascii()) + str(self.posts)
        body = {"customer": customer, "name": name, "text": text, "id": f"s{self.posts}", "surface": surface}
        (await self.here.json("posts", **body)).raise_for_status()
        return customer

    async def says(self, customer: str, text: str, surface: str = "direct") -> None:
        """The customer goes on."""
        self.posts += 1
        body = {"customer": customer, "text": text, "id": f"s{self.posts}", "surface": surface}
        (await self.here.json("posts", **body)).raise_for_status()

    async def acts(self, customer: str, act: str, **fields: Any) -> None:
        """An agent acts on the customer's case."""
        case = await self.here.case(customer)
        body = {"act": act, "case": case["key"], "id": f"{act}-{customer}-{case['version']}", **fields}
        (await self.here.json("acts", **body)).raise_for_status()
        await self.to(minutes=0)

    async def day(self, number: int, count: int) -> list[str]:
        """Complaints of one morning, most of them answered; who complained."""
        await self.to(to=monday(number, 9))
        who = []
        for n in range(count):
            name, text = STORIES[(number * 3 + n) % len(STORIES)]
            who.append(await self.complains(name, text))
            await self.to(minutes=2 + (n * 7 + number) % 9)
        await self.to(minutes=40 + 17 * (number % 4))
        for n, customer in enumerate(who):
            if n % 4 == 3 and number > 3:
                continue  # nobody took this one yet
            await self.acts(customer, "claim", agent=("noor", "ben", "ida")[n % 3])
            await self.acts(customer, "reply", text="I have your case here and look into it now.", anyway=True)
            if n % 4 in (0, 3):
                await self.acts(customer, "resolve", done_text="it was put right", check_back_days=1, anyway=True)
            elif n % 4 == 1:
                tomorrow = (datetime.fromisoformat(monday(number, 17)) + timedelta(days=1)).isoformat()
                await self.acts(customer, "propose_plan", steps=[{"text": "send it again", "due_at": tomorrow}])
        return who


async def play(here: Site, days: int = 6, each: int = 4) -> None:
    """Whole days, and a last morning that is still going on."""
    season = Season(here)
    asked: list[str] = []
    for number in range(days):
        for turn, customer in enumerate(asked):
            if (await here.case(customer))["state"] == "CHECKING_BACK":
                await season.says(customer, HAPPY if (turn + number) % 5 else UNHAPPY)
        asked = asked[-8:] + await season.day(number, each)
        await season.to(to=monday(number, 20))
    await season.to(to=monday(days, 9))
    await season.complains("Rita Moss", "@brand your power bank started smoking next to my kid's bed tonight", "public")
    for name, text in STORIES[:4]:
        await season.complains(name, text, "public")
        await season.to(minutes=2)
    await season.to(minutes=4)
