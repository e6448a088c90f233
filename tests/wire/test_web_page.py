"""The chat page in a real browser: Debian's headless Chromium."""

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from hobnob import media
from hobnob.store.database import Database
from tests.contract.test_adapter import MARKDOWN, SAID
from tests.contract.test_media import queue
from tests.contract.world import Place
from tests.contract.worlds import Town
from tests.wire.web_world import WebWorld

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""
EVIL = (
    '<img src=x onerror="document.title=1"> [x](javascript:alert(1)) '
    "<script>document.title=2</script>"
)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    assert CHROMIUM, "no Chromium here: apt-get install chromium-headless-shell"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        opened = await browser.new_page(viewport={"width": 420, "height": 640})
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        await browser.close()
        assert complaints == []


@pytest.fixture
async def town(sqlite: Database, tmp_path: Path) -> Town:
    return Town(world=WebWorld(), database=sqlite, folder=tmp_path)


async def talk(page: Page, town: Town) -> None:
    await page.goto(f"http://127.0.0.1:{town.world.adapter._options.address[1]}/")  # type: ignore[attr-defined]


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def test_a_visitor_sees_the_answer_grow_and_finds_it_again(page: Page, town: Town) -> None:
    hold = asyncio.Event()
    ours = page.locator(".message:not(.mine)")
    async with town.living("Once upon a **time**.", "Still here.", hold=hold):
        await talk(page, town)
        await say(page, "tell me a story")
        await expect(ours).to_have_text(["Once upo"])
        hold.set()
        await expect(ours).to_have_text(["Once upon a time."])
        await expect(ours.locator("strong")).to_have_text("time")
        await expect(page.locator(".waiting")).to_have_count(0)
        await page.reload()
        await expect(page.locator(".message")).to_have_text(
            ["tell me a story", "Once upon a time."]
        )
        await say(page, "are you there?")
        await expect(ours).to_have_text(["Once upon a time.", "Still here."])


async def test_what_is_said_while_the_bot_is_off_is_answered_when_it_is_back(
    page: Page, town: Town
) -> None:
    async with town.living():
        await talk(page, town)
        await expect(page.locator("#state")).to_have_text("")
    await say(page, "hello?")
    await expect(page.locator(".mine.waiting")).to_have_text("hello?")
    async with town.living("Hello!"):
        await expect(page.locator(".message")).to_have_text(["hello?", "Hello!"], timeout=20_000)


async def test_a_visitor_edits_and_deletes(page: Page, town: Town) -> None:
    ours = page.locator(".message:not(.mine)")
    async with town.living("All about cats.", "All about dogs."):
        await talk(page, town)
        await say(page, "tell me of cats")
        await expect(ours).to_have_text(["All about cats."])
        await page.get_by_role("button", name="Edit").click()
        await say(page, "tell me of dogs")
        await expect(page.locator(".message")).to_have_text(["tell me of dogs", "All about dogs."])
        await page.get_by_role("button", name="Delete").click()
        await expect(page.locator(".message")).to_have_count(0)


async def test_markdown_is_shown_whole_and_as_what_it_means(page: Page, town: Town) -> None:
    async with town.living(MARKDOWN):
        await talk(page, town)
        await say(page, "show me everything")
        ours = page.locator(".message:not(.mine)")
        await expect(ours.locator("table")).to_be_visible()
        shown = await ours.inner_text()
        for tag in ("h1", "strong", "em", "s", "code", "ul ul", "ol", "blockquote", "pre"):
            assert await ours.locator(tag).count(), tag
        assert await ours.locator("a").get_attribute("href") == "https://example.org/page_a_b"
    at = 0
    for word in SAID.split():
        found = shown.find(word, at)
        assert found >= 0, f"{word!r} is not in {shown[at:]!r}"
        at = found + len(word)
    assert "**" not in shown


async def test_a_picture_is_seen_with_its_alt_text_and_found_again(page: Page, town: Town) -> None:
    picture = page.locator(".message img")
    (town.folder / "dot.png").write_bytes(DOT)
    async with town.living("Hello!"):
        await talk(page, town)
        await say(page, "hi")
        await expect(page.locator(".message")).to_have_text(["hi", "Hello!"])
    await queue(town, Place.DIRECT, media.describe(town.folder, "dot.png", 'A "dot" <b>'))
    async with town.living():
        await expect(picture).to_have_attribute("alt", 'A "dot" <b>', timeout=20_000)
        await page.reload()
        await expect(picture).to_have_attribute("alt", 'A "dot" <b>')
        assert await picture.evaluate("image => image.naturalWidth") == 1


async def test_nothing_that_anybody_wrote_becomes_markup_or_runs(page: Page, town: Town) -> None:
    async with town.living(f"{EVIL}\n\n{'>' * 3000} deep"):
        await talk(page, town)
        await say(page, EVIL)
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator(".message:not(.mine)")).to_contain_text("deep")
        assert await page.locator("#log img, #log script, #log a").count() == 0
        assert await page.locator(".mine").inner_text() == EVIL
        assert await page.title() == "Chat"
