"""What a person was asked before it is done: whose it is, and that it is begun once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from hobnob.events import Author, Event
from hobnob.store import asked, forgetting
from hobnob.store.asked import KEPT, Asked, SqlAsked
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAKE = Asked(
    code="c0de", tool="order", arguments='{"what": "日本"}', at=NOW, until=NOW + timedelta(hours=1)
)


PLATFORM = FakeAdapter()


def event(text: str = "yes", by: str = "Ann") -> Event:
    return PLATFORM.event(text, by=by)


async def ask(database: Database, by: Event, one: Asked = CAKE) -> None:
    await database.write(partial(asked.ask, event=by, one=one))


async def test_it_is_the_persons_who_was_asked_and_in_that_conversation(database: Database) -> None:
    ann = event()
    await ask(database, ann)
    store = SqlAsked(database)
    assert await store.of(ann) == [CAKE]
    assert await store.of(replace(ann, author=Author(id="bob", name="Bob"))) == []
    assert await store.of(replace(ann, key=replace(ann.key, room="another"))) == []


async def test_it_is_begun_once_whoever_asks_again(database: Database) -> None:
    ann, store = event(), SqlAsked(database)
    await ask(database, ann)
    assert await store.begin(ann, CAKE)
    (begun,) = await store.of(ann)
    assert begun == replace(CAKE, run=ann.id)
    assert not await store.begin(ann, CAKE)
    assert not await store.begin(event(), CAKE)
    await database.write(partial(asked.drop, code=CAKE.code))
    assert not await store.begin(ann, CAKE)
    assert await store.of(ann) == []


async def test_a_command_of_their_own_is_begun_once_too(database: Database) -> None:
    ann, store = event("/order cake"), SqlAsked(database)
    own = replace(CAKE, run=ann.id)
    assert await store.begin(ann, own)
    assert not await store.begin(ann, own)


async def test_what_was_never_answered_goes_at_last(database: Database) -> None:
    ann = event()
    await ask(database, ann)
    late = NOW + timedelta(hours=2) + KEPT
    newer = replace(CAKE, code="newer", at=late, until=late)
    await ask(database, ann, newer)
    assert await SqlAsked(database).of(ann) == [newer]


async def test_a_word_is_about_it_only_if_it_is_all_they_said_since(database: Database) -> None:
    clock = FakeClock(NOW)
    inbox, store = SqlInbox(database, clock), SqlAsked(database)
    before, yes, more = event("Order it!"), event("yes"), event("wait")
    await inbox.receive(before)
    assert not await store.is_next(before, NOW)
    clock.advance(1)
    await inbox.receive(yes)
    await inbox.receive(event("yes", by="Bob"))
    assert await store.is_next(yes, NOW)
    await inbox.receive(more)
    assert not await store.is_next(yes, NOW)
    assert not await store.is_next(more, NOW)


async def test_it_is_forgotten_with_its_person(database: Database) -> None:
    ann = event()
    await ask(database, ann)

    def forget(connection: sa.Connection) -> None:
        forgetting.forget_person(connection, ann.key.platform, ann.key.account, ann.author.id)

    await database.write(forget)
    assert await SqlAsked(database).of(ann) == []
