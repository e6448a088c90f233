"""What hobnob.testing offers to others: their bot on the servers of the platforms."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from hobnob.errors import AdapterError, MissingExtra
from hobnob.testing.discord import DM, FakeDiscord
from hobnob.testing.live import living, tables, until
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.telegram import ANN, FakeTelegram
from hobnob.testing.web import Site

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "test-your-bot.md"
BOT = """\
[bot]
name = "pim"
[memory]
embedder = "none"
[engage]
disclose = false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A bot's, in which nothing else may be left behind."""
    made = tmp_path / "mybot"
    made.mkdir()
    (made / "bot.toml").write_text(BOT)
    (made / "persona.md").write_text('+++\nname = "Pim"\n+++\nYou are Pim.')
    yield made
    assert {file.name for file in made.iterdir()} == {"bot.toml", "persona.md"}


async def test_the_example_of_the_docs_works(folder: Path) -> None:
    found = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names = {"__file__": str(folder.parent / "test_mybot.py"), "__name__": "test_mybot"}
    exec(compile(found[-1], PAGE.name, "exec"), names)  # it is ours
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    await test()  # type: ignore[operator]


async def test_one_bot_is_on_all_platforms_at_once(folder: Path) -> None:
    async with (
        FakeDiscord() as discord,
        FakeTelegram() as telegram,
        FakeMastodon() as mastodon,
        Site() as site,
        living(folder, discord, telegram, mastodon, site, answers="1234") as engine,
    ):
        discord.say(DM, "hello")
        await until(lambda: discord.replies)
        telegram.say(ANN, "hello")
        await until(lambda: telegram.replies)
        mastodon.say("ann", "hello")
        await until(lambda: mastodon.replies)
        ann = await site.visitor("ann")
        await ann.say("hello")
        await until(lambda: ann.texts == ["4"])
    said = [discord.replies[0].content, telegram.replies[0].text, mastodon.replies[0].text]
    assert said == ["1", "2", "@ann 3"]
    assert len(engine.prompts) == 4
    assert [*discord.complaints, *telegram.complaints, *mastodon.complaints] == []


async def test_what_keeps_the_bot_from_living_is_told(folder: Path) -> None:
    async with FakeDiscord(content_intent=False) as server:
        with pytest.raises(AdapterError, match="Message Content"):
            async with living(folder, server):
                pytest.fail("it does not live")


async def test_what_does_not_come_says_what_there_is_instead() -> None:
    with pytest.raises(AssertionError, match=r"there is \['nothing'\]"):
        await until(lambda: False, lambda: ["nothing"], seconds=0.01)


async def test_the_tables_are_those_of_a_bot_toml() -> None:
    async with FakeTelegram() as server:
        assert tables(server) == (
            f'[platforms.telegram]\ntoken = "{server.token}"\nbase_url = "{server.base_url}"'
        )


def test_without_their_library_the_servers_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "hobnob.testing.wire")
    with pytest.raises(MissingExtra, match=r"hobnob\[testing\]"):
        import_module("hobnob.testing.wire")
