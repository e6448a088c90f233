"""A file of the bot's folder arrives with its alt text, once, over every adapter."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hobnob import media, replies
from hobnob.conversation import ConversationKey
from hobnob.events import Media, Visibility
from hobnob.jobs import Message
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.outbox import UNSENT, say
from hobnob.store.schema import conversation, outbox
from hobnob.testing.live import until
from tests.contract.world import Place, World
from tests.contract.worlds import WORLDS, Town, everywhere

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LOOK = "Look!"


@pytest.fixture
async def town(world: World, sqlite: Database, tmp_path: Path) -> AsyncIterator[Town]:
    for name in ("cat.png", "dog.png"):
        (tmp_path / name).write_bytes(PNG + name.encode())
    yield Town(world=world, database=sqlite, folder=tmp_path)
    assert list(world.complaints()) == []


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with WORLDS[request.param]() as entered:
        yield entered


async def queue(town: Town, place: Place, *files: Media, text: str = LOOK) -> ConversationKey:
    """Into the conversation where something was said, while the bot is off."""
    visibility = Visibility.PUBLIC if place is Place.ROOM else Visibility.DIRECT

    def transaction(connection: sa.Connection) -> ConversationKey:
        key = rows.key(connection.execute(sa.select(*rows.KEY).select_from(conversation)).one())
        said = Message(
            key=key, text=text, media=files, mention="@ann@far.example", visibility=visibility
        )
        say(connection, key, replies.elsewhere(said, town.world.adapter.limits))
        return key

    return await town.database.write(transaction)


async def states(town: Town) -> list[str]:
    query = sa.select(outbox.c.state).order_by(outbox.c.id)
    return await town.database.read(lambda connection: list(connection.scalars(query)))


def pictures(town: Town, place: Place) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.text, each.alts) for each in town.world.shown(place) if each.alts]


@everywhere("media")
async def test_files_arrive_with_their_alt_texts_and_a_retry_does_not_double_them(
    town: Town, place: Place
) -> None:
    async with town.living("Hi!"):
        await town.world.say("hello", place=place)
        await town.said("Hi!", place=place)
    files = [media.describe(town.folder, f"{name}.png", f"A {name}.") for name in ("cat", "dog")]
    await queue(town, place, *files)
    expected = [(LOOK, ("A cat.", "A dog."))]
    async with town.living():
        await until(lambda: pictures(town, place) == expected, lambda: pictures(town, place))
    assert await states(town) == ["sent", "sent"]

    # As after a kill between the send and its record.
    again = {"state": "sending", "text": LOOK, "attempted": datetime.now(UTC)}
    again |= {"media": rows.dump_media(files), "mention": "@ann@far.example"}
    last = outbox.update().where(
        outbox.c.id == sa.select(sa.func.max(outbox.c.id)).scalar_subquery()
    )
    await town.database.write(lambda connection: connection.execute(last.values(again)) and None)
    async with town.living("Still here."):
        await town.world.say("are you there?", place=place)
        await until(lambda: "Still here." in town.texts(place), lambda: town.texts(place))
    assert pictures(town, place) == expected
    assert not {*await states(town)} & {*UNSENT}


@everywhere("media")
async def test_a_file_that_is_not_what_it_was_stops_its_message_and_no_other(
    town: Town, place: Place
) -> None:
    async with town.living("Hi!"):
        await town.world.say("hello", place=place)
        await town.said("Hi!", place=place)
    await queue(town, place, media.describe(town.folder, "cat.png", "A cat."))
    (town.folder / "cat.png").write_bytes(PNG)
    async with town.living("Still here."):
        await town.world.say("are you there?", place=place)
        await town.said("Hi!", "Still here.", place=place)
    query = sa.select(outbox.c.state, outbox.c.text, outbox.c.error).where(
        outbox.c.state == "refused"
    )
    (row,) = await town.database.read(lambda connection: connection.execute(query).all())
    assert row.text == LOOK
    assert row.error.startswith("cat.png is not what it was")
