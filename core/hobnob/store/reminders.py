"""What people want to be reminded of, and have to do: rows of `schedule`, each with a number of
its person's own. What changes them are parts of a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Event
from hobnob.store import links, rows
from hobnob.store import schedule as schedules
from hobnob.store.database import Database
from hobnob.store.schema import conversation, reminder, schedule, zone

REMINDER, TODO, ASKED = "reminder", "todo", "asked"
"""The jobs in `schedule`. "asked" is one whose time is not clear yet: nothing comes of it."""
KINDS = (REMINDER, TODO, ASKED)
MOST_OVER = 20
"""Reminders that rang are kept so long as there are no more, so that they can ring once more."""

QUERY = (
    sa.select(
        schedule.c.id,
        schedule.c.job,
        schedule.c.event,
        schedule.c.rule,
        schedule.c.zone,
        schedule.c.due,
        reminder.c.number,
        reminder.c.language,
    )
    .join_from(schedule, reminder)
    .join(conversation)
)
HIGHEST = sa.select(sa.func.max(reminder.c.number)).where(
    reminder.c.author == sa.bindparam("author")
)
ZONE = sa.select(zone.c.name).where(
    zone.c.platform == sa.bindparam("key_platform"),
    zone.c.account == sa.bindparam("key_account"),
    zone.c.author == sa.bindparam("author"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    row: int
    number: int
    kind: str
    event: Event
    """What was asked for, by whom, where and when. Its text is what is to be done; of one whose
    time is not clear, the whole request."""
    rule: str
    zone: str
    due: datetime | None
    """None: it is over, or has no time."""
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """What there is of one person."""

    reminders: Sequence[Reminder]
    """In the order of their numbers: those that may be spoken of here."""
    next_number: int
    zone: str
    """"": they never named one, and were not told which is taken."""
    incognito: bool
    """What is said here is not remembered."""


class SqlReminders:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, event: Event, *, everywhere: bool) -> Theirs:
        """What the author of `event` has; all of it, or only what was said in this conversation."""
        key, author = event.key, event.author.id
        query = QUERY.where(schedule.c.author == author, rows.one_of(schedule.c.job, KINDS))
        if everywhere:
            c = conversation.c
            query = query.where(c.platform == key.platform, c.account == key.account)
        else:
            query = query.where(schedule.c.conversation_id == rows.THE_CONVERSATION)

        def transaction(connection: sa.Connection) -> Theirs:
            values = {**rows.at(key), "author": author}
            found = connection.execute(query.order_by(reminder.c.number), rows.at(key)).all()
            return Theirs(
                reminders=[_reminder(row) for row in found],
                next_number=(connection.scalar(HIGHEST, values) or 0) + 1,
                zone=connection.scalar(ZONE, values) or "",
                incognito=bool(connection.scalar(links.INCOGNITO, values)),
            )

        return await self._database.read(transaction)

    async def zone_of(self, event: Event) -> str:
        """The time zone that the author of `event` lives in; "" if they never said."""
        values = {**rows.at(event.key), "author": event.author.id}

        def transaction(connection: sa.Connection) -> str:
            return connection.scalar(ZONE, values) or ""

        return await self._database.read(transaction)

    async def find(self, row: int) -> Reminder | None:
        """The one with this row in `schedule`."""
        query = QUERY.where(schedule.c.id == row, rows.one_of(schedule.c.job, KINDS))

        def transaction(connection: sa.Connection) -> Reminder | None:
            found = connection.execute(query).first()
            return _reminder(found) if found else None

        return await self._database.read(transaction)


def add(connection: sa.Connection, new: Reminder) -> None:
    """Add it, under its number. If that is taken (by the same person, in another conversation, at
    the same moment), the database refuses it, and it is tried again with the next."""
    row = schedules.add(
        connection, new.event, job=new.kind, due=new.due, rule=new.rule, zone=new.zone
    )
    values = {
        "schedule_id": row,
        "author": new.event.author.id,
        "number": new.number,
        "language": new.language,
    }
    connection.execute(reminder.insert(), values)


def tidy(connection: sa.Connection, key: ConversationKey, author: str) -> None:
    """Drop those of a person's reminders that rang long ago."""
    here = sa.and_(conversation.c.platform == key.platform, conversation.c.account == key.account)
    over = (
        sa.select(schedule.c.id)
        .join_from(schedule, reminder)
        .join(conversation)
        .where(here, schedule.c.author == author, schedule.c.due.is_(None))
        .where(rows.one_of(schedule.c.job, (REMINDER, ASKED)))
        .order_by(reminder.c.number.desc())
        .offset(MOST_OVER)
        .limit(1000)
    )
    for row in connection.scalars(over).all():
        schedules.drop(connection, row)


def set_zone(connection: sa.Connection, key: ConversationKey, author: str, name: str) -> None:
    values = {"platform": key.platform, "account": key.account, "author": author, "name": name}
    new = rows.insert(connection.dialect.name, zone)
    newer = new.on_conflict_do_update(
        index_elements=list(zone.primary_key), set_={"name": new.excluded.name}
    )
    connection.execute(newer, values)


def _reminder(row: Any) -> Reminder:
    return Reminder(
        row=row.id,
        number=row.number,
        kind=row.job,
        event=rows.load(row.event),
        rule=row.rule,
        zone=row.zone,
        due=row.due,
        language=row.language,
    )
