"""The contract of what is remembered, on SQLite and PostgreSQL alike."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Event, Kind, Reply, Role, Turn
from hobnob.ports import Outcome
from hobnob.recollection import Learned, NewFact, Scope
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.reminders import set_zone
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock

T = TypeVar("T")

people = FakeAdapter()
ANN, BEN = Author(id="id-ann", name="Ann"), Author(id="id-ben", name="Ben")
ME = Author(id="bot", name="Robin", is_bot=True)
ROOM = key("room")


class Mind:
    """A database in which things were said, and are learned by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.inbox = SqlInbox(database, self.clock)
        self.memory = SqlMemory(database, self.clock)

    async def ask(self, right: Callable[..., T], *about: Any) -> T:
        return await self.database.write(lambda connection: right(connection, *about))

    async def say(
        self, text: str, *, by: Author = ANN, key: ConversationKey | None = None, **changes: Any
    ) -> Event:
        """A message and our answer to it."""
        where = key or globals()["key"](by.name.casefold())
        direct = where != ROOM
        addressed = Addressed.DIRECT if direct else Addressed.MENTION
        event = people.event(text, author=by, key=where, addressed=addressed, **changes)
        await self.inbox.receive(event)
        rows = (await self.inbox.todo(where)).waiting
        said = Turn(role=Role.USER, author=by, text=text, at=event.at, message=event.message)
        ours = Turn(role=Role.ASSISTANT, author=ME, text=f"You said: {text}", at=event.at)
        nonce = f"{event.id}-0"
        await self.inbox.finish(
            Outcome(
                rows=tuple(row.row for row in rows),
                key=where,
                decision="answer",
                reason="a test",
                turns=(said, ours),
                replies=(Reply(key=where, text=ours.text, nonce=nonce, in_reply_to=event.message),),
            )
        )
        return event

    async def learn(self, *facts: NewFact) -> None:
        """What was said last gives `facts`; everything gets a row that recall can use."""
        lessons = await self.memory.lessons(100)
        last = [lesson for lesson in lessons if lesson.turn.role is Role.USER][-1:]
        await self.memory.learn(
            [
                Learned(
                    lesson=lesson,
                    embedder="test",
                    terms=b"1234",
                    vector=b"v",
                    tokens=b"t",
                    facts=facts if lesson in last else (),
                )
                for lesson in lessons
            ]
        )

    async def count(self, table: str) -> int:
        query = sa.text(f"SELECT count(*) FROM {table}")
        return int(await self.database.read(lambda c: c.scalar(query)) or 0)


def scope(by: Author = ANN, at: ConversationKey | None = None, **changes: Any) -> Scope:
    where = at or key(by.name.casefold())
    return replace(Scope(key=where, asker=by.id, direct=where != ROOM), **changes)


def fact(text: str, attribute: str = "", **changes: Any) -> NewFact:
    values: dict[str, Any] = {
        "kind": "identity",
        "attribute": attribute or text,
        "value": text,
        "text": text,
        "confidence": 0.9,
    }
    return NewFact(**(values | changes))


async def texts(mind: Mind, of: Scope) -> list[str]:
    return [fact.text for fact in (await mind.memory.recent(of, 10)).facts]


@pytest.fixture
def mind(database: Database) -> Mind:
    return Mind(database)


async def test_the_window_says_whether_there_is_more(mind: Mind) -> None:
    for number in range(20):
        await mind.say(f"message {number}")
    recent = await mind.memory.recent(scope(), 8)
    assert not recent.complete
    assert recent.turns[-1].text == "You said: message 19"
    assert (await mind.memory.recent(scope(), 96)).complete
    assert (await mind.memory.recent(scope(BEN), 8)).turns == ()


async def test_what_was_said_becomes_a_lesson_once(mind: Mind) -> None:
    await mind.say("I live in Rome")
    await mind.say("and I like it")
    lessons = await mind.memory.lessons(3)
    assert [lesson.turn.text for lesson in lessons] == [
        "I live in Rome",
        "You said: I live in Rome",
        "and I like it",
    ]
    assert [lesson.before.text if lesson.before else None for lesson in lessons] == [
        None,
        "I live in Rome",
        "You said: I live in Rome",
    ]
    assert [lesson.after.text if lesson.after else None for lesson in lessons] == [
        "You said: I live in Rome",
        "and I like it",
        "You said: and I like it",
    ]
    assert all(lesson.direct for lesson in lessons)
    await mind.learn()
    assert not await mind.memory.lessons(3)


