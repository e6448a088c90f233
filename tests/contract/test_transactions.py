"""What a transaction promises, on SQLite, where many share a commit, and on PostgreSQL."""

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from hobnob.errors import StoreError
from hobnob.store import migrate
from hobnob.store.database import Database, Transaction
from hobnob.store.schema import cursor

VALUES = sa.select(cursor.c.value)


def keep(name: str) -> Transaction[None]:
    """Writes one row."""
    row = {"platform": "fake", "account": "bot", "name": name, "value": name}

    def transaction(connection: sa.Connection) -> None:
        connection.execute(cursor.insert(), row)

    return transaction


async def kept(database: Database) -> set[str]:
    return set(await database.read(lambda connection: connection.scalars(VALUES).all()))


NAMES = {f"cursor {number}" for number in range(60)}


async def test_all_that_write_at_once_are_kept(database: Database) -> None:
    await asyncio.gather(*(database.write(keep(name)) for name in NAMES))
    assert await kept(database) == NAMES


async def test_one_that_fails_takes_no_other_with_it(database: Database) -> None:
    def fail(connection: sa.Connection) -> None:
        keep("of the one that fails")(connection)
        raise ValueError("boom")

    writes = [*(database.write(keep(name)) for name in NAMES), database.write(fail)]
    *done, failed = await asyncio.gather(*writes, return_exceptions=True)
    assert done == [None] * len(NAMES)
    assert isinstance(failed, ValueError)
    assert await kept(database) == NAMES


async def test_one_that_cannot_be_committed_takes_no_other_with_it(sqlite: Database) -> None:
    def orphan(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # noticed by COMMIT
        connection.exec_driver_sql(
            "INSERT INTO turn (conversation_id, position, role, author, name, text, at, message) "
            "VALUES (7, 0, '', '', '', '', '', '')"
        )

    writes = [*(sqlite.write(keep(name)) for name in NAMES), sqlite.write(orphan)]
    *done, failed = await asyncio.gather(*writes, return_exceptions=True)
    assert done == [None] * len(NAMES)
    assert isinstance(failed, StoreError)
    assert await kept(sqlite) == NAMES


async def test_who_is_told_is_told_after_the_commit(sqlite: Database) -> None:
    other = sqlite3.connect(str(sqlite.file), isolation_level=None)

    async def keep_and_look(name: str) -> bool:
        await sqlite.write(keep(name))
        found = other.execute("SELECT count(*) FROM cursor WHERE name = ?", [name]).fetchone()
        return bool(found[0])

    try:
        assert all(await asyncio.gather(*map(keep_and_look, NAMES)))
    finally:
        other.close()


async def test_those_that_wait_share_a_commit(sqlite: Database) -> None:
    commits: list[object] = []
    sa.event.listen(sqlite._engine._engine, "commit", commits.append)
    await asyncio.gather(*(sqlite.write(keep(name)) for name in NAMES))
    assert len(commits) == 2  # the first, and all that came while it was under way


async def test_who_gives_up_waiting_undoes_nothing(database: Database) -> None:
    tasks = [asyncio.create_task(database.write(keep(name))) for name in NAMES]
    await asyncio.sleep(0)  # all are handed over
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    async with asyncio.timeout(5):
        while await kept(database) != NAMES:
            await asyncio.sleep(0.01)


async def test_nobody_is_bothered_with_what_nobody_waits_for(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(connection: sa.Connection) -> None:
        raise ValueError("words of Ann's")

    task = asyncio.create_task(database.write(fail))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await database.write(keep("later"))
    del task
    gc.collect()
    assert caplog.text == ""


async def test_closing_carries_out_what_waits(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as database:
        await migrate.upgrade(database)
        writes = [asyncio.create_task(database.write(keep(name))) for name in NAMES]
        await asyncio.sleep(0)  # all are handed over
    await asyncio.gather(*writes)


async def test_a_lock_of_another_program_is_waited_for_once_by_all(sqlite: Database) -> None:
    def hurry(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout = 300")

    await sqlite.read(hurry)
    other = sqlite3.connect(str(sqlite.file), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(10):  # 60 times 300 ms are more
            writes = (sqlite.write(keep(name)) for name in NAMES)
            failed = await asyncio.gather(*writes, return_exceptions=True)
        assert all(isinstance(error, StoreError) for error in failed)
        assert "locked" in str(failed[0])
        other.execute("ROLLBACK")
        await sqlite.write(keep("later"))
        assert await kept(sqlite) == {"later"}
    finally:
        other.close()


async def test_a_read_sees_what_was_written_before(database: Database) -> None:
    for name in sorted(NAMES):
        await database.write(keep(name))
        assert name in await kept(database)
