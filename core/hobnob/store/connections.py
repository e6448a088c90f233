"""How the connections to the platforms are doing, noted by the program that has them for
`hobnob platforms`, which is another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from hobnob.health import Health
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import connection as table

_HEALTH = TypeAdapter(Health)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """How a connection was doing."""

    platform: str
    health: Health
    at: datetime


async def note(database: Database, found: Mapping[str, Health], at: datetime) -> None:
    """How the connection to each platform is doing now."""

    def transaction(connection: sa.Connection) -> None:
        row = rows.insert(connection.dialect.name, table)
        row = row.on_conflict_do_update(
            index_elements=["platform"],
            set_={"health": row.excluded.health, "at": row.excluded.at},
        )
        for platform, health in found.items():
            written = _HEALTH.dump_json(health).decode()
            connection.execute(row, {"platform": platform, "health": written, "at": at})

    await database.write(transaction)


async def noted(database: Database) -> list[Noted]:
    """What was noted last of each platform, by name."""

    def transaction(connection: sa.Connection) -> list[Noted]:
        found = connection.execute(sa.select(table).order_by(table.c.platform))
        return [
            Noted(platform=row.platform, health=_HEALTH.validate_json(row.health), at=row.at)
            for row in found
        ]

    return await database.read(transaction)
