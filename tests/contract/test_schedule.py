"""What is due comes in once, whatever happens, on SQLite and PostgreSQL alike."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hobnob.events import Kind
from hobnob.store import schedule
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.schedule import SqlSchedule
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock

people = FakeAdapter()
HOUR = timedelta(hours=1)


def hourly(rule: str, zone: str, after: datetime) -> datetime | None:
    assert (rule, zone) == ("hourly", "Europe/Berlin")
    return after + HOUR


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.inbox = SqlInbox(database, self.clock)
        self.schedule = SqlSchedule(database, self.clock, hourly)

    async def add(self, text: str, **values: Any) -> int:
        event = people.event(text, room="ann")
        return await self.database.write(
            lambda connection: schedule.add(connection, event, job="test", **values)
        )

    async def write(self, what: Any, *values: Any) -> None:
        def transaction(connection: sa.Connection) -> None:
            what(connection, *values)

        await self.database.write(transaction)

    async def waiting(self) -> list[str]:
        todo = await self.inbox.todo(key("ann"))
        return [row.event.text for row in todo.waiting]


async def test_what_is_due_comes_in_as_an_event_of_its_time(database: Database) -> None:
    world = World(database)
    due = world.clock.now() + HOUR
    await world.add("call the dentist", due=due)
    assert await world.schedule.ring(["fake"]) == []
    world.clock.advance(3600)
    assert await world.schedule.ring(["fake"]) == [key("ann")]
    (row,) = (await world.inbox.todo(key("ann"))).waiting
    assert (row.event.kind, row.event.text, row.event.at) == (
        Kind.SCHEDULED,
        "call the dentist",
        due,
    )
    assert row.event.author.name == "Ann"


async def test_it_comes_in_once(database: Database) -> None:
    world = World(database)
    await world.add("call the dentist", due=world.clock.now())
    await world.schedule.ring(["fake"])
    assert await world.schedule.ring(["fake"]) == []
    assert await world.waiting() == ["call the dentist"]


async def test_with_a_rule_it_comes_again_and_after_an_absence_once(database: Database) -> None:
    world = World(database)
    await world.add("stretch", due=world.clock.now(), rule="hourly", zone="Europe/Berlin")
    await world.schedule.ring(["fake"])
    world.clock.advance(10 * 3600)
    await world.schedule.ring(["fake"])
    assert await world.schedule.ring(["fake"]) == []
    assert await world.waiting() == ["stretch", "stretch"]
    world.clock.advance(3600)
    await world.schedule.ring(["fake"])
    assert await world.waiting() == ["stretch"] * 3


async def test_what_is_due_on_a_platform_that_is_not_run_waits(database: Database) -> None:
    world = World(database)
    await world.add("call the dentist", due=world.clock.now())
    assert await world.schedule.ring(["discord"]) == []
    assert await world.schedule.ring(["fake"]) == [key("ann")]


async def test_it_can_be_moved_and_dropped(database: Database) -> None:
    world = World(database)
    moved = await world.add("later", due=world.clock.now())
    dropped = await world.add("never", due=world.clock.now())
    await world.write(schedule.move, moved, world.clock.now() + HOUR)
    await world.write(schedule.drop, dropped)
    assert await world.schedule.ring(["fake"]) == []
    world.clock.advance(3600)
    await world.schedule.ring(["fake"])
    assert await world.waiting() == ["later"]
