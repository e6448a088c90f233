"""What recall computes with, kept in memory: never older than the database, and not read twice."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hobnob.events import Author, Kind, Role, Turn
from hobnob.memory.index import Block, Index, Vectors, index_terms
from hobnob.memory.question import Query
from hobnob.memory.ranking import Ranking
from hobnob.memory.recall import Remembering
from hobnob.memory.shelf import SLICE, Shelf
from hobnob.ports import Outcome
from hobnob.recollection import Embedded, Entries, News, Passage, Scope
from hobnob.store import upkeep
from hobnob.store.database import Database
from hobnob.store.memory import SqlMemory
from hobnob.testing.adapter import key
from hobnob.testing.clock import FakeClock
from tests.unit.test_memory_recall import ANN, HERE, ME, Letters, Life

BEN = Author(id="id-ben", name="Ben")
THERE = key("ben")
Ids = NDArray[np.int64]
ANNS = Scope(key=HERE, asker=ANN.id, direct=True)
BENS = Scope(key=THERE, asker=BEN.id, direct=True)


class Watched(SqlMemory):
    """Notes which turns were read: after which one, and how many."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, FakeClock())
        self.reads: list[tuple[int, int]] = []

    async def news(self, scope: Scope, newest: Mapping[int, int], limit: int) -> Mapping[int, News]:
        found = await super().news(scope, newest, limit)
        self.reads += [(newest.get(each, 0), len(new.entries)) for each, new in found.items()]
        return found

    async def entries(self, conversation: int, after: int, limit: int) -> Entries:
        found = await super().entries(conversation, after, limit)
        self.reads.append((after, len(found)))
        return found

    def read(self) -> list[tuple[int, int]]:
        """What was read since this was asked last."""
        reads, self.reads = self.reads, []
        return reads


class Narrow(Letters):
    """Another model, whose vectors are shorter."""

    async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
        return [_narrow(each) for each in await super().embed(passages)]

    async def query(self, text: str) -> Embedded | None:
        return _narrow(await super().query(text))


def _narrow(seen: Embedded | None) -> Embedded | None:
    if seen is None:
        return None
    vector, tokens = seen.vector[:5], seen.tokens[:, :5]
    tokens = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    return replace(seen, vector=vector / np.linalg.norm(vector), tokens=tokens)


class English(Letters):
    """Reads what was said, and not what is asked."""

    async def query(self, text: str) -> Embedded | None:
        return None


def same(one: tuple[Ids, Index], other: tuple[Ids, Index]) -> bool:
    (ids, a), (other_ids, b) = one, other
    people = [a.authors[number] for number in a.author]
    return (
        ids.tolist() == other_ids.tolist()
        and a.at.tolist() == b.at.tolist()
        and people == [b.authors[number] for number in b.author]
        and a.terms.tolist() == b.terms.tolist()
        and a.ends.tolist() == b.ends.tolist()
        and a.session.tolist() == b.session.tolist()
        and len(a.blocks) == len(b.blocks)
        and all(map(same_block, a.blocks, b.blocks))
        and (a.vectors is None) == (b.vectors is None)
        and (a.vectors is None or b.vectors is None or same_vectors(a.vectors, b.vectors))
    )


def same_vectors(a: Vectors, b: Vectors) -> bool:
    return np.array_equal(a.packed, b.packed) and np.array_equal(a.scale, b.scale)


def same_block(a: Block, b: Block) -> bool:
    return (
        a.first == b.first and np.array_equal(a.terms, b.terms) and np.array_equal(a.rows, b.rows)
    )


async def unanswered(life: Life, *texts: str) -> None:
    """Turns of Ann's, all at once."""
    event = life.event("hello")
    await life.inbox.receive(event)
    rows = tuple(row.row for row in (await life.inbox.todo(HERE)).waiting)
    turns = tuple(Turn(role=Role.USER, author=ANN, text=text, at=event.at) for text in texts)
    await life.inbox.finish(Outcome(rows=rows, key=HERE, decision="", reason="", turns=turns))


async def test_only_what_is_new_is_read(sqlite: Database) -> None:
    life, store = Life(sqlite), Watched(sqlite)
    shelf = Shelf(store, None)
    await life.say("one", "two")
    await life.learn()
    ids, _ = await shelf.index(ANNS)
    assert store.read() == [(0, 4)]
    await shelf.index(ANNS)
    await life.say("three")
    await life.learn()
    grown, index = await shelf.index(ANNS)
    assert store.read() == [(ids[-1], 0), (ids[-1], 2)]
    assert len(grown) == len(index.at) == 6


async def test_a_long_conversation_is_read_in_slices(sqlite: Database) -> None:
    life, store = Life(sqlite), Watched(sqlite)
    many = [f"word{number}" for number in range(SLICE + 500)]
    await unanswered(life, *many)
    await life.learn()
    _, index = await Shelf(store, None).index(ANNS)
    assert [count for _, count in store.read()] == [SLICE, 500]
    assert index.terms.tolist() == np.concatenate([index_terms(text) for text in many]).tolist()


