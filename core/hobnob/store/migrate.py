"""The database's shape and its history: Alembic over `hobnob_migrations`."""

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import hobnob_migrations
from hobnob.errors import StoreError
from hobnob.store.database import Database


class State(StrEnum):
    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"


async def state(database: Database) -> State:
    """How the database's shape compares with what this version of hobnob needs."""
    return await database.read(_state)


async def upgrade(database: Database) -> State:
    """Bring the database to the shape that this version needs; the state before.

    Raises StoreError if a newer hobnob has changed it already.
    """

    def transaction(connection: Connection) -> State:
        before = _state(connection)
        if before in (State.EMPTY, State.BEHIND):
            command.upgrade(_config(connection), "head")
        return before

    before = await database.write(transaction)
    _refuse_newer(database, before)
    return before


async def require_current(database: Database) -> None:
    """Raise StoreError, saying what to do, unless the database has the shape that we need."""
    now = await state(database)
    _refuse_newer(database, now)
    if now is not State.CURRENT:
        raise StoreError(
            f"The database {database} is not prepared for this version of hobnob. "
            "Run `hobnob db upgrade BOT`."
        )


def _refuse_newer(database: Database, found: State) -> None:
    if found is State.NEWER:
        raise StoreError(
            f"The database {database} was written by a newer version of hobnob. "
            "Upgrade hobnob, or restore the backup made before that version ran."
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(hobnob_migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _state(connection: Connection) -> State:
    scripts = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return State.EMPTY
    if current == scripts.get_current_head():
        return State.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return State.BEHIND if current in known else State.NEWER
