"""Jobs in the path of a message: who takes what, what they write, and when."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.chat import Chat, Stores
from hobnob.events import Addressed, Author, Button, Event, Kind
from hobnob.jobs import Deed, Job, Jobs, Message
from hobnob.memory.recall import Remembering
from hobnob.notes import Budget
from hobnob.notices import DISCLOSURE, FAILED
from hobnob.persona import Persona
from hobnob.policy import Action, Decision, Rules
from hobnob.ports import Command, Limits
from hobnob.store import migrate, upkeep
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.schema import cursor
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

ROBIN = Persona(name="Robin", text="You are Robin.")


class Dice(Job):
    """Takes what speaks of dice, and keeps what it was asked about."""

    commands = (Command(name="roll", description="Roll the dice"),)

    def __init__(self, deed: Deed | None = None) -> None:
        self.deed = deed
        self.asked: list[tuple[str, Decision]] = []

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        self.asked.append((events[-1].text, decision))
        return self.deed if "dice" in events[-1].text else None


class World:
    def __init__(
        self, database: Database, *jobs: Job, limits: Limits | None = None, disclose: bool = False
    ) -> None:
        self.clock = FakeClock()
        self.engine = ScriptedEngine(["The model answers."] * 9)
        self.platform = FakeAdapter(limits=limits)
        self.history = SqlHistory(database)
        self.chat = Chat(
            persona=ROBIN,
            rules=Rules(
                names=("Robin",), burst_seconds=0, per_user_per_minute=0, disclose=disclose
            ),
            engine=self.engine,
            memory=Remembering(SqlMemory(database, self.clock)),
            stores=Stores(
                inbox=SqlInbox(database, self.clock),
                outbox=SqlOutbox(database),
                history=self.history,
            ),
            adapters={"fake": self.platform},
            clock=self.clock,
            jobs=Jobs(jobs),
        )

    async def say(self, text: str, **changes: Any) -> None:
        event = self.platform.event(text, **changes)
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)
        await self.chat.settled(key("staff"))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as opened:
        await migrate.upgrade(opened)
        yield opened


async def test_who_takes_a_message_answers_in_place_of_the_model(database: Database) -> None:
    world = World(database, Dice(Deed(reason="dice", said="A six.", remembered="A six.")))
    await world.say("throw the dice")
    await world.say("and now?")
    assert world.platform.texts == ["A six.", "The model answers."]
    assert [turn.text for turn in await world.history.recent(key(), 9)][:2] == [
        "throw the dice",
        "A six.",
    ]
    assert len(world.engine.prompts) == 1


async def test_the_first_answer_says_that_an_ai_gives_it_also_where_a_job_does(
    database: Database,
) -> None:
    world = World(database, Dice(Deed(reason="dice", said="A six.")), disclose=True)
    await world.say("dice, not for you", addressed=Addressed.MENTION, room="lobby")
    await world.say("throw the dice")
    await world.say("throw the dice")
    told = f"A six.\n\n{DISCLOSURE}"
    assert world.platform.texts == [told, told, "A six."]


async def test_what_is_not_to_be_remembered_is_not(database: Database) -> None:
    world = World(database, Dice(Deed(reason="dice", said="A six.")))
    await world.say("throw the dice")
    assert world.platform.texts == ["A six."]
    assert await world.history.recent(key(), 9) == []


async def test_jobs_hear_what_is_not_addressed_but_never_ourselves_or_bots(
    database: Database,
) -> None:
    dice = Dice()
    world = World(database, dice)
    await world.say("hi all", addressed=Addressed.NONE)
    await world.say("me", author=Author(id="bot", name="Robin", is_bot=True))
    await world.say("beep", author=Author(id="other", name="Beep", is_bot=True))
    assert [(text, decision.action) for text, decision in dice.asked] == [("hi all", Action.SILENT)]
    assert world.platform.texts == []


async def test_the_first_job_that_takes_a_message_has_it(database: Database) -> None:
    first, second = Dice(Deed(reason="dice", said="one")), Dice(Deed(reason="dice", said="two"))
    world = World(database, first, second)
    await world.say("dice")
    assert world.platform.texts == ["one"]
    assert second.asked == []


async def test_a_deed_speaks_elsewhere_in_the_same_transaction(database: Database) -> None:
    def write(connection: sa.Connection) -> None:
        row = {"platform": "fake", "account": "bot", "name": "dice", "value": "6"}
        connection.execute(cursor.insert().values(row))

    message = Message(key=key("staff"), text="Somebody plays.")
    deed = Deed(reason="dice", said="A six.", elsewhere=(message,), also=write)
    world = World(database, Dice(deed))
    await world.say("dice")
    assert {(reply.key, reply.text) for reply in world.platform.sent} == {
        (key(), "A six."),
        (key("staff"), "Somebody plays."),
    }
    assert await SqlInbox(database, world.clock).cursors("fake", "bot") == {"dice": "6"}


async def test_a_deed_that_cannot_be_written_says_nothing(database: Database) -> None:
    def write(connection: sa.Connection) -> None:
        raise ValueError("this cannot be written")

    message = Message(key=key("staff"), text="Somebody plays.")
    deed = Deed(reason="dice", said="A six.", elsewhere=(message,), also=write)
    world = World(database, Dice(deed))
    await world.say("dice")
    assert world.platform.texts == [FAILED]
    await world.say("hello")
    assert world.platform.texts == [FAILED, "The model answers."]


@pytest.mark.parametrize("where", ["take", "brief", "review"])
async def test_a_bug_in_a_job_is_on_record_and_the_conversation_goes_on(
    database: Database, where: str
) -> None:
    class Buggy(Job):
        pass

    async def fails(_: Job, events: Sequence[Event], other: Any) -> Any:
        if "dice" in events[-1].text:
            raise KeyError("a bug")
        return {"take": None, "brief": "", "review": other}[where]

    setattr(Buggy, where, fails)
    world = World(database, Buggy())
    await world.say("dice")
    await world.say("hello")
    assert world.platform.texts == [FAILED, "The model answers."]
    troubles = await upkeep.troubles(database)
    assert (troubles.aside, troubles.last_error) == (1, "KeyError: 'a bug'")


async def test_each_message_elsewhere_is_its_own_and_they_come_in_order(
    database: Database,
) -> None:
    messages = [
        Message(key=key(room), text=text)
        for room, text in (("staff", "one " * 100), ("desk", "other"), ("staff", "two " * 100))
    ]
    deed = Deed(reason="dice", said="A six.", elsewhere=tuple(messages))
    world = World(database, Dice(deed), limits=Limits(max_length=250))
    await world.say("dice")
    staff = [reply for reply in world.platform.sent if reply.key == key("staff")]
    assert [reply.text[:3] for reply in staff] == ["one", "one", "two", "two"]
    ids = [f"sent-{reply.nonce}" for reply in staff]
    assert [reply.follows for reply in staff] == ["", ids[0], "", ids[2]]


async def test_what_is_said_elsewhere_leaves_an_answer_that_grows_there_alone(
    database: Database,
) -> None:
    outbox = SqlOutbox(database)
    deed = Deed(reason="dice", elsewhere=(Message(key=key("staff"), text="Somebody plays."),))
    world = World(database, Dice(deed))
    event = world.platform.event("hi", room="staff")
    from hobnob import replies

    growing = await outbox.grow(replies.empty(event), world.clock.now())
    await outbox.grew(growing.row, "being-written")
    await world.say("dice")
    assert [(r.text, r.replaces) for r in world.platform.sent] == [("Somebody plays.", "")]


async def test_what_is_said_on_a_platform_that_is_not_connected_waits_for_it(
    database: Database,
) -> None:
    away = key("staff", platform="away")
    deed = Deed(reason="dice", said="A six.", elsewhere=(Message(key=away, text="Hello."),))
    world = World(database, Dice(deed))
    await world.say("dice")
    async with asyncio.timeout(5):
        await world.chat.settled(away)
    assert await SqlInbox(database, world.clock).unfinished("away") == [away]


async def test_the_model_is_told_what_a_job_knows(database: Database) -> None:
    class Clerk(Job):
        async def brief(self, events: Sequence[Event], budget: Budget) -> str:
            assert 0 < budget.tokens < 10**6
            return "We open at nine."

    world = World(database, Clerk())
    await world.say("when do you open?")
    assert world.engine.prompts[0][-1].content == "[We open at nine.]\nwhen do you open?"


async def test_a_job_looks_at_the_answer_before_it_leaves(database: Database) -> None:
    class Censor(Job):
        guards = True

        async def review(self, events: Sequence[Event], deed: Deed) -> Deed:
            return replace(deed, said=deed.said.upper(), remembered="")

    world = World(database, Censor(), limits=Limits(max_length=2000, edit_seconds=0.001))
    await world.say("hello")
    assert world.platform.texts == ["THE MODEL ANSWERS."]
    assert world.platform.drafts == []
    assert await world.history.recent(key(), 9) == []


async def test_commands_of_jobs_are_offered_and_explained(database: Database) -> None:
    world = World(database, Dice())
    assert "roll" in [command.name for command in world.chat.receiver("fake").commands]
    await world.say("/help")
    assert "/roll: Roll the dice" in world.platform.texts[0]


BUTTONS = (Button(label="Again", command="/roll 1"), Button(label="No more", command="/stop"))


async def test_buttons_stand_under_the_last_part(database: Database) -> None:
    limits = Limits(max_length=100, buttons=True)
    world = World(database, Dice(Deed(reason="", said="six " * 40, buttons=BUTTONS)), limits=limits)
    await world.say("dice")
    assert [reply.buttons for reply in world.platform.sent] == [(), BUTTONS]


async def test_without_buttons_the_text_names_the_commands(database: Database) -> None:
    world = World(database, Dice(Deed(reason="", said="A six.", buttons=BUTTONS)))
    await world.say("dice")
    assert world.platform.texts == ["A six.\n\n/roll 1 (Again)\n/stop (No more)"]
    assert world.platform.sent[0].buttons == ()


async def test_what_is_due_and_nobodys_job_is_silent(database: Database) -> None:
    world = World(database, Dice())
    await world.say("it is nine", kind=Kind.SCHEDULED)
    assert world.platform.texts == []
