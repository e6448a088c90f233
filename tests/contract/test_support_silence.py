"""The support desk where two things happen at once: the bot stays silent, and no word is lost."""

from dataclasses import replace

import pytest

from hobnob.errors import Changed
from hobnob.events import Addressed, Event
from hobnob.jobs import Deed
from hobnob.ports import Outcome, Parcel
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.outbox import SqlOutbox
from tests.contract.test_support import ANN, DESK, World


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
    tell = {"key": DESK, "addressed": Addressed.NONE, "by": "Bob"}
    await world.chat.receive(world.office.event("/take 1", **tell), None)
    await world.chat.settled(DESK)
    await store.again(parcel)  # the platform was busy
    await world.start()
    assert "Ten euros." not in world.shop.texts
