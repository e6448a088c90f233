"""Three platforms, people who talk on them, and a bot that is killed while they do."""

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hobnob.testing import discord as fake_discord
from hobnob.testing import telegram as fake_telegram
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.live import tables
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.telegram import FakeTelegram
from tests.acceptance.program import HOBNOB, environment, make_bot

MOST_UNANSWERED = 10
"""People pause when this many of their messages wait: the test is of kills, not of load."""
MASTODONS_WINDOW = 300
"""Seconds: it takes so many requests in this time, and each start of the bot takes some of them."""

IN_DOUBT = (
    "FROM outbox JOIN conversation c ON c.id = conversation_id WHERE state = 'unknown' AND platform"
)


@dataclass
class Room:
    """One conversation: how a person speaks in it, and what the bot said in it."""

    name: str
    speak: Callable[[str], str | int]
    """Says it; the message's id."""
    heard: Callable[[], Sequence[str | int | None]]
    """The message that each of the bot's replies to, in the order in which they came. One that
    grew is there once, one that was taken back is not."""
    numbers: dict[str | int | None, int] = field(default_factory=dict)
    """Which message of a person's has which id."""

    def say(self) -> None:
        self.numbers[self.speak(f"this is m{self.said}")] = self.said

    @property
    def said(self) -> int:
        return len(self.numbers)

    @property
    def answers(self) -> list[int]:
        """The numbers of the messages answered, in the order in which the answers came. What an
        answer says does not tell: an echo of what was recalled names other messages too."""
        return [self.numbers[answered] for answered in self.heard()]


@dataclass
class Town:
    rooms: list[Room]
    bot: Path
    home: Path
    telegram: FakeTelegram
    online: Callable[[], bool]
    """Whether the platform is there that forgets what was said before the first connection."""
    kills: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.bot / "log.txt").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *HOBNOB, "run", str(self.bot), env=environment(self.home), stderr=log
            )

    async def connected(self) -> None:
        async with asyncio.timeout(60):
            while not self.online():
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        assert self.process is not None
        assert self.process.returncode is None, f"it ended by itself:\n{self.last_words()}"
        self.process.kill()
        await self.process.wait()
        self.kills += 1

    async def stop(self) -> float:
        """SIGTERM; the seconds that it took to end."""
        assert self.process is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self.process.wait(), 15)
        return loop.time() - began

    async def all_answered(self, seconds: float = 60) -> bool:
        """Wait until every message has its whole answer, or is recorded as in doubt."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            if self.idle() and not faults(self.rooms, self.in_doubt()).lost:
                return True
            await asyncio.sleep(0.2)
        return False

    def in_doubt(self) -> list[str]:
        """What the sends of Telegram's answer that are recorded as perhaps sent."""
        return [
            answered for (answered,) in self._ask(f"SELECT in_reply_to {IN_DOUBT} = 'telegram'")
        ]

    def in_doubt_elsewhere(self) -> int:
        return len(self._ask(f"SELECT in_reply_to {IN_DOUBT} <> 'telegram'"))

    def idle(self) -> bool:
        return not self._ask(
            "SELECT id FROM inbox WHERE state <> 'done' UNION ALL "
            "SELECT id FROM outbox WHERE state IN ('pending', 'sending')"
        )

    def last_words(self) -> str:
        return (self.bot / "log.txt").read_text()[-3000:]

    def _ask(self, query: str) -> list[tuple[str]]:
        database = sqlite3.connect(self.bot / "hobnob.db", timeout=10)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with the answers."""

    lost: int
    """Neither there nor recorded as perhaps sent."""
    doubled: int
    disordered: int
    """Conversations whose answers are out of order."""


def faults(rooms: Sequence[Room], in_doubt: Collection[str] = ()) -> Faults:
    """`in_doubt`: the ids of Telegram's messages that need no answer. Its ids are numbers here,
    those of the others are strings."""
    lost = doubled = disordered = 0
    for room in rooms:
        answers = room.answers
        recorded = [
            number
            for said, number in room.numbers.items()
            if isinstance(said, int) and str(said) in in_doubt
        ]
        lost += room.said - len({*answers, *recorded})
        doubled += len(answers) - len(set(answers))
        disordered += answers != sorted(answers)
    return Faults(lost=lost, doubled=doubled, disordered=disordered)


@asynccontextmanager
async def town(folder: Path, *, model: str = 'engine = "echo"') -> AsyncIterator[Town]:
    """A bot on three platforms, two conversations on each."""
    async with FakeDiscord() as discord, FakeTelegram() as telegram, FakeMastodon() as mastodon:
        # A message is there before we hear that it is: a good moment to die.
        telegram.answer_seconds = mastodon.answer_seconds = 0.2
        bot = make_bot(
            folder / "bot",
            f"""
[engage]
burst_seconds = 0
per_user_per_minute = 0
per_chat_per_minute = 0
{tables(discord, telegram, mastodon)}
""",
            model=model,
        )
        (folder / "home").mkdir()
        here = Town(
            rooms=rooms(discord, telegram, mastodon),
            bot=bot,
            home=folder / "home",
            telegram=telegram,
            online=lambda: discord.sessions.connected,
        )
        try:
            yield here
        finally:
            if here.process and here.process.returncode is None:
                here.process.kill()
                await here.process.wait()


def rooms(discord: FakeDiscord, telegram: FakeTelegram, mastodon: FakeMastodon) -> list[Room]:
    """Two conversations on each platform."""

    def of_discord(channel: str, greeting: str) -> Room:
        return Room(
            name=f"discord {channel}",
            speak=lambda text: discord.say(channel, f"{greeting}{text}"),
            heard=lambda: [r.reference for r in discord.replies if r.channel == channel],
        )

    def of_mastodon(author: str, visibility: str) -> Room:
        return Room(
            name=f"mastodon {author}",
            speak=lambda text: mastodon.say(author, text, visibility=visibility),
            heard=lambda: [
                r.in_reply_to for r in mastodon.replies if r.text.startswith(f"@{author} ")
            ],
        )

    def of_telegram(chat: int, greeting: str) -> Room:
        return Room(
            name=f"telegram {chat}",
            speak=lambda text: telegram.say(chat, f"{greeting}{text}"),
            heard=lambda: [r.reply_to for r in telegram.replies if r.chat == chat],
        )

    return [
        of_discord(fake_discord.GENERAL, f"{fake_discord.MENTION} "),
        of_discord(fake_discord.DM, ""),
        of_mastodon("ann", "public"),
        of_mastodon("ben", "direct"),
        of_telegram(fake_telegram.ANN, ""),
        of_telegram(fake_telegram.GROUP, f"@{fake_telegram.USERNAME} "),
    ]


async def storm(here: Town, kills: int, chance: random.Random) -> None:
    """People talk while the bot is killed and started again, at random moments: while it starts,
    receives, writes, sends."""
    await here.start()
    await here.connected()
    for room in here.rooms:
        room.say()  # Discord lists no private channel that it has never told of
    assert await here.all_answered(), here.last_words()
    talking = True

    async def talk(room: Room) -> None:
        while talking:
            if room.said - len(room.answers) < MOST_UNANSWERED:
                room.say()
            await asyncio.sleep(chance.uniform(0.05, 0.6))

    talkers = [asyncio.create_task(talk(room)) for room in here.rooms]
    try:
        for number in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 5.0))
            await here.kill()
            await here.start()
            print(f"kill {number + 1} of {kills}", end="\r", file=sys.stderr, flush=True)
    finally:
        talking = False
        await asyncio.gather(*talkers)
    assert await here.all_answered(MASTODONS_WINDOW + 60), here.last_words()
    os.sync()
