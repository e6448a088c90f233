"""Why a message was or was not answered, on SQLite and PostgreSQL alike."""

from hobnob.events import Reply
from hobnob.ports import Outcome
from hobnob.store.database import Database
from hobnob.store.explain import explain
from hobnob.store.inbox import SqlInbox
from hobnob.store.outbox import SqlOutbox
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock

people = FakeAdapter()


async def test_a_message_is_explained_by_its_own_id_and_by_its_answers(database: Database) -> None:
    inbox, outbox = SqlInbox(database, FakeClock()), SqlOutbox(database)
    event = people.event("secret words")
    await inbox.receive(event)
    (row,) = (await inbox.todo(event.key)).waiting
    reply = Reply(key=event.key, text="Hi!", nonce="n", in_reply_to=event.message)
    outcome = Outcome(
        rows=(row.row,), key=event.key, decision="answer", reason="it is direct", replies=(reply,)
    )
    parcel = await inbox.finish(outcome)
    assert parcel is not None
    await outbox.sent(parcel.row, "ours-1")
    (found,) = await explain(database, event.message)
    assert (found.decision, found.reason, found.author) == ("answer", "it is direct", "id-ann")
    assert [(part.state, part.message) for part in found.answers] == [("sent", "ours-1")]
    assert await explain(database, "ours-1") == [found]
    assert "secret words" not in repr(found)


async def test_what_still_waits_is_explained_too(database: Database) -> None:
    event = people.event("hello")
    await SqlInbox(database, FakeClock()).receive(event)
    (found,) = await explain(database, event.message)
    assert (found.state, found.decision, found.answers) == ("waiting", "", ())


async def test_an_unknown_message_has_no_explanation(database: Database) -> None:
    assert await explain(database, "nobody said this") == []