async def test_conversations_that_nobody_asks_about_make_room(sqlite: Database) -> None:
    life, store = Life(sqlite), Watched(sqlite)
    await life.say("one")
    await life.say("two", place=THERE, by=BEN)
    await life.learn()
    small, large = Shelf(store, None, budget=0), Shelf(store, None)
    for shelf, again in ((small, [0, 0]), (large, [2, 4])):
        for scope in (ANNS, BENS):
            await shelf.index(scope)
        store.read()
        ids, _ = await shelf.index(ANNS)
        assert len(ids) == 2
        await shelf.index(BENS)
        assert [after for after, _ in store.read()] == again
        await shelf.index(BENS)
        assert store.read() == [(4, 0)]  # the last one asked about stays, however large


async def test_where_nothing_was_said_there_is_nothing(sqlite: Database) -> None:
    shelf = Shelf(SqlMemory(sqlite, FakeClock()), "letters")
    for scope in (ANNS, replace(ANNS, linked=(THERE,))):
        ids, index = await shelf.index(scope)
        assert len(ids) == 0
        query = Query(text="what?", askers=frozenset({ANN.id}), at=FakeClock().now())
        assert len(Ranking(query, index).scores) == 0


async def test_linked_conversations_stand_one_after_the_other(sqlite: Database) -> None:
    plain, seeing = Life(sqlite), Life(sqlite, Letters())
    await plain.say("no vector here", "nor here")
    await plain.learn()
    await seeing.say("a boat", place=THERE, by=BEN)
    await seeing.learn()
    shelf = Shelf(plain.store, "letters")
    ids, index = await shelf.index(replace(BENS, linked=(HERE, key("never seen"))))
    assert len(ids) == 6
    assert [index.authors[number] for number in index.author] == [BEN, ME, ANN, ME, ANN, ME]
    parts = np.split(index.terms, index.ends[:-1])
    assert parts[0].tolist() == index_terms("a boat").tolist()
    assert parts[4].tolist() == index_terms("nor here").tolist()
    assert index.vectors is not None
    assert index.vectors.known(np.arange(6)).tolist() == [True] * 2 + [False] * 4


async def test_what_another_model_made_counts_by_its_words_alone(sqlite: Database) -> None:
    first = Life(sqlite, Letters("first"))
    await first.say("My boat lies in the old harbour.", "I like soup.")
    await first.learn()
    second = Life(sqlite, Narrow("second"))
    _, index = await Shelf(second.store, "second").index(ANNS)
    assert index.vectors is None
    assert "My boat lies in the old harbour." in await second.recalled("Where does my boat lie?")
    await second.say("My tent is green.")
    await second.learn()
    assert "My tent is green." in await second.recalled("Is my tent green?")


async def test_what_is_learned_anew_is_read_anew(sqlite: Database) -> None:
    life = Life(sqlite)
    await unanswered(life, "My boat lies in the old harbour.")
    await life.learn()
    kept = Shelf(life.store, "letters")
    assert (await kept.index(ANNS))[1].vectors is None
    await upkeep.relearn(sqlite, "letters", 10)
    await Life(sqlite, Letters()).learn()
    assert (await kept.index(ANNS))[1].vectors is not None


async def test_a_question_that_the_model_cant_read_is_held_to_what_words_can_do(
    sqlite: Database,
) -> None:
    text = "My boat lies beside a rotten jetty under tall poplars."
    question = "Which boat sails towards islands?"
    recalled = []
    for embedder in (None, English()):
        life = Life(sqlite, embedder)
        if embedder is None:
            await life.say(text, *["Soup again.", "Rain again."] * 3)
            await life.learn()
        recalled.append(await life.recalled(question))
    assert text in recalled[0]
    assert recalled[1] == recalled[0]


async def test_a_copy_is_never_older_than_the_database(tmp_path: Path, sqlite: Database) -> None:
    """Whatever another process does, in any order, a kept copy equals one that is read anew."""
    chance = random.Random(11)
    kept = Shelf(SqlMemory(sqlite, FakeClock()), "letters")
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as other:
        life = Life(other, Letters())
        scope, said = replace(ANNS, linked=(THERE,)), []

        async def say() -> None:
            by, place = chance.choice(((ANN, HERE), (BEN, THERE)))
            said.append(await life.say(f"word{chance.randrange(99)}", place=place, by=by))

        async def change(kind: Kind) -> None:
            event = said.pop(chance.randrange(len(said)))
            text = f"changed{chance.randrange(99)}" if kind is Kind.EDIT else ""
            changed = replace(event, id=f"{event.id} {kind}", kind=kind, text=text)
            await life.inbox.receive(changed)
            await life.inbox.change((await life.inbox.todo(event.key)).changes)

        async def learn_anew() -> None:
            name = chance.choice(("letters", "other"))
            await upkeep.relearn(other, name, 1000)
            await Remembering(life.store, embedder=Letters(name)).learner.some()

        for step in range(150):
            match chance.choice("ssssseedllllaf"):
                case "s":
                    await say()
                case "e" if said:
                    await change(Kind.EDIT)
                case "d" if said:
                    await change(Kind.DELETE)
                case "a":
                    await learn_anew()
                case "f" if step % 3 == 0:
                    await life.store.forget_person("fake", "bot", chance.choice((ANN.id, BEN.id)))
                case _:
                    await life.learn()
            fresh = Shelf(SqlMemory(sqlite, FakeClock()), "letters")
            assert same(await kept.index(scope), await fresh.index(scope)), step
