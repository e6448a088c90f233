"""What is to happen at its time. Our own table is the truth: what is due comes in as an event, in
the same transaction that says when it is due again, so that each time it comes exactly once."""

import logging
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Event, Kind
from hobnob.ports import Clock
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.inbox import store
from hobnob.store.schema import conversation, schedule

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
_ID = re.compile(r"schedule:([0-9]+):.*")
NextDue = Callable[[str, str, datetime], datetime | None]
"""When a rule is due next, in a time zone, after a moment."""
BROKEN = (ValueError, LookupError, OSError)
"""What comes of a row that can't be understood: `ZoneInfo` raises any of these."""


def add(
    connection: sa.Connection,
    event: Event,
    *,
    job: str,
    due: datetime | None,
    rule: str = "",
    zone: str = "UTC",
) -> int:
    """Let `event` come in when it is due, as one of the kind `scheduled`, and with a rule again and
    again; with no `due`, only once it is moved. Its author may take it back. Its id is set then,
    and its time is when it was due. The number by which it is known."""
    values = {
        "conversation_id": rows.ensure_conversation(
            connection, event.key, direct=event.addressed is Addressed.DIRECT
        ),
        "job": job,
        "author": event.author.id,
        "event": rows.dump(replace(event, kind=Kind.SCHEDULED, message="")),
        "rule": rule,
        "zone": zone,
        "due": due,
    }
    made = connection.scalar(schedule.insert().values(values).returning(schedule.c.id))
    assert made is not None  # noqa: S101 - RETURNING gives it
    return int(made)


def move(connection: sa.Connection, number: int, due: datetime) -> None:
    """It is due at another time, even if it was over."""
    connection.execute(schedule.update().where(schedule.c.id == number).values(due=due))


def number_of(event: Event) -> int | None:
    """The number by which what came in when it was due is known; None for any other event."""
    found = _ID.fullmatch(event.id)
    return int(found[1]) if found else None


def put_off(connection: sa.Connection, event: Event, due: datetime) -> None:
    """Let what came in come again, at the latest then."""
    number = number_of(event)
    row = connection.execute(sa.select(schedule).where(schedule.c.id == number)).first()
    if row is None:
        return
    kept = rows.load(row.event)
    if kept == replace(event, id=kept.id, at=kept.at):  # else it is another of the same number
        move(connection, row.id, min(due, row.due or due))


def drop(connection: sa.Connection, number: int) -> None:
    """It never happens again, and nothing of it is kept."""
    connection.execute(schedule.delete().where(schedule.c.id == number))


class SqlSchedule:
    def __init__(self, database: Database, clock: Clock, next_due: NextDue) -> None:
        self._database = database
        self._clock = clock
        self._next_due = next_due
        self._aside: set[int] = set()
        """Rows that can't be understood: left as they are, and looked at again at the next start,
        when the owner may have mended what is missing (time zones, say)."""

    async def ring(self, platforms: Collection[str]) -> Sequence[ConversationKey]:
        """Let come in what is due on these platforms; the conversations that it is about. Of what
        was due several times meanwhile, one comes, the first. What can't be understood is set
        aside, and holds up nothing else. Raises StoreError."""
        now = self._clock.now()
        due = (
            sa.select(schedule, *rows.KEY)
            .join_from(schedule, conversation)
            .where(schedule.c.due <= now, conversation.c.platform.in_(platforms))
            .where(schedule.c.id.not_in(self._aside))
            .order_by(schedule.c.due)
            .limit(MOST_AT_ONCE)
        )

        def look(connection: sa.Connection) -> bool:
            return connection.execute(due.limit(1)).first() is not None

        aside: dict[int, str] = {}

        def transaction(connection: sa.Connection) -> Sequence[ConversationKey]:
            keys = []
            for row in connection.execute(due).all():
                try:
                    event, again = self._read(row, now)
                except BROKEN as error:
                    aside[row.id] = f"{row.job!r}, {row.rule!r} in {row.zone!r}: {_in_short(error)}"
                    continue
                store(connection, event, now)
                connection.execute(
                    schedule.update().where(schedule.c.id == row.id).values(due=again)
                )
                keys.append(event.key)
            return keys

        if not await self._database.read(look):
            return []
        keys = await self._database.write(transaction)
        for number, why in aside.items():
            log.error("schedule %d is due, can't be understood and stays away: %s", number, why)
        self._aside.update(aside)
        return keys

    async def broken(self) -> int:
        """How many can't be understood, of what is still to come."""
        now = self._clock.now()
        query = sa.select(schedule).where(schedule.c.due.is_not(None))

        def is_broken(row: Any) -> bool:
            try:
                self._read(row, now)
            except BROKEN:
                return True
            return False

        return await self._database.read(
            lambda connection: sum(map(is_broken, connection.execute(query)))
        )

    def _read(self, row: Any, now: datetime) -> tuple[Event, datetime | None]:
        """What comes in, and when again. Raises one of `BROKEN`."""
        id_ = f"schedule:{row.id}:{row.due.timestamp():.0f}"
        event = replace(rows.load(row.event), id=id_, at=row.due)
        return event, self._next_due(row.rule, row.zone, now) if row.rule else None


def _in_short(error: Exception) -> str:
    """Pydantic's errors quote what they are about."""
    return f"{error.error_count()} errors" if isinstance(error, ValidationError) else str(error)
