"""What is remembered for an answer, on a real SQLite file."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hobnob.conversation import ConversationKey
from hobnob.errors import EngineUnavailable
from hobnob.events import Addressed, Author, Event, Fact, Kind, Role, Turn
from hobnob.memory.commands import HELP
from hobnob.memory.learn import Learner
from hobnob.memory.recall import Remembering
from hobnob.memory.words import terms, words
from hobnob.ports import Outcome
from hobnob.recollection import Embedded, Passage, Scope
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock

ANN = Author(id="id-ann", name="Ann")
ME = Author(id="bot", name="Robin", is_bot=True)
HERE = key("ann")
ROOM = key("room")
people = FakeAdapter()


class Letters:
    """An embedder that sees letters; `away` makes it unavailable."""

    def __init__(self, name: str = "letters") -> None:
        self.id = name
        self.away = False
        self.read: list[str] = []

    @property
    def for_documents(self) -> "Letters":
        return self

    async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
        if self.away:
            raise EngineUnavailable("the embedder is away")
        self.read += [each.text for each in passages]
        return [_seen(each.text) for each in passages]

    async def query(self, text: str) -> Embedded | None:
        if self.away:
            raise EngineUnavailable("the embedder is away")
        return _seen(text)


def _seen(text: str) -> Embedded:
    kept = [word for word in words(text) if terms(word)] or ["?"]
    tokens = np.stack([_vector(word) for word in kept])
    return Embedded(vector=_vector(text), tokens=tokens, words=tuple(kept))


def _vector(text: str) -> Any:
    counts = np.array([text.casefold().count(chr(97 + n)) + 0.01 for n in range(26)], np.float32)
    return counts / np.linalg.norm(counts)


class Life:
    """One bot's memory, and what was said to it."""

    def __init__(self, database: Database, embedder: Letters | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.database = database
        self.inbox = SqlInbox(database, self.clock)
        self.store = SqlMemory(database, self.clock)
        self.memory = Remembering(self.store, embedder=embedder, **options)

    async def say(self, *texts: str, place: ConversationKey = HERE, by: Author = ANN) -> Event:
        for text in texts:
            event = self.event(text, place=place, by=by)
            await self.inbox.receive(event)
            rows = (await self.inbox.todo(place)).waiting
            said = Turn(role=Role.USER, author=by, text=text, at=event.at, message=event.message)
            ours = Turn(role=Role.ASSISTANT, author=ME, text="I see.", at=event.at)
            await self.inbox.finish(
                Outcome(
                    rows=tuple(row.row for row in rows),
                    key=place,
                    decision="answer",
                    reason="",
                    turns=(said, ours),
                )
            )
        return event

    def event(self, text: str, *, place: ConversationKey = HERE, by: Author = ANN) -> Event:
        addressed = Addressed.MENTION if place == ROOM else Addressed.DIRECT
        return people.event(text, author=by, key=place, addressed=addressed)

    async def learn(self) -> None:
        while await self.memory.learner.some():
            pass

    async def recalled(self, text: str, shown: Sequence[Turn] = (), **where: Any) -> list[str]:
        found = await self.memory.recall([self.event(text, **where)], shown)
        return [turn.text for passage in found.passages for turn in passage]

    async def facts(self, scope: Scope) -> Sequence[Fact]:
        rights = self.store.rights
        return await self.database.read(lambda connection: rights.facts(connection, scope))

    async def command(self, text: str, **where: Any) -> str:
        event = self.event(text, **where)
        said = await self.database.write(self.memory.command(event))
        await self.memory.done(event)
        return said


@pytest.fixture
def life(sqlite: Database) -> Life:
    return Life(sqlite)


async def test_what_was_said_long_ago_is_recalled_with_what_stood_beside_it(life: Life) -> None:
    await life.say("My boat lies in the old harbour.", *(f"chat {n}" for n in range(120)))
    await life.learn()
    assert (await life.recalled("Where does my boat lie?"))[:2] == [
        "My boat lies in the old harbour.",
        "I see.",
    ]


async def test_what_is_shown_already_is_not_recalled(life: Life) -> None:
    await life.say("My boat lies in the old harbour.")
    await life.learn()
    shown = (await life.memory.snapshot([life.event("hi")])).turns
    assert await life.recalled("Where does my boat lie?", shown) == []


async def test_that_nothing_is_known_is_told_where_it_was_asked_for(life: Life) -> None:
    await life.say("My boat lies in the old harbour.")
    await life.learn()

    async def missing(text: str) -> bool:
        return (await life.memory.recall([life.event(text)], ())).missing

    assert await missing("What is my dentist's telephone number?")
    assert not await missing("Where does my boat lie?")
    assert not await missing("What is the capital of Norway?")
    assert not await missing("ok")


async def test_what_another_process_forgets_is_not_recalled_from_memory(
    life: Life, sqlite: Database
) -> None:
    await life.say("My boat lies in the old harbour.", "I like soup.")
    await life.learn()
    assert await life.recalled("Where does my boat lie?")
    async with Database(f"sqlite:///{sqlite.file}") as other:
        await SqlMemory(other, FakeClock()).forget_person("fake", "bot", ANN.id)
    assert await life.recalled("Where does my boat lie?") == []


async def test_an_edited_message_is_recalled_as_it_is_now(life: Life) -> None:
    event = await life.say("My boat lies in the old harbour.")
    await life.learn()
    assert await life.recalled("Where does my boat lie?")
    edit = replace(event, id="e", kind=Kind.EDIT, text="My boat lies in the new marina.")
    await life.inbox.receive(edit)
    await life.inbox.change((await life.inbox.todo(HERE)).changes)
    await life.learn()
    assert (await life.recalled("Where does my boat lie?"))[0] == "My boat lies in the new marina."


async def test_what_is_new_is_found_beside_what_was_read_before(life: Life) -> None:
    await life.say("My boat is called Petrel.")
    await life.learn()
    assert await life.recalled("What is my boat called?")
    await life.say("My tent is called Palace.")
    await life.learn()
    assert "My tent is called Palace." in await life.recalled("What is my tent called?")


async def test_linked_conversations_remember_together(sqlite: Database) -> None:
    away = key("ann", platform="other")
    life = Life(sqlite, linked=[frozenset((HERE, away))])
    await life.say("My boat lies in the old harbour.")
    await life.say("hello", place=away)
    await life.learn()
    assert "My boat lies in the old harbour." in await life.recalled("my boat?", place=away)
    assert not await Life(sqlite).recalled("my boat?", place=away)


async def test_without_its_embedder_it_still_finds_words(sqlite: Database) -> None:
    embedder = Letters()
    life = Life(sqlite, embedder)
    await life.say("My boat lies in the old harbour.", "I like soup.")
    await life.learn()
    embedder.away = True
    assert "My boat lies in the old harbour." in await life.recalled("Where does my boat lie?")


async def test_vectors_of_another_embedder_do_not_count(sqlite: Database) -> None:
    first = Life(sqlite, Letters("first"))
    await first.say("My boat lies in the old harbour.")
    await first.learn()
    second = Life(sqlite, Letters("second"))
    assert "My boat lies in the old harbour." in await second.recalled("Where does my boat lie?")


async def test_learning_waits_while_somebody_is_answered_and_outlives_trouble(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SETTLE_SECONDS", "IDLE_SECONDS", "FIRST_PAUSE"):
        monkeypatch.setattr(f"hobnob.memory.learn.{name}", 0.001)
    embedder, busy = Letters(), True
    life = Life(sqlite, embedder)
    await life.say("hello")
    learner = life.memory.learner
    running = asyncio.create_task(learner.run(lambda: busy))
    await asyncio.sleep(0.02)
    assert embedder.read == []
    embedder.away, busy = True, False
    await asyncio.sleep(0.02)
    assert embedder.read == []
    embedder.away = False
    async with asyncio.timeout(5):
        while len(embedder.read) < 2:
            await asyncio.sleep(0.001)
    await life.say("and more")
    learner.wake()
    async with asyncio.timeout(5):
        while "and more" not in embedder.read:
            await asyncio.sleep(0.001)
    running.cancel()


async def test_learning_twice_learns_nothing(life: Life) -> None:
    await life.say("hello")
    assert await Learner(life.store, None).some() == 2
    assert await Learner(life.store, None).some() == 0


async def test_people_see_what_is_known_why_and_have_it_forgotten(life: Life) -> None:
    assert "nothing about you" in await life.command("/memory")
    await life.say("My sister is called Mia.", "I am allergic to nuts.")
    await life.learn()
    listed = await life.command("/memory")
    assert "1. Your sister is called Mia" in listed
    assert "2. You are allergic to nuts" in listed
    assert "“My sister is called Mia.”" in await life.command("/memory why 1")
    assert "nothing with number 7" in await life.command("/memory why 7")
    assert "nothing with number 7" in await life.command("/forget 7")
    assert "is forgotten" in await life.command("/forget 1")
    assert "nothing with number 1" in await life.command("/forget 1")
    assert "Mia" not in await life.command("/memory")
    assert "Everything is forgotten: 1 messages" in await life.command("/Forget  Everything")
    assert "nothing about you" in await life.command("/memory")


@pytest.mark.parametrize("text", ["/memory of you", "/forget", "/forget me", "/incognito maybe"])
async def test_what_is_not_understood_is_explained(life: Life, text: str) -> None:
    assert await life.command(text) == HELP


async def test_in_a_room_only_what_was_said_there_is_listed(life: Life) -> None:
    await life.say("My sister is called Mia.")
    await life.say("I am allergic to nuts.", place=ROOM)
    await life.learn()
    assert "Mia" not in await life.command("/memory", place=ROOM)
    assert "nuts" in await life.command("@bot /memory", place=ROOM)
    assert "nuts" in await life.command("/memory")
    assert "nothing" in await life.command("/memory", place=ROOM, by=Author(id="2", name="Ben"))


async def test_incognito_is_remembered_until_it_ends_and_written_nowhere(
    life: Life, tmp_path: Path
) -> None:
    assert "remember nothing" in await life.command("/incognito")
    event = life.event("my boat is called Petrel")
    snapshot = await life.memory.snapshot([event])
    assert snapshot.incognito
    said = Turn(role=Role.USER, author=ANN, text=event.text, at=event.at)
    life.memory.said([said], event, incognito=True)
    assert (await life.memory.snapshot([event])).turns == (said,)
    assert b"Petrel" not in _bytes(tmp_path)
    assert "gone" in await life.command("/incognito off")
    after = await life.memory.snapshot([event])
    assert (after.turns, after.incognito) == ((), False)


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())
