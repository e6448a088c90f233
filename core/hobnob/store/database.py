"""One database: opening it, its transactions, and who may run on it."""

import asyncio
import fcntl
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import QueuePool

from hobnob.errors import MissingExtra, StoreError

T = TypeVar("T")
Transaction = Callable[[sa.Connection], T]

BUSY_SECONDS = 10
"""How long a statement waits for another program's lock on an SQLite file."""


class Database:
    """Transactions on SQLite or PostgreSQL.

    A transaction is a plain function of a connection. On PostgreSQL it runs on SQLAlchemy's async
    engine; on SQLite in a thread of its own, one for all writers (SQLite has one writer anyway)
    and one for readers: one hop to a thread for a transaction, not four for each statement
    (docs/decisions.md has the measurement). Being cancelled while one runs does not undo it.

    Raises StoreError for everything that goes wrong, without the statement's values (they are
    people's words) and without the URL (it may hold a password).
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
        except ArgumentError:
            raise StoreError(
                "bot.toml: store.url is not a database URL. "
                'Write "sqlite:///hobnob.db" or "postgresql://user:password@host/name".'
            ) from None
        kind = parsed.get_backend_name()
        if kind not in ("sqlite", "postgresql"):
            raise StoreError(
                f"bot.toml: store.url: {kind} is not supported, only sqlite and postgresql."
            )
        self.is_sqlite = kind == "sqlite"
        self.file = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self._url = parsed
        self._engine = _Threads(parsed) if self.is_sqlite else _Async(parsed)
        if self.file:
            _make_folder(self.file.parent)

    def __str__(self) -> str:
        """Where it is, without a password."""
        return str(self.file) if self.file else self._url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Database({self})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._engine.close()

    async def write(self, transaction: Transaction[T]) -> T:
        """Run a transaction that writes: committed at the end, or nothing of it happened."""
        with self._for_people():
            return await self._engine.write(transaction)

    async def read(self, transaction: Transaction[T]) -> T:
        """Run a transaction that only reads, on one consistent view of the data."""
        with self._for_people():
            return await self._engine.read(transaction)

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
        elif isinstance(self._engine, _Async):
            with self._for_people():
                claimed = await self._engine.lock(f"hobnob {platform}")
            if claimed is None:
                raise taken
            try:
                yield
            finally:
                await claimed.invalidate()  # a connection that went back to the pool would hold it
                await claimed.close()
        else:
            yield  # in memory: nobody else can see it

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


class _Async:
    """PostgreSQL, on SQLAlchemy's async engine."""

    def __init__(self, url: sa.URL) -> None:
        try:
            self._engine = create_async_engine(
                url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True
            )
        except ImportError:
            raise MissingExtra(
                "PostgreSQL needs a library that is not installed: pip install 'hobnob[postgres]'"
            ) from None

    async def write(self, transaction: Transaction[T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(transaction)

    read = write

    async def lock(self, name: str) -> AsyncConnection | None:
        """A connection that holds an advisory lock until it is closed; None: another holds it."""
        number = zlib.crc32(name.encode())
        connection = await self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        if await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))):
            return connection
        await connection.close()
        return None

    async def close(self) -> None:
        await self._engine.dispose()


class _Threads:
    """SQLite, on a thread for those who write and one for those who read."""

    def __init__(self, url: sa.URL) -> None:
        options: dict[str, Any] = {"hide_parameters": True, "poolclass": QueuePool}
        self._engine = sa.create_engine(url.set(drivername="sqlite+pysqlite"), **options)
        event.listen(self._engine, "connect", _prepare_sqlite)
        event.listen(self._engine, "begin", _begin_sqlite)
        self._writer = self._engine.execution_options(hobnob_writes=True)
        self._writers = ThreadPoolExecutor(1, "sqlite writer")
        self._readers = ThreadPoolExecutor(1, "sqlite reader")

    async def write(self, transaction: Transaction[T]) -> T:
        def run() -> T:
            with self._writer.begin() as connection:
                return transaction(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writers, run)

    async def read(self, transaction: Transaction[T]) -> T:
        def run() -> T:
            with self._engine.begin() as connection:
                return transaction(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


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
