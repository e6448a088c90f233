"""A migrated database is the database that the code describes, and nothing else is touched."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hobnob.errors import StoreError
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.schema import metadata


async def test_a_migrated_schema_equals_a_fresh_one(database: Database) -> None:
    def differences(connection: sa.Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert await database.read(differences) == []


async def test_indexes_and_uniques_are_migrated_too(database: Database) -> None:
    def names(connection: sa.Connection) -> set[str | None]:
        inspector = sa.inspect(connection)
        return {
            found["name"]
            for table in metadata.tables
            for found in [*inspector.get_indexes(table), *inspector.get_unique_constraints(table)]
        }

    tables = metadata.tables.values()
    expected = {str(index.name) for table in tables for index in table.indexes} | {
        str(unique.name)
        for table in tables
        for unique in table.constraints
        if isinstance(unique, sa.UniqueConstraint)
    }
    assert expected <= {str(name) for name in await database.read(names)}


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert await migrate.upgrade(database) is migrate.State.CURRENT


async def test_a_newer_database_is_refused_and_left_alone(database: Database) -> None:
    change = sa.text("UPDATE alembic_version SET version_num = '9999'")
    await database.write(lambda connection: connection.execute(change) and None)
    with pytest.raises(StoreError, match="newer version of hobnob"):
        await migrate.upgrade(database)
    with pytest.raises(StoreError, match="newer version of hobnob"):
        await migrate.require_current(database)


async def test_an_unprepared_server_is_told_how_to_prepare(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'empty.db'}") as database:
        with pytest.raises(StoreError, match="hobnob db upgrade"):
            await migrate.require_current(database)
