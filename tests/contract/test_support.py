"""The support desk: a person takes over, and nobody is answered twice, by two or by the wrong one;
on SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.assistant.job import Assistant
from hobnob.chat import Chat, Stores
from hobnob.conversation import ConversationKey
from hobnob.errors import Changed, SendRefused
from hobnob.events import Addressed, Attachment, ChatMessage, Event, Role, Sampling
from hobnob.hours import Span
from hobnob.jobs import Job, Jobs
from hobnob.knowledge.job import Knowledge
from hobnob.knowledge.library import Library
from hobnob.knowledge.sync import Keeper
from hobnob.memory.recall import Remembering
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.ports import Engine, Limits, Outcome
from hobnob.recurrence import next_due
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.knowledge import SqlKnowledge
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.reminders import SqlReminders
from hobnob.store.schedule import SqlSchedule
from hobnob.store.schema import outbox, ticket, ticket_act, turn
from hobnob.store.tickets import SqlTickets, Ticket
from hobnob.support.customer import Customer
from hobnob.support.desk import Desk
from hobnob.support.opening import Opening
from hobnob.support.staff import LimitsOf, Staff
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

ANN = key("ann")
DESK = key("desk", platform="office")
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""


class World:
    """One run of a bot with a desk: its customers are on one platform, its staff on another."""

    def __init__(
        self,
        database: Database,
        *,
        engine: Engine | None = None,
        opening: Opening | None = None,
        members: Sequence[str] = (),
        language: str = "en",
        documents: bool = False,
        unknown: str = "I don't know.",
        where: ConversationKey | None = DESK,
        before: "World | None" = None,
    ) -> None:
        self.database = database
        self.clock: FakeClock = before.clock if before else FakeClock(START)
        self.shop: FakeAdapter = before.shop if before else FakeAdapter()
        buttons = Limits(max_length=2000, buttons=True)
        self.office: FakeAdapter = before.office if before else FakeAdapter("office", buttons)
        self.tickets = SqlTickets(database)
        self.schedule = SqlSchedule(database, self.clock, next_due)
        adapters = {"fake": self.shop, "office": self.office}
        memory = Remembering(SqlMemory(database, self.clock))
        limits = {name: adapter.limits for name, adapter in adapters.items()}
        customer = Customer(
            tickets=self.tickets,
            where=where,
            opening=opening,
            language=language,
            memory_command=memory.command,
            clock=self.clock,
        )
        self.limits: LimitsOf = lambda key: limits[key.platform]
        self.staff_side = Staff(
            tickets=self.tickets,
            history=SqlHistory(database),
            where=where,
            members=frozenset(members),
            answers={"hours": "We are open from nine to five."},
            language=language,
            zone="UTC",
            limits=self.limits,
            clock=self.clock,
        )
        self.desk = Desk(
            customer=customer,
            staff=self.staff_side,
            tickets=self.tickets,
            where=where,
            limits=self.limits,
            clock=self.clock,
        )
        jobs: list[Job] = [self.desk, Assistant(SqlReminders(database), self.clock)]
        if documents:
            library = Library(SqlKnowledge(database), None)
            history = SqlHistory(database)
            jobs.append(Knowledge(library, history, unknown=unknown, desk=self.desk))
        self.chat = Chat(
            persona=Persona(name="Sam", text="You are Sam."),
            rules=Rules(names=("Sam",), burst_seconds=0),
            engine=engine or ScriptedEngine(["The model answers."] * 20),
            memory=memory,
            stores=Stores(
                inbox=SqlInbox(database, self.clock),
                outbox=SqlOutbox(database),
                history=SqlHistory(database),
            ),
            adapters=adapters,
            clock=self.clock,
            jobs=Jobs(jobs),
        )

    async def customer(self, text: str, **fields: Any) -> list[str]:
        """What the customer sees after saying something."""
        event = self.shop.event(text, at=self.clock.now(), **fields)
        return await self._hear(event, self.shop)

    async def staff(self, text: str, by: str = "Bob", **fields: Any) -> list[str]:
        """What the staff sees after somebody of them said something."""
        given: dict[str, Any] = {
            "key": DESK,
            "addressed": Addressed.NONE,
            "at": self.clock.now(),
            **fields,
        }
        return await self._hear(self.office.event(text, by=by, **given), self.office)

    async def _hear(self, event: Event, platform: FakeAdapter) -> list[str]:
        seen = len(platform.sent)
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)
        await self.settled()
        return [reply.text for reply in platform.sent[seen:]]

    async def settled(self) -> None:
        for _ in range(2):  # what one says may be for the other
            await self.chat.settled(ANN)
            await self.chat.settled(DESK)

    async def start(self) -> None:
        """What the program does when it starts again."""
        for name in ("fake", "office"):
            await self.chat.resume(name)
        for found in await self.schedule.ring(["fake", "office"]):
            self.chat.wake(found)
        await self.settled()

    async def work(self) -> None:
        for found in await self.desk.work():
            self.chat.wake(found)
        await self.settled()

    async def state(self, number: int = 1) -> str:
        found = await self.tickets.get(number)
        assert found is not None
        return found.state

    async def whats(self, number: int = 1) -> list[str]:
        return [act.what for _, act in await self.tickets.acts(number)]

    async def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        return await self.database.read(lambda connection: connection.execute(query).all())

    def message_at_desk(self, text: str) -> str:
        """The id of the message of ours there that begins like this."""
        return next(id_ for id_, reply in self.office.shown.items() if reply.text.startswith(text))


@pytest.fixture
async def world(database: Database) -> World:
    return World(database)


# ------------------------------------------------------------------ from the call to the rating


async def test_a_person_comes_talks_and_goes(world: World) -> None:
    (waits,) = await world.customer("/human")
    assert waits.startswith("I've called a person.")
    (called,) = world.office.texts
    assert called.startswith("#1 Ann (fake) waits for a person")
    assert [button.command for button in world.office.sent[0].buttons] == ["/take 1", "/resolve 1"]
    assert await world.customer("and now?") == ["The model answers."]  # nobody is left alone

    (yours,) = await world.staff("/take 1")
    assert "Ticket 1 is yours" in yours
    assert "Ann: and now?\nSam: The model answers." in yours
    assert world.shop.texts[-1].startswith("You are talking with Bob now, a person.")

    assert await world.customer("my parcel is lost") == []
    assert world.office.texts[-1] == "#1 Ann: my parcel is lost"
    told = world.message_at_desk("#1 Ann: my parcel")
    assert await world.staff("I look for it.", reply_to=told, addressed=Addressed.REPLY) == []
    assert world.shop.texts[-1] == "I look for it."
    assert await world.staff("/say 1 It comes tomorrow.") == []
    assert world.shop.texts[-1] == "It comes tomorrow."

    await world.staff("/resolve 1")
    assert "from 1 (badly) to 5 (very well)" in world.shop.texts[-1]
    assert await world.customer("4, quick") == ["Thank you. That helps us."]
    assert world.office.texts[-1] == "#1 Ann (fake) rates it 4 of 5: quick"
    assert await world.customer("hello again") == ["The model answers."]
    said = ["wanted", "taken", "said", "said", "resolved", "rated"]
    assert await world.whats() == said
    turns = await SqlHistory(world.database).recent(ANN, 9)
    assert [(turn.role, turn.text) for turn in turns][2:5] == [
        (Role.USER, "my parcel is lost"),
        (Role.ASSISTANT, "I look for it."),
        (Role.ASSISTANT, "It comes tomorrow."),
    ]


async def test_given_back_the_bot_answers_again(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    assert await world.customer("hello?") == []
    assert await world.staff("/release") == ["I have ticket 1 again."]
    assert world.shop.texts[-1].startswith("I'm the AI again.")
    assert await world.customer("hello?") == ["The model answers."]
    assert await world.state() == "open"
    await world.customer("/human")  # the same ticket waits again
    assert await world.state() == "waiting"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("Can I talk to a real person, please?", "waiting"),
        ("This is absolutely ridiculous, I'm so angry", "waiting"),
        ("Who is the person on the picture?", None),
    ],
)
async def test_words_call_a_person(world: World, said: str, state: str | None) -> None:
    await world.customer(said)
    found = await world.tickets.unresolved()
    assert [each.state for each in found] == ([state] if state else [])


async def test_out_of_hours_it_says_when_somebody_is_there(database: Database) -> None:
    day = (Span.parse("09:00-17:00"),)
    opening = Opening(week=(day,) * 5 + ((), ()), zone="Europe/Berlin")
    world = World(database, opening=opening)
    assert (await world.customer("/human"))[0].startswith("I've called a person.")
    world.clock.advance(6 * 3600)
    (said,) = await world.customer("/human", room="bea", by="Bea")
    assert "Tuesday 6 January 2026, 09:00 (Europe/Berlin)" in said


async def test_the_desk_speaks_the_customers_language(database: Database) -> None:
    world = World(database, language="de")
    await world.customer("/human")
    await world.staff("/take 1")
    assert world.shop.texts[-1].startswith("Du sprichst jetzt mit Bob, einem Menschen.")
    await world.staff("/resolve 1")
    await world.customer("/language French")
    await world.customer("/human")
    assert world.shop.texts[-1].startswith("J'ai appelé une personne.")


# ------------------------------------------------------------------ silence, without exception


@pytest.mark.parametrize("text", ["/memory", "/privacy", "/help", "are you an AI?", "/human", "5"])
async def test_nothing_makes_the_bot_speak_while_a_person_has_it(world: World, text: str) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    assert await world.customer(text) == []
    assert world.office.texts[-1].startswith(f"#1 Ann: {text}")


async def test_what_was_to_be_forgotten_is_without_a_word(world: World) -> None:
    await world.customer("my dog is called Rex")
    await world.customer("/human")
    await world.staff("/take 1")
    assert await world.customer("/forget everything") == []
    assert "I did that without a word" in world.office.texts[-1]
    assert await world.rows(sa.select(turn).where(turn.c.text.contains("Rex"))) == []
    assert await world.state() == "taken"
    assert await world.staff("/say 1 It is forgotten.") == []
    assert world.shop.texts[-1] == "It is forgotten."


async def test_a_reminder_comes_once_the_person_has_gone(world: World) -> None:
    await world.customer("remind me in 10 minutes to eat")
    await world.customer("/human")
    await world.staff("/take 1")
    before = len(world.shop.sent)
    world.clock.advance(600)
    await world.start()
    assert len(world.shop.sent) == before
    await world.staff("/release 1")
    world.clock.advance(600)
    await world.start()
    assert [text.splitlines()[0] for text in world.shop.texts[-1:]] == ["Reminder: eat"]


class SlowEngine(ScriptedEngine):
    """Writes half of an answer, and the rest once it is told to."""

    def __init__(self) -> None:
        super().__init__(["unused"])
        self.half, self.goes_on = asyncio.Event(), asyncio.Event()

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        yield "The model "
        self.half.set()
        await self.goes_on.wait()
        yield "answers."


@pytest.mark.parametrize("stuck", [True, False], ids=["still writing", "just done"])
async def test_an_answer_that_is_being_written_is_not_sent(database: Database, stuck: bool) -> None:
    engine = SlowEngine()
    world = World(database, engine=engine)
    await world.customer("/human")
    event = world.shop.event("how much is it?")
    await world.chat.receive(event, None)
    await engine.half.wait()
    if not stuck:
        engine.goes_on.set()
    await world.staff("/take 1")
    await world.settled()
    said = world.shop.texts
    joined = next(n for n, text in enumerate(said) if text.startswith("You are talking with Bob"))
    assert said[joined:] == said[-1:]
    if stuck:
        assert "The model answers." not in said
        assert world.office.texts[-1] == "#1 Ann: how much is it?"


async def test_an_answer_that_is_not_sent_yet_is_taken_back(world: World) -> None:
    await world.customer("/human")
    inbox = SqlInbox(world.database, world.clock)
    event = world.shop.event("how much is it?")
    await inbox.receive(event)
    (row,) = (await inbox.todo(ANN)).waiting
    answer = replace(world.shop.sent[0], text="Ten euros.", nonce="n" * 20)
    given = Outcome(rows=(row.row,), key=ANN, decision="answer", reason="", replies=(answer,))
    await inbox.finish(replace(given, permit=world.desk.permit))  # and then the power fails
    await world.staff("/take 1")
    await world.start()
    assert "Ten euros." not in world.shop.texts


async def test_nothing_is_written_where_a_person_has_it(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    inbox = SqlInbox(world.database, world.clock)
    await inbox.receive(world.shop.event("how much is it?"))
    (row,) = (await inbox.todo(ANN)).waiting
    answer = replace(world.shop.sent[0], text="Ten euros.", nonce="n" * 20)
    given = Outcome(rows=(row.row,), key=ANN, decision="answer", reason="", replies=(answer,))
    with pytest.raises(Changed):
        await inbox.finish(replace(given, permit=world.desk.permit))
    silent = Outcome(rows=(row.row,), key=ANN, decision="silent", reason="")
    await inbox.finish(replace(silent, permit=world.desk.permit))


# ------------------------------------------------------------------ staff


async def test_of_two_who_take_it_one_has_it(world: World) -> None:
    await world.customer("/human")
    bob = world.office.event("/take 1", by="Bob", key=DESK, addressed=Addressed.NONE)
    eve = world.office.event("/take 1", by="Eve", key=DESK, addressed=Addressed.NONE)
    await world.chat.receive(bob, None)
    await world.chat.receive(eve, None)
    await world.settled()
    found = await world.tickets.get(1)
    assert found is not None
    assert found.staff_name == "Bob"
    assert world.office.texts[-1] == "Bob has it. /take 1 over makes it yours."
    assert len([text for text in world.shop.texts if "You are talking with" in text]) == 1
    await world.staff("/take 1 over", by="Eve")
    assert await world.staff("/say 1 hello", by="Bob") == [
        "Eve has it. /take 1 over makes it yours."
    ]


async def test_what_was_seen_is_what_is_changed(world: World) -> None:
    """In another process, say the terminal, somebody was faster."""
    await world.customer("/human")
    seen = await world.tickets.get(1)
    assert seen is not None
    await world.staff("/take 1")
    staff = World(world.database, before=world)

    async def stale(number: int) -> Ticket | None:
        return seen

    staff.tickets.get = stale  # type: ignore[method-assign]
    event = staff.office.event("/take 1", by="Eve", key=DESK)
    deed = await staff.desk.take([event], None)  # type: ignore[arg-type]
    assert deed is not None
    assert deed.also is not None
    with pytest.raises(Changed):
        await world.database.write(deed.also)
    found = await world.tickets.get(1)
    assert found is not None
    assert found.staff_name == "Bob"


async def test_only_the_staff_decides(database: Database) -> None:
    world = World(database, members=["office/id-bob"])
    await world.customer("/human")
    assert await world.staff("/take 1", by="Eve") == ["Sorry, that is for the staff of the desk."]
    await world.customer("/take 1")
    assert await world.state() == "waiting"
    await world.staff("/take 1", by="Bob")
    assert await world.state() == "taken"


async def test_what_the_staff_says_to_each_other_reaches_no_customer(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    before = len(world.shop.sent)
    assert await world.staff("has anybody seen the parcel?") == []
    assert await world.staff("no", by="Eve") == []
    told = world.message_at_desk("#1 Ann (fake) waits")
    assert await world.staff("lol", by="Eve", reply_to=told, addressed=Addressed.REPLY) == [
        "Bob has it. /take 1 over makes it yours."
    ]
    assert len(world.shop.sent) == before


async def test_files_of_the_staff(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    reply: dict[str, Any] = {
        "reply_to": world.message_at_desk("#1 Ann (fake) waits"),
        "addressed": Addressed.REPLY,
    }
    here = Attachment(media_type="image/png", url="https://files.example/1.png")
    assert await world.staff("the label", attachments=(here,), **reply) == []
    assert world.shop.texts[-1] == "the label\nhttps://files.example/1.png"
    elsewhere = Attachment(media_type="image/png", id="file-1")
    (told,) = await world.staff("the label", attachments=(elsewhere,), **reply)
    assert told.startswith("I can't pass files on from here")
    assert world.shop.texts[-1] == "the label"


async def test_canned_answers(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    assert await world.staff("/answers") == ["hours: We are open from nine to five."]
    assert await world.staff("/answer hours") == []
    assert world.shop.texts[-1] == "We are open from nine to five."
    assert await world.staff("/answer 1 prices") == [
        "There is no answer “prices”. /answers shows them all."
    ]


async def test_a_ticket_that_was_put_away_comes_back(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    (until,) = await world.staff("/snooze 1 2 hours")
    assert "Monday, 2026-01-05, 14:00 (UTC)" in until
    assert await world.state() == "snoozed"
    world.clock.advance(7200)
    await World(world.database, before=world).start()
    assert world.office.texts[-1] == "#1 Ann (fake) is back, for Bob."
    assert await world.state() == "taken"
    world.clock.advance(7200)
    await world.start()
    assert len([text for text in world.office.texts if "is back" in text]) == 1


async def test_a_customer_who_writes_wakes_it(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    await world.staff("/snooze 1 2 hours")
    assert await world.customer("are you there?") == []
    assert await world.state() == "taken"
    world.clock.advance(7200)
    await world.start()
    assert world.office.texts[-1] == "#1 Ann: are you there?"


async def test_the_list_and_the_story_of_a_ticket(world: World) -> None:
    assert await world.staff("/tickets") == ["Nobody needs a person."]
    await world.customer("/human")
    assert await world.staff("/tickets") == [
        "#1 Ann (fake), since 2026-01-05 12:00 UTC: waiting for a person"
    ]
    (story,) = await world.staff("/ticket 1")
    assert "2026-01-05 12:00 hobnob: wanted: they ask for a person" in story
    assert await world.staff("/take") == [
        "Which ticket? Write /take and its number, as /tickets shows it."
    ]


async def test_words_that_do_not_arrive_are_told(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    world.shop.failures.append(SendRefused("they have blocked the bot"))
    await world.staff("/say 1 hello")
    for _ in range(2):
        await world.work()
    told = [text for text in world.office.texts if "did not reach" in text]
    assert told == ["#1: what was said to Ann did not reach them: they have blocked the bot"]


async def test_what_another_process_queued_is_sent(world: World) -> None:
    await world.customer("/human")
    await world.staff("/take 1")
    waiting = {"state": "pending", "text": "From the terminal.", "nonce": "t" * 20}
    row = (await world.rows(sa.select(outbox).where(outbox.c.about != "")))[0]._mapping
    values = {**row, **waiting, "message": None, "conversation_id": 1}
    del values["id"]

    def queue(connection: sa.Connection) -> None:
        connection.execute(outbox.insert(), values)

    await world.tickets.write(queue)
    await world.work()
    assert world.shop.texts[-1] == "From the terminal."


# ------------------------------------------------------------------ kills, forgetting, rating


async def test_a_kill_after_any_step_loses_and_doubles_nothing(database: Database) -> None:
    """Each event is stored, and then the power fails; the next life deals with it, once."""
    world = World(database)
    inbox = SqlInbox(database, world.clock)
    at_desk: dict[str, Any] = {"key": DESK, "addressed": Addressed.NONE}
    events = [
        world.shop.event("/human"),
        world.office.event("/take 1", by="Bob", **at_desk),
        world.shop.event("my parcel is lost"),
        world.office.event("/say 1 I look for it.", by="Bob", **at_desk),
        world.office.event("/resolve 1", by="Bob", **at_desk),
        world.shop.event("/rate 5"),
    ]
    for event in events:
        await inbox.receive(event)
        for _ in range(2):
            world = World(database, before=world)
            await world.start()
    assert await world.whats() == ["wanted", "taken", "said", "resolved", "rated"]
    assert len(world.shop.texts) == 5
    assert len(set(world.shop.texts)) == 5


async def test_forgetting_reaches_tickets(world: World) -> None:
    await world.customer("my secret is xyzzy, talk to a human")
    await world.staff("/take 1")
    await world.customer("xyzzy again")
    await world.staff("/resolve 1")
    await world.customer("/rate 4 xyzzy")
    assert [reply for reply in world.office.shown.values() if "xyzzy" in reply.text]
    await world.customer("/forget everything")
    await world.work()
    for table in (ticket, ticket_act, turn, outbox):
        for row in await world.rows(sa.select(table)):
            assert "xyzzy" not in str(row), table.name
            assert table is not ticket or "id-ann" not in str(row)
    assert not [
        reply
        for reply in world.office.shown.values()
        if "xyzzy" in reply.text and reply.text.startswith("#")
    ]


@pytest.mark.parametrize(
    ("text", "rating"),
    [("5", 5), ("3/5", 3), ("4 stars", 4), ("2 - slow", 2), ("/rate 1 bad", 1), ("5!", 5)],
)
async def test_ratings(world: World, text: str, rating: int) -> None:
    await world.customer("/human")
    await world.staff("/resolve 1")
    await world.customer(text)
    found = await world.tickets.get(1)
    assert found is not None
    assert found.rating == rating


@pytest.mark.parametrize("text", ["5 apples, please", "42", "0", "6", "2 questions: how and why?"])
async def test_what_is_no_rating_is_answered(world: World, text: str) -> None:
    await world.customer("/human")
    await world.staff("/resolve 1")
    assert await world.customer(text) == ["The model answers."]


async def test_nobody_is_asked_for_ever(world: World) -> None:
    await world.customer("/human")
    await world.staff("/resolve 1")
    world.clock.advance(timedelta(days=2).total_seconds())
    assert await world.customer("5") == ["The model answers."]
    assert await world.customer("/rate 6") == [
        "Write it as a number from 1 (badly) to 5 (very well), as in: /rate 4"
    ]


# ------------------------------------------------------------------ what documents say


async def knowing(database: Database, folder: Path, answer: str) -> World:
    (folder / "returns.md").write_text(
        "# Returns\n\nYou can return an unused kettle within 30 days. You pay the postage.\n"
    )
    async for document in (keeper := Keeper(folder, SqlKnowledge(database), None)).sync(
        await keeper.changes()
    ):
        assert not document.error
    return World(database, engine=ScriptedEngine([answer] * 3), documents=True)


async def test_a_promise_that_no_document_makes_is_held(database: Database, tmp_path: Path) -> None:
    answer = "You can return the kettle within 90 days. [1]"
    world = await knowing(database, tmp_path, answer)
    (said,) = await world.customer("Can I return an unused kettle?")
    assert said.startswith("I'd rather have a person look at that")
    assert "90 days" not in "\n".join(world.shop.texts)
    (held,) = world.office.texts
    assert "90 days" in held
    assert await world.state() == "waiting"
    command = world.office.sent[0].buttons[0].command
    assert (await world.staff("/send 1 00000000"))[0].startswith("That was an older answer.")
    assert await world.staff(command) == ["Sent. I go on with ticket 1."]
    assert "90 days" in world.shop.texts[-1]
    assert await world.state() == "open"


async def test_a_promise_of_the_documents_is_sent(database: Database, tmp_path: Path) -> None:
    world = await knowing(database, tmp_path, "Within 30 days, if it is unused. [1]")
    (said,) = await world.customer("Can I return an unused kettle?")
    assert said.startswith("Within 30 days")
    assert await world.tickets.unresolved() == []


async def test_what_no_document_answers_is_told_the_staff(
    database: Database, tmp_path: Path
) -> None:
    world = await knowing(database, tmp_path, "unused")
    assert (await world.customer("Do you sell bicycles in Paris?"))[0].startswith("I don't know.")
    assert "/human" in world.shop.texts[0]
    assert "Do you sell bicycles in Paris?" in world.office.texts[0]
    assert await world.state() == "open"
    await world.customer("Do you repair watches in Rome?")
    assert await world.whats() == ["unanswered", "unanswered"]


async def test_the_staffs_own_questions_open_no_ticket(database: Database, tmp_path: Path) -> None:
    world = await knowing(database, tmp_path, "unused")
    await world.staff("Do you sell bicycles in Paris?", addressed=Addressed.MENTION)
    assert await world.tickets.unresolved() == []
