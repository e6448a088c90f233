"""What is due comes in once, whatever happens, on SQLite and PostgreSQL alike."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.events import Kind
from hobnob.recurrence import next_due
from hobnob.store import rows, schedule
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.schedule import SqlSchedule
from hobnob.store.schema import schedule as table
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


@pytest.mark.parametrize(
    "broken",
    [
        {"rule": "RRULE:FREQ=NEVER"},
        {"rule": "0 9 * * *", "zone": "Atlantis/Poseidonis"},
        {"rule": "0 9 * * *", "zone": "../etc/passwd"},
        {"rule": "0 9 * * *", "zone": "Europe"},
        {"event": '{"text": "words of Ann"}'},
        {"event": "half a \\ud83d"},
    ],
)
async def test_what_cannot_be_understood_keeps_nothing_else_from_coming(
    database: Database, broken: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    world.schedule = SqlSchedule(database, world.clock, next_due)
    now = world.clock.now()
    number = await world.add("stretch", due=now, rule="0 9 * * *", zone="Europe/Berlin")
    spoil = table.update().where(table.c.id == number)
    await world.write(lambda connection: connection.execute(spoil.values(broken)))
    await world.add("call the dentist", due=now + HOUR)
    for _ in range(2):
        world.clock.advance(3600)
        await world.schedule.ring(["fake"])
    assert await world.waiting() == ["call the dentist"]
    (said,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert f"schedule {number}" in said
    assert "Ann" not in said
    assert await world.schedule.broken() == 1
    # Once it is mended, the next start lets it come.
    mend = spoil.values(rule="", zone="UTC", event=rows.dump(people.event("stretch", room="ann")))
    await world.write(lambda connection: connection.execute(mend))
    await SqlSchedule(database, world.clock, next_due).ring(["fake"])
    assert await world.waiting() == ["call the dentist", "stretch"]
    assert await world.schedule.broken() == 0


async def test_what_no_job_knows_comes_and_is_over(database: Database) -> None:
    world = World(database)
    await world.write(
        lambda connection: schedule.add(
            connection, people.event("x", room="ann"), job="of old", due=world.clock.now()
        )
    )
    await world.schedule.ring(["fake"])
    assert await world.waiting() == ["x"]
    assert await world.schedule.ring(["fake"]) == []