async def test_a_lesson_has_its_time_on_its_authors_clock(mind: Mind) -> None:
    await mind.say("the party is tomorrow", at=datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    kiritimati = SqlMemory(mind.database, mind.clock, zone="Pacific/Kiritimati")
    (lesson, _) = await kiritimati.lessons(9)
    assert lesson.turn.at.isoformat() == "2026-01-02T13:30:00+14:00"
    await mind.database.write(partial(set_zone, key=key(), author=ANN.id, name="Europe/Berlin"))
    lesson, answer = await kiritimati.lessons(9)
    assert lesson.turn.at.isoformat() == "2026-01-02T00:30:00+01:00"
    assert answer.turn.at == lesson.turn.at


async def test_entries_come_by_conversation_and_only_what_is_new(mind: Mind) -> None:
    await mind.say("one")
    await mind.say("not here", by=BEN)
    await mind.learn()
    (place,) = await mind.memory.news(scope(), {}, 0)
    first = await mind.memory.entries(place, 0, 100)
    assert first.authors == [ANN, ME]
    await mind.say("two")
    await mind.learn()
    second = await mind.memory.entries(place, first.ids[-1], 100)
    assert len(second) == 2
    assert second.at[0] == pytest.approx(people.event().at.timestamp(), abs=10)
    found = await mind.memory.passages(scope(), [second.ids[0], first.ids[0]], 0)
    assert [turn.text for turn in found[second.ids[0]]] == ["two"]
    assert [turn.text for turn in found[first.ids[0]]] == ["one"]
    around = await mind.memory.passages(scope(), [second.ids[0]], 1)
    assert [[turn.text for turn in passage] for passage in around.values()] == [
        ["You said: one", "two", "You said: two"]
    ]
    assert not await mind.memory.passages(scope(), [], 1)
    ids = [*first.ids, *second.ids]
    assert set(await mind.memory.tokens(scope(), ids)) == set(ids)


async def test_nothing_from_outside_the_scope_is_given_whatever_is_asked_for(mind: Mind) -> None:
    await mind.say("my secret")
    await mind.learn(fact("has a secret"))
    (place,) = await mind.memory.news(scope(), {}, 0)
    ids = list((await mind.memory.entries(place, 0, 100)).ids)
    for other in (scope(BEN), scope(ANN, ROOM), scope(BEN, ROOM), scope(ANN, key("elsewhere"))):
        await mind.say("hello", by=BEN, key=other.key)
        assert not await mind.memory.passages(other, ids, 1)
        assert not await mind.memory.tokens(other, ids)
        assert await texts(mind, other) == []


async def test_linked_conversations_are_one_place(mind: Mind) -> None:
    elsewhere = key("ann", platform="other")
    await mind.say("my secret")
    await mind.learn(fact("has a secret"))
    await mind.say("hello", by=Author(id="another id", name="Ann"), key=elsewhere)
    asked = Scope(key=elsewhere, asker="another id", direct=True, linked=(key("ann"),))
    assert await texts(mind, asked) == ["has a secret"]
    assert len(await mind.memory.news(asked, {}, 0)) == 2
    assert not (await mind.memory.recent(asked, 96)).complete


async def test_what_somebody_said_of_themselves_in_a_room_is_for_them(mind: Mind) -> None:
    await mind.say("I'm allergic to nuts", key=ROOM)
    await mind.learn(fact("is allergic to nuts"))
    assert await texts(mind, scope(ANN, ROOM)) == ["is allergic to nuts"]
    assert await texts(mind, scope(BEN, ROOM)) == []
    assert await texts(mind, scope(ANN)) == []  # what was said in a room stays there
    told = await mind.ask(mind.memory.rights.facts, scope(ANN))
    assert [fact.text for fact in told] == ["is allergic to nuts"]  # but they may see all of it
    assert not await mind.ask(mind.memory.rights.facts, scope(BEN))


async def test_a_newer_fact_ends_the_older_and_says_so(mind: Mind) -> None:
    await mind.say("I live in Rome")
    await mind.learn(fact("lives in Rome", "home"))
    later = await mind.say("I moved to Oslo")
    await mind.learn(fact("lives in Oslo", "home"))
    assert await texts(mind, scope()) == ["lives in Oslo"]
    receipt = await mind.ask(mind.memory.rights.why, scope(), 1)
    assert receipt is not None
    assert receipt.fact.ended == later.at
    assert receipt.sources[0].text == "I live in Rome"


async def test_what_ended_a_fact_is_found_among_turns_by_whoever_may_know(mind: Mind) -> None:
    for where in (key("ann"), ROOM):
        await mind.say("I live in Rome", key=where)
        await mind.learn(fact("You live in Rome", "home"))
        await mind.say("I moved to Oslo", key=where)
        await mind.learn(fact("You live in Oslo", "home"))
    ids = range(1, 9)  # each followed by our answer
    assert await mind.memory.ended(scope(), ids) == [(1, 3, "You live in Rome")]
    assert await mind.memory.ended(scope(ANN, ROOM), ids) == [(5, 7, "You live in Rome")]
    for of, some in ((scope(), [1, 2]), (scope(), [3]), (scope(), []), (scope(BEN, ROOM), ids)):
        assert await mind.memory.ended(of, some) == []


async def test_a_mood_ends_none_that_was(mind: Mind) -> None:
    for mood in ("tired", "happy"):
        await mind.say(f"I am {mood}")
        await mind.learn(fact(f"You felt {mood}", "feeling", kind="feeling"))
    assert await mind.memory.ended(scope(), [1, 2, 3, 4]) == []


async def test_said_again_it_has_two_receipts(mind: Mind) -> None:
    for _ in range(2):
        await mind.say("I live in Rome")
        await mind.learn(fact("lives in Rome", "home"))
    assert await texts(mind, scope()) == ["lives in Rome"]
    receipt = await mind.ask(mind.memory.rights.why, scope(), 1)
    assert receipt is not None
    assert len(receipt.sources) == 2


async def test_what_is_over_ends_only_what_is_meant(mind: Mind) -> None:
    await mind.say("I like tea and coffee")
    await mind.learn(fact("likes tea", "likes:tea"), fact("likes coffee", "likes:coffee"))
    await mind.say("I don't like coffee any more")
    await mind.learn(fact("no longer likes coffee", "likes:coffee", value="", ends=True))
    assert await texts(mind, scope()) == ["likes tea"]
    await mind.say("I no longer live in Rome")
    await mind.learn(fact("no longer lives in Rome", "home", value="Rome", ends=True))
    assert await texts(mind, scope()) == ["likes tea"]


async def test_learned_anew_nothing_is_told_twice(mind: Mind) -> None:
    coffee = fact("likes coffee", "likes:coffee")
    over = fact("no longer likes coffee", "likes:coffee", value="", ends=True)
    await mind.say("I like coffee")
    await mind.learn(coffee)
    await mind.say("I don't like coffee any more")
    await mind.learn(over)
    again = sa.text("UPDATE turn SET learned = NULL WHERE role = 'user'")
    for _ in range(2):
        await mind.database.write(lambda connection: connection.execute(again) and None)
        first, second = await mind.memory.lessons(9)
        for lesson, new in ((first, coffee), (second, over)):
            learned = Learned(lesson=lesson, embedder="test", terms=b"", facts=(new,))
            await mind.memory.learn([learned])
    assert await texts(mind, scope()) == []
    assert await mind.count("fact") == 2


async def test_a_fact_learned_late_takes_its_place_in_time(mind: Mind) -> None:
    early = await mind.say("I live in Rome")
    await mind.say("I moved to Oslo")
    lessons = [each for each in await mind.memory.lessons(9) if each.turn.role is Role.USER]
    for lesson, text in zip(lessons[::-1], ("lives in Oslo", "lives in Rome"), strict=True):
        await mind.memory.learn(
            [Learned(lesson=lesson, embedder="test", terms=b"", facts=(fact(text, "home"),))]
        )
    assert await texts(mind, scope()) == ["lives in Oslo"]
    assert early.text == "I live in Rome"


async def test_a_fact_may_be_over_by_itself(mind: Mind) -> None:
    await mind.say("I'm so tired")
    await mind.learn(fact("is tired", until=mind.clock.now() + timedelta(days=1)))
    assert await texts(mind, scope()) == ["is tired"]
    await mind.clock.sleep(2 * 86400)
    assert await texts(mind, scope()) == []


async def test_forgetting_a_fact_forgets_where_it_came_from(mind: Mind) -> None:
    await mind.say("hello")
    await mind.say("I live in Rome")
    await mind.learn(fact("lives in Rome", "home"))
    assert not await mind.ask(mind.memory.rights.forget_fact, scope(BEN), 1)
    assert not await mind.ask(mind.memory.rights.forget_fact, scope(), 2)
    assert await mind.ask(mind.memory.rights.forget_fact, scope(), 1)
    recent = await mind.memory.recent(scope(), 10)
    assert recent.facts == ()
    assert [turn.text for turn in recent.turns] == ["hello", "You said: hello"]
    assert await mind.count("recall") == await mind.count("recall_tokens") == 2
    assert await mind.count("fact_source") == 0


async def test_what_was_ended_by_something_forgotten_is_true_again(mind: Mind) -> None:
    await mind.say("I live in Rome")
    await mind.learn(fact("lives in Rome", "home"))
    await mind.say("I moved to Oslo")
    await mind.learn(fact("lives in Oslo", "home"))
    await mind.ask(mind.memory.rights.forget_fact, scope(), 2)
    assert await texts(mind, scope()) == ["lives in Rome"]


async def test_forgetting_a_person_leaves_the_others(mind: Mind) -> None:
    await mind.say("I'm Ann", key=ROOM)
    await mind.learn(fact("is called Ann"))
    await mind.say("I'm Ben", by=BEN, key=ROOM)
    await mind.learn(fact("is called Ben"))
    await mind.say("a secret")
    await mind.learn(fact("has a secret"))
    assert await mind.memory.forget_person("fake", "bot", ANN.id) == 2
    room = await mind.memory.recent(scope(BEN, ROOM), 10)
    assert [turn.text for turn in room.turns] == ["I'm Ben", "You said: I'm Ben"]
    assert [fact.text for fact in room.facts] == ["is called Ben"]
    assert not (await mind.memory.recent(scope(), 10)).turns
    assert await mind.count("fact") == 1
    assert await mind.count("recall") == 2
    assert await mind.memory.forget_person("fake", "bot", ANN.id) == 0


async def test_an_answer_that_is_still_unsent_is_forgotten_too(mind: Mind) -> None:
    await mind.say("a secret")
    await mind.memory.forget_person("fake", "bot", ANN.id)
    assert (await mind.inbox.todo(key("ann"))).parcel is None


async def test_a_deleted_message_takes_everything_made_of_it_along(mind: Mind) -> None:
    event = await mind.say("I live in Rome")
    await mind.learn(fact("lives in Rome", "home"))
    before = await forgotten(mind)
    await mind.inbox.receive(replace(event, id="gone", kind=Kind.DELETE))
    await mind.inbox.change((await mind.inbox.todo(event.key)).changes)
    assert await mind.count("recall") == await mind.count("fact") == await mind.count("turn") == 0
    after = await forgotten(mind)
    assert after > before


async def test_an_edited_message_is_learned_anew(mind: Mind) -> None:
    event = await mind.say("I live in Rome")
    await mind.learn(fact("lives in Rome", "home"))
    parcel = (await mind.inbox.todo(event.key)).parcel
    assert parcel is not None
    from hobnob.store.outbox import SqlOutbox

    await SqlOutbox(mind.database).sent(parcel.row, "sent")
    changed = replace(event, id="changed", kind=Kind.EDIT, text="I live in Oslo")
    await mind.inbox.receive(changed)
    await mind.inbox.change((await mind.inbox.todo(event.key)).changes)
    assert await texts(mind, scope()) == []
    assert [lesson.turn.text for lesson in await mind.memory.lessons(9)] == ["I live in Oslo"]
    before = await forgotten(mind)
    await mind.learn(fact("lives in Oslo", "home"))
    after = await forgotten(mind)
    assert after > before  # its row is older than others that were read already


async def forgotten(mind: Mind) -> int:
    (place,) = (await mind.memory.news(scope(), {}, 0)).values()
    return place.forgotten


async def test_what_changed_while_it_was_learned_is_left_out(mind: Mind) -> None:
    event = await mind.say("I live in Rome")
    lessons: Sequence[Any] = await mind.memory.lessons(9)
    await mind.inbox.receive(replace(event, id="gone", kind=Kind.DELETE))
    await mind.inbox.change((await mind.inbox.todo(event.key)).changes)
    await mind.memory.learn(
        [Learned(lesson=each, embedder="test", terms=b"", facts=(fact("x"),)) for each in lessons]
    )
    assert await mind.count("fact") == await mind.count("recall") == 0


async def test_incognito_is_kept_for_its_conversation(mind: Mind) -> None:
    await mind.ask(mind.memory.rights.set_incognito, key("ann"), True)
    assert (await mind.memory.recent(scope(), 10)).incognito
    assert not (await mind.memory.recent(scope(BEN), 10)).incognito
    assert await mind.memory.is_incognito(key("ann"))
    assert not await mind.memory.is_incognito(key("nobody"))
    await mind.ask(mind.memory.rights.set_incognito, key("ann"), False)
    assert not (await mind.memory.recent(scope(), 10)).incognito
    assert not await mind.memory.is_incognito(key("ann"))


async def test_times_are_kept_as_they_were(mind: Mind) -> None:
    at = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)
    await mind.say("I live in Rome", at=at)
    await mind.learn(fact("lives in Rome"))
    (known,) = (await mind.memory.recent(scope(), 10)).facts
    assert known.at == at
