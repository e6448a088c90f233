"""Learning from what was said: in idle time, once, and whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from hobnob.errors import (
    ConfigError,
    EngineUnavailable,
    StoreError,
    StoreRefused,
)
from hobnob.events import Kind, Role, Turn
from hobnob.memory.learn import AT_ONCE, Learner
from hobnob.ports import Outcome
from hobnob.recollection import Embedded, Lesson, Passage, Scope
from hobnob.store import upkeep
from hobnob.store.database import Database
from hobnob.store.memory import SqlMemory
from hobnob.testing.clock import FakeClock
from tests.unit.test_memory_recall import ANN, HERE, Letters, Life

ANNS = Scope(key=HERE, asker=ANN.id, direct=True)


class Troubled(SqlMemory):
    """Fails as often as it is told to, and counts how often it was asked."""

    def __init__(self, database: Database, *failures: Exception) -> None:
        super().__init__(database, FakeClock())
        self.failures = list(failures)
        self.asked = 0

    async def lessons(self, limit: int, without: Collection[int] = ()) -> Sequence[Lesson]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return await super().lessons(limit, without)


class Stumbling(Letters):
    """Fails whenever it is to read one of these texts."""

    def __init__(self, error: Exception, *texts: str) -> None:
        super().__init__()
        self._error = error
        self._texts = texts

    async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
        if any(each.text in self._texts for each in passages):
            raise self._error
        return await super().embed(passages)


class Slow(Letters):
    """Something happens while it reads."""

    def __init__(self, meanwhile: Callable[[], Coroutine[None, None, object]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
        await self._meanwhile()
        return await super().embed(passages)


@asynccontextmanager
async def running(learner: Learner, busy: Callable[[], bool]) -> AsyncIterator[None]:
    task = asyncio.create_task(learner.run(busy))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until_learned(database: Database, embedder: str) -> None:
    async with asyncio.timeout(10):
        while (await upkeep.learned(database, embedder))[0]:
            await asyncio.sleep(0.01)


@pytest.fixture
def life(sqlite: Database) -> Life:
    return Life(sqlite)


async def test_nothing_is_learned_while_somebody_is_answered(life: Life, sqlite: Database) -> None:
    await life.say("hello")
    store, looks = Troubled(sqlite), 0

    def busy() -> bool:
        nonlocal looks
        looks += 1
        assert store.asked == 0
        return looks < 4

    async with running(Learner(store, None), busy):
        await until_learned(sqlite, "none")
    assert looks >= 4


async def test_learning_goes_on_whatever_fails(
    life: Life, sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await life.say("hello")
    failures = (StoreError("it is locked"), EngineUnavailable("it is away"), ValueError("a typo"))
    stores = [Troubled(sqlite, failure) for failure in failures]
    async with AsyncExitStack() as stack:
        for store in stores:
            await stack.enter_async_context(running(Learner(store, None), lambda: False))
        async with asyncio.timeout(10):
            while min(store.asked for store in stores) < 2:
                await asyncio.sleep(0.01)
        await until_learned(sqlite, "none")
    assert caplog.text.count("learning waits") == 3
    for failure in failures:
        assert str(failure) in caplog.text


@pytest.mark.parametrize("error", [ValueError("a typo"), StoreRefused("NUL")], ids=repr)
async def test_a_turn_that_cannot_be_learned_keeps_no_other_from_it(
    error: Exception, life: Life, sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await life.say("hello", "a trap", "I live in Oslo.")
    learner = Learner(life.store, Stumbling(error, "a trap"))
    while await learner.some():
        pass
    (left,) = await life.store.lessons(9)
    assert left.turn.text == "a trap"
    assert f"turn {left.id} can't be learned" in caplog.text
    assert [fact.text for fact in await life.facts(ANNS)] == ["You live in Oslo"]
    while await Learner(life.store, Letters()).some():  # the next start, with the bug mended
        pass
    assert not await life.store.lessons(9)


@pytest.mark.parametrize(
    "error", [EngineUnavailable("it is away"), StoreError("it is full"), ConfigError("no model")]
)
async def test_no_turn_is_left_out_for_what_fails_for_all(
    error: Exception, life: Life, sqlite: Database
) -> None:
    await life.say("a trap", "hello")
    with pytest.raises(type(error)):
        await Learner(life.store, Stumbling(error, "a trap")).some()


async def test_many_that_cannot_be_learned_keep_no_other_from_it(
    life: Life, sqlite: Database
) -> None:
    traps = [f"trap {number}" for number in range(40)]
    await life.say(*traps, *(f"message {number}" for number in range(40)))
    learner = Learner(life.store, Stumbling(ValueError("a typo"), *traps))
    while await learner.some():
        pass
    assert [left.turn.text for left in await life.store.lessons(99)] == traps


async def test_what_fails_once_leaves_nothing_out(life: Life, sqlite: Database) -> None:
    class Once(Letters):
        failed = False

        async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
            if not self.failed:
                self.failed = True
                raise ImportError("no room for torch")
            return await super().embed(passages)

    await life.say("hello", "I live in Oslo.")
    learner = Learner(life.store, Once())
    while await learner.some():
        pass
    assert not await life.store.lessons(9)


async def test_a_bug_that_meets_every_turn_leaves_none_out(
    life: Life, sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [f"message {number}" for number in range(40)]
    await life.say(*texts)
    learner = Learner(life.store, Stumbling(ValueError("a typo"), *texts, "I see."))

    async def learn_all() -> None:
        while await learner.some():
            pass

    for _ in range(2):  # again and again, and not in silence
        with pytest.raises(ValueError, match="a typo"):
            await learn_all()
    assert caplog.text == ""
    while await Learner(life.store, Letters()).some():
        pass
    assert not await life.store.lessons(9)


async def test_what_is_said_later_is_learned_when_it_is_told(life: Life, sqlite: Database) -> None:
    async with running(life.memory.learner, lambda: False):
        for text in ("hello", "I live in Oslo."):
            event = await life.say(text)
            life.memory.said((), event, incognito=False)
            await until_learned(sqlite, "none")
    (fact,) = await life.facts(ANNS)
    assert fact.text == "You live in Oslo"


async def test_a_long_history_is_learned_in_parts_oldest_first(
    life: Life, sqlite: Database
) -> None:
    await life.say(*(f"message {number}" for number in range(AT_ONCE)))
    learner = Learner(life.store, None)
    assert [await learner.some() for _ in range(3)] == [AT_ONCE, AT_ONCE, 0]
    assert await upkeep.learned(sqlite, "none") == (0, 2 * AT_ONCE)


async def test_what_is_deleted_while_it_is_read_leaves_nothing(
    life: Life, sqlite: Database
) -> None:
    event = await life.say("I live in Oslo.")

    async def delete() -> None:
        await life.inbox.receive(replace(event, id="gone", kind=Kind.DELETE))
        await life.inbox.change((await life.inbox.todo(HERE)).changes)

    await Learner(life.store, Slow(delete)).some()
    assert await life.facts(ANNS) == []
    (place,) = await life.store.news(ANNS, {}, 0)
    assert not await life.store.entries(place, 0, 10)


async def test_what_is_edited_while_it_is_read_is_learned_as_it_is_now(life: Life) -> None:
    event = await life.say("I live in Oslo.")

    async def edit() -> None:
        if not (await life.inbox.todo(HERE)).changes:
            changed = replace(event, id="new", kind=Kind.EDIT, text="I live in Rome.")
            await life.inbox.receive(changed)
            await life.inbox.change((await life.inbox.todo(HERE)).changes)

    learner = Learner(life.store, Slow(edit))
    while await learner.some():
        pass
    assert [fact.text for fact in await life.facts(ANNS)] == ["You live in Rome"]


async def test_giving_up_while_it_reads_leaves_it_for_the_next_start(
    life: Life, sqlite: Database
) -> None:
    await life.say("I live in Oslo.")
    reads = asyncio.Event()

    async def for_ever() -> None:
        reads.set()
        await asyncio.Event().wait()

    async with running(Learner(life.store, Slow(for_ever)), lambda: False):
        await reads.wait()
    assert await upkeep.learned(sqlite, "letters") == (2, 2)
    await life.learn()
    assert [fact.text for fact in await life.facts(ANNS)] == ["You live in Oslo"]


async def test_two_that_learn_at_once_learn_everything_once(life: Life, sqlite: Database) -> None:
    await life.say("I live in Oslo.", "My sister is called Mia.", "hello")
    async with Database(f"sqlite:///{sqlite.file}") as other:
        twins = [Learner(SqlMemory(each, FakeClock()), None) for each in (sqlite, other)]
        await asyncio.gather(*(twin.some() for twin in twins))
    assert [fact.number for fact in await life.facts(ANNS)] == [1, 2]
    (place,) = await life.store.news(ANNS, {}, 0)
    assert len(await life.store.entries(place, 0, 10)) == 6


async def test_a_turn_is_read_with_its_neighbours_of_the_same_hours(sqlite: Database) -> None:
    seen: list[Passage] = []

    class Noting(Letters):
        async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
            seen.extend(passages)
            return await super().embed(passages)

    life = Life(sqlite, Noting())
    event = life.event("hello")
    await life.inbox.receive(event)
    rows = tuple(row.row for row in (await life.inbox.todo(HERE)).waiting)
    hours = (("Shall we?", 0), ("yes", 1), ("good morning", 20))
    turns = tuple(
        Turn(role=Role.USER, author=ANN, text=text, at=event.at + timedelta(hours=hour))
        for text, hour in hours
    )
    await life.inbox.finish(Outcome(rows=rows, key=HERE, decision="", reason="", turns=turns))
    await life.learn()
    assert [(each.before, each.text, each.after) for each in seen] == [
        ("Ann: ", "Shall we?", " Ann: yes"),
        ("Ann: Shall we? Ann: ", "yes", ""),
        ("Ann: ", "good morning", ""),
    ]


async def test_whom_a_message_is_addressed_to_is_no_part_of_what_it_says(life: Life) -> None:
    await life.say("@robin@example.social @ben, I live in Oslo.")
    await life.learn()
    assert [fact.text for fact in await life.facts(ANNS)] == ["You live in Oslo"]


async def test_what_the_bot_says_teaches_nothing_about_anybody(life: Life) -> None:
    event = life.event("hello")
    await life.inbox.receive(event)
    rows = tuple(row.row for row in (await life.inbox.todo(HERE)).waiting)
    ours = Turn(
        role=Role.ASSISTANT,
        author=replace(ANN, id="bot", is_bot=True),
        text="I live in Oslo.",
        at=event.at,
    )
    await life.inbox.finish(Outcome(rows=rows, key=HERE, decision="", reason="", turns=(ours,)))
    await life.learn()
    assert await life.facts(ANNS) == []
    assert await life.facts(replace(ANNS, asker="bot")) == []
