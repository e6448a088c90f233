"""One person on two platforms has one memory once they say so, on SQLite and PostgreSQL alike."""

import asyncio
import re
from typing import Any

import pytest
import sqlalchemy as sa

from hobnob.events import Author
from hobnob.memory.commands import LINK_IN_PRIVATE, NO_SUCH_CODE, NOTHING
from hobnob.ports import Outcome
from hobnob.recollection import Scope
from hobnob.store import schema
from hobnob.store.database import Database
from hobnob.store.memory import SqlMemory
from hobnob.store.reminders import SqlReminders
from hobnob.testing.adapter import key
from tests.unit.test_memory_recall import ROOM, Life

THERE = key("4711", platform="other")
ANN_THERE = Author(id="77", name="Ann")
EVE = Author(id="id-eve", name="Eve")
ON_BOTH: tuple[dict[str, Any], ...] = ({}, {"place": THERE, "by": ANN_THERE})


@pytest.fixture
async def life(database: Database) -> Life:
    """Ann told something here and something there."""
    life = Life(database)
    await life.say("My sister is called Mia.")
    await life.say("I live in Oslo.", place=THERE, by=ANN_THERE)
    await life.learn()
    return life


async def code(life: Life) -> str:
    found = re.search(r"/link (\S{4}-\S{4})”", await life.command("/link"))
    assert found
    return found[1]


async def link(life: Life) -> None:
    told = await life.command(f"/link {await code(life)}", place=THERE, by=ANN_THERE)
    assert "the one who wrote to me on Fake" in told


async def test_before_that_each_platform_has_a_memory_of_its_own(life: Life) -> None:
    assert "Oslo" not in await life.command("/memory")
    assert "Mia" not in await life.command("/memory", place=THERE, by=ANN_THERE)


async def test_facts_and_what_was_said_are_known_on_both(life: Life) -> None:
    await link(life)
    for where in ON_BOTH:
        listed = await life.command("/memory", **where)
        assert "Mia" in listed
        assert "Oslo" in listed
        snapshot = await life.memory.snapshot([life.event("hi", **where)])
        assert len(snapshot.facts) == 2
    assert "I live in Oslo." in await life.recalled("What do you know of Oslo?")


async def test_their_numbers_tell_the_facts_apart(life: Life) -> None:
    await link(life)
    await life.say("I am allergic to nuts.", place=THERE, by=ANN_THERE)
    await life.learn()
    numbers = re.findall(r"^(\d+)\.", await life.command("/memory"), re.MULTILINE)
    assert numbers == ["1", "2", "3"]
    assert "Oslo" in await life.command("/memory why 2")
    assert "is forgotten" in await life.command("/forget 3")
    assert "nuts" not in await life.command("/memory", place=THERE, by=ANN_THERE)


async def test_a_code_works_once(life: Life) -> None:
    used = await code(life)
    await life.command(f"/link {used}", place=THERE, by=ANN_THERE)
    eves = key("eve")
    for tried in (used, "AAAA-BBBB"):
        assert await life.command(f"/link {tried}", place=eves, by=EVE) == NO_SUCH_CODE
    assert await life.command("/memory", place=eves, by=EVE) == NOTHING


async def test_a_code_is_good_for_ten_minutes(life: Life) -> None:
    old = await code(life)
    life.clock.advance(601)
    told = await life.command(f"/link {old}", place=THERE, by=ANN_THERE)
    assert told == NO_SUCH_CODE


async def test_a_code_links_nothing_with_itself_and_a_newer_one_ends_it(life: Life) -> None:
    first = await code(life)
    assert await life.command(f"/link {first}") == NO_SUCH_CODE
    await code(life)
    assert await life.command(f"/link {first}", place=THERE, by=ANN_THERE) == NO_SUCH_CODE


async def test_codes_are_given_and_taken_in_private_alone(life: Life) -> None:
    assert await life.command("/link", place=ROOM) == LINK_IN_PRIVATE
    assert await life.command(f"/link {await code(life)}", place=ROOM) == LINK_IN_PRIVATE


async def test_rooms_know_nothing_of_a_link(life: Life) -> None:
    await link(life)
    assert await life.command("/memory", place=ROOM) == NOTHING
    assert await life.recalled("Where do I live?", place=ROOM) == []


async def test_it_can_be_undone(life: Life) -> None:
    await link(life)
    assert "somebody else" in await life.command("/link off")
    assert "Oslo" not in await life.command("/memory")
    assert "Mia" not in await life.command("/memory", place=THERE, by=ANN_THERE)
    assert "linked with no other" in await life.command("/link off", place=THERE, by=ANN_THERE)


async def test_forgetting_everything_goes_for_both(life: Life) -> None:
    await link(life)
    assert "2 messages" in await life.command("/forget everything")
    assert await life.command("/memory", place=THERE, by=ANN_THERE) == NOTHING
    assert await life.recalled("Where do I live?", place=THERE, by=ANN_THERE) == []


