"""What is counted at the desk, on both databases alike."""

from datetime import timedelta

import pytest

from hobnob.events import Addressed
from hobnob.store.database import Database
from hobnob.support import counting
from hobnob.support.stats import Numbers
from tests.contract.test_support import DESK, World


async def counted(world: World, days: float = 1) -> Numbers:
    now = world.clock.now()
    return await counting.numbers(world.database, DESK, now - timedelta(days=days), now)


async def test_nothing_is_counted_where_nothing_was(database: Database) -> None:
    numbers = await counted(World(database))
    assert (numbers.conversations, numbers.alone, numbers.rated) == (0, 0, 0)
    assert numbers.satisfaction is None
    assert (*numbers.waits, *numbers.asked, *numbers.unanswered) == ()


async def test_who_was_helped_how_soon_and_how_well(database: Database) -> None:
    world = World(database)
    await world.customer("How long is the warranty?", room="bea", by="Bea")
    await world.customer("what's the warranty, how long?", room="cid", by="Cid")
    await world.customer("Where is my parcel?")
    await world.customer("/human")
    await world.staff("/take 1")
    world.clock.advance(600)
    await world.staff("/say 1 I look for it.")
    await world.staff("/say 1 Here it is.")
    await world.staff("/resolve 1")
    await world.customer("4, quick")
    await world.staff("and who makes the tea?")
    numbers = await counted(world)
    assert (numbers.conversations, numbers.alone) == (3, 2)
    assert numbers.waits == [timedelta(minutes=10)]
    assert numbers.ratings == {4: 1}
    assert [(each.times, each.text) for each in numbers.asked] == [
        (2, "what's the warranty, how long?"),
        (1, "Where is my parcel?"),
    ]
    world.clock.advance(timedelta(days=3).total_seconds())
    assert (await counted(world)).conversations == 0
    assert (await counted(world, days=4)).conversations == 3


async def test_only_who_was_helped_without_a_person_was(database: Database) -> None:
    world = World(database)
    await world.customer("/start", room="dan", by="Dan")  # a greeting is no help
    await world.customer("/human", room="eva", by="Eva")  # nobody came
    for by in ("Fay", "Gil"):  # in one room
        await world.customer("@Sam how do I pay?", room="shop", by=by, addressed=Addressed.MENTION)
    numbers = await counted(world)
    assert (numbers.conversations, numbers.alone) == (3, 2)
    assert numbers.waits == []


@pytest.mark.parametrize(
    ("texts", "groups"),
    [
        (["How do I return it?", "how do i RETURN it", "returns, how?"], [3]),
        (["Can I pay by card?", "Do you open on Sundays?"], [1, 1]),
        (["你们几点开门？", "你们几点开门"], [2]),
        ([], []),
    ],
)
def test_the_same_question_in_other_words_counts_once(texts: list[str], groups: list[int]) -> None:
    assert [question.times for question in counting.grouped(texts)] == groups
