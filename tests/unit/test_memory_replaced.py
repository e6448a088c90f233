"""What was said last stands before what it replaced, where a question asks how things are now."""

import random

import pytest

from hobnob.events import Role
from hobnob.memory.question import asks_for_now
from hobnob.memory.ranking import Ranking
from hobnob.memory.replaced import FEW, alike, newest_first
from hobnob.recollection import Scope
from hobnob.store.database import Database
from tests.unit.test_memory_ranking import (
    ANN,
    BEN,
    DAY,
    MINUTE,
    ROBIN,
    Said,
    ask,
    index,
    talk,
    unit,
)
from tests.unit.test_memory_recall import HERE, Life


@pytest.mark.parametrize(
    "text",
    ["Where do I live?", "what's my name", "Which phone does Ben have?", "Am I a vegetarian?",
     "Do you know what my name is?", "How old is my dog, who was born in May?"],
)  # fmt: skip
def test_the_present_is_asked_for(text: str) -> None:
    assert asks_for_now(text)


@pytest.mark.parametrize(
    "text",
    ["Where did I live?", "Do you remember where I lived?", "Who inspired you?", "How long have I"
     " been here?", "What was my name?", "hello", "", "我住在哪里？"],
)  # fmt: skip
def test_what_was_is_asked_for_or_nothing(text: str) -> None:
    assert not asks_for_now(text)


def found(said: list[Said], question: str = "what is my favourite colour?") -> dict[int, set[int]]:
    ranking = Ranking(ask(question), index(said))
    return alike(ranking, ranking.first(len(said)).tolist())


BLUE, GREEN = "blue is my favourite colour", "my favourite colour? green"


def test_what_the_same_person_says_later_of_the_same_replaces_it() -> None:
    assert found(talk(BLUE, GREEN, every=DAY)) == {0: {1}}
    assert found(talk(GREEN, BLUE, every=DAY)) == {0: {1}}
    assert found(talk(BLUE, "x", GREEN, "red is my favourite colour", every=DAY)) == {
        0: {2, 3},
        2: {3},
    }


@pytest.mark.parametrize(
    "said",
    [
        talk(BLUE, GREEN, by=(ANN, BEN), every=DAY),
        talk(BLUE, GREEN, by=(ROBIN,), every=DAY),
        talk(BLUE, GREEN, every=MINUTE),  # in one breath
        talk(BLUE, "is it my favourite colour?", every=DAY),
        talk(BLUE, "my colour pencils are here", every=DAY),  # less of what was asked
        talk(BLUE, "the sea is cold", every=DAY),
    ],
)
def test_nothing_else_replaces(said: list[Said]) -> None:
    assert found(said) == {}


def test_only_the_first_few_change_places() -> None:
    many = talk(*[BLUE] * (FEW + 3), every=DAY)
    assert set().union(*found(many).values()) <= set(range(FEW))


def test_with_vectors_they_must_be_alike() -> None:
    said = talk(BLUE, GREEN, every=DAY)
    for other, replaced in (((1.0, 0.1), {0: {1}}), ((0.1, 1.0), {})):
        ranking = Ranking(ask("what is my colour?"), index(said, unit([1.0, 0.0], other)))
        assert alike(ranking, [0, 1]) == replaced


def test_the_newest_of_all_comes_first_and_nothing_is_lost() -> None:
    said = talk(*["colour"] * 6, every=DAY)
    ranking = Ranking(ask("colour"), index(said))
    ranking.relevance[:] = [0.5, 0, 0, 0, 0, 0]
    order = newest_first([0, 1, 2, 3, 4], {0: {2, 5}, 2: {4}, 5: {0}}, ranking)
    assert order == [5, 4, 2, 0, 1, 3]  # 0 was said before 5, whatever is claimed
    assert ranking.relevance.tolist() == [0.5, 0, 0.5, 0, 0.5, 0.5]  # as what they replace
    chance = random.Random(4)
    for _ in range(50):
        order = chance.sample(range(6), 6)
        newer = {n: set(chance.sample(range(6), chance.randrange(3))) for n in range(6)}
        after = newest_first(order, newer, ranking)
        assert sorted(after) == list(range(6))
        for old in range(6):
            assert all(after.index(new) < after.index(old) for new in newer[old] if new > old)


async def test_what_a_fact_ended_stands_behind_what_ended_it(sqlite: Database) -> None:
    life = Life(sqlite)
    await life.say("I live in Leeds, near the station")
    await life.say("cold soup again", "we moved to Sheffield yesterday")  # not a word in common
    await life.learn()

    async def first(question: str) -> list[str]:
        asked, scope = life.event(question), Scope(key=HERE, asker=ANN.id, direct=True)
        hits = await life.memory.search(scope, asked, 8)
        told = await life.store.passages(scope, [hit.id for hit in hits], 0)
        assert hits[0].relevant
        turns = [told[hit.id][0] for hit in hits]
        return [turn.text for turn in turns if turn.role is Role.USER]

    moved, lived = "we moved to Sheffield yesterday", "I live in Leeds, near the station"
    assert (await first("where do I live?"))[:2] == [moved, lived]
    assert (await first("where did I live?"))[0] == lived
    assert (await first("is the station near?"))[0] == lived  # what ended is not asked for
