"""First paint of every page of the console. ``python -m tests.benchmarks.console [--visits 7] [--json]``

A playground with six days of cases, and Chromium on this machine: from the start of the navigation to the first contentful paint,
as the browser itself says. Each page is visited once to warm the server, then so many times in fresh tabs. Target: 300 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.async_api import Browser, async_playwright

from tests.benchmarks.figures import Figure, show, within
from tests.console.browser import CHROMIUM
from tests.console.kit import site
from tests.console.season import play

PAINT_MS = 300.0
LOOKS_MAX = 250
FIRST_PAINT = "(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)"


async def first_paint(browser: Browser, url: str) -> float:
    """Milliseconds of one visit."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        await page.goto(url, wait_until="load")
        for _ in range(LOOKS_MAX):
            if painted_ms := await page.evaluate(FIRST_PAINT):
                return float(painted_ms)
            await asyncio.sleep(0.02)
        raise SystemExit(f"{url} was not painted")
    finally:
        await page.close()


async def measure(visits: int, folder: Path) -> list[Figure]:
    """The median of each page, and the slowest visit of all."""
    figures: list[Figure] = []
    slowest = 0.0
    async with site(folder) as here, async_playwright() as playwright:
        await play(here)
        case = (await here.state())["conversations"][0]["key"]
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        pages = {
            "overview": "/",
            "conversations": "/conversations",
            "a conversation": f"/conversations/{case}",
            "templates": "/templates",
            "the editor": "/templates/en.acknowledge.public.a",
            "playground": "/playground",
        }
        for name, path in pages.items():
            took = [await first_paint(browser, here.url + path) for _ in range(visits + 1)][1:]
            figures.append(within(f"first paint of {name}, median", statistics.median(took), PAINT_MS, "ms"))
            slowest = max(slowest, *took)
        await browser.close()
    return [*figures, Figure("the slowest visit", slowest, "ms")]


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name:
        return show("console", asyncio.run(measure(options.visits, Path(name))), options.json)


if __name__ == "__main__":
    sys.exit(main())
