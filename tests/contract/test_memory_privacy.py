"""What no query of ours may get wrong: scope on the server itself, and bytes that are gone."""

from pathlib import Path

import sqlalchemy as sa

from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.memory import restrict
from hobnob.store.schema import fact, recall, recall_tokens, summary, turn
from hobnob.testing.adapter import key
from tests.contract.test_memory_store import ANN, BEN, ROOM, Mind, scope
from tests.contract.test_memory_store import fact as new_fact


async def test_postgresql_shows_nothing_from_outside_a_scope_even_if_asked_for_everything(
    ordinary: Database,
) -> None:
    mind = Mind(ordinary)
    await mind.say("Ann's secret")
    await mind.learn(new_fact("Ann has a secret"))
    await mind.say("Ben's secret", by=BEN)
    await mind.learn(new_fact("Ben has a secret"))
    await mind.say("in company", key=ROOM)
    await mind.learn(new_fact("Ann is in company"))
    (anns,) = await mind.memory.news(scope(), {}, 0)
    (room,) = await mind.memory.news(scope(BEN, ROOM), {}, 0)
    tables = (turn, recall, recall_tokens, fact, summary)

    def all_rows(connection: sa.Connection) -> list[int]:
        return [len(connection.execute(sa.select(table)).all()) for table in tables]

    def inside(place: int, of: object = None) -> object:
        def transaction(connection: sa.Connection) -> list[int]:
            restrict(connection, [place], of)  # type: ignore[arg-type]
            return all_rows(connection)  # no condition of ours at all

        return transaction

    assert await ordinary.view(inside(anns, scope())) == [2, 2, 2, 1, 0]  # type: ignore[arg-type]
    assert await ordinary.view(inside(room, scope(ANN, ROOM))) == [2, 2, 2, 1, 0]  # type: ignore[arg-type]
    assert await ordinary.view(inside(room, scope(BEN, ROOM))) == [2, 2, 2, 0, 0]  # type: ignore[arg-type]
    assert await ordinary.view(inside(anns, scope(BEN, ROOM))) == [2, 2, 2, 0, 0]  # type: ignore[arg-type]
    assert await ordinary.view(inside(0)) == [0, 0, 0, 0, 0]  # type: ignore[arg-type]
    # A transaction that asks for no scope sees all, and is not marked by those before it: backups
    # must not be empty.
    assert await ordinary.view(all_rows) == [6, 6, 6, 3, 0]
    assert await ordinary.read(all_rows) == [6, 6, 6, 3, 0]


async def test_the_memory_works_for_an_ordinary_role(ordinary: Database) -> None:
    mind = Mind(ordinary)
    await mind.say("I live in Rome")
    await mind.learn(new_fact("lives in Rome", "home"))
    await mind.say("I moved to Oslo")
    await mind.learn(new_fact("lives in Oslo", "home"))
    assert [each.text for each in (await mind.memory.recent(scope(), 9)).facts] == ["lives in Oslo"]
    assert await mind.ask(mind.memory.rights.forget_fact, scope(), 2)
    await mind.memory.scrub()
    assert await mind.memory.forget_person("fake", "bot", ANN.id) == 1


async def test_a_server_is_told_to_drop_what_was_deleted_from_every_table_that_holds_words(
    ordinary: Database,
) -> None:
    await Mind(ordinary).memory.scrub()
    query = sa.text("SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0")
    done = await ordinary.read(lambda connection: set(connection.scalars(query)))
    assert {"turn", "recall", "fact", "summary", "inbox", "outbox", "schedule"} <= done


async def test_no_byte_of_what_was_forgotten_stays_in_the_files(tmp_path: Path) -> None:
    file = tmp_path / "hobnob.db"
    canaries = [f"canary{number:04}x" for number in range(200)]
    async with Database(f"sqlite:///{file}") as database:
        await migrate.upgrade(database)
        mind = Mind(database)
        for number, canary in enumerate(canaries):
            where = (key("ann"), ROOM)[number % 2]
            await mind.say(f"my secret is {canary} " + "filler " * (number % 40), key=where)
            await mind.learn(new_fact(f"has the secret {canary}", value=canary))
            if number % 3 == 0:
                await mind.say(f"Ben talks {number}", by=BEN, key=ROOM)
        assert _found(tmp_path, canaries) == set(canaries)
        one = (await mind.ask(mind.memory.rights.facts, scope()))[0]
        assert await mind.ask(mind.memory.rights.forget_fact, scope(), one.number)
        await mind.memory.scrub()
        assert _found(tmp_path, canaries) == set(canaries) - {one.text.split()[-1]}
        await mind.memory.forget_person("fake", "bot", ANN.id)
        await mind.memory.scrub()
        assert _found(tmp_path, canaries) == set()
        room = await mind.memory.recent(scope(BEN, ROOM), 500)
        assert len(room.turns) == 2 * len(range(0, 200, 3))


def _found(folder: Path, words: list[str]) -> set[str]:
    data = b"".join(path.read_bytes() for path in folder.iterdir())
    return {word for word in words if word.encode() in data}
