"""The path of a message, with a real SQLite file, a scripted engine and a platform in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob import chat as chat_module
from hobnob.chat import Chat, Stores
from hobnob.errors import (
    EngineError,
    EngineUnavailable,
    SendLater,
    SendRefused,
    SendUnknown,
    StoreError,
)
from hobnob.events import Addressed, Author, Event, Kind, Quote, Reply, Role, Visibility
from hobnob.memory.recall import Remembering
from hobnob.notices import DISCLOSURE, FAILED
from hobnob.notices import TOO_MUCH as NOTICE
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.ports import Afterwards, Cursor, Limits
from hobnob.rooms import Rooms, Speak
from hobnob.store import migrate, upkeep
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.schema import reaction
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

ROBIN = Persona(name="Robin", text="You are Robin.", greeting="Hello, I am Robin, an AI.")
ROOM = Addressed.NONE
NO_LIMITS = {"per_user_per_minute": 0, "per_chat_per_minute": 0}


class World:
    """A bot on one platform, whose process can die and start again."""

    def __init__(self, database: Database, *answers: str | Exception, **rules: Any) -> None:
        self.database = database
        self.clock = FakeClock()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.engine = ScriptedEngine(answers, hold=self.go_on)
        self.platform = FakeAdapter()
        self.inbox = SqlInbox(database, self.clock)
        self.outbox = SqlOutbox(database)
        self.rules = replace(Rules(names=("Robin",), burst_seconds=0), **rules)
        self.history = SqlHistory(database)
        self.start()

    def start(self) -> None:
        self.chat = Chat(
            persona=ROBIN,
            rules=self.rules,
            engine=self.engine,
            memory=Remembering(SqlMemory(self.database, self.clock)),
            stores=Stores(inbox=self.inbox, outbox=self.outbox, history=self.history),
            adapters={"fake": self.platform},
            clock=self.clock,
        )
        self.running = asyncio.create_task(self.platform.run(self.chat.receiver("fake")))

    async def die(self) -> None:
        """What kill -9 leaves: the database, and nothing that was only in memory."""
        self.running.cancel()
        await self.chat._lanes.close()
        await asyncio.wait([self.running])

    async def say(self, text: str, **changes: Any) -> None:
        event = await self.platform.say(text, **changes)
        await self.platform.settled(event.key)

    async def writing(self) -> None:
        """Return when the model has written a first piece and waits for `go_on`."""
        async with asyncio.timeout(5):
            while not self.platform.drafts:
                await asyncio.sleep(0)

    async def said(self, room: str = "ann") -> list[tuple[str, str]]:
        return [(t.role.value, t.text) for t in await self.history.recent(key(room), 100)]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as opened:
        await migrate.upgrade(opened)
        yield opened


async def test_a_message_is_answered_and_remembered(database: Database) -> None:
    world = World(database, "Hi Ann!", "You said hello.")
    await world.say("hello")
    await world.say("what did I say?")
    assert world.platform.texts == ["Hi Ann!", "You said hello."]
    assert [m.content for m in world.engine.prompts[1]] == [
        "You are Robin.",
        "hello",
        "Hi Ann!",
        "what did I say?",
    ]
    assert [reply.in_reply_to for reply in world.platform.sent] == ["message-1", "message-2"]


async def test_the_conversation_goes_on_after_a_restart(database: Database) -> None:
    world = World(database, "Hi!", "Still here.")
    await world.say("hello")
    await world.die()
    world.start()
    await world.say("are you there?")
    assert await world.said() == [
        ("user", "hello"),
        ("assistant", "Hi!"),
        ("user", "are you there?"),
        ("assistant", "Still here."),
    ]


async def test_the_same_event_twice_is_answered_once(database: Database) -> None:
    world = World(database, "Hi!", "never")
    event = world.platform.event("hello")
    assert await world.platform.put(event)
    assert not await world.platform.put(event)
    await world.platform.settled(event.key)
    assert not await world.platform.put(event)
    await world.platform.settled(event.key)
    assert world.platform.texts == ["Hi!"]


async def test_what_is_not_for_us_is_neither_answered_nor_kept(database: Database) -> None:
    world = World(database)
    await world.say("anybody for lunch?", room="lobby", addressed=ROOM)
    assert world.platform.sent == []
    assert await world.said("lobby") == []
    (decided,) = await upkeep.decisions(database, None, 10)
    assert (decided.decision, decided.reason) == ("silent", "it is not addressed to me")
    assert "lunch" not in str(decided)


async def test_a_burst_is_one_turn(database: Database) -> None:
    world = World(database, "Hello!", burst_seconds=2)
    inbox = SqlInbox(database, world.clock)
    for text in ("hey", "are you", "there?"):
        await inbox.receive(world.platform.event(text))
    await world.chat.resume("fake")
    await world.platform.settled(key())
    assert world.platform.texts == ["Hello!"]
    assert world.engine.prompts[0][-1].content == "hey\nare you\nthere?"
    assert world.platform.sent[0].in_reply_to == "message-3"


async def test_visibility_warning_and_mention_are_inherited(database: Database) -> None:
    world = World(database, "Psst.")
    ann = Author(id="1", name="Ann", handle="@ann@example.social")
    await world.say("hi", author=ann, visibility=Visibility.FOLLOWERS, warning="secrets")
    (reply,) = world.platform.sent
    assert (reply.visibility, reply.warning, reply.mention) == (
        Visibility.FOLLOWERS,
        "secrets",
        "@ann@example.social",
    )


async def test_a_long_answer_is_split_and_sent_in_order(database: Database) -> None:
    world = World(database, "one two three. " * 40)
    world.platform.limits = Limits(max_length=100)
    await world.say("tell me a story")
    assert len(world.platform.sent) > 3
    assert all(len(text) <= 100 for text in world.platform.texts)
    assert " ".join(world.platform.texts) == ("one two three. " * 40).strip()
    first, second, *_ = world.platform.sent
    assert second.follows == f"sent-{first.nonce}"
    assert (await world.said())[-1] == ("assistant", ("one two three. " * 40).strip())


async def test_the_text_is_shown_as_it_grows(database: Database) -> None:
    world = World(database, "Hello there!")
    await world.say("hi")
    drafts = world.platform.drafts
    assert drafts[-1] == "Hello there!"
    assert all(after.startswith(before) for before, after in pairwise(drafts))


async def test_thinking_is_neither_shown_nor_sent_nor_remembered(database: Database) -> None:
    world = World(database, "<think>Ann is rude.</think>\n\nHello Ann.")
    await world.say("hi")
    assert world.platform.texts == ["Hello Ann."]
    assert not any("rude" in draft for draft in world.platform.drafts)
    assert ("assistant", "Hello Ann.") in await world.said()


async def test_a_greeting_needs_no_model(database: Database) -> None:
    world = World(database)
    await world.say("/start", kind=Kind.COMMAND)
    assert world.platform.texts == [ROBIN.greeting]
    assert world.engine.prompts == []


async def test_too_much_is_noticed_once_and_over_after_a_minute(database: Database) -> None:
    world = World(database, "1", "2", "3", per_user_per_minute=2)
    for number in range(5):
        await world.say(f"message {number}")
    assert world.platform.texts == ["1", "2", NOTICE]
    await world.say("again", at=world.clock.now() + timedelta(seconds=90))
    assert world.platform.texts[-1] == "3"


async def test_what_was_said_while_we_were_away_is_no_flood(database: Database) -> None:
    world = World(database, *"12345", per_user_per_minute=2)
    for number in range(5):
        await world.say(str(number), at=world.clock.now() + timedelta(minutes=number))
    assert world.platform.texts == list("12345")


async def test_a_long_backlog_is_worked_off_in_order(database: Database) -> None:
    world = World(database, *(str(number) for number in range(250)), **NO_LIMITS)
    inbox = SqlInbox(database, world.clock)
    for number in range(250):
        await inbox.receive(world.platform.event(f"message {number}"))
    await world.chat.resume("fake")
    await world.platform.settled(key())
    assert world.platform.texts == [str(number) for number in range(250)]


# ------------------------------------------------------------------------------ edits, deletions


async def test_an_edit_while_writing_starts_the_answer_again(database: Database) -> None:
    world = World(database, "about cats", "about dogs")
    world.go_on.clear()
    event = await world.platform.say("tell me of cats")
    await world.writing()
    edited = replace(event, id="edit-1", kind=Kind.EDIT, text="tell me of dogs")
    await world.platform.put(edited)
    world.go_on.set()
    await world.platform.settled(event.key)
    assert world.engine.prompts[-1][-1].content == "tell me of dogs"
    assert len(world.platform.sent) == 1
    assert await world.said() == [
        ("user", "tell me of dogs"),
        ("assistant", world.platform.texts[0]),
    ]


async def test_a_deletion_while_writing_cancels_the_answer(database: Database) -> None:
    world = World(database, "a secret!")
    world.go_on.clear()
    event = await world.platform.say("a secret")
    await world.writing()
    await world.platform.put(replace(event, id="delete-1", kind=Kind.DELETE, text=""))
    await world.platform.settled(event.key)
    assert world.platform.sent == []
    assert await world.said() == []


async def test_a_deletion_of_anothers_message_disturbs_nobody(database: Database) -> None:
    world = World(database, "Hi!")
    world.go_on.clear()
    event = await world.platform.say("hello")
    await world.writing()
    other = replace(event, id="delete-1", kind=Kind.DELETE, message="some other message")
    await world.platform.put(other)
    world.go_on.set()
    await world.platform.settled(event.key)
    assert world.platform.texts == ["Hi!"]
    assert len(world.engine.prompts) == 1


# ---------------------------------------------------------------------------------- what breaks


async def test_a_crash_is_tried_three_times_and_set_aside_while_others_go_on(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database, *[ValueError("boom")] * 3, "Hi Ben!")
    await world.say("poison")
    await world.say("hello", room="ben", by="Ben")
    assert world.platform.texts == [FAILED, "Hi Ben!"]
    troubles = await upkeep.troubles(database)
    assert (troubles.aside, troubles.last_error) == (1, "ValueError: boom")
    assert "set aside" in caplog.text


async def test_what_a_model_cannot_answer_is_told_once_and_the_conversation_goes_on(
    database: Database,
) -> None:
    world = World(database, *[EngineError("the prompt is too long")] * 3, "Hi!")
    await world.say("too much")
    await world.say("hello")
    assert world.platform.texts == [FAILED, "Hi!"]
    assert [reply.in_reply_to for reply in world.platform.sent] == ["message-1", "message-2"]
    assert await world.said() == [("user", "hello"), ("assistant", "Hi!")]


async def test_who_was_not_to_be_answered_is_not_told_of_a_crash(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)

    async def finish(*_: Any) -> None:
        raise ValueError("boom")

    monkeypatch.setattr(world.inbox, "finish", finish)
    await world.say("lunch, anybody?", room="lobby", addressed=ROOM)
    assert (await upkeep.troubles(database)).aside == 1
    assert world.platform.sent == []


async def test_what_grew_of_an_answer_that_fails_becomes_the_apology(database: Database) -> None:
    world = World(database, *["half an answer"] * 3)
    world.platform.limits = Limits(max_length=2000, edit_seconds=1)
    broken = world.inbox.finish

    async def finish(*_: Any) -> None:
        raise ValueError("boom")

    world.inbox.finish = finish  # type: ignore[method-assign,assignment]
    await world.say("a story!")
    world.inbox.finish = broken  # type: ignore[method-assign]
    assert [reply.text for reply in world.platform.shown.values()] == [FAILED]


async def test_what_was_set_aside_can_be_tried_again(database: Database) -> None:
    world = World(database, *[ValueError("boom")] * 3, "At last.")
    await world.say("poison")
    assert await upkeep.retry(database, unknown=False) == (1, 0)
    await world.chat.resume("fake")
    await world.platform.settled(key())
    assert world.platform.texts == [FAILED, "At last."]


async def test_what_is_asked_of_memory_is_done_in_the_transaction_that_ends_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    finish = world.inbox.finish

    async def killed(*_: Any) -> None:
        raise StoreError("the power fails")

    monkeypatch.setattr(world.inbox, "finish", killed)
    await world.platform.say("/incognito on")
    async with asyncio.timeout(5):
        while not world.clock.slept:
            await asyncio.sleep(0)
    assert not await SqlMemory(database, world.clock).is_incognito(key())
    monkeypatch.setattr(world.inbox, "finish", finish)
    await world.platform.settled(key())
    assert await SqlMemory(database, world.clock).is_incognito(key())
    assert len(world.platform.texts) == 1


async def test_nobody_is_told_that_it_is_forgotten_before_it_is_in_no_file(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database, "Hi!")
    await world.say("hello")
    told: list[list[str]] = []

    async def scrub(_: Database) -> None:
        told.append(world.platform.texts)
        if len(told) < 3:
            raise StoreError("somebody reads it")

    monkeypatch.setattr(Database, "scrub", scrub)
    await world.say("/forget everything")
    assert told == [["Hi!"]] * 3
    assert "Everything is forgotten: 1 messages" in world.platform.texts[-1]


async def test_an_empty_answer_is_a_crash_and_not_an_empty_message(database: Database) -> None:
    world = World(database, " \n", "<think>hm</think>", "")
    await world.say("hello")
    assert world.platform.texts == [FAILED]
    assert "wrote nothing" in (await upkeep.troubles(database)).last_error


async def test_a_model_that_is_away_is_waited_for(database: Database) -> None:
    away = EngineUnavailable("nobody answers at the model's address")
    world = World(database, *[away] * 10, "Back again.")
    await world.say("hello")
    assert world.platform.texts == ["Back again."]
    assert max(world.clock.slept) == chat_module.LONGEST_PAUSE
    assert (await upkeep.troubles(database)).aside == 0


async def test_a_busy_model_is_asked_when_it_has_room_and_sees_what_was_said_meanwhile(
    database: Database,
) -> None:
    world = World(database, "Hi, both of you!", burst_seconds=0.5)
    world.engine.busy = "256 answers are being written or wait"
    await world.platform.say("hello")
    async with asyncio.timeout(5):
        while chat_module.BUSY_SECONDS not in world.clock.slept:
            await asyncio.sleep(0)
    assert world.engine.prompts == []
    await world.platform.say("and hello again", at=world.clock.now())
    world.engine.busy = ""
    await world.platform.settled(key("ann"))
    assert world.platform.texts == ["Hi, both of you!"]
    assert world.engine.prompts[0][-1].content == "hello\nand hello again"
    assert (await upkeep.troubles(database)).aside == 0


async def test_a_send_that_certainly_failed_is_made_again_after_the_pause(
    database: Database,
) -> None:
    world = World(database, "Hi!")
    world.platform.failures = [SendLater("slow down", retry_after=7)] * 3
    await world.say("hello")
    assert world.platform.texts == ["Hi!"]
    assert world.clock.slept == [7, 7, 7]


@pytest.mark.parametrize("failure", [SendUnknown("the line broke"), OSError("the line broke")])
async def test_a_send_in_doubt_is_recorded_and_not_repeated(
    database: Database, failure: Exception
) -> None:
    world = World(database, "Hi!", "Next.")
    world.platform.failures = [failure]
    await world.say("hello")
    await world.say("and now?")
    assert world.platform.texts == ["Next."]
    assert (await upkeep.troubles(database)).unknown == 1


async def test_a_refused_send_is_recorded(database: Database) -> None:
    world = World(database, "Hi!")
    world.platform.failures = [SendRefused("she blocked me")]
    await world.say("hello")
    troubles = await upkeep.troubles(database)
    assert (troubles.refused, troubles.unknown, troubles.aside) == (1, 0, 0)


async def test_dying_while_writing_loses_nothing_and_answers_once(database: Database) -> None:
    world = World(database, "never seen", "Hi!")
    world.go_on.clear()
    await world.platform.say("hello")
    await world.writing()
    await world.die()
    world.go_on.set()
    world.start()
    await world.chat.resume("fake")
    await world.platform.settled(key())
    assert len(world.platform.sent) == 1


async def test_dying_between_sending_and_recording_sends_the_same_nonce(
    database: Database,
) -> None:
    world = World(database, "Hi!")
    world.outbox = ForgetfulOutbox(database)
    await world.die()
    world.start()
    await world.platform.say("hello")
    async with asyncio.timeout(5):
        while not world.platform.sent:
            await asyncio.sleep(0)
    await world.die()
    world.outbox = SqlOutbox(database)
    world.start()
    await world.chat.resume("fake")
    await world.platform.settled(key())
    assert world.platform.texts == ["Hi!"]  # the platform dropped the double by its nonce
    assert (await upkeep.troubles(database)).unknown == 0


class ForgetfulOutbox(SqlOutbox):
    """Never comes to note that something was sent: the process dies before."""

    async def sent(self, row: int, message: str) -> None:
        await asyncio.Event().wait()


class SlowAdapter(FakeAdapter):
    """Sends when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sending, self.go_on = asyncio.Event(), asyncio.Event()

    async def send(self, reply: Reply) -> str:
        self.sending.set()
        await self.go_on.wait()
        return await super().send(reply)


