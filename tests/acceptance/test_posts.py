"""Posts by the real program on three platforms: approved in a chat, out once whatever is killed."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from hobnob.testing import discord as fake_discord
from hobnob.testing import telegram as fake_telegram
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.discord.payloads import BOT_USER
from hobnob.testing.live import tables
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.telegram import FakeTelegram
from tests.acceptance.program import hobnob, make_bot
from tests.acceptance.town import Town

OWNER = fake_telegram.ANN
DESK = f"telegram:{fake_telegram.BOT}:{OWNER}"
TO = [
    f"discord:{BOT_USER['id']}:{fake_discord.GENERAL}",
    f"telegram:{fake_telegram.BOT}:{fake_telegram.GROUP}",
    "mastodon:1:timeline",
]


CUP = 'media = [{ file = "cup.png", alt = "A broken cup." }]'


@dataclass
class Press:
    """The bot, the three platforms, and what stands on them."""

    town: Town
    discord: FakeDiscord
    telegram: FakeTelegram
    mastodon: FakeMastodon

    def posted(self, words: str) -> tuple[int, int, int]:
        """How often it is on Discord, on Telegram and on Mastodon."""
        group = [r.text for r in self.telegram.replies if r.chat == fake_telegram.GROUP]
        everywhere = (
            [reply.content for reply in self.discord.replies],
            group,
            [reply.text for reply in self.mastodon.replies],
        )
        on_discord, on_telegram, on_mastodon = (sum(words in t for t in ts) for ts in everywhere)
        return on_discord, on_telegram, on_mastodon

    def alts(self, words: str) -> set[str]:
        """Of the files with it, on all of them."""
        on_discord = [r.payload for r in self.discord.replies if words in r.content]
        found = [file["description"] for each in on_discord for file in each["attachments"]]
        for post in self.mastodon.replies:
            found += post.alts if words in post.text else ()
        for sent in self.telegram.replies:
            if words in sent.text:
                found += [sent.text.partition("[")[2].removesuffix("]")]
        return set(found)

    def is_out(self, words: str) -> bool:
        """Where a platform can tell what it has: Telegram may leave one in doubt at a kill."""
        on_discord, _, on_mastodon = self.posted(words)
        return min(on_discord, on_mastodon) > 0

    @property
    def desk(self) -> str:
        """What the owner was told."""
        return "\n".join(r.text for r in self.telegram.replies if r.chat == OWNER)

    async def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{self.desk}\n{self.town.last_words()}")


@asynccontextmanager
async def press(folder: Path, posts: str) -> AsyncIterator[Press]:
    async with FakeDiscord() as discord, FakeTelegram() as telegram, FakeMastodon() as mastodon:
        telegram.answer_seconds = mastodon.answer_seconds = 0.2  # a good moment to die
        bot = make_bot(
            folder / "bot",
            f"""
[review]
where = "{DESK}"
owners = ["telegram/{OWNER}"]
{tables(discord, telegram, mastodon)}
{posts}
""",
        )
        (bot / "cup.png").write_bytes(b"\x89PNG\r\n\x1a\ncup")
        (folder / "home").mkdir()
        town = Town(
            rooms=[],
            bot=bot,
            home=folder / "home",
            telegram=telegram,
            online=lambda: bool(telegram.offsets),
        )
        try:
            yield Press(town=town, discord=discord, telegram=telegram, mastodon=mastodon)
        finally:
            if town.process and town.process.returncode is None:
                town.process.kill()
                await town.process.wait()


def rule(name: str, due: datetime, what: str) -> str:
    return f"""
[[posts]]
name = "{name}"
when = "DTSTART:{due:%Y%m%dT%H%M%S} RRULE:FREQ=DAILY"
to = {TO}
visibility = "public"
ahead = 720
{what}
"""


async def test_a_fixed_and_an_approved_post_go_out_once_whatever_is_killed(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    fixed, written = now + timedelta(seconds=20), now + timedelta(seconds=30)
    rules = rule("fixed", fixed, f'text = "The repair café is open."\n{CUP}')
    rules += rule("written", written, 'prompt = "Say that the swifts are back."')
    rules += rule("ignored", written, 'prompt = "Say that nobody approved this."')
    async with press(tmp_path, rules) as here:
        await here.town.start()
        await here.until(lambda: len(re.findall("A draft: ", here.desk)) >= 2)
        assert here.posted("swifts") == (0, 0, 0)
        (draft,) = [sent for sent in here.telegram.replies if "“written”" in sent.text]
        await here.town.kill()
        await here.town.start()
        here.telegram.press(draft, "Approve")
        await here.until(lambda: re.search(r"Approved: post \d+, “written”", here.desk))
        await here.town.kill()
        await here.town.start()
        await here.until(lambda: any(here.posted("repair café")))
        await here.town.kill()  # in the middle of sending
        await here.town.start()
        await here.until(lambda: any(here.posted("swifts")))
        await here.town.kill()
        await here.town.start()
        await here.until(lambda: "Not posted" in here.desk)
        for words in ("repair café", "swifts"):
            await here.until(partial(here.is_out, words))
        await here.until(here.town.idle)
        await here.town.stop()
        missing = 0
        for words in ("repair café", "swifts"):
            on_discord, on_telegram, on_mastodon = here.posted(words)
            assert (on_discord, on_mastodon) == (1, 1), words
            assert on_telegram <= 1, words
            missing += 1 - on_telegram
        assert missing <= len(here.town.in_doubt())
        assert here.posted("nobody approved") == (0, 0, 0)
        assert here.alts("repair café") == {"A broken cup."}
        assert all(post.visibility == "public" for post in here.mastodon.replies)
        assert len(re.findall("A draft: ", here.desk)) == 2
        told = hobnob("posts", "show", here.town.bot, home=here.town.home).stdout
        assert "written" in told
        assert "posted" in told


def test_what_is_to_come_is_shown_before_the_bot_ever_ran(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    what = f'text = "Hello, all!"\n{CUP}'
    hello = rule("hello", datetime(2026, 1, 1, 9, tzinfo=UTC), what)
    bot = make_bot(tmp_path / "bot", hello)
    home = tmp_path / "home"
    for command in (("posts", "show", bot), ("chat", bot)):
        missing = hobnob(*command, home=home)
        assert missing.returncode == 1
        assert "posts.0.media.0.file: there is no cup.png" in missing.stderr
    (bot / "cup.png").write_bytes(b"\x89PNG\r\n\x1a\ncup")
    shown = hobnob("posts", "show", bot, "--dry-run", home=home).stdout
    assert "Post, “hello”, due " in shown
    assert "To discord:" in shown
    assert "> Hello, all!\n> [cup.png: A broken cup.]" in shown
    assert "hello\t" in hobnob("posts", "show", bot, home=home).stdout
    calendar = hobnob("posts", "calendar", bot, "--ics", "--days", "3", home=home).stdout
    assert calendar.count("BEGIN:VEVENT") == 3
    assert hobnob("review", bot, home=home).stdout == "No draft waits for you.\n"


def test_a_bot_without_posts_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    done = hobnob("posts", "show", make_bot(tmp_path / "bot"), home=tmp_path / "home")
    assert done.returncode == 1
    assert "has no [[posts]]" in done.stderr
