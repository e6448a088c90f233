"""One database: opening it, its transactions, and who may run on it."""

import fcntl
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from hobnob.errors import StoreError, StoreRefused
from hobnob.store.postgres import Postgres
from hobnob.store.sqlite import Sqlite

T = TypeVar("T")
Transaction = Callable[[sa.Connection], T]


class Database:
    """Transactions on SQLite or PostgreSQL.

    A transaction is a plain function of a connection. It runs in a thread as a whole, which costs
    one hop to a thread and not one for each statement (docs/decisions.md has the measurement). It
    may be run again if it failed. What was handed over is carried out: whoever gives up waiting
    undoes nothing.

    Raises StoreError for everything that goes wrong with the database, and StoreRefused where it is
    a value that goes wrong, and will each time; both without the statement's values (they are
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
        self._engine = Sqlite(parsed) if self.is_sqlite else Postgres(parsed)
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
        """Run a transaction that only reads; it sees all that was committed before."""
        with self._for_people():
            return await self._engine.read(transaction)

    async def view(self, transaction: Transaction[T]) -> T:
        """Like `read`, with what the transaction sets for itself (`SET LOCAL`) in force."""
        with self._for_people():
            return await self._engine.view(transaction)

    async def scrub(self) -> None:
        """See to it that what was deleted and committed is in no file of the database any more.

        SQLite zeroes what is deleted (secure_delete), but its log of the last transactions still
        holds the pages as they were: they are written to the database, and the log is emptied.
        PostgreSQL keeps rows that were deleted until a VACUUM.
        """
        with self._for_people():
            await self._engine.scrub()

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
        elif isinstance(self._engine, Postgres):
            with self._for_people():
                claimed = await self._engine.lock(f"hobnob {platform}")
            if claimed is None:
                raise taken
            try:
                yield
            finally:
                await self._engine.unlock(claimed)
        else:
            yield  # in memory: nobody else can see it

    @contextmanager
    def _for_people(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            kind = StoreRefused if _is_final(error) else StoreError
            raise kind(self._explain(error)) from None
        except (OverflowError, UnicodeEncodeError) as error:  # SQLite's driver, of a value
            raise StoreRefused(self._explain(error)) from None

    def _explain(self, error: Exception) -> str:
        cause = error.orig if isinstance(error, StatementError) else error
        said = " ".join(str(cause).split()).split(" DETAIL:")[0]  # which may quote people
        if isinstance(error, DataError):
            said = said.split(': "')[0]  # so may what stands there
        hints = {
            "readonly": "The file or its folder may not be written. Check owner and permissions.",
            "unable to open": "Check that the folder exists and may be written.",
            "locked": "Another program keeps it locked. Close that program.",
            "lock timeout": "Another program keeps it locked. Close that program.",
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


def _is_final(error: Exception) -> bool:
    """It is the value, or what we do with it: trying again cannot help, and others may go on."""
    if not isinstance(error, StatementError):
        return False
    if not isinstance(error, DBAPIError):  # refused on the way to the driver
        return not isinstance(error.orig, SQLAlchemyError)
    state = getattr(error.orig, "sqlstate", None) or ""  # PostgreSQL's, if it got that far
    too_long = state.startswith("54")
    # With one it is about a table or a right that is missing, which the owner can mend.
    misused = isinstance(error, ProgrammingError) and not state
    return too_long or misused or isinstance(error, DataError | IntegrityError)


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
