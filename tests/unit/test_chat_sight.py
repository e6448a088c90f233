"""From a message with a picture or a link to the prompt: only for what is answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hobnob.chat import Chat, Stores
from hobnob.events import Addressed, Attachment, Quote
from hobnob.memory.recall import Remembering
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

PNG = b"\x89PNG\r\n\x1a\n"
CAT = Attachment(media_type="image/png", name="cat.png", id="cat")


class World:
    """A bot that reads links, and sees if its model does."""

    def __init__(self, database: Database, *, sees: bool) -> None:
        clock = FakeClock()
        self.engine = ScriptedEngine(["One.", "Two."], sees=sees)
        self.platform = FakeAdapter()
        self.platform.files = {"cat": PNG}
        self.links: list[str] = []
        self.chat = Chat(
            persona=Persona(name="Robin", text="You are Robin."),
            rules=Rules(names=("Robin",), burst_seconds=0, disclose=False),
            engine=self.engine,
            memory=Remembering(SqlMemory(database, clock)),
            stores=Stores(
                inbox=SqlInbox(database, clock),
                outbox=SqlOutbox(database),
                history=SqlHistory(database),
            ),
            adapters={"fake": self.platform},
            clock=clock,
            fetch_page=self.fetch,
        )

    async def fetch(self, link: str) -> Quote:
        self.links.append(link)
        return Quote(author="good.example", text="Foxes are red.")

    async def say(
        self, text: str, attachments: tuple[Attachment, ...] = (), **changes: Any
    ) -> None:
        event = self.platform.event(text, attachments=attachments, **changes)
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as opened:
        await migrate.upgrade(opened)
        yield opened


async def test_a_picture_is_shown_once_and_remembered_in_words(database: Database) -> None:
    world = World(database, sees=True)
    await world.say("look", (CAT,))
    await world.say("what was it?")
    first, second = world.engine.prompts
    assert [image.data for image in first[-1].images] == [PNG]
    assert [message.images for message in second] == [()] * len(second)
    assert second[1].content == "look\n[attached image/png cat.png]"
    assert world.platform.fetched == ["cat"]


async def test_nothing_is_fetched_for_a_model_that_does_not_see(database: Database) -> None:
    world = World(database, sees=False)
    await world.say("look", (CAT,))
    assert world.platform.fetched == []
    assert world.platform.texts == ["One."]


async def test_a_page_is_read_for_one_answer_and_not_remembered(database: Database) -> None:
    world = World(database, sees=False)
    await world.say("what about https://good.example/fox?")
    await world.say("and now?")
    first, second = world.engine.prompts
    assert "> Foxes are red." in first[-1].content
    assert "Foxes" not in "".join(message.content for message in second)
    assert world.links == ["https://good.example/fox"]


async def test_of_what_is_not_answered_nothing_is_fetched(database: Database) -> None:
    world = World(database, sees=True)
    await world.say("https://good.example/fox", (CAT,), addressed=Addressed.NONE)
    assert (world.links, world.platform.fetched) == ([], [])