async def test_three_platforms_are_linked_one_after_the_other(life: Life) -> None:
    await link(life)
    third = key("ann", platform="third")
    await life.say("I have a dog called Rex.", place=third)
    await life.learn()
    await life.command(f"/link {await code(life)}", place=third)
    for where in (*ON_BOTH, {"place": third}):
        listed = await life.command("/memory", **where)
        assert all(word in listed for word in ("Mia", "Oslo", "Rex"))


async def test_whoever_joins_later_has_numbers_that_none_of_the_others_has(life: Life) -> None:
    await link(life)
    third: dict[str, Any] = {
        "place": key("ann", platform="third"),
        "by": Author(id="88", name="Ann"),
    }
    await life.say("I have a dog called Rex.", **third)
    await life.learn()
    await life.command(f"/link {await code(life)}", **third)
    listed = await life.command("/memory")
    numbers = re.findall(r"^(\d+)\.", listed, re.MULTILINE)
    assert len(numbers) == 3
    assert len(set(numbers)) == 3, listed


async def test_two_who_link_at_the_same_moment_stay_two(life: Life, database: Database) -> None:
    eve_there = {"place": key("eve", platform="other"), "by": Author(id="99", name="Eve")}
    eves = re.search(r"/link (\S{9})”", await life.command("/link", place=key("eve"), by=EVE))
    assert eves
    anns = await code(life)
    await asyncio.gather(
        life.command(f"/link {anns}", place=THERE, by=ANN_THERE),
        life.command(f"/link {eves[1]}", **eve_there),
    )
    persons = sa.select(schema.conversation.c.person).where(
        schema.conversation.c.person.is_not(None)
    )
    found = await database.read(lambda connection: list(connection.scalars(persons)))
    assert sorted(map(found.count, set(found))) == [2, 2]


async def test_incognito_on_one_is_incognito_on_both(life: Life, database: Database) -> None:
    await link(life)
    await life.command("/incognito on", place=THERE, by=ANN_THERE)
    here = life.event("hi")
    assert (await life.memory.snapshot([here])).incognito
    assert await SqlMemory(database, life.clock).is_incognito(here.key)
    assert (await SqlReminders(database).of(here, everywhere=True)).incognito
    await life.command("/link off")
    assert not await SqlMemory(database, life.clock).is_incognito(here.key)


async def test_forgetting_everything_forgets_that_two_are_one(
    life: Life, database: Database
) -> None:
    await link(life)
    await life.command("/forget everything")
    whose = sa.select(schema.conversation.c.whose, schema.conversation.c.person)
    found = await database.read(lambda connection: connection.execute(whose).all())
    assert {tuple(row) for row in found} == {(None, None)}


async def test_i_is_the_one_who_asks_by_each_of_their_ids(life: Life) -> None:
    async def score(**where: Any) -> float:
        asked = life.event("Where do I live?", **where)
        scope = Scope(key=asked.key, asker=asked.author.id, direct=True)
        hits = await life.memory.search(scope, asked, 9)
        found = await life.store.passages(scope, [hit.id for hit in hits], 0)
        return next(hit.score for hit in hits if found[hit.id][0].text == "I live in Oslo.")

    await link(life)
    here, there = [await score(**where) for where in ON_BOTH]
    assert here == pytest.approx(there, abs=0.1)
    ids = frozenset({"id-ann", "77"})
    for asker, place in (("id-ann", key("ann")), ("77", THERE)):
        assert await life.store.known_as(Scope(key=place, asker=asker, direct=True)) == ids
        assert not await life.store.known_as(Scope(key=place, asker=asker, direct=False))
    await life.command("/link off")
    assert not await life.store.known_as(Scope(key=THERE, asker="77", direct=True))


class PowerFails(Exception):
    pass


async def test_a_command_that_a_kill_cut_off_is_done_once(life: Life, database: Database) -> None:
    """All of it happened or nothing: what comes again after the start is answered as the first
    time would have been."""
    await life.say("My brother is called Max.", "I am allergic to nuts.")
    await life.learn()

    async def cut_off(text: str, **where: Any) -> str:
        event = life.event(text, **where)
        await life.inbox.receive(event)
        (row,) = (await life.inbox.todo(event.key)).waiting
        told: list[str] = []

        def also(connection: sa.Connection) -> None:
            told.append(life.memory.command(event)(connection))
            if len(told) == 1:
                raise PowerFails

        outcome = Outcome(rows=(row.row,), key=event.key, decision="memory", reason="", also=also)
        with pytest.raises(PowerFails):
            await life.inbox.finish(outcome)
        await life.inbox.finish(outcome)
        return told[-1]

    given = await code(life)
    assert "the one who wrote" in await cut_off(f"/link {given}", place=THERE, by=ANN_THERE)
    before = await life.command("/memory")
    assert "is forgotten" in await cut_off("/forget 2")
    assert (await life.command("/memory")).count("\n") == before.count("\n") - 1
