"""Transactions on PostgreSQL: a thread and a connection for each that is under way."""

import asyncio
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from hobnob.errors import MissingExtra

T = TypeVar("T")

AT_ONCE = 8
"""Transactions under way at once."""
WORDS = ("turn", "recall", "recall_tokens", "fact", "summary", "inbox", "outbox", "schedule")
"""Tables that hold what people said, or what was made of it."""
BUSY_SECONDS = 10
"""How long a statement waits for another program's lock."""
# A server that is gone is noticed, not waited for (libpq's connection parameters). A thread can't
# be cancelled, so without limits it would keep us from stopping.
LIMITS = {
    "connect_timeout": "10",
    "tcp_user_timeout": "20000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
}


class Postgres:
    def __init__(self, url: sa.URL) -> None:
        url = url.set(drivername="postgresql+psycopg")
        try:
            self._engine = sa.create_engine(
                url.update_query_dict(LIMITS | dict(url.query)),
                hide_parameters=True,
                pool_pre_ping=True,
                pool_size=AT_ONCE,
            )
        except ImportError:
            raise MissingExtra(
                "PostgreSQL needs a library that is not installed: pip install 'hobnob[postgres]'"
            ) from None
        event.listen(self._engine, "connect", _prepare)
        # Each statement sees what is committed by then, within a transaction and without one: to
        # read we need not go to the server for BEGIN and COMMIT.
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(AT_ONCE, "postgresql")

    async def write(self, transaction: Callable[[sa.Connection], T]) -> T:
        return await self._in_a_thread(lambda: _run(self._engine, transaction))

    async def read(self, transaction: Callable[[sa.Connection], T]) -> T:
        return await self._in_a_thread(lambda: _run(self._reader, transaction))

    async def view(self, transaction: Callable[[sa.Connection], T]) -> T:
        return await self.write(transaction)

    async def scrub(self) -> None:
        def work() -> None:
            with self._reader.connect() as connection:
                for table in WORDS:
                    connection.exec_driver_sql(f"VACUUM {table}")

        await self._in_a_thread(work)

    async def lock(self, name: str) -> sa.Connection | None:
        """A connection that holds an advisory lock until `unlock`; None: another holds it."""
        query = sa.select(sa.func.pg_try_advisory_lock(zlib.crc32(name.encode())))

        def work() -> sa.Connection | None:
            connection = self._reader.connect()
            if connection.scalar(query):
                return connection
            connection.close()
            return None

        return await self._in_a_thread(work)

    async def unlock(self, connection: sa.Connection) -> None:
        def work() -> None:
            with suppress(SQLAlchemyError):  # the server may be gone, and the lock with it
                # Said, since the server notices only later that a connection was closed.
                connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))
            connection.invalidate()  # a connection that went back to the pool would hold the lock
            connection.close()

        await self._in_a_thread(work)

    async def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        under_way = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Who waits may give up: the work is carried out all the same, and asyncio need not report
        # that nobody heard how it failed.
        under_way.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(under_way)


def _run(engine: sa.Engine, transaction: Callable[[sa.Connection], T]) -> T:
    with engine.begin() as connection:
        return transaction(connection)


def _prepare(connection: Any, _record: object) -> None:
    connection.execute(f"SET lock_timeout = {BUSY_SECONDS * 1000}")
    connection.commit()
