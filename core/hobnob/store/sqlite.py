"""Transactions on SQLite: one thread carries out all that wait, together."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

T = TypeVar("T")

BUSY_SECONDS = 10
"""How long a statement waits for another program's lock on the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A transaction, and who waits for what comes of it."""

    transaction: Callable[[sa.Connection], Any]
    writes: bool
    outcome: asyncio.Future[Any]


class Sqlite:
    """One thread, which works in rounds.

    What comes while the thread is at work waits, and the next round takes all of it at once. So
    under load many transactions share a hop to the thread, a COMMIT and the wait for the disk.
    Each caller is told only after that COMMIT. One that fails takes no other with it: a round
    that fails is done again, each transaction by itself.
    """

    def __init__(self, url: sa.URL) -> None:
        self._engine = sa.create_engine(
            url.set(drivername="sqlite+pysqlite"), hide_parameters=True, poolclass=QueuePool
        )
        event.listen(self._engine, "connect", _prepare)
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._waiting: list[_Job] = []
        self._round: asyncio.Future[list[Any]] | None = None

    async def write(self, transaction: Callable[[sa.Connection], T]) -> T:
        return await self._queue(transaction, writes=True)

    async def read(self, transaction: Callable[[sa.Connection], T]) -> T:
        return await self._queue(transaction, writes=False)

    view = read

    async def scrub(self) -> None:
        def checkpoint(connection: sa.Connection) -> None:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if busy:
                raise sqlite3.OperationalError("database is locked by a program that reads it")

        def work() -> None:
            with self._engine.connect() as connection:
                checkpoint(connection)

        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        """Carry out what waits, and end."""
        while self._round is not None:
            await asyncio.wait([self._round])
        self._thread.shutdown()
        self._engine.dispose()

    async def _queue(self, transaction: Callable[[sa.Connection], T], *, writes: bool) -> T:
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(transaction=transaction, writes=writes, outcome=outcome))
        if self._round is None:
            self._start()
        return await outcome

    def _start(self) -> None:
        """Send what waits to the thread."""
        jobs, self._waiting = self._waiting, []

        def ended(round_: asyncio.Future[list[Any]]) -> None:
            self._round = None
            if self._waiting:
                self._start()
            for job, outcome in zip(jobs, round_.result(), strict=True):
                if job.outcome.cancelled():
                    continue  # done all the same
                if isinstance(outcome, Exception):
                    job.outcome.set_exception(outcome)
                else:
                    job.outcome.set_result(outcome)

        loop = asyncio.get_running_loop()
        self._round = loop.run_in_executor(self._thread, self._carry_out, jobs)
        self._round.add_done_callback(ended)

    def _carry_out(self, jobs: Sequence[_Job]) -> list[Any]:
        """In the thread: what comes of each job, a value or an exception."""
        # A transaction that reads first and writes later could find its view outdated; IMMEDIATE
        # takes the writer's place at once.
        begin = "BEGIN IMMEDIATE" if any(job.writes for job in jobs) else "BEGIN"
        try:
            with self._engine.begin() as connection:
                try:
                    connection.exec_driver_sql(begin)
                except DBAPIError as locked:
                    return [locked] * len(jobs)  # one by one they would only wait longer
                return [job.transaction(connection) for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
        return [self._carry_out([job])[0] for job in jobs]


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # what was confirmed survives a power cut too
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros
    cursor.close()
