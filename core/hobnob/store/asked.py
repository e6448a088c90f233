"""What a person was asked before it is done, or is being done for them: rows that say so through a
crash. What changes them in the transaction of an answer are parts of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hobnob.events import Event
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import asked, inbox

KEPT = timedelta(days=7)
"""What was begun and never ended is known for so long after its time."""

_THEIRS = sa.and_(
    asked.c.conversation_id == rows.THE_CONVERSATION, asked.c.author == sa.bindparam("author")
)
_SAID = (
    sa.select(inbox.c.event)
    .where(
        inbox.c.conversation_id == rows.THE_CONVERSATION,
        inbox.c.author == sa.bindparam("author"),
        inbox.c.received > sa.bindparam("since"),
    )
    .limit(2)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, with exactly what would be done."""

    code: str
    tool: str
    arguments: str
    """JSON."""
    at: datetime
    until: datetime
    run: str = ""
    """The id of the event for which it was begun; "": it was not."""


class SqlAsked:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, event: Event) -> Sequence[Asked]:
        """What the author of `event` was asked in its conversation, the oldest first."""
        query = sa.select(asked).where(_THEIRS).order_by(asked.c.at, asked.c.code)

        def transaction(connection: sa.Connection) -> Sequence[Asked]:
            return [_asked(row) for row in connection.execute(query, _values(event))]

        return await self._database.read(transaction)

    async def is_next(self, event: Event, since: datetime) -> bool:
        """Whether `event` is the first that its author said in its conversation after `since`, and
        the last."""
        values = {**_values(event), "since": since}

        def transaction(connection: sa.Connection) -> bool:
            return list(connection.scalars(_SAID, values)) == [event.id]

        return await self._database.read(transaction)

    async def begin(self, event: Event, one: Asked) -> bool:
        """It is about to be done, for `event`; False if it was begun before. Committed before
        anything is done. What somebody's own command asks for is `one` with its `run`."""
        change = asked.update().where(asked.c.code == one.code, asked.c.run.is_(None))

        def transaction(connection: sa.Connection) -> bool:
            if one.run:
                return _insert(connection, event, one)
            return bool(connection.execute(change.values(run=event.id)).rowcount)

        return await self._database.write(transaction)


def ask(connection: sa.Connection, event: Event, one: Asked) -> None:
    """Keep the question until it is answered, or its time is over."""
    _insert(connection, event, one)


def _insert(connection: sa.Connection, event: Event, one: Asked) -> bool:
    """False if it is there."""
    connection.execute(asked.delete().where(asked.c.until < one.at - KEPT))
    values = {
        "code": one.code,
        "conversation_id": rows.ensure_conversation(connection, event.key),
        "author": event.author.id,
        "tool": one.tool,
        "arguments": one.arguments,
        "at": one.at,
        "until": one.until,
        "run": one.run or None,
    }
    new = rows.insert(connection.dialect.name, asked).on_conflict_do_nothing()
    return connection.scalar(new.returning(asked.c.code), values) is not None


def drop(connection: sa.Connection, code: str) -> None:
    """It is answered."""
    connection.execute(asked.delete().where(asked.c.code == code))


def _values(event: Event) -> dict[str, str]:
    return {**rows.at(event.key), "author": event.author.id}


def _asked(row: Any) -> Asked:
    return Asked(
        code=row.code,
        tool=row.tool,
        arguments=row.arguments,
        at=row.at,
        until=row.until,
        run=row.run or "",
    )
