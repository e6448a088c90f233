"""The support desk of the real program: customers on Discord, the staff in a group on Telegram, and
the power fails at every step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hobnob.testing import discord as fake_discord
from hobnob.testing import telegram as fake_telegram
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.live import tables
from hobnob.testing.telegram import FakeTelegram, Sent
from tests.acceptance.program import hobnob, make_bot
from tests.acceptance.town import Town


@dataclass
class Shop:
    """The bot, its customer and its staff."""

    town: Town
    discord: FakeDiscord
    telegram: FakeTelegram

    def customer(self, text: str) -> None:
        self.discord.say(fake_discord.DM, text)

    def staff(self, text: str, *, reply_to: int | None = None) -> None:
        self.telegram.say(fake_telegram.GROUP, text, author="bob", reply_to=reply_to)

    @property
    def told(self) -> list[str]:
        """What the customer reads."""
        return [r.content for r in self.discord.replies if r.channel == fake_discord.DM]

    def at_desk(self, words: str) -> list[Sent]:
        """What the staff reads, with these words."""
        group = [r for r in self.telegram.replies if r.chat == fake_telegram.GROUP]
        return [sent for sent in group if words in sent.text]

    async def until(self, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(60):
                while not condition():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            desk = "\n".join(sent.text for sent in self.at_desk(""))
            pytest.fail(f"{self.told}\n\n{desk}\n\n{self.town.last_words()}")

    async def again(self) -> None:
        """The power fails, and comes back."""
        await self.until(self.town.idle)
        await self.town.kill()
        await self.town.start()


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Shop]:
    async with FakeDiscord() as discord, FakeTelegram() as telegram:
        bot = make_bot(
            folder / "bot",
            f"""
[engage]
burst_seconds = 0
disclose = false
[support]
enabled = true
where = "telegram:{fake_telegram.BOT}:{fake_telegram.GROUP}"
{tables(discord, telegram)}
""",
        )
        (folder / "home").mkdir()
        town = Town(
            rooms=[],
            bot=bot,
            home=folder / "home",
            telegram=telegram,
            online=lambda: discord.sessions.connected,
        )
        try:
            yield Shop(town=town, discord=discord, telegram=telegram)
        finally:
            if town.process and town.process.returncode is None:
                town.process.kill()
                await town.process.wait()


async def test_a_person_takes_over_across_platforms_and_kills(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        await here.town.start()
        await here.town.connected()
        here.customer("hello")
        await here.until(lambda: here.told)
        here.customer("I want to talk to a human")
        await here.until(lambda: here.at_desk("waits for a person"))
        await here.again()
        (called,) = here.at_desk("waits for a person")
        here.telegram.press(called, "Take it", author="bob")
        await here.until(lambda: any("You are talking with" in text for text in here.told))
        await here.again()
        spoken = len(here.told)
        here.customer("my parcel is lost")
        await here.until(lambda: here.at_desk("my parcel is lost"))
        await here.again()
        told = here.at_desk("#1 Ann: my parcel is lost")[-1]
        here.staff("What is its number?", reply_to=told.id)
        await here.until(lambda: here.told[spoken:])
        assert here.told[spoken:] == ["What is its number?"]
        await here.again()
        here.customer("4711")
        await here.until(lambda: here.at_desk("#1 Ann: 4711"))
        await here.again()
        here.staff("/say 1 It comes tomorrow.")
        here.staff("/resolve 1")
        # No kill from here on: Discord tells nobody later that a button was pressed.
        await here.until(lambda: len(here.told) == spoken + 3)
        assert here.told[spoken + 1] == "It comes tomorrow."
        asked = next(r for r in reversed(here.discord.replies) if "1 (badly)" in r.content)
        here.discord.press(asked.id, "/rate 5")
        await here.until(lambda: here.at_desk("rates it 5 of 5"))
        here.customer("thanks")
        await here.until(lambda: any("echo: thanks" in text for text in here.told))
        await here.until(here.town.idle)
        await here.town.stop()
        assert here.told.count("echo: thanks") == here.told.count("Thank you. That helps us.") == 1
        for words in ("waits for a person", "my parcel is lost", "4711", "rates it"):
            assert len(here.at_desk(words)) == 1, words
        assert here.town.in_doubt() == []


async def test_the_staff_works_in_the_terminal(tmp_path: Path) -> None:
    async with FakeTelegram() as telegram:
        bot = make_bot(
            tmp_path / "bot",
            f"""
[engage]
burst_seconds = 0
disclose = false
[support]
enabled = true
{tables(telegram)}
""",
        )
        home = tmp_path / "home"
        home.mkdir()
        town = Town(
            rooms=[], bot=bot, home=home, telegram=telegram, online=lambda: bool(telegram.offsets)
        )

        def told() -> list[str]:
            return [r.text for r in telegram.replies if r.chat == fake_telegram.ANN]

        async def at_desk(*lines: str) -> str:
            arguments = ("desk", bot, "--name", "Bob")
            text = "\n".join(lines)
            done = await asyncio.to_thread(partial(hobnob, *arguments, home=home, text=text))
            assert done.returncode == 0, done.stderr
            return done.stdout

        async def until(words: str) -> None:
            async with asyncio.timeout(60):
                while not any(words in text for text in told()):
                    await asyncio.sleep(0.05)

        try:
            await town.start()
            telegram.say(fake_telegram.ANN, "/human")
            await until("I've called a person")
            assert "#1 Ann (telegram)" in await at_desk("/tickets")
            assert "Ticket 1 is yours" in await at_desk("/take 1")
            await until("You are talking with Bob now, a person.")
            telegram.say(fake_telegram.ANN, "my parcel is lost")
            async with asyncio.timeout(60):
                while "my parcel is lost" not in await at_desk("/ticket 1"):
                    await asyncio.sleep(0.2)
            assert await at_desk("I look for it.", "/resolve") == (
                "Ticket 1 is resolved, and the customer is asked how it went.\n"
            )
            await until("from 1 (badly) to 5 (very well)")
            assert "I look for it." in told()
            telegram.say(fake_telegram.ANN, "4")
            await until("Thank you. That helps us.")
            listed = hobnob("tickets", bot, "--all", home=home).stdout
            assert "resolved\t4" in listed
            picture = tmp_path / "desk.svg"
            counted = hobnob("stats", "support", bot, "--plot", picture, home=home)
            assert "conversations\t1\t" in counted.stdout
            assert "rated 4\t1\t100 %" in counted.stdout
            assert picture.read_text().startswith("<svg")
            assert "has no desk" in hobnob("desk", make_bot(tmp_path / "b"), home=home).stderr
        finally:
            assert town.process is not None
            town.process.kill()
            await town.process.wait()