async def test_closing_lets_a_send_under_way_end(database: Database) -> None:
    world = World(database, "Hi!")
    world.platform = slow = SlowAdapter()
    await world.die()
    world.start()
    await world.platform.say("hello")
    await slow.sending.wait()
    closing = asyncio.create_task(world.chat.close(timeout=5))
    await asyncio.sleep(0)
    slow.go_on.set()
    await closing
    assert world.platform.texts == ["Hi!"]
    assert (await world.inbox.todo(key())).parcel is None


class DoubtfulInbox(SqlInbox):
    """Commits, and loses the connection before it can say so: once."""

    failed = False

    async def receive(self, event: Event, cursor: Cursor | None = None) -> bool:
        new = await super().receive(event, cursor)
        if not self.failed:
            self.failed = True
            raise StoreError("the connection was lost")
        return new


async def test_an_event_stored_in_doubt_is_answered_without_waiting_for_another(
    database: Database,
) -> None:
    world = World(database, "Hi!")
    world.inbox = DoubtfulInbox(database, world.clock)
    await world.die()
    world.start()
    await world.say("hello")
    assert world.platform.texts == ["Hi!"]


async def test_our_own_words_never_wake_us(database: Database) -> None:
    world = World(database)
    await world.say("echo", author=Author(id="bot", name="Robin"))
    assert world.platform.sent == []


