"""Reminders are delivered once, whatever ends the program, on SQLite and PostgreSQL alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from unittest.mock import AsyncMock

import pytest
import sqlalchemy as sa

from hobnob.assistant.job import Assistant
from hobnob.chat import Chat, Stores
from hobnob.errors import SendLater, SendRefused, SendUnknown, StoreError
from hobnob.events import Addressed, Event, Kind, Reply
from hobnob.jobs import Jobs
from hobnob.memory.recall import Remembering
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.ports import Afterwards
from hobnob.recurrence import next_due
from hobnob.store import reminders, schedule
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.reminders import REMINDER, Reminder, SqlReminders
from hobnob.store.schedule import SqlSchedule
from hobnob.store.schema import outbox
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine


class Life:
    """One run of the program, on a database that outlives it."""

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        platform: FakeAdapter,
        **sent: bool,
    ) -> None:
        self.platform = platform
        self.schedule = SqlSchedule(database, clock, next_due)
        self.store = SqlReminders(database)
        self.chat = Chat(
            persona=Persona(name="Otto", text="You are Otto."),
            rules=Rules(names=("Otto",), burst_seconds=0, sent=Afterwards(**sent)),
            engine=ScriptedEngine(["The model answers."] * 9),
            memory=Remembering(SqlMemory(database, clock)),
            stores=Stores(
                inbox=SqlInbox(database, clock),
                outbox=SqlOutbox(database),
                history=SqlHistory(database),
            ),
            adapters={"fake": platform},
            clock=clock,
            jobs=Jobs([Assistant(self.store, clock)]),
        )

    async def hear(self, text: str) -> Event:
        event = self.platform.event(text)
        await self.take(event)
        return event

    async def take(self, event: Event) -> None:
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)

    async def noted(self) -> list[str]:
        theirs = await self.store.of(self.platform.event("x"), everywhere=True)
        return [f"{each.due:%H:%M} {each.event.text}" for each in theirs.reminders if each.due]

    async def start(self) -> None:
        await self.chat.resume("fake")
        for found in await self.schedule.ring(["fake"]):
            self.chat.wake(found)
        await self.chat.settled(key())


async def test_what_became_due_while_away_comes_once_and_late(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    await Life(database, clock, platform).hear("remind me in 10 minutes to eat")
    platform.sent.clear()
    clock.advance(86_400)
    for _ in range(3):
        await Life(database, clock, platform).start()
    (text,) = platform.texts
    assert text.startswith("Reminder: eat\n(This was for ")


async def test_a_kill_between_due_and_said_loses_and_doubles_nothing(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    await Life(database, clock, platform).hear("remind me in 10 minutes to eat")
    platform.sent.clear()
    clock.advance(600)
    await Life(database, clock, platform).schedule.ring(["fake"])  # and then the power fails
    for _ in range(3):
        await Life(database, clock, platform).start()
    assert [text.splitlines()[0] for text in platform.texts] == ["Reminder: eat"]


async def test_a_request_that_was_stored_and_not_answered_is_noted_once(
    database: Database,
) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    event = platform.event("remind me in 10 minutes to eat")
    await SqlInbox(database, clock).receive(event, None)  # and then the power fails
    for _ in range(2):
        life = Life(database, clock, platform)
        await life.start()
    assert len((await life.store.of(event, everywhere=True)).reminders) == 1
    assert len(platform.texts) == 1


def edit(event: Event, text: str, number: int = 1) -> Event:
    return replace(event, id=f"{event.id}-edit-{number}", kind=Kind.EDIT, text=text)


async def test_an_edited_request_is_noted_in_place_of_the_first(database: Database) -> None:
    life = Life(database, FakeClock(), FakeAdapter(), update=True)
    asked = await life.hear("remind me at 15:00 to eat")
    await life.take(edit(asked, "remind me at 16:00 to eat"))
    await life.take(edit(asked, "remind me at 17:00 to eat", 2))
    assert await life.noted() == ["17:00 eat"]
    (shown,) = life.platform.shown.values()
    assert "17:00" in shown.text
    await life.take(edit(asked, "never mind", 3))
    assert await life.noted() == []


async def test_a_request_that_is_edited_before_the_answer_left_is_noted_once(
    database: Database,
) -> None:
    platform = FakeAdapter()
    life = Life(database, FakeClock(), platform)
    asked = platform.event("remind me at 15:00 to eat")
    send, platform.send = platform.send, AsyncMock()  # type: ignore[method-assign]

    async def first(reply: Reply) -> str:
        platform.send = send  # type: ignore[method-assign]
        await life.chat.receive(edit(asked, "remind me at 16:00 to eat"), None)
        raise SendLater("busy", retry_after=1)

    platform.send.side_effect = first
    await life.take(asked)
    assert await life.noted() == ["16:00 eat"]
    assert ["16:00" in text for text in platform.texts] == [True]


async def test_an_answer_that_stays_as_it_is_stays_true(database: Database) -> None:
    life = Life(database, FakeClock(), FakeAdapter(), update=False)
    asked = await life.hear("remind me at 15:00 to eat")
    await life.take(edit(asked, "remind me at 16:00 to eat"))
    assert await life.noted() == ["15:00 eat"]


async def test_a_request_that_is_deleted_is_taken_back_and_no_other(database: Database) -> None:
    life = Life(database, FakeClock(), FakeAdapter())
    await life.hear("remind me at 14:00 to drink")
    asked = await life.hear("remind me at 15:00 to eat")
    await life.hear("no, at 16:00")
    assert await life.noted() == ["14:00 drink", "16:00 eat"]
    await life.take(replace(asked, id="deletion", kind=Kind.DELETE, text=""))
    assert await life.noted() == ["14:00 drink"]


async def test_a_number_is_given_once(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    new = Reminder(
        row=0,
        number=1,
        kind=REMINDER,
        event=platform.event("eat"),
        rule="",
        zone="UTC",
        due=clock.now() + timedelta(hours=1),
        language="en",
    )
    await database.write(lambda connection: reminders.add(connection, new))
    with pytest.raises(StoreError):
        await database.write(lambda connection: reminders.add(connection, new))


async def test_of_those_that_rang_only_the_last_are_kept(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    for _ in range(reminders.MOST_OVER + 3):
        await life.hear("/remind in 10 minutes eat")
        clock.advance(700)
        await life.start()
    theirs = await life.store.of(platform.event("x"), everywhere=True)
    assert len(theirs.reminders) <= reminders.MOST_OVER + 1


async def test_what_is_due_is_not_taken_for_what_has_its_row_by_then(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    await life.hear("remind me in 10 minutes to eat")
    (anns,) = (await life.store.of(platform.event("x"), everywhere=True)).reminders
    platform.sent.clear()
    clock.advance(600)
    await life.schedule.ring(["fake"])
    later = clock.now() + timedelta(hours=1)
    bens = replace(anns, event=platform.event("see the doctor", by="Ben", room="ben"), due=later)
    await database.write(lambda connection: schedule.drop(connection, anns.row))
    await database.write(lambda connection: reminders.add(connection, bens))
    await life.start()
    assert platform.texts == []


@pytest.mark.parametrize("failure", [SendUnknown("no answer"), SendRefused("no")])
async def test_forgetting_everything_forgets_what_did_not_arrive(
    database: Database, failure: Exception
) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    platform.failures = [failure, failure]
    await life.hear("/remind in 10 minutes of my secret")
    clock.advance(600)
    await life.start()
    await life.hear("/forget everything")
    kept = sa.select(outbox.c.text, outbox.c.buttons, outbox.c.state)
    rows = await database.read(lambda connection: connection.execute(kept).all())
    assert len(rows) == 3
    assert [row.text for row in rows if row.text] == []


@pytest.mark.parametrize("failure", [SendUnknown("no answer"), SendLater("away", retry_after=1)])
async def test_forgetting_everything_finds_a_reminder_in_a_room_that_may_not_have_arrived(
    database: Database, failure: Exception
) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    text = "/remind in 10 minutes of my secret"
    await life.take(platform.event(text, room="room", addressed=Addressed.MENTION))
    clock.advance(600)
    await life.schedule.ring(["fake"])
    platform.failures = [failure]
    life.chat.wake(key("room"))
    if isinstance(failure, SendLater):  # the program ends before it may be sent again
        platform.failures *= 9
        async with asyncio.timeout(5):
            while 1 not in clock.slept:
                await asyncio.sleep(0)
        await life.chat.close(timeout=5)
    else:
        await life.chat.settled(key("room"))
    life = Life(database, clock, FakeAdapter())
    await life.take(platform.event("/forget everything"))
    await life.chat.resume("fake")
    await life.chat.settled(key("room"))
    texts = await database.read(
        lambda connection: connection.scalars(sa.select(outbox.c.text)).all()
    )
    assert [text for text in texts if text] == []
    assert len(life.platform.texts) == 1


async def test_what_others_were_told_is_not_forgotten_with_a_person(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    platform.failures = [SendUnknown("no answer")]
    event = platform.event("/remind in 10 minutes eat", by="Ben", room="ben")
    await life.chat.receive(event, None)
    await life.chat.settled(event.key)
    await life.hear("/forget everything")
    kept = sa.select(outbox.c.text).where(outbox.c.state == "unknown")
    assert await database.read(lambda connection: connection.scalar(kept))


async def test_those_of_a_namesake_on_another_platform_stay(database: Database) -> None:
    clock, platform = FakeClock(), FakeAdapter()
    life = Life(database, clock, platform)
    theirs = platform.event("eat", key=key("ann", platform="other"))
    for number in range(1, reminders.MOST_OVER + 3):
        rang = Reminder(
            row=0,
            number=number,
            kind=REMINDER,
            event=theirs,
            rule="",
            zone="UTC",
            due=None,
            language="en",
        )
        await database.write(partial(reminders.add, new=rang))
    await life.hear("/remind in 10 minutes eat")
    found = await life.store.of(theirs, everywhere=True)
    assert len(found.reminders) == reminders.MOST_OVER + 2
