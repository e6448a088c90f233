"""The desk in the terminal: what it shows, and that nothing a customer says passes it by; on both
databases alike."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.errors import SendRefused
from hobnob.events import Attachment
from hobnob.knowledge.job import HUMAN, UNKNOWN
from hobnob.knowledge.sync import Keeper
from hobnob.store.database import Database
from hobnob.store.knowledge import SqlKnowledge
from hobnob.store.schema import turn
from hobnob.store.ticket_news import MOST_TURNS
from hobnob.support.staff import Who
from hobnob.support.terminal import Terminal
from hobnob.testing.engine import ScriptedEngine
from tests.contract.test_support import World


class Shop:
    """A bot whose staff works in the terminal alone, and one of them."""

    def __init__(self, database: Database, **fields: Any) -> None:
        self.world = World(database, where=None, **fields)
        self.database = database
        self._bob = self.of("Bob")

    def of(self, name: str) -> Terminal:
        who = Who(id=f"terminal/{name}", name=name)
        limits = self.world.limits
        return Terminal(self.database, staff=self.world.staff_side, limits=limits, who=who)

    async def does(self, line: str) -> str:
        """What the terminal says; the bot has done by then what it is there for."""
        said = await self._bob.do(line)
        await self.world.work()
        return said

    async def sees(self) -> list[str]:
        return list(await self._bob.news())


@pytest.fixture
async def here(database: Database) -> Shop:
    shop = Shop(database)
    await shop.sees()
    return shop


async def test_it_sees_what_is_new(here: Shop) -> None:
    await here.world.customer("hello")
    assert await here.sees() == []  # nobody is called
    await here.world.customer("I want to talk to a human, my parcel is lost")
    await here.world.customer("what is love?", room="bea", by="Bea")  # no ticket
    assert await here.sees() == [
        "#1 Ann: I want to talk to a human, my parcel is lost",
        "#1 Ann (fake) waits for a person: they ask for a person.\n"
        "/take 1 (Take it)\n/resolve 1 (Resolve)",
    ]
    await here.world.customer("and now?")
    assert await here.sees() == ["#1 Ann: and now?", "#1 Sam (to Ann): The model answers."]
    await here.does("/take 1")
    await here.world.customer("are you there?")
    assert await here.sees() == ["#1 Ann: are you there?"]
    assert "Sam: The model answers." in await here.does("/ticket 1")
    assert await here.sees() == []


async def test_what_opened_before_is_not_new(here: Shop) -> None:
    await here.world.customer("/human")
    late = here.of("Eve")
    assert await late.news() == []
    await here.does("/take 1")
    assert await late.news() == ["#1: taken by terminal/Bob."]


async def test_what_takes_the_number_of_what_was_forgotten_is_seen(here: Shop) -> None:
    await here.world.customer("/human")
    await here.does("/take 1")
    for said in ("my dog is called Rex", "he is a good dog"):
        await here.world.customer(said)
    await here.sees()
    await here.world.customer("/forget everything")
    await here.world.customer("is it gone?")
    assert await here.sees() == [
        "#1 Ann: is it gone?",
        "#1 Ann: /forget everything\n(I did that without a word: tell them.)",
    ]


async def test_what_was_before_what_was_forgotten_is_not_new(here: Shop) -> None:
    await here.world.customer("/human")
    await here.does("/take 1")
    for number in range(MOST_TURNS + 2):
        here.world.clock.advance(1)
        await here.does(f"word {number}")
    await here.world.customer("my dog is called Rex")
    await here.sees()
    await here.world.customer("/forget everything")
    (seen,) = await here.sees()
    assert seen.startswith("#1 Ann: /forget everything")


async def test_a_row_that_appears_late_is_seen(here: Shop) -> None:
    """On PostgreSQL the transaction that took the lower number may end last."""
    await here.world.customer("/human")
    await here.does("/take 1")
    await here.world.customer("first")
    await here.world.customer("second")
    await here.sees()

    def earlier(connection: sa.Connection) -> None:
        values = {"position": -1, "id": -1, "conversation_id": 1, "role": "user", "author": "ann"}
        said = {"name": "Ann", "text": "earlier", "at": here.world.clock.now(), "message": "0"}
        connection.execute(turn.insert(), {**values, **said})

    await here.database.write(earlier)
    assert await here.sees() == ["#1 Ann: earlier"]


async def test_words_that_are_kept_nowhere_are_told_of(here: Shop) -> None:
    await here.world.customer("/human")
    await here.does("/take 1")
    await here.sees()
    assert await here.world.customer("/incognito on") == []
    assert await here.sees() == ["#1 Ann: /incognito on\n(I did that without a word: tell them.)"]
    assert await here.world.customer("my secret") == []
    (seen,) = await here.sees()
    assert seen.startswith("#1 Ann: (What they say is kept nowhere")
    kept = await here.world.rows(sa.select(turn.c.text))
    assert "my secret" not in [row.text for row in kept]


async def test_a_file_comes_with_its_address(here: Shop) -> None:
    await here.world.customer("/human")
    await here.does("/take 1")
    await here.sees()
    photo = Attachment(media_type="image/png", name="p.png", url="https://files.example/p.png")
    await here.world.customer("look", attachments=(photo,))
    assert sorted(await here.sees()) == [
        "#1 Ann: https://files.example/p.png",
        "#1 Ann: look\n[attached image/png p.png]",
    ]


async def test_words_that_do_not_arrive_are_told(here: Shop) -> None:
    await here.world.customer("/human")
    await here.does("/take 1")
    await here.sees()
    here.world.shop.failures.append(SendRefused("they blocked us"))
    await here.does("hello?")
    await here.world.work()
    assert "did not reach them: they blocked us" in (await here.sees())[-1]
    assert "lost" in await here.world.whats()


async def test_what_the_terminal_does_is_what_the_staff_does(here: Shop) -> None:
    await here.world.customer("/human")
    for line in ("/take 1", "I look for it.", "/snooze 1 2 hours"):
        await here.does(line)
    assert await here.world.state() == "snoozed"
    here.world.clock.advance(7200)
    await here.world.start()
    assert await here.world.state() == "taken"
    assert await here.world.whats() == ["wanted", "taken", "said", "snoozed", "back"]
    assert (await here.sees())[-1].startswith("#1 Ann (fake) is back, for Bob.")
    assert "There is no /dance." in await here.does("/dance")
    assert (await here.of("Eve").do("/say 1 hi")).startswith("Bob has it.")
    assert here.world.shop.texts[-1] == "I look for it."


# ------------------------------------------------------------------ what the tutorial shows


def blocks() -> list[str]:
    page = Path(__file__).parents[2] / "docs" / "tutorial" / "support.md"
    return re.findall(r"^```\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


async def test_the_tutorial_shows_what_is_shown(sqlite: Database, tmp_path: Path) -> None:
    document, *_ = (block for block in blocks() if block.startswith("# Kettles"))
    (desk,) = (block for block in blocks() if "Bob> /take 1" in block)
    customer = "".join(block for block in blocks() if "\nSam " in block)
    (tmp_path / "kettles.md").write_text(document)
    keeper = Keeper(tmp_path, SqlKnowledge(sqlite), None)
    assert [each.error async for each in keeper.sync(await keeper.changes())] == [""]
    answer = "You can return an unused kettle within 30 days. The postage is yours. [1]"
    unknown = f"{UNKNOWN} {HUMAN}"
    here = Shop(sqlite, engine=ScriptedEngine([answer]), documents=True, unknown=unknown)
    seen = await here.sees()
    # Both sides in the order in which they speak: the customer begins, the desk takes over.
    theirs = re.findall(r"^you (.*)$", customer, re.MULTILINE)
    ours = re.findall(r"^Bob> (.*)$", desk, re.MULTILINE)
    for line in (*theirs[:3], ours[0], theirs[3], ours[1], theirs[4], ours[2], theirs[5]):
        if line in ours:
            seen += [f"Bob> {line}", await here.does(line)]
        else:
            await here.world.customer(line, by="ann")
            seen += await here.sees()
    assert " ".join(seen).split() == desk.replace("(console)", "(fake)").split()
    told = re.sub(r"^you .*$", "", customer, flags=re.MULTILINE)
    said = [f"Sam {text}" for text in here.world.shop.texts]
    assert " ".join(said).split() == told.split()