async def test_roles_in_history_are_ours_and_theirs(database: Database) -> None:
    world = World(database, "Hi!")
    await world.say("hello")
    turns = await world.history.recent(key(), 10)
    assert [(t.role, t.author.name) for t in turns] == [
        (Role.USER, "Ann"),
        (Role.ASSISTANT, "Robin"),
    ]


# --------------------------------------------------------------- answers that grow and change


class Slow(ScriptedEngine):
    """Writes a piece whenever it is told to."""

    def __init__(self, *pieces: str) -> None:
        super().__init__(())
        self.pieces = pieces
        self.steps = asyncio.Semaphore(0)

    async def stream(self, messages: object, sampling: object) -> AsyncGenerator[str, None]:
        for piece in self.pieces:
            yield piece
            await self.steps.acquire()


async def grows(world: World, *pieces: str) -> Slow:
    """A platform on which answers grow, and a model that writes `pieces`."""
    await world.die()
    world.platform.limits = Limits(max_length=100, edit_seconds=1.5)
    world.engine = engine = Slow(*pieces)
    world.start()
    return engine


async def seen(world: World, *texts: str) -> None:
    """Return when people see these messages of ours."""
    async with asyncio.timeout(5):
        while [reply.text for reply in world.platform.shown.values()] != list(texts):
            await asyncio.sleep(0.001)


