"""One database: opening it, its transactions, and who may run on it."""

import asyncio
import fcntl
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, Self

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from hobnob.errors import MissingExtra, StoreError

BUSY_SECONDS = 10
"""How long a statement waits for another program's lock on an SQLite file."""


class Database:
    """Transactions on SQLite or PostgreSQL.

    Writers of this process take turns on SQLite, which has one writer anyway: waiting in a queue
    beats polling for a lock. Raises StoreError for everything that goes wrong, without the
    statement's values (they are people's words) and without the URL (it may hold a password).
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
        except ArgumentError:
            raise StoreError(
                "bot.toml: store.url is not a database URL. "
                'Write "sqlite:///hobnob.db" or "postgresql://user:password@host/name".'
            ) from None
        drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
        kind = parsed.get_backend_name()
        if kind not in drivers:
            raise StoreError(f"bot.toml: store.url: {kind} is not supported, only {list(drivers)}.")
        self.is_sqlite = kind == "sqlite"
        self.file = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self._url = parsed.set(drivername=drivers[kind])
        self._queue = asyncio.Lock()
        if self.file:
            self._make_folder(self.file.parent)
        try:
            self._engine = create_async_engine(self._url, hide_parameters=True, pool_pre_ping=True)
        except ImportError:
            raise MissingExtra(
                "PostgreSQL needs a library that is not installed: pip install 'hobnob[postgres]'"
            ) from None
        if self.is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        self._writer = self._engine.execution_options(hobnob_writes=True)

    def __str__(self) -> str:
        """Where it is, without a password."""
        plain = self._url.set(drivername=self._url.get_backend_name())
        return str(self.file) if self.file else plain.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Database({self})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that writes: committed at the end, or nothing of it happened."""
        with self._for_people():
            if not self.is_sqlite:
                async with self._writer.begin() as connection:
                    yield connection
            else:
                async with self._queue, self._writer.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the data."""
        with self._for_people():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def claim(self, platform: str) -> AsyncIterator[None]:
        """Be the only process that runs `platform` on this database: two would answer twice.

        Raises StoreError if another one does. Ends with the process, however that dies.
        """
        taken = StoreError(
            f"{platform} is already run on this database by another hobnob process. "
            "Stop that one first."
        )
        if self.file is not None:
            with _lock_file(self.file.with_name(f"{self.file.name}.{platform}.lock"), taken):
                yield
        elif self.is_sqlite:
            yield  # in memory: nobody else can see it
        else:
            number = zlib.crc32(f"hobnob {platform}".encode())
            async with self._engine.connect() as connection:
                with self._for_people():
                    held = await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number)))
                    await connection.commit()
                if not held:
                    raise taken
                try:
                    yield
                finally:
                    with self._for_people():
                        await connection.scalar(sa.select(sa.func.pg_advisory_unlock(number)))

    @contextmanager
    def _for_people(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            raise StoreError(self._explain(error)) from None

    def _explain(self, error: Exception) -> str:
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = " ".join(str(cause).split()).split(" DETAIL:")[0]  # which may quote people
        hints = {
            "readonly": "The file or its folder may not be written. Check owner and permissions.",
            "unable to open": "Check that the folder exists and may be written.",
            "locked": "Another program keeps it locked. Close that program.",
            "disk is full": "The disk is full. Make room; nothing is lost meanwhile.",
            "disk I/O": "The disk failed or is full.",
            "no such table": "Its tables are missing. Run `hobnob db upgrade`.",
            "does not exist": "Run `hobnob db upgrade`, or check the name in the URL.",
            "not a database": "This file is not an SQLite database. Name another in store.url.",
            "malformed": "The file is damaged. Restore a backup.",
            "password": "Check user and password in store.url.",
            "refused": "Nothing answers there. Is the server running?",
        }
        hint = next((text for sign, text in hints.items() if sign in said), "")
        return f"The database {self} failed: {said}. {hint}".rstrip()

    @staticmethod
    def _make_folder(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {folder} for the database cannot be made: {error.strerror}."
            ) from None


@contextmanager
def _lock_file(path: Path, taken: StoreError) -> Iterator[None]:
    try:
        file: IO[bytes] = path.open("ab")
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        yield


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # what was confirmed survives a power cut too
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("hobnob_writes")
    # A transaction that reads first and writes later could find its view outdated; IMMEDIATE
    # takes the writer's place at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
