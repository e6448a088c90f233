"""The bot writes first to those who asked for it, once, whatever ends the program, and forgets it
with all else; on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.chat import Chat, Stores
from hobnob.checkin.job import Checkins
from hobnob.checkin.manners import Manners
from hobnob.events import Addressed
from hobnob.hours import Span
from hobnob.jobs import Jobs
from hobnob.memory.recall import Remembering
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.recurrence import next_due
from hobnob.store.checkins import SqlCheckins
from hobnob.store.database import Database
from hobnob.store.explain import explain
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.reminders import set_zone
from hobnob.store.schedule import SqlSchedule
from hobnob.store.schema import metadata, schedule
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

QUIET = (Span.parse("22:00-08:00"),)
MANNERS = Manners(quiet=QUIET, questions=("One?", "Two?", "Three?"), unanswered=2)


class World:
    """A database, a clock and a platform that outlive the program."""

    def __init__(self, database: Database, manners: Manners = MANNERS) -> None:
        self.database = database
        self.manners = manners
        self.clock = FakeClock()  # 1 January 2026, 12:00 UTC
        self.platform = FakeAdapter()
        self.answer = "ok"
        self.live()

    def live(self) -> None:
        """Another run of the program."""
        memory = SqlMemory(self.database, self.clock, zone=self.manners.zone)
        self.memory = Remembering(memory)
        self.schedule = SqlSchedule(self.database, self.clock, next_due)
        self.chat = Chat(
            persona=Persona(name="Robin", text="You are Robin."),
            rules=Rules(names=("Robin",), burst_seconds=0, per_user_per_minute=0),
            engine=ScriptedEngine(iter(lambda: self.answer, None)),
            memory=self.memory,
            stores=Stores(
                inbox=SqlInbox(self.database, self.clock),
                outbox=SqlOutbox(self.database),
                history=SqlHistory(self.database),
            ),
            adapters={"fake": self.platform},
            clock=self.clock,
            jobs=Jobs([Checkins(SqlCheckins(self.database), self.clock, self.manners)]),
        )

    async def hear(self, text: str, *, answer: str = "ok", **event: Any) -> str:
        self.clock.advance(1)
        self.answer = answer
        heard = self.platform.event(text, at=self.clock.now(), **event)
        await self.chat.receive(heard, None)
        await self.chat.settled(heard.key)
        while await self.memory.learner.some():
            pass
        return self.take()

    async def until(self, month: int, day: int, hour: int = 0, minute: int = 0) -> str:
        """What it says by itself until then, of the year 2026."""
        end, said = datetime(2026, month, day, hour, minute, tzinfo=UTC), []
        while (due := await self.due()) and due <= end:
            self.clock.advance(max(0, (due - self.clock.now()).total_seconds()))
            said.append(await self.ring())
        self.clock.advance(max(0, (end - self.clock.now()).total_seconds()))
        return "\n".join(filter(None, said))

    async def due(self) -> datetime | None:
        first = sa.select(sa.func.min(schedule.c.due))
        return await self.database.read(lambda connection: connection.scalar(first))

    async def ring(self) -> str:
        await self.chat.resume("fake")
        places = await self.schedule.ring(["fake"])
        for place in places:
            self.chat.wake(place)
        for place in {*places, key()}:
            await self.chat.settled(place)
        return self.take()

    def take(self) -> str:
        said = "\n".join(self.platform.texts)
        self.platform.sent.clear()
        return said

    async def kept(self) -> str:
        """All that is in the database."""

        def read(connection: sa.Connection) -> Sequence[Any]:
            return [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]

        return str(await self.database.read(read))


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def local(sqlite: Database) -> World:
    """For what no other database could do otherwise."""
    return World(sqlite)


async def test_nobody_is_written_to_who_did_not_ask(local: World) -> None:
    await local.hear("My birthday is 3 January.")
    await local.hear(
        "I have a job interview on Friday.", answer="I'll ask you tomorrow how it was."
    )
    assert await local.until(1, 6) == ""


async def test_a_question_a_day_and_none_again_until_all_were_asked(world: World) -> None:
    assert "every day at 09:00 (UTC)" in await world.hear("/checkin 9:00")
    for day, question in enumerate(["One?", "Two?", "Three?", "One?"], start=2):
        assert await world.until(1, day, 8) == ""
        assert await world.until(1, day, 10) == question
        await world.hear("An answer.")


async def test_a_question_is_in_the_talk_that_follows(local: World) -> None:
    await local.hear("/checkin 9:00")
    await local.until(1, 2, 10)
    turns = await SqlHistory(local.database).recent(key(), 9)
    assert [turn.text for turn in turns] == ["One?"]


async def test_who_does_not_answer_is_left_alone_until_they_write(world: World) -> None:
    await world.hear("/checkin 9:00")
    assert await world.until(1, 9) == "One?\nTwo?"
    await world.hear("Sorry, I was away.")
    assert await world.until(1, 20) == "Three?\nOne?"


async def test_what_was_taken_back_does_not_come(local: World) -> None:
    await local.hear("/checkin 9:00")
    assert "won't write" in await local.hear("/checkin off")
    assert await local.until(1, 4) == ""
    assert "I don't write to you first" in await local.hear("/checkin")


async def test_a_birthday_once_a_year_on_the_day(world: World) -> None:
    await world.hear("My birthday is 3 February.")
    assert "once a day at most" in await world.hear("You can write to me first.")
    assert await world.until(2, 3, 9) == ""
    assert "Happy birthday" in await world.until(2, 3, 11)
    await world.hear("/checkin 18:00")
    await world.hear("My birthday is 4 February, not 3 February.")
    assert "birthday" not in await world.until(2, 6)


async def test_a_birthday_that_was_corrected_moves_and_one_that_was_forgotten_goes(
    world: World,
) -> None:
    await world.hear("My birthday is 3 February.")
    await world.hear("/checkin on")
    await world.hear("My birthday is 5 February.")
    assert await world.until(2, 4) == ""
    assert "Happy birthday" in await world.until(2, 5, 11)
    await world.hear("My birthday is 9 February.")
    await world.hear("/memory")
    assert "forgotten" in (await world.hear("/forget 2")).casefold()
    await world.hear("/forget 3")
    assert await world.until(2, 10) == ""


async def test_29_february_is_kept_on_1_march(local: World) -> None:
    await local.hear("My birthday is 29 February.")
    await local.hear("/checkin on")
    assert await local.until(3, 1, 9) == ""
    assert "Happy birthday" in await local.until(3, 1, 11)


async def test_after_a_plan_it_asks_how_it_went_once(world: World) -> None:
    await world.hear("/checkin on")
    await world.hear("I have a job interview on Monday.")  # 5 January
    assert await world.until(1, 6, 9) == ""
    asked = "You had a job interview yesterday. How did it go?"
    assert await world.until(1, 6, 11) == asked
    assert await world.until(1, 12) == ""


@pytest.mark.parametrize(
    "later", ["The interview was cancelled.", "I'm not going to that interview."]
)
async def test_what_was_called_off_is_not_asked_about(local: World, later: str) -> None:
    await local.hear("/checkin on")
    await local.hear("I have a job interview on Monday.")
    await local.hear(later)
    assert await local.until(1, 12) == ""


async def test_what_they_told_already_is_not_asked_about(local: World) -> None:
    await local.hear("/checkin on")
    await local.hear("I have a job interview on Monday.")
    await local.until(1, 5, 18)
    await local.hear("The interview went so well!")
    assert await local.until(1, 12) == ""


async def test_a_promise_of_the_bot_is_kept(world: World) -> None:
    await world.hear("/checkin on")
    promise = "Good luck! I'll ask you tomorrow evening how the interview went."
    await world.hear("I have an interview.", answer=promise)
    assert await world.until(1, 2, 18) == ""
    assert await world.until(1, 2, 20) == "I wanted to ask you how the interview went."
    assert await world.until(1, 6) == ""


async def test_what_it_promised_to_ask_it_does_not_ask_twice(local: World) -> None:
    await local.hear("/checkin on")
    promise = "Good luck! I'll ask you tomorrow evening how it went."
    await local.hear("I have a job interview tomorrow.", answer=promise)
    assert await local.until(1, 7) == "I wanted to ask you how it went."


async def test_a_promise_is_forgotten_with_what_it_answered(world: World) -> None:
    await world.hear("/checkin on")
    promise = "I'll ask you tomorrow evening how the tango went."
    await world.hear("My hobby is tango.", answer=promise)
    await world.hear("/forget 1")
    assert await world.until(1, 6) == ""
    assert "tango" not in await world.kept()


async def test_a_promise_that_was_kept_is_forgotten_too(world: World) -> None:
    await world.hear("/checkin on")
    promise = "I'll ask you tomorrow evening how the tango went."
    await world.hear("My hobby is tango.", answer=promise)
    assert "tango" in await world.until(1, 2, 20)
    await world.hear("/forget 1")
    assert "tango" not in await world.kept()


async def test_what_was_asked_of_a_plan_is_forgotten_with_it(world: World) -> None:
    await world.hear("/checkin on")
    await world.hear("I have a tango exam on Monday.")
    assert "tango exam yesterday" in await world.until(1, 6, 11)
    await world.hear("/forget 1")
    assert "tango" not in await world.kept()


async def test_forgetting_everything_ends_it(world: World) -> None:
    await world.hear("My birthday is 3 January.")
    await world.hear("/checkin 9:00")
    await world.until(1, 2, 10)
    world.clock.advance(86_400)
    await world.schedule.ring(["fake"])  # came in, and is not dealt with yet
    await world.hear("/forget everything")
    assert await world.until(1, 6) == ""
    for table in ("checkin", "checkin_said", "promise", "schedule", "turn"):
        count = sa.select(sa.func.count()).select_from(metadata.tables[table])
        assert await world.database.read(partial(sa.Connection.scalar, statement=count)) == 0


async def test_incognito_ends_it(world: World) -> None:
    await world.hear("/checkin 9:00")
    await world.hear("/incognito on")
    assert "I keep nothing" in await world.hear("/checkin 9:00")
    assert await world.until(1, 4) == ""
    await world.hear("/incognito off")
    assert await world.until(1, 6) == ""


async def test_quiet_hours_are_kept_on_their_own_clock(local: World) -> None:
    said = await local.hear("/checkin 23:00 America/New_York")
    assert "08:00 (America/New_York)" in said
    assert await local.until(1, 1, 12, 59) == ""
    assert await local.until(1, 1, 13) == "One?"  # 8:00 there


async def test_quiet_hours_that_came_later_move_it_to_their_end(local: World) -> None:
    await local.hear("/checkin 9:00")
    local.manners = Manners(quiet=(Span.parse("08:00-11:30"),), questions=("One?",))
    local.live()
    assert await local.until(1, 2, 11) == ""
    assert "at 09:00" in await local.hear("/checkin")
    assert await local.until(1, 2, 12) == "One?"


async def test_who_moved_house_is_not_woken_and_has_the_same_hour_there(local: World) -> None:
    await local.hear("/checkin 9:00 Europe/Berlin")
    moved = partial(set_zone, key=key(), author="id-ann", name="America/New_York")
    await local.database.write(moved)
    assert await local.until(1, 2, 12, 59) == ""  # 9:00 in Berlin is 3:00 there
    assert await local.until(1, 2, 13) == "One?"
    await local.hear("Good morning!")
    assert await local.until(1, 3, 13, 59) == ""
    assert await local.until(1, 3, 14) == "Two?"


@pytest.mark.parametrize(("hours", "said"), [(0.5, "One?"), (5, "")])
async def test_after_being_away_a_question_that_is_late_is_left_out(
    local: World, hours: float, said: str
) -> None:
    await local.hear("/checkin 9:00")
    local.clock.advance((21 + hours) * 3600)
    local.live()
    assert await local.ring() == said


async def test_after_being_away_a_birthday_is_kept_on_its_day_alone(local: World) -> None:
    await local.hear("My birthday is 3 January.")
    await local.hear("/checkin on")
    local.clock.advance(2 * 86_400 + 7200)  # and away since the first
    local.live()
    assert "Happy birthday" in await local.ring()


async def test_after_being_away_too_long_there_is_no_birthday(local: World) -> None:
    await local.hear("My birthday is 3 January.")
    await local.hear("/checkin on")
    local.clock.advance(3 * 86_400)
    local.live()
    assert await local.ring() == ""


async def test_a_kill_between_due_and_said_loses_and_doubles_nothing(world: World) -> None:
    await world.hear("/checkin 9:00")
    world.clock.advance(21 * 3600)
    await world.schedule.ring(["fake"])  # and then the power fails
    said = []
    for _ in range(3):
        world.live()
        said.append(await world.ring())
    assert said == ["One?", "", ""]


async def test_a_kill_while_a_promise_is_made_loses_and_doubles_nothing(world: World) -> None:
    await world.hear("/checkin on")
    event = world.platform.event("Bye!", at=world.clock.now() + timedelta(seconds=5))
    await SqlInbox(world.database, world.clock).receive(event, None)  # and then the power fails
    world.answer = "Bye! I'll write to you tomorrow evening."
    for _ in range(2):
        world.live()
        await world.ring()
    assert await world.until(1, 5) == "I said: “I'll write to you tomorrow evening.” So here I am."


async def test_in_rooms_only_where_the_owner_allows_it(local: World) -> None:
    room: dict[str, Any] = {"room": "room", "addressed": Addressed.MENTION}
    assert "in private" in await local.hear("/checkin 9:00", **room)
    local.manners = Manners(quiet=QUIET, questions=("One?",), rooms=True)
    local.live()
    assert "every day" in await local.hear("/checkin 9:00", **room)
    assert await local.until(1, 2, 10) == "Ann: One?"


async def test_what_was_said_in_private_is_not_congratulated_on_in_a_room(world: World) -> None:
    world.manners = Manners(rooms=True)
    world.live()
    await world.hear("My birthday is 3 January.")
    await world.hear("/checkin on", room="room", addressed=Addressed.MENTION)
    assert await world.until(1, 5) == ""


async def test_of_two_conversations_of_one_person_one_is_written_to(world: World) -> None:
    await world.hear("/checkin 9:00")
    await world.hear("/checkin 9:00", by="Ann2", room="ann2")
    code = (await world.hear("/link")).split("/link ")[1].split()[0]
    await world.hear(f"/link {code}", by="Ann2", room="ann2")
    assert await world.until(1, 2, 10) == "One?"


async def test_it_says_why_it_wrote(world: World) -> None:
    await world.hear("/checkin 9:00")
    world.clock.advance(21 * 3600)
    await world.chat.settled(key())
    for place in await world.schedule.ring(["fake"]):
        world.chat.wake(place)
    await world.chat.settled(key())
    (message,) = [id_ for id_, reply in world.platform.shown.items() if reply.text == "One?"]
    (explained,) = await explain(world.database, message)
    assert explained.reason == "wrote first: a question a day was asked for"
    assert [each.message for each in explained.answers] == [message]