async def test_an_answer_grows_in_one_message_and_ends_whole(database: Database) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon", " a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    engine.steps.release()
    await seen(world, "Once upon")
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert [reply.text for reply in world.platform.shown.values()] == ["Once upon a time."]
    assert len(world.platform.sent) == 1
    assert await world.said() == [("user", "a story!"), ("assistant", "Once upon a time.")]


async def test_an_answer_that_grows_too_long_ends_in_more_messages(database: Database) -> None:
    world = World(database)
    engine = await grows(world, "a" * 60, " " + "b" * 60)
    event = await world.platform.say("a story!")
    await seen(world, "a" * 60)
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert [reply.text for reply in world.platform.shown.values()] == ["a" * 60, "b" * 60]


async def test_an_answer_that_a_crash_cut_off_is_finished_in_its_place(database: Database) -> None:
    world = World(database)
    await grows(world, "Once", " upon a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    await world.die()
    world.engine = ScriptedEngine(["There was a fox."])
    world.start()
    await world.chat.resume("fake")
    await world.platform.settled(event.key)
    assert [reply.text for reply in world.platform.shown.values()] == ["There was a fox."]
    assert len(world.platform.sent) == 1


async def test_what_was_shown_of_an_answer_to_a_deleted_message_goes(database: Database) -> None:
    world = World(database)
    await grows(world, "Once", " upon a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    await world.platform.put(replace(event, id="gone", kind=Kind.DELETE))
    await world.platform.settled(event.key)
    assert not world.platform.shown
    assert await world.said() == []


async def test_an_edit_while_it_grows_begins_the_same_message_anew(database: Database) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    engine.pieces = ("A song", " for you.")
    await world.platform.put(replace(event, id="new", kind=Kind.EDIT, text="a song!"))
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert [reply.text for reply in world.platform.shown.values()] == ["A song for you."]
    assert len(world.platform.sent) == 1


@pytest.mark.parametrize("trouble", [SendRefused("no"), SendUnknown("who knows"), OSError("bug")])
async def test_an_answer_that_cannot_grow_arrives_all_the_same(
    database: Database, trouble: Exception
) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon a time.")
    world.platform.failures = [trouble]
    event = await world.platform.say("a story!")
    async with asyncio.timeout(5):
        while world.platform.failures:
            await asyncio.sleep(0.001)
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert world.platform.texts == ["Once upon a time."]


async def test_a_change_that_is_refused_for_good_comes_as_a_message_of_its_own(
    database: Database,
) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    send = world.platform.send

    async def refusing(reply: Reply) -> str:
        if reply.replaces:
            raise SendRefused("somebody deleted it")
        return await send(reply)

    world.platform.send = refusing  # type: ignore[method-assign]
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    first, second = world.platform.sent
    assert (first.text, second.text) == ("Once", "Once upon a time.")
    assert first.nonce != second.nonce


async def test_a_refused_change_is_made_again_with_the_whole_text(database: Database) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon", " a time.")
    event = await world.platform.say("a story!")
    await seen(world, "Once")
    world.platform.failures = [SendLater("slow down", retry_after=30)]
    engine.steps.release()
    async with asyncio.timeout(5):
        while world.platform.failures:
            await asyncio.sleep(0.001)
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert [reply.text for reply in world.platform.shown.values()] == ["Once upon a time."]
    assert len(world.platform.sent) == 1


async def test_a_beginning_that_perhaps_arrived_is_known_to_be_in_doubt(database: Database) -> None:
    world = World(database)
    await grows(world, "Once", " upon a time.")
    world.platform.failures = [SendUnknown("the line is dead")]
    event = await world.platform.say("a story!")
    async with asyncio.timeout(5):
        while world.platform.failures:
            await asyncio.sleep(0.001)
    await world.die()
    asked: list[Reply] = []
    send = world.platform.send

    async def noting(reply: Reply) -> str:
        asked.append(reply)
        return await send(reply)

    world.platform.send = noting  # type: ignore[method-assign]
    world.engine = engine = Slow("There", " was a fox.")
    world.start()
    await world.chat.resume("fake")
    async with asyncio.timeout(5):
        while not asked:
            await asyncio.sleep(0.001)
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert asked[0].attempted
    assert asked[-1].text == "There was a fox."


async def test_no_message_grows_where_drafts_show_the_text(database: Database) -> None:
    world = World(database)
    engine = await grows(world, "Once", " upon a time.")
    world.platform.limits = replace(world.platform.limits, drafts=True)
    event = await world.platform.say("a story!")
    async with asyncio.timeout(5):
        while not world.platform.drafts:
            await asyncio.sleep(0.001)
    assert not world.platform.sent
    engine.steps.release()
    engine.steps.release()
    await world.platform.settled(event.key)
    assert world.platform.texts == ["Once upon a time."]


async def test_beginnings_wait_for_a_place_like_every_send(database: Database) -> None:
    world = World(database)
    await grows(world, "Once", " upon a time.")
    world.platform.limits = replace(world.platform.limits, parallel_sends=1)
    await world.die()
    world.start()
    at_once, most = 0, 0
    send = world.platform.send

    async def counting(reply: Reply) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return await send(reply)

    world.platform.send = counting  # type: ignore[method-assign]
    for room in ("ann", "ben", "cleo"):
        await world.platform.say("a story!", room=room, by=room)
    await seen(world, "Once", "Once", "Once")
    assert most == 1


async def test_a_deleted_message_takes_its_answer_along(database: Database) -> None:
    world = World(database, "Hi Ann!", "And you?")
    event = await world.platform.say("hello")
    await world.say("how are you?")
    await world.say("", message=event.message, kind=Kind.DELETE)
    assert [reply.text for reply in world.platform.shown.values()] == ["And you?"]


async def test_an_answer_to_a_deleted_message_stays_where_the_owner_says_so(
    database: Database,
) -> None:
    world = World(database, "Hi Ann!", sent=Afterwards(remove=False))
    event = await world.platform.say("hello")
    await world.platform.settled(event.key)
    await world.say("", message=event.message, kind=Kind.DELETE)
    assert [reply.text for reply in world.platform.shown.values()] == ["Hi Ann!"]


async def test_an_edited_message_is_answered_anew_in_place(database: Database) -> None:
    world = World(database, "a" * 60 + " " + "b" * 60, "Short.", sent=Afterwards(update=True))
    world.platform.limits = Limits(max_length=100)
    event = await world.platform.say("tell me all")
    await world.platform.settled(event.key)
    assert len(world.platform.shown) == 2
    await world.say("tell me little", message=event.message, kind=Kind.EDIT)
    assert [reply.text for reply in world.platform.shown.values()] == ["Short."]
    assert await world.said() == [("user", "tell me little"), ("assistant", "Short.")]


async def test_an_answer_on_which_others_were_built_is_not_written_anew(
    database: Database,
) -> None:
    world = World(database, "Hi!", "Fine.", sent=Afterwards(update=True))
    event = await world.platform.say("hello")
    await world.say("how are you?")
    await world.say("hello there", message=event.message, kind=Kind.EDIT)
    assert world.platform.texts == ["Hi!", "Fine."]
    assert (await world.said())[0] == ("user", "hello there")


# ------------------------------------------------------------------- what people can ask for


async def test_the_first_answer_says_that_an_ai_writes_it(database: Database) -> None:
    world = World(database, "Hi!", "Fine.", disclose=True)
    await world.say("hello")
    await world.say("how are you?")
    assert world.platform.texts == [f"Hi!\n\n{DISCLOSURE}", "Fine."]
    assert [text for _, text in await world.said()][1] == "Hi!"


async def test_so_does_the_first_answer_that_no_model_wrote(database: Database) -> None:
    world = World(database, "Hi!", disclose=True)
    await world.say("/memory", kind=Kind.COMMAND)
    await world.say("hello")
    assert world.platform.texts == [f"I know nothing about you yet.\n\n{DISCLOSURE}", "Hi!"]


async def test_who_was_greeted_knows_already(database: Database) -> None:
    world = World(database, "Hi!", disclose=True)
    await world.say("/start", kind=Kind.COMMAND)
    await world.say("hello")
    assert world.platform.texts == [ROBIN.greeting, "Hi!"]


async def test_asked_whether_it_is_an_ai_no_model_answers(database: Database) -> None:
    world = World(database, "I am human, I swear.")
    await world.say("are you human?")
    assert world.platform.texts == [
        "I'm Robin, an AI. A program writes what I say, no person does."
    ]


async def test_after_a_reset_what_was_said_is_no_longer_at_hand(database: Database) -> None:
    world = World(database, "Hi!", "Fresh.")
    await world.say("my cat is called Tom")
    await world.say("/reset")
    await world.say("hello")
    assert [m.content for m in world.engine.prompts[1]] == ["You are Robin.", "hello"]
    assert len(await world.said()) == 4


async def test_the_language_can_be_chosen(database: Database) -> None:
    world = World(database, "Bonjour !", "Hi!")
    await world.say("/language fr")
    await world.say("hello")
    assert world.engine.prompts[0][0].content == "You are Robin.\n\nAlways answer in French."
    await world.say("/language any")
    await world.say("hello")
    assert world.engine.prompts[1][0].content == "You are Robin."
    await world.say("/language ; DROP TABLE")
    assert "/language French" in world.platform.texts[-1]


async def test_what_a_message_refers_to_is_read_and_not_kept(database: Database) -> None:
    world = World(database, "Red.", "Red again.")
    quote = Quote(author="Ben", text="my car is red")
    await world.say("which colour?", quoted=quote)
    assert world.engine.prompts[0][-1].content == (
        "[about what Ben wrote: “my car is red”]\nwhich colour?"
    )
    assert (await world.said())[0] == ("user", "which colour?")
    await world.say("sure?", quoted=Quote(author="Robin", text="Red."))
    assert world.engine.prompts[1][-1].content == "sure?"  # it was said just now


async def test_what_is_only_forwarded_is_answered_and_not_taken_for_ones_own_words(
    database: Database,
) -> None:
    world = World(database, "Good news.")
    await world.say("", quoted=Quote(author="The news", text="Rain is over."))
    assert world.platform.texts == ["Good news."]
    assert "“Rain is over.”" in world.engine.prompts[0][-1].content
    assert await world.said() == [
        ("user", "[forwarded from The news]"),
        ("assistant", "Good news."),
    ]


async def test_a_reaction_to_somebody_else_is_not_kept(database: Database) -> None:
    world = World(database, "Hi!")
    event = await world.platform.say("hello")
    await world.platform.settled(event.key)
    await world.say("👍", kind=Kind.REACTION, message=event.message)
    assert await database.read(lambda c: c.execute(sa.select(reaction)).all()) == []


async def test_a_reaction_belongs_to_the_thread_of_its_message(database: Database) -> None:
    world = World(database, "Hi!")
    there = key("room", thread="7")
    await world.platform.say("hello", key=there)
    await world.platform.settled(there)
    (sent,) = world.platform.shown
    await world.say("👍", kind=Kind.REACTION, message=sent, key=key("room"))
    await world.say("👎", kind=Kind.REACTION, message=sent, key=key("another room"))
    assert [r.emoji for r in await upkeep.reactions(database, there, 9)] == ["👍"]
    assert len(await upkeep.reactions(database, None, 9)) == 1


async def test_a_reaction_is_kept_and_not_answered(database: Database) -> None:
    world = World(database, "Hi!")
    await world.say("hello")
    (sent,) = world.platform.shown
    await world.say("👍", kind=Kind.REACTION, message=sent)
    assert [(r.emoji, r.author, r.text) for r in await upkeep.reactions(database, None, 9)] == [
        ("👍", "id-ann", "Hi!")
    ]
    await world.say("❤️", kind=Kind.REACTION, message=sent)
    assert [r.emoji for r in await upkeep.reactions(database, key("ann"), 9)] == ["❤️"]
    assert not await upkeep.reactions(database, key("ben"), 9)
    await world.say("", kind=Kind.REACTION, message=sent)
    assert not await upkeep.reactions(database, None, 9)
    assert world.platform.texts == ["Hi!"]
    await world.say("👍", kind=Kind.REACTION, message=sent)
    await world.say("/forget everything")
    assert not await upkeep.reactions(database, None, 9)


async def test_the_answer_to_a_private_command_is_for_the_asker(database: Database) -> None:
    world = World(database)
    await world.say("/memory", addressed=Addressed.MENTION)
    await world.say("/help", addressed=Addressed.MENTION)
    assert [reply.private for reply in world.platform.sent] == [True, False]


LISTENING = Rooms(remember_all=True, speak=Speak.TOPICS, topics=("garden",), per_hour=1)


async def test_what_is_overheard_is_remembered_and_not_answered(database: Database) -> None:
    world = World(database, "It was the rain.", rooms=LISTENING)
    await world.say("The cellar is wet.", room="room", addressed=ROOM)
    assert world.platform.texts == []
    await world.say("Robin, why?", by="Ben", room="room", addressed=ROOM)
    assert world.platform.texts == ["It was the rain."]
    assert "Ann: The cellar is wet." in world.engine.prompts[0][-1].content


async def test_where_nothing_is_to_be_remembered_nothing_is_overheard(database: Database) -> None:
    world = World(database, rooms=LISTENING)
    await world.say("/incognito", room="room", addressed=Addressed.MENTION)
    await world.say("The cellar is wet.", room="room", addressed=ROOM)
    assert await world.said("room") == []


async def test_it_speaks_unasked_within_the_budget_of_an_hour(database: Database) -> None:
    world = World(database, "Water it.", "Again.", rooms=LISTENING)
    for text in ("my garden is dry", "the garden is still dry"):
        await world.say(text, room="room", addressed=ROOM)
    assert world.platform.texts == ["Water it."]
    assert [row.decision for row in await upkeep.decisions(database, None, 9)] == [
        "chime",
        "silent",
    ]
    assert ("user", "the garden is still dry") in await world.said("room")


async def test_what_is_sent_later_is_sent_as_soon_as_the_adapter_is_ready(
    database: Database,
) -> None:
    class Standing(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.Event().wait()

    world = World(database, "Hi!")
    ready = asyncio.Event()
    world.platform.failures = [SendLater("away", retry_after=3600, ready=ready)]
    world.clock = Standing()
    await world.die()
    world.start()
    event = await world.platform.say("hello")
    async with asyncio.timeout(5):
        while not world.clock.slept:
            await asyncio.sleep(0)
        assert world.platform.sent == []
        ready.set()
        await world.platform.settled(event.key)
    assert world.platform.texts == ["Hi!"]
