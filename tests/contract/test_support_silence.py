"""The support desk where two things happen at once: the bot stays silent, and no word is lost."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.errors import Changed, SendLater, SendRefused
from hobnob.events import Addressed, Event, Kind
from hobnob.jobs import Deed
from hobnob.ports import Afterwards, Outcome, Parcel
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.outbox import SqlOutbox
from hobnob.store.schema import inbox as inbox_table
from hobnob.store.schema import outbox, schedule, ticket, ticket_act, turn
from hobnob.testing.adapter import key
from tests.contract.test_support import ANN, DESK, SlowEngine, World


async def ask(world: World, text: str) -> tuple[Event, int]:
    """Something that the customer says, with its row in the inbox; nobody has dealt with it yet."""
    inbox = SqlInbox(world.database, world.clock)
    event = world.shop.event(text)
    await inbox.receive(event)
    (row,) = (await inbox.todo(ANN)).waiting
    return event, row.row


async def answered(world: World, text: str) -> Parcel:
    """An answer that is about to leave."""
    event, row = await ask(world, "how much is it?")
    reply = replace(world.shop.sent[0], text=text, nonce="n" * 20, in_reply_to=event.message)
    outcome = Outcome(rows=(row,), key=ANN, decision="answer", reason="", replies=(reply,))
    parcel = await SqlInbox(world.database, world.clock).finish(
        replace(outcome, permit=world.desk.permit)
    )
    assert parcel is not None
    return parcel


async def test_an_answer_held_back_takes_nothing_from_a_person(database: Database) -> None:
    """They took it while the model wrote: its answer is not sent, and they still have it."""
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    event, row = await ask(world, "Can I have my money back?")
    deed = await world.desk.hold([event], Deed(reason="", said="All of it."), "“All”")
    reply = replace(world.shop.sent[0], text=deed.said, nonce="n" * 20)
    outcome = Outcome(rows=(row,), key=ANN, decision="answer", reason="", replies=(reply,))
    with pytest.raises(Changed):
        await SqlInbox(world.database, world.clock).finish(
            replace(outcome, also=deed.also, permit=world.desk.permit)
        )
    assert await world.state() == "taken"


async def test_an_answer_that_waits_for_its_turn_to_leave_is_not_sent(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    parcel = await answered(world, "Ten euros.")
    await world.staff("/take 1")
    await world.chat._delivery.deliver(parcel)
    assert "Ten euros." not in world.shop.texts


async def test_an_answer_that_could_not_leave_is_not_sent_later(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    parcel = await answered(world, "Ten euros.")
    store = SqlOutbox(database)
    assert await store.begin(parcel, world.clock.now())
    await world.chat.receive(office_event(world, "/take 1"), None)
    await world.chat.settled(DESK)
    await store.again(parcel)  # the platform was busy
    await world.start()
    assert "Ten euros." not in world.shop.texts


# ------------------------------------------------------------------ what the customer changes later


@pytest.mark.parametrize("kind", [Kind.EDIT, Kind.DELETE])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_persons_words_are_no_answer_of_ours(
    database: Database, kind: Kind, *, waits: bool
) -> None:
    """The customer changes the message to which they are an answer: they stay, sent or not."""
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.customer("where is it", message="asked")
    sent = Afterwards(update=True, remove=True)
    if waits:
        inbox = SqlInbox(database, world.clock)
        await inbox.receive(office_event(world, "/say 1 It comes tomorrow."))
        world.chat._lanes.wake = lambda key: None  # type: ignore[method-assign]
        await world.chat._step(DESK)  # and then the power fails
    else:
        await world.staff("/say 1 It comes tomorrow.")
    inbox = SqlInbox(database, world.clock)
    change = world.shop.event("where is it?", kind=kind, message="asked")
    await inbox.receive(change)
    await inbox.change((await inbox.todo(ANN)).changes, sent)
    await World(database, before=world).start()
    assert [r.text for r in world.shop.shown.values()].count("It comes tomorrow.") == 1


def office_event(world: World, text: str, by: str = "Bob") -> Event:
    return world.office.event(text, by=by, key=DESK, addressed=Addressed.NONE)


async def test_what_the_customer_corrects_is_passed_on(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.customer("it is 4711", message="number")
    await world.customer("it is 4712", message="number", kind=Kind.EDIT)
    assert world.office.texts[-1] == "#1 Ann: it is 4712"
    said = [turn.text for turn in await SqlHistory(database).recent(ANN, 9) if turn.message]
    assert said == ["it is 4712"]


# ------------------------------------------------------------------ what the staff is shown


async def test_what_was_shown_of_a_ticket_is_about_it(database: Database) -> None:
    """A reply to it is for the customer, and it goes when they want to be forgotten."""
    world = World(database)
    await world.customer("my secret is xyzzy")
    await world.customer("/human")
    await world.staff("/take 1")
    yours = world.message_at_desk("Ticket 1 is yours")
    assert await world.staff("hello", reply_to=yours, addressed=Addressed.REPLY) == []
    assert world.shop.texts[-1] == "hello"
    (story,) = await world.staff("/ticket 1")
    assert "xyzzy" in story
    await world.customer("/forget everything")
    await world.desk.look(world.chat.wake)
    await world.settled()
    assert not [reply for reply in world.office.shown.values() if "xyzzy" in reply.text]


# ------------------------------------------------------------------ bursts, and rooms of several


async def burst(world: World, *texts: str, **fields: Any) -> None:
    """One customer says this in a row."""
    world.chat._rules = replace(world.chat._rules, burst_seconds=1.5)
    inbox = SqlInbox(world.database, world.clock)
    now = world.clock.now()
    events = [world.shop.event(text, at=now, **fields) for text in texts]
    for event in events:
        await inbox.receive(event)
    world.clock.advance(10)
    world.chat.wake(events[0].key)
    await world.chat.settled(events[0].key)
    await world.settled()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("I want to talk to a human", "now please"),
        ("/human", "please"),
        ("This is absolutely ridiculous", "my order is 4711"),
    ],
)
async def test_who_calls_a_person_and_goes_on_is_heard(
    database: Database, first: str, then: str
) -> None:
    world = World(database)
    await burst(world, first, then)
    assert await world.state() == "waiting"
    assert f"{first}\n{then}" in world.office.texts[0]


async def test_a_rating_in_two_messages(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/resolve 1")
    await burst(world, "4", "quick and kind")
    assert world.office.texts[-1] == "#1 Ann (fake) rates it 4 of 5: quick and kind"


async def test_in_a_room_all_that_is_said_to_us_is_passed_on(database: Database) -> None:
    world = World(database)
    room: dict[str, Any] = {"addressed": Addressed.MENTION}
    await world.customer("/human", **room)
    await world.staff("/take 1")
    bea: dict[str, Any] = {"by": "Bea", "addressed": Addressed.NONE}
    await world.customer("Sam, where is my order?", **bea)  # by name
    assert world.office.texts[-1] == "#1 Bea: Sam, where is my order?"
    before = len(world.office.sent)
    await world.customer("nice weather", **bea)
    assert len(world.office.sent) == before


async def test_a_ticket_answers_whoever_it_is_about(database: Database) -> None:
    """Somebody else in the room asks for a person too."""
    world = World(database)
    room: dict[str, Any] = {"addressed": Addressed.MENTION}
    await world.customer("/human", message="anns", **room)
    await world.customer("/human I'm Bea", message="beas", by="Bea", **room)
    assert "Bea: /human I'm Bea" in world.office.texts[-1]
    await world.staff("/take 1")
    assert world.shop.sent[-1].in_reply_to == "anns"


# ------------------------------------------------------------------ nothing runs for ever


async def test_the_staffs_place_may_have_been_a_customers(database: Database) -> None:
    """Before the owner moved the desk there, a person had a ticket of it."""
    world = World(database)
    await world.customer("/human")
    await world.tickets.write(lambda connection: _move(connection, 1, DESK, "taken"))
    async with asyncio.timeout(5):
        (listed,) = await world.staff("/tickets")
    assert "Ann" in listed


def _move(connection: sa.Connection, number: int, to: ConversationKey, state: str) -> None:
    where = rows.ensure_conversation(connection, to)
    values = {"conversation_id": where, "state": state, "staff": "office/id-bob"}
    connection.execute(ticket.update().where(ticket.c.id == number).values(values))


async def test_nobody_else_stops_what_is_written_for_the_staff(database: Database) -> None:
    engine = SlowEngine()
    world = World(database, engine=engine)
    await world.customer("/human")
    question = world.office.event("Sam, what is a kettle?", by="Bob", key=DESK)
    await world.chat.receive(question, None)
    await engine.half.wait()
    await world.chat.receive(world.shop.event("/human"), None)
    await world.chat.settled(ANN)
    assert world.chat.writing
    engine.goes_on.set()
    await world.settled()
    assert "The model answers." in world.office.texts


async def test_what_the_terminal_does_stops_the_model(database: Database) -> None:
    """It is another process: what it queued is found."""
    engine = SlowEngine()
    world = World(database, engine=engine)
    await world.customer("/human")
    await world.chat.receive(world.shop.event("how much is it?"), None)
    await engine.half.wait()
    elsewhere = World(database, before=world)
    elsewhere.chat._lanes.wake = lambda key: None  # type: ignore[method-assign]
    await elsewhere.chat._inbox.receive(office_event(elsewhere, "/take 1"), None)
    await elsewhere.chat._step(DESK)
    async with asyncio.timeout(5):
        await world.desk.look(world.chat.wake)
        await world.settled()
    assert world.shop.texts[-1].startswith("You are talking with Bob now")
    assert world.office.texts[-1] == "#1 Ann: how much is it?"


async def test_what_is_for_a_platform_that_is_not_run_waits(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    await world.customer("/human")
    world.chat._adapters = {"office": world.office}

    def queue(connection: sa.Connection) -> None:
        again = {"state": "pending", "conversation_id": 1}
        connection.execute(outbox.update().where(outbox.c.about != "").values(again))

    await world.tickets.write(queue)
    await world.desk.look(world.chat.wake)
    await world.chat.settled(ANN)
    assert "bug" not in caplog.text


# ------------------------------------------------------------------ forgetting


async def everything(world: World) -> str:
    """All that is stored, but for who works at the desk."""
    found = []
    for table in (ticket, ticket_act, turn, outbox, inbox_table, schedule):
        found += [f"{table.name}: {row}" for row in await world.rows(sa.select(table))]
    return "\n".join(found)


async def test_all_that_a_person_said_to_them_is_forgotten(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.customer("where is it?")
    await world.staff("/say 1 Let me see.")
    await world.staff("/say 1 Order xyzzy comes tomorrow.")
    await world.customer("/forget everything")
    assert "xyzzy" not in await everything(world)


async def test_what_did_not_reach_the_staff_is_forgotten(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    world.office.failures.append(SendRefused("no such channel"))
    await world.customer("my secret is xyzzy")
    assert "xyzzy" in await everything(world)
    await world.customer("/forget everything")
    assert "xyzzy" not in await everything(world)


async def test_who_is_forgotten_is_nobody_once_it_is_resolved(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.customer("/forget everything")
    await world.staff("/resolve 1")
    (row,) = await world.rows(sa.select(ticket))
    assert (row.author, row.name, row.state) == ("", "", "resolved")
    assert "Ann" not in row.event
    assert world.shop.texts[-1].startswith("Bob has left")
    assert await world.customer("5") == ["The model answers."]


async def test_a_ticket_comes_back_though_the_staff_is_forgotten(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.staff("/snooze 1 2 hours")
    await world.staff("/forget everything", addressed=Addressed.MENTION)
    world.clock.advance(7200)
    await world.start()
    assert await world.state() == "taken"


async def test_a_held_answer_is_in_no_log(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world = World(database)
    event, _ = await ask(world, "Can I have my money back?")
    deed = await world.desk.hold([event], Deed(reason="", said="All of it."), "“All of it”")
    assert "All" not in deed.reason
    assert "All of it" in deed.elsewhere[0].text


# ------------------------------------------------------------------ nobody is left waiting


async def test_who_called_a_person_waits_on_though_an_answer_is_approved(
    database: Database,
) -> None:
    world = World(database)
    await world.customer("/human")
    event, _ = await ask(world, "Can I have my money back?")
    deed = await world.desk.hold([event], Deed(reason="", said="All of it."), "“All”")
    assert deed.also is not None
    await world.tickets.write(deed.also)
    await world.staff("/send 1")
    assert "All of it." in world.shop.texts
    assert await world.state() == "waiting"
    await world.staff("/take 1")
    await world.staff("/release 1")
    assert await world.state() == "open"


async def test_an_answer_taken_back_was_not_said(database: Database) -> None:
    """Nobody is told that the customer read it, and the question is not lost."""
    world = World(database)
    await world.customer("/human")
    inbox = SqlInbox(database, world.clock)
    event = world.shop.event("how much is it?")
    await inbox.receive(event)
    world.shop.failures.append(SendLater("busy", retry_after=60))
    world.chat._delivery.deliver = _never  # type: ignore[method-assign]
    await world.chat._step(ANN)
    again = World(database, before=world)
    again.shop.failures.clear()
    (yours,) = await again.staff("/take 1")
    assert "Ann: how much is it?" in yours
    await again.start()
    assert "The model answers." not in again.shop.texts
    (story,) = await again.staff("/ticket 1")
    assert "Ann: how much is it?" in story
    assert "The model answers." not in story


async def _never(parcel: Parcel) -> None:
    """The power fails."""


async def test_a_snoozed_ticket_comes_back_though_the_desk_has_moved(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    await world.staff("/snooze 1 2 hours")
    new = key("new", platform="office")
    world.desk._where = world.desk._staff._where = new
    world.clock.advance(7200)
    await world.start()
    await world.chat.settled(new)
    assert await world.state() == "taken"
    assert world.office.texts[-1] == "#1 Ann (fake) is back, for Bob."


# ------------------------------------------------------------------ what people see grow


async def test_nothing_begins_to_grow_where_a_person_has_it(database: Database) -> None:
    world = World(database)
    await world.customer("/human")
    await world.staff("/take 1")
    beginning = replace(world.shop.sent[0], text="The mo", nonce="n" * 20)
    with pytest.raises(Changed):
        await SqlOutbox(database).grow(beginning, world.clock.now(), world.desk.permit)


async def test_what_was_just_being_shown_is_deleted(database: Database) -> None:
    """It arrives after a person took the conversation."""
    world = World(database)
    await world.customer("/human")
    store = SqlOutbox(database)
    beginning = replace(world.shop.sent[0], text="The mo", nonce="n" * 20)
    grown = await store.grow(beginning, world.clock.now(), world.desk.permit)
    await world.staff("/take 1")
    message = await world.shop.send(beginning)
    await store.grew(grown.row, message)
    await world.start()
    assert message not in world.shop.shown
