"""What a database will never take stops nothing else, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.chat import Chat, Stores
from hobnob.errors import StoreError, StoreRefused
from hobnob.events import Author, Event, Kind
from hobnob.jobs import Deed, Job, Jobs
from hobnob.memory.recall import Remembering
from hobnob.notices import FAILED
from hobnob.persona import Persona
from hobnob.policy import Decision, Rules
from hobnob.store import upkeep
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.schema import cursor, inbox, reminder, turn
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

SECRET = "words of Ann's"


def too_large(connection: sa.Connection) -> None:
    connection.execute(sa.select(turn.c.id).where(turn.c.id == sa.cast(2**70, sa.Integer)))


def half_a_character(connection: sa.Connection) -> None:
    values = {"platform": "fake", "account": "bot", "name": SECRET, "value": "\ud83d"}
    connection.execute(cursor.insert().values(values))


def twice(connection: sa.Connection) -> None:
    values = {"platform": "fake", "account": "bot", "name": SECRET, "value": SECRET}
    connection.execute(cursor.insert(), [values, values])


def no_time(connection: sa.Connection) -> None:
    connection.execute(sa.select(turn.c.id).where(turn.c.at == SECRET))


def unknown_type(connection: sa.Connection) -> None:
    connection.execute(sa.select(turn.c.id).where(turn.c.author == object()))


def nothing_there(connection: sa.Connection) -> None:
    connection.execute(reminder.insert().values(schedule_id=7))


REFUSED = (too_large, half_a_character, twice, no_time, unknown_type, nothing_there)


async def test_what_can_never_be_written_is_told_apart_and_quotes_nobody(
    database: Database,
) -> None:
    for transaction in REFUSED:
        with pytest.raises(StoreRefused) as caught:
            await database.write(transaction)
        assert SECRET not in str(caught.value)


async def test_a_missing_table_is_for_the_owner_to_mend(database: Database) -> None:
    with pytest.raises(StoreError, match="db upgrade") as caught:
        await database.write(lambda found: found.exec_driver_sql("SELECT 1 FROM nowhere"))
    assert not isinstance(caught.value, StoreRefused)


class Clumsy(Job):
    """Writes what no database takes, for whoever says "poison"."""

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        if "poison" in events[-1].text:
            return Deed(reason="clumsy", said="done", also=half_a_character)
        return None


class World:
    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.platform = FakeAdapter()
        self.chat = Chat(
            persona=Persona(name="Robin", text="You are Robin."),
            rules=Rules(burst_seconds=0),
            engine=ScriptedEngine(["Hi!"] * 9),
            memory=Remembering(SqlMemory(database, self.clock)),
            stores=Stores(
                inbox=SqlInbox(database, self.clock),
                outbox=SqlOutbox(database),
                history=SqlHistory(database),
            ),
            adapters={"fake": self.platform},
            clock=self.clock,
            jobs=Jobs([Clumsy()]),
        )

    async def hear(self, event: Event) -> None:
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)

    async def say(self, text: str, **changes: Any) -> Event:
        event = self.platform.event(text, **changes)
        await self.hear(event)
        return event


async def test_the_conversation_goes_on_after_an_event_that_can_never_be_dealt_with(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    await world.say("poison, said Ann")
    await world.say("hello")
    assert world.platform.texts == [FAILED, "Hi!"]
    troubles = await upkeep.troubles(database)
    assert (troubles.aside, troubles.last_error[:12]) == (1, "StoreRefused")
    assert "said Ann" not in caplog.text


async def test_nobody_is_told_where_telling_can_never_be_written_either(
    database: Database,
) -> None:
    world = World(database)
    await world.say("hello", author=Author(id="1", name="Ann", handle="@ann\0"))
    await world.say("hello")
    assert world.platform.texts[-1] == "Hi!"
    keeps_it = database.is_sqlite
    assert len(world.platform.texts) == 1 + keeps_it
    assert (await upkeep.troubles(database)).aside == 1 - keeps_it


async def test_an_event_that_can_never_be_stored_holds_nothing_up(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    await world.say("said Ann", message="\ud83d")
    await world.say("hello")
    assert world.platform.texts == ["Hi!"]
    assert "is lost" in caplog.text
    assert "said Ann" not in caplog.text


async def test_an_edit_that_can_never_be_applied_holds_nothing_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    said = await world.say("hello")
    with monkeypatch.context() as broken:
        broken.setattr("hobnob.store.changes.apply", lambda found, *_: half_a_character(found))
        await world.hear(replace(said, id="edit", kind=Kind.EDIT, text="hallo"))
    await world.say("and then?")
    assert world.platform.texts == ["Hi!", "Hi!"]
    assert (await upkeep.troubles(database)).aside == 1


async def test_an_event_that_can_no_longer_be_read_is_set_aside(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    for text in ("hello", "again"):
        await SqlInbox(database, world.clock).receive(world.platform.event(text))
    first = sa.select(sa.func.min(inbox.c.id)).scalar_subquery()
    spoil = inbox.update().where(inbox.c.id == first).values(payload=f'{{"text": "{SECRET}"}}')
    await database.write(lambda connection: connection.execute(spoil))
    await world.chat.resume("fake")
    await world.chat.settled(key())
    assert world.platform.texts == ["Hi!"]
    troubles = await upkeep.troubles(database)
    assert (troubles.aside, troubles.last_error) == (1, "the stored event can't be read")
    assert SECRET not in caplog.text
