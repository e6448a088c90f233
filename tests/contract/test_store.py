"""The contract of inbox, outbox and history, on SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hobnob.conversation import ConversationKey
from hobnob.errors import Changed, StoreError
from hobnob.events import Author, Event, Kind, Reply, Role, Turn, Visibility
from hobnob.ports import Cursor, Outcome, Parcel, Waiting
from hobnob.prompt import STEP
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.outbox import SqlOutbox
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock

KEY = key("ann")
people = FakeAdapter()
ME = Author(id="bot", name="Robin", is_bot=True)


class Store:
    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.inbox = SqlInbox(database, self.clock)
        self.outbox = SqlOutbox(database)
        self.history = SqlHistory(database)

    async def waiting(self, key: ConversationKey = KEY) -> Sequence[Waiting]:
        return (await self.inbox.todo(key)).waiting

    async def next(self, key: ConversationKey = KEY) -> Parcel | None:
        return (await self.inbox.todo(key)).parcel

    async def waiting_texts(self) -> list[str]:
        return [row.event.text for row in await self.waiting()]

    async def answer(self, *answers: str, **changes: Any) -> Event:
        """Finish all that waits with these answers; the last event."""
        rows = await self.waiting()
        await self.inbox.finish(outcome(rows, *answers, **changes))
        assert not await self.waiting()
        return rows[-1].event


def outcome(rows: Any, *answers: str, **changes: Any) -> Outcome:
    events = [row.event for row in rows]
    last = events[-1]
    said = [
        Turn(role=Role.USER, author=e.author, text=e.text, at=e.at, message=e.message)
        for e in events
    ]
    ours = [Turn(role=Role.ASSISTANT, author=ME, text=" ".join(answers), at=last.at)]
    values: dict[str, Any] = {
        "rows": tuple(row.row for row in rows),
        "key": last.key,
        "decision": "answer",
        "reason": "a direct message",
        "turns": (*said, *ours) if answers else (),
        "replies": tuple(
            Reply(key=last.key, text=a, nonce=f"{last.id}-{i}", in_reply_to=last.message)
            for i, a in enumerate(answers)
        ),
    }
    return Outcome(**(values | changes))


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


async def test_an_event_is_stored_once_however_often_it_comes(store: Store) -> None:
    event = people.event("hello")
    assert await store.inbox.receive(event)
    assert not await store.inbox.receive(event)
    assert [row.event for row in await store.waiting()] == [event]


async def test_an_event_comes_back_whole(store: Store) -> None:
    event = people.event(
        "naïve 🙂 日本",
        author=Author(id="1", name="Ann", is_bot=True, handle="@ann@example.social"),
        visibility=Visibility.FOLLOWERS,
        warning="spoiler",
        reply_to="7",
        at=datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC),
    )
    await store.inbox.receive(event)
    (row,) = await store.waiting()
    assert row.event == event
    assert row.received == store.clock.now()


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d emoji", "\u202eevil\u2066", "x" * 1_000_000])
async def test_text_that_databases_refuse_is_kept_as_far_as_possible(
    store: Store, text: str
) -> None:
    await store.inbox.receive(people.event(text))
    await store.answer(text)
    turns = await store.history.recent(KEY, 10)
    assert [len(turn.text) for turn in turns] == [len(text), len(text)]


async def test_the_cursor_moves_with_its_event(store: Store) -> None:
    event = people.event("hello")
    await store.inbox.receive(event, Cursor(name="notifications", value="7"))
    await store.inbox.receive(event, Cursor(name="notifications", value="8"))
    await store.inbox.move("fake", "bot", Cursor(name="other", value="1"))
    assert await store.inbox.cursors("fake", "bot") == {"notifications": "8", "other": "1"}
    assert await store.inbox.cursors("fake", "another account") == {}


async def test_rows_wait_in_the_order_in_which_they_came(store: Store) -> None:
    texts = [f"line {number}" for number in range(20)]
    for text in texts:
        await store.inbox.receive(people.event(text))
    assert await store.waiting_texts() == texts


async def test_finishing_remembers_and_queues_in_one_step(store: Store) -> None:
    await store.inbox.receive(people.event("one"))
    await store.inbox.receive(people.event("two"))
    await store.answer("first part", "second part")
    assert await store.waiting_texts() == []
    assert [t.text for t in await store.history.recent(KEY, 10)] == [
        "one",
        "two",
        "first part second part",
    ]
    parcel = await store.next()
    assert parcel is not None
    assert parcel.reply.text == "first part"
    assert await store.inbox.unfinished("fake") == [KEY]


async def test_finishing_tells_what_to_send(store: Store) -> None:
    await store.inbox.receive(people.event("one"))
    parcel = await store.inbox.finish(outcome(await store.waiting(), "first part", "second part"))
    assert parcel == await store.next()
    await store.inbox.receive(people.event("not for us"))
    silent = outcome(await store.waiting(), decision="silent")
    assert await store.inbox.finish(silent) is None


async def test_parts_go_out_one_after_the_other_and_follow_each_other(store: Store) -> None:
    await store.inbox.receive(people.event("hello"))
    await store.answer("one", "two")
    first = await store.next()
    assert first is not None
    await store.outbox.begin(first, store.clock.now())
    await store.outbox.sent(first.row, "platform-1")
    second = await store.next()
    assert second is not None
    assert (second.reply.text, second.reply.follows) == ("two", "platform-1")
    await store.outbox.sent(second.row, "platform-2")
    assert await store.next() is None
    assert await store.inbox.unfinished("fake") == []


async def test_an_attempt_cut_off_is_found_with_the_time_of_its_first_try(store: Store) -> None:
    await store.inbox.receive(people.event("hello"))
    await store.answer("hi")
    fresh = await store.next()
    assert fresh is not None
    assert fresh.reply.attempted is None
    began = store.clock.now()
    await store.outbox.begin(fresh, began)
    store.clock.advance(60)
    cut_off = await store.next()
    assert cut_off is not None
    assert cut_off.reply.attempted == began
    await store.outbox.begin(cut_off, store.clock.now())
    await store.outbox.again(cut_off)  # this attempt certainly failed; the doubt stays
    still = await store.next()
    assert still is not None
    assert still.reply.attempted == began


async def test_an_attempt_that_certainly_failed_leaves_no_doubt(store: Store) -> None:
    await store.inbox.receive(people.event("hello"))
    await store.answer("hi")
    parcel = await store.next()
    assert parcel is not None
    await store.outbox.begin(parcel, store.clock.now())
    await store.outbox.again(parcel)
    assert await store.next() == parcel


async def test_what_was_given_up_is_not_sent_again(store: Store) -> None:
    await store.inbox.receive(people.event("hello"))
    await store.answer("hi")
    parcel = await store.next()
    assert parcel is not None
    await store.outbox.give_up(parcel.row, "unknown", "the line broke")
    assert await store.next() is None


async def change(store: Store) -> None:
    await store.inbox.change((await store.inbox.todo(KEY)).changes)


def edit(event: Event, text: str) -> Event:
    return replace(event, id=f"{event.id}-edited", kind=Kind.EDIT, text=text)


def delete(event: Event) -> Event:
    return replace(event, id=f"{event.id}-deleted", kind=Kind.DELETE, text="")


async def test_a_deletion_is_seen_behind_any_number_of_messages(store: Store) -> None:
    events = [people.event(f"line {number}") for number in range(150)]
    for event in [*events, delete(events[0])]:
        await store.inbox.receive(event)
    todo = await store.inbox.todo(KEY)
    assert [row.event.message for row in todo.changes] == [events[0].message]
    assert [row.event.kind for row in todo.waiting] == [Kind.MESSAGE] * len(todo.waiting)


async def test_an_edit_changes_a_waiting_message(store: Store) -> None:
    event = people.event("helo")
    await store.inbox.receive(event)
    await store.inbox.receive(edit(event, "hello"))
    await change(store)
    assert await store.waiting_texts() == ["hello"]


async def test_a_deleted_message_waits_no_more(store: Store) -> None:
    first, second = people.event("a secret"), people.event("hello")
    await store.inbox.receive(first)
    await store.inbox.receive(second)
    await store.inbox.receive(delete(first))
    await change(store)
    assert await store.waiting_texts() == ["hello"]


async def test_an_edit_between_writing_and_finishing_is_not_overlooked(store: Store) -> None:
    event = people.event("helo")
    await store.inbox.receive(event)
    rows: list[Waiting] = list(await store.waiting())
    await store.inbox.receive(edit(event, "hello"))
    with pytest.raises(Changed):
        await store.inbox.finish(outcome(rows, "answer to helo"))
    assert await store.next() is None
    assert await store.history.recent(KEY, 10) == []


async def test_an_edit_changes_history_after_the_answer(store: Store) -> None:
    await store.inbox.receive(people.event("helo"))
    event = await store.answer("hi")
    parcel = await store.next()
    assert parcel is not None
    await store.outbox.sent(parcel.row, "1")
    await store.inbox.receive(edit(event, "hello"))
    await change(store)
    assert [t.text for t in await store.history.recent(KEY, 10)] == ["hello", "hi"]
    assert await store.waiting_texts() == []


async def test_a_deletion_removes_from_history(store: Store) -> None:
    await store.inbox.receive(people.event("a secret"))
    event = await store.answer("hi")
    parcel = await store.next()
    assert parcel is not None
    await store.outbox.sent(parcel.row, "1")
    await store.inbox.receive(delete(event))
    await change(store)
    assert await store.history.recent(KEY, 10) == []  # an answer repeats what it answers


async def test_a_deletion_withdraws_an_answer_that_has_not_left(store: Store) -> None:
    await store.inbox.receive(people.event("hello"))
    event = await store.answer("hi")
    await store.inbox.receive(delete(event))
    await change(store)
    assert await store.next() is None
    assert await store.history.recent(KEY, 10) == []
    assert await store.waiting_texts() == []


async def test_an_edit_withdraws_an_answer_that_has_not_left_and_asks_anew(store: Store) -> None:
    await store.inbox.receive(people.event("what is 1+1?"))
    event = await store.answer("2")
    await store.inbox.receive(edit(event, "what is 1+2?"))
    await change(store)
    assert await store.next() is None
    (row,) = await store.waiting()
    assert (row.event.kind, row.event.text) == (Kind.MESSAGE, "what is 1+2?")
    await store.answer("3")
    assert [t.text for t in await store.history.recent(KEY, 10)] == ["what is 1+2?", "3"]


async def test_an_edit_of_something_never_kept_is_harmless(store: Store) -> None:
    event = people.event("hello")
    await store.inbox.receive(edit(event, "what?"))
    await change(store)
    assert await store.waiting_texts() == []


async def test_an_event_that_crashes_too_often_is_set_aside(store: Store) -> None:
    await store.inbox.receive(people.event("poison"))
    await store.inbox.receive(people.event("fine"))
    poison, fine = await store.waiting()
    assert not await store.inbox.fail([poison.row], "ValueError: boom", most=3)
    assert not await store.inbox.fail([poison.row], "ValueError: boom", most=3)
    assert (await store.waiting())[0].attempts == 2
    assert await store.inbox.fail([poison.row], "ValueError: boom", most=3)
    assert [row.row for row in await store.waiting()] == [fine.row]


async def test_the_window_begins_at_a_multiple_of_the_step(store: Store) -> None:
    for number in range(15):
        await store.inbox.receive(people.event(f"q{number}"))
        await store.answer(f"a{number}")
    turns = await store.history.recent(KEY, 10)
    assert [turn.text for turn in turns][:2] == ["q8", "a8"]  # position 16
    assert 10 <= len(turns) < 10 + STEP


async def test_usage_counts_answers_of_the_last_minute(store: Store) -> None:
    async def hear(room: str, decision: str, author: str = "Ann", seconds_ago: float = 5) -> None:
        said = now - timedelta(seconds=seconds_ago)
        event = people.event("x", room=room, by=author, at=said)
        await store.inbox.receive(event)
        rows = await store.waiting(event.key)
        await store.inbox.finish(outcome(rows, decision=decision))

    now = store.clock.now()
    await hear("ann", "answer", seconds_ago=61)
    await hear("ann", "answer")
    await hear("ann", "silent")
    await hear("ann", "answer", "Ben")
    await hear("elsewhere", "answer")
    usage = await store.history.usage(KEY, "id-ann", now, unasked=True)
    assert (usage.by_user, usage.by_chat, usage.noticed) == (2, 2, False)
    await hear("ann", "notice")
    assert (await store.history.usage(KEY, "id-ann", now, unasked=True)).noticed


async def test_usage_counts_what_was_said_unasked_in_the_last_hour(store: Store) -> None:
    now = store.clock.now()
    for room, ago in (("ann", 3601), ("ann", 3599), ("ann", 5), ("elsewhere", 5)):
        event = people.event("x", room=room, at=now - timedelta(seconds=ago))
        await store.inbox.receive(event)
        await store.inbox.finish(outcome(await store.waiting(event.key), decision="chime"))
    assert (await store.history.usage(KEY, "id-ann", now, unasked=True)).chimes == 2
    assert (await store.history.usage(KEY, "id-ann", now, unasked=False)).chimes == 0


async def test_conversations_do_not_mix(store: Store) -> None:
    await store.inbox.receive(people.event("for ann"))
    await store.inbox.receive(people.event("for ben", room="ben"))
    await store.inbox.receive(replace(people.event("thread"), key=key("ann", thread="t")))
    assert await store.waiting_texts() == ["for ann"]
    await store.answer("hi ann")
    assert await store.next(key("ben")) is None
    assert await store.history.recent(key("ann", thread="t"), 10) == []


async def test_many_writers_at_once_lose_nothing(store: Store) -> None:
    events = [people.event(f"line {number}", room=f"room-{number % 7}") for number in range(60)]
    await asyncio.gather(*(store.inbox.receive(event) for event in events + events))
    keys = await store.inbox.unfinished("fake")
    rows = [row for k in keys for row in await store.waiting(k)]
    assert sorted(row.event.id for row in rows) == sorted(event.id for event in events)


async def test_only_one_process_may_run_a_platform(database: Database) -> None:
    url = database._url.render_as_string(hide_password=False)
    async with (
        database.claim("discord"),
        database.claim("telegram"),
        Database(url) as other,
    ):
        with pytest.raises(StoreError, match="already run on this database"):
            async with other.claim("discord"):
                pass
    async with database.claim("discord"):
        pass


# ------------------------------------------------------------------------ answers that are seen


def growing(event: Event) -> Reply:
    return Reply(key=event.key, text="Onc", nonce=f"grows-{event.id}", in_reply_to=event.message)


async def test_what_grew_becomes_the_first_part_of_the_answer(store: Store) -> None:
    event = people.event("a story!")
    await store.inbox.receive(event)
    shown = await store.outbox.grow(growing(event), store.clock.now())
    assert not shown.message
    assert await store.next() is None  # it is not to be sent by anybody else
    await store.outbox.grew(shown.row, "sent-1")
    again = await store.outbox.grow(growing(replace(event, id="else")), store.clock.now())
    assert (again.row, again.nonce, again.message) == (shown.row, shown.nonce, "sent-1")

    first = await store.inbox.finish(outcome(await store.waiting(), "Once.", "The end."))
    assert first is not None
    assert (first.row, first.reply.replaces, first.reply.text) == (shown.row, "sent-1", "Once.")
    assert first.reply.attempted is None
    await store.outbox.sent(first.row, "sent-1")
    second = await store.next()
    assert second is not None
    assert (second.reply.replaces, second.reply.follows) == ("", "sent-1")


async def test_what_grew_and_is_not_to_be_said_is_deleted(store: Store) -> None:
    event = people.event("a story!")
    await store.inbox.receive(event)
    shown = await store.outbox.grow(growing(event), store.clock.now())
    await store.outbox.grew(shown.row, "sent-1")
    await store.inbox.finish(outcome(await store.waiting(), decision="silent"))
    gone = await store.next()
    assert gone is not None
    assert (gone.reply.replaces, gone.reply.text) == ("sent-1", "")
    await store.outbox.sent(gone.row, "sent-1")
    assert await store.next() is None


@pytest.mark.parametrize("known", [True, False])
async def test_what_certainly_is_not_there_or_perhaps_is_stops_nothing(
    store: Store, known: bool
) -> None:
    event = people.event("a story!")
    await store.inbox.receive(event)
    shown = await store.outbox.grow(growing(event), store.clock.now())
    if known:
        await store.outbox.shrink(shown.row)
    await store.answer("Once.")
    parcel = await store.next()
    assert parcel is not None
    assert (parcel.reply.text, parcel.reply.replaces) == ("Once.", "")
    await store.outbox.sent(parcel.row, "sent-1")
    assert await store.next() is None


async def test_what_grew_of_a_message_that_is_set_aside_is_deleted(store: Store) -> None:
    event = people.event("a story!")
    await store.inbox.receive(event)
    shown = await store.outbox.grow(growing(event), store.clock.now())
    await store.outbox.grew(shown.row, "sent-1")
    assert await store.inbox.fail([(await store.waiting())[0].row], "crash", most=1)
    gone = await store.next()
    assert gone is not None
    assert (gone.reply.replaces, gone.reply.text) == ("sent-1", "")


async def test_an_edit_before_the_last_change_goes_on_with_what_people_see(store: Store) -> None:
    event = people.event("a story!")
    await store.inbox.receive(event)
    shown = await store.outbox.grow(growing(event), store.clock.now())
    await store.outbox.grew(shown.row, "sent-1")
    await store.answer("Once.")
    await store.inbox.receive(replace(event, id="new", kind=Kind.EDIT, text="a song!"))
    await store.inbox.change((await store.inbox.todo(KEY)).changes)
    assert await store.waiting_texts() == ["a song!"]
    assert await store.next() is None
    again = await store.outbox.grow(growing(event), store.clock.now())
    assert (again.row, again.message) == (shown.row, "sent-1")


async def test_all_parts_of_an_answer_to_a_deleted_message_go(store: Store) -> None:
    event = people.event("tell me")
    await store.inbox.receive(event)
    await store.answer("first", "second")
    for id_ in ("sent-1", "sent-2"):
        parcel = await store.next()
        assert parcel is not None
        await store.outbox.sent(parcel.row, id_)
    await store.inbox.receive(replace(event, id="gone", kind=Kind.DELETE))
    await store.inbox.change((await store.inbox.todo(KEY)).changes)
    gone = []
    while parcel := await store.next():
        gone.append((parcel.reply.replaces, parcel.reply.text))
        await store.outbox.sent(parcel.row, parcel.reply.replaces)
    assert gone == [("sent-1", ""), ("sent-2", "")]
    assert not await store.history.recent(KEY, 10)
