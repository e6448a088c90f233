"""A long conversation: only a part is compared, and the best of all are in it."""

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from hobnob.memory import index as module
from hobnob.memory import narrowing, shelf
from hobnob.memory.index import Block, Index, Vectors, distinct, sessions, signs
from hobnob.memory.narrowing import narrow
from hobnob.memory.question import Query
from hobnob.memory.ranking import Ranking
from hobnob.memory.shelf import Shelf
from hobnob.store.database import Database
from tests.unit.test_memory_ranking import ANN, BEN, START, Said, ask, index
from tests.unit.test_memory_recall import Letters, Life
from tests.unit.test_memory_shelf import ANNS, same, unanswered

SMALL = 32
WORDS = [f"word{number}" for number in range(60)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (module, narrowing, shelf):
        monkeypatch.setattr(each, "BLOCK", SMALL)


def long_talk(chance: random.Random, turns: int = 500) -> list[Said]:
    """In sessions of about eight turns."""
    at, said = START, []
    for _ in range(turns):
        at += timedelta(days=1) if chance.random() < 0.12 else timedelta(minutes=1)
        said.append((chance.choice((ANN, BEN)), at, " ".join(chance.choices(WORDS, k=5))))
    return said


def with_blocks(said: list[Said], vectors: NDArray[np.float32] | None) -> Index:
    whole = index(said, vectors)
    lengths = np.diff(whole.ends, prepend=0)
    blocks = [
        Block.of(
            first,
            whole.terms[whole.ends[first] - lengths[first] : whole.ends[first + SMALL - 1]],
            lengths[first : first + SMALL],
            None if whole.vectors is None else whole.vectors.at(slice(first, first + SMALL)),
        )
        for first in range(0, len(said) - SMALL + 1, SMALL)
    ]
    return replace(whole, blocks=blocks)


def asking(chance: random.Random, vectors: NDArray[np.float32] | None) -> Query:
    text = f"when did Ann say {chance.choice(WORDS)} and {chance.choice(WORDS)} in December?"
    return ask(text, vector=None if vectors is None else vectors[chance.randrange(len(vectors))])


@pytest.mark.parametrize("embedded", [True, False])
def test_where_all_is_kept_every_score_is_the_same(embedded: bool) -> None:
    chance, noise = random.Random(1), np.random.default_rng(1)
    said = long_talk(chance)
    vectors = noise.standard_normal((len(said), 70)).astype(np.float32) if embedded else None
    if vectors is not None:
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = with_blocks(said, vectors)
    for _ in range(20):
        query = asking(chance, vectors)
        places, part = narrow(query, whole, kept=len(said))
        assert places.tolist() == list(range(len(said)))
        one, other = Ranking(query, whole), Ranking(query, part)
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6)
        np.testing.assert_allclose(one.relevance, other.relevance)


@pytest.mark.parametrize("embedded", [True, False])
def test_what_is_best_of_all_is_kept_with_its_session(embedded: bool) -> None:
    chance, noise = random.Random(2), np.random.default_rng(2)
    said = long_talk(chance, 1000)
    rare = chance.sample(range(960), 20)
    for place in rare:
        said[place] = (*said[place][:2], f"{said[place][2]} parrot")
    vectors = noise.standard_normal((len(said), 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = with_blocks(said, vectors if embedded else None)
    for place in rare:
        vector = vectors[place] if embedded else None
        query = ask(f"when did Ann say parrot and {said[place][2].split()[0]}?", vector=vector)
        places, part = narrow(query, whole, kept=300)
        assert len(places) < 300 + 2 * SMALL
        assert set(range(1000 // SMALL * SMALL, 1000)) <= set(places.tolist())  # the newest
        assert np.isin(whole.session, whole.session[places]).sum() == len(places)  # as a whole
        best = places[Ranking(query, part).first(3)].tolist()
        assert best == Ranking(query, whole).first(3).tolist()


def test_a_session_ends_after_silence_or_many_turns() -> None:
    at = np.array([0, 60, 20_000, 20_060, 10, 20], np.float64)
    assert sessions(at).tolist() == [0, 0, 1, 1, 2, 2]
    assert np.bincount(sessions(np.arange(250.0))).tolist() == [100, 100, 50]
    assert sessions(np.empty(0)).tolist() == []


def test_signs_tell_how_alike_vectors_are() -> None:
    noise = np.random.default_rng(3).standard_normal((3, 70))
    bits = signs(np.vstack([noise, -noise[:1]]))
    assert bits.shape == (2, 4)
    differing = np.bitwise_count(bits ^ bits[:, :1]).sum(axis=0)
    assert differing[0] == 0
    assert differing[3] == 70
    assert differing[1] == np.count_nonzero((noise[0] > 0) != (noise[1] > 0))


def test_each_value_once() -> None:
    assert distinct(np.array([1, 1, 2, 5, 5])).tolist() == [1, 2, 5]
    assert distinct(np.empty(0)).tolist() == []


def test_vectors_in_8_bits_are_of_unit_length_or_unknown() -> None:
    vectors = Vectors.pack(np.array([[0.6, 0.8, 0], [0, 0, 0]]))
    assert vectors.known([0, 1]).tolist() == [True, False]
    assert vectors.cosines(np.array([0.6, 0.8, 0])) == pytest.approx([1, 0], abs=1e-4)
    assert np.linalg.norm(vectors.unit(0)) == pytest.approx(1)


async def test_blocks_and_sessions_grow_as_if_read_at_once(sqlite: Database) -> None:
    life = Life(sqlite, Letters())
    grown = Shelf(life.store, "letters")
    for start in (0, 20, 90, 100, 200):
        await unanswered(life, *[f"{WORDS[n % 60]} and more" for n in range(start, start + 45)])
        await life.learn()
        fresh = Shelf(life.store, "letters")
        assert same(await grown.index(ANNS), await fresh.index(ANNS))
    _, whole = await grown.index(ANNS)
    assert len(whole.blocks) == 225 // SMALL
    assert whole.blocks[1].having(int(module.index_terms(WORDS[7])[0])).tolist() == [
        place
        for place in range(SMALL, 2 * SMALL)
        if module.index_terms(WORDS[7])[0] in whole.terms[whole.ends[place - 1] : whole.ends[place]]
    ]


async def test_a_long_conversation_is_searched_as_a_short_one(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(sqlite, Letters())
    await unanswered(life, *[f"{WORDS[n % 60]} and {n}" for n in range(150)])
    await life.learn()
    asked = life.event("when did we say word7 and 127?")
    short = await life.memory.search(ANNS, asked, 10)
    monkeypatch.setattr(module, "LONG", 100)
    assert await life.memory.search(ANNS, asked, 10) == short
