"""Each ready bot, as `hobnob new` copies it, on three platforms with their real libraries."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hobnob.testing import discord as fake_discord
from hobnob.testing import telegram as fake_telegram
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.live import tables
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.telegram import FakeTelegram
from tests.acceptance.program import hobnob
from tests.acceptance.town import Town


@dataclass
class Home:
    """A ready bot, and the platforms that it is on."""

    town: Town
    discord: FakeDiscord
    telegram: FakeTelegram
    mastodon: FakeMastodon

    def told(self) -> list[str]:
        """What Ann reads on Telegram."""
        return [r.text for r in self.telegram.replies if r.chat == fake_telegram.ANN]

    async def until(self, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(60):
                while not condition():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{self.told()}\n{self.town.last_words()}")


@asynccontextmanager
async def at_home(folder: Path, name: str) -> AsyncIterator[Home]:
    async with FakeDiscord() as discord, FakeTelegram() as telegram, FakeMastodon() as mastodon:
        home, bot = folder / "home", folder / "bot"
        home.mkdir()
        done = hobnob("new", bot, "--like", name, home=home)
        assert done.returncode == 0, done.stderr
        file = bot / "bot.toml"
        text = re.sub(r'^engine = "transformers"$', 'engine = "echo"', file.read_text(), flags=re.M)
        text = text.replace("burst_seconds = 1.5", "burst_seconds = 0")
        file.write_text(f"{text}\n{tables(discord, telegram, mastodon)}\n")
        town = Town(
            rooms=[],
            bot=bot,
            home=home,
            telegram=telegram,
            online=lambda: discord.sessions.connected,
        )
        try:
            await town.start()
            await town.connected()
            yield Home(town=town, discord=discord, telegram=telegram, mastodon=mastodon)
        finally:
            if town.process and town.process.returncode is None:
                town.process.kill()
                await town.process.wait()


def its_time_goes_by(file: Path) -> None:
    """As if the program had been off until then."""
    database = sqlite3.connect(file)
    with database:
        changed = database.execute("UPDATE schedule SET due = '2026-01-01 09:00' WHERE due > ''")
    database.close()
    assert changed.rowcount == 1


@pytest.mark.parametrize("name", ["friend", "support", "poster", "assistant"])
async def test_it_answers_on_each_platform_and_says_what_it_is(tmp_path: Path, name: str) -> None:
    async with at_home(tmp_path, name) as here:
        here.discord.say(fake_discord.DM, "good morning")
        here.telegram.say(fake_telegram.ANN, "good morning")
        here.mastodon.say("ann", "good morning", visibility="direct")
        answers: tuple[Callable[[], list[str]], ...] = (
            lambda: [reply.content for reply in here.discord.replies],
            here.told,
            lambda: [reply.text for reply in here.mastodon.replies],
        )
        for heard in answers:
            await here.until(heard)
            assert "good morning" in heard()[0]
            assert "I'm an AI" in heard()[0]
        here.telegram.say(fake_telegram.ANN, "are you a human?")
        await here.until(lambda: any("A program writes what I say" in text for text in here.told()))
        assert here.town.in_doubt() == []


async def test_the_assistant_reminds_once_though_the_power_fails(tmp_path: Path) -> None:
    async with at_home(tmp_path, "assistant") as here:
        here.telegram.say(fake_telegram.ANN, "remind me in 2 hours to stretch")
        await here.until(lambda: any("stretch" in text for text in here.told()))
        here.telegram.say(fake_telegram.ANN, "add milk to my list")
        await here.until(lambda: any("On your list" in text for text in here.told()))
        here.telegram.say(fake_telegram.ANN, "/calculate 6 * 7")
        await here.until(lambda: any("42" in text for text in here.told()))
        await here.until(here.town.idle)
        await here.town.kill()
        its_time_goes_by(here.town.bot / "hobnob.db")
        await here.town.start()
        await here.until(lambda: any("Reminder: stretch" in text for text in here.told()))
        here.telegram.say(fake_telegram.ANN, "/todos")
        await here.until(lambda: any("milk" in text for text in here.told()[-1:]))
        await here.until(here.town.idle)
        await here.town.stop()
        assert len([text for text in here.told() if "Reminder: stretch" in text]) == 1
