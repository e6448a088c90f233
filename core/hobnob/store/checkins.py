"""Who asked to be written to first, and what a visit to them may be about. What changes it are
parts of a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hobnob.events import Addressed, Event, Kind, Role
from hobnob.recollection import Scope
from hobnob.store import facts, links, reminders, rows
from hobnob.store import schedule as schedules
from hobnob.store.database import Database
from hobnob.store.schema import checkin, checkin_said, conversation, inbox, promise, schedule, turn

CHECKIN, PROMISE = "checkin", "promise"
"""The jobs in `schedule`."""
KEPT = timedelta(days=500)
"""How long it is known what was said: a birthday comes once a year."""
MOST_TURNS = 500

_CHECKIN = (
    sa.select(schedule, checkin.c.language, checkin.c.daily)
    .join_from(schedule, checkin)
    .where(schedule.c.author == sa.bindparam("author"))
)
HERE = _CHECKIN.where(schedule.c.conversation_id == rows.THE_CONVERSATION)
_PERSON = (
    sa.select(conversation.c.person)
    .where(conversation.c.id == rows.THE_CONVERSATION)
    .scalar_subquery()
)
ELSEWHERE = (
    sa.select(schedule.c.id)
    .join_from(schedule, checkin)
    .join(conversation, conversation.c.id == schedule.c.conversation_id)
    .where(
        schedule.c.due.is_not(None),
        conversation.c.person == _PERSON,
        conversation.c.id != rows.THE_CONVERSATION,
    )
)
"""Where the person of a conversation linked others with it."""
HEARD = sa.select(sa.func.max(inbox.c.received)).where(
    inbox.c.conversation_id == rows.THE_CONVERSATION,
    inbox.c.author == sa.bindparam("author"),
    inbox.c.kind != Kind.SCHEDULED.value,
)
NEWEST = sa.select(sa.func.max(turn.c.id)).where(
    turn.c.conversation_id == rows.THE_CONVERSATION, turn.c.role == Role.ASSISTANT.value
)
SINCE = (
    sa.select(turn.c.text, turn.c.at)
    .where(
        turn.c.conversation_id == rows.THE_CONVERSATION,
        turn.c.author == sa.bindparam("author"),
        turn.c.role == Role.USER.value,
        turn.c.at > sa.bindparam("since", type_=turn.c.at.type),
    )
    .order_by(turn.c.position.desc())
    .limit(MOST_TURNS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkin:
    """That somebody wants to be written to first."""

    row: int
    """In `schedule`."""
    language: str
    daily: bool
    """With a question every day."""
    rule: str
    zone: str
    due: datetime | None
    """None: they took it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    checkin: Checkin | None
    zone: str
    """"": they never named one."""
    incognito: bool
    promises: int
    """That are still to be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    what: str
    about: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A fact about them."""

    row: int
    text: str
    value: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What we said that we would do."""

    turn: int
    text: str
    at: datetime
    zone: str
    """Whose clock it was about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """All that matters for what is said when a row of theirs is due."""

    event: Event
    """As it was kept."""
    job: str
    """CHECKIN, the daily visit, or PROMISE."""
    promised: Promised | None
    checkin: Checkin | None
    """None: they never asked, or took it back."""
    zone: str
    incognito: bool
    elsewhere: bool
    """They are written to in another conversation, which they linked with this one."""
    heard: datetime | None
    """When they last wrote here, or reacted."""
    said: Sequence[Said]
    """Oldest first."""
    birthday: Known | None
    plans: Sequence[Known]
    """Whose day was over in the last days."""

    @property
    def unanswered(self) -> int:
        """How often they were written to since."""
        return sum(self.heard is None or each.at > self.heard for each in self.said)


class SqlCheckins:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, event: Event) -> Theirs:
        """What the author of an event asked for in this conversation."""
        promises = sa.select(sa.func.count()).where(
            schedule.c.conversation_id == rows.THE_CONVERSATION,
            schedule.c.author == sa.bindparam("author"),
            schedule.c.job == PROMISE,
            schedule.c.due.is_not(None),
        )

        def transaction(connection: sa.Connection) -> Theirs:
            values = {**rows.at(event.key), "author": event.author.id}
            return Theirs(
                checkin=_checkin(connection.execute(HERE, values).first()),
                zone=connection.scalar(reminders.ZONE, values) or "",
                incognito=bool(connection.scalar(links.INCOGNITO, values)),
                promises=connection.scalar(promises, values) or 0,
            )

        return await self._database.read(transaction)

    async def visit(self, row: int, now: datetime, since: datetime) -> Visit | None:
        """What there is for the one with this row in `schedule`, and the plans that were over
        since then."""
        ours = sa.select(schedule.c.event, schedule.c.job).where(
            schedule.c.id == row, rows.one_of(schedule.c.job, (CHECKIN, PROMISE))
        )
        promised = (
            sa.select(turn.c.id, turn.c.text, turn.c.at, schedule.c.zone)
            .join_from(promise, turn)
            .join(schedule, schedule.c.id == promise.c.schedule_id)
            .where(promise.c.schedule_id == row)
        )
        # Where two are due at the same moment, one of them has to come.
        later = ELSEWHERE.where(schedule.c.id > row)

        def transaction(connection: sa.Connection) -> Visit | None:
            found = connection.execute(ours).first()
            if found is None:
                return None
            event = rows.load(found.event)
            key, author = event.key, event.author.id
            values = {**rows.at(key), "author": author}
            theirs = _checkin(connection.execute(HERE, values).first())
            words = connection.execute(promised).first() if found.job == PROMISE else None
            scope = Scope(key=key, asker=author, direct=event.addressed is Addressed.DIRECT)
            born = facts.latest(connection, scope, "birthday", now)
            return Visit(
                event=event,
                job=found.job,
                promised=_promised(words) if words else None,
                checkin=theirs if theirs and theirs.due else None,
                zone=connection.scalar(reminders.ZONE, values) or "",
                incognito=bool(connection.scalar(links.INCOGNITO, values)),
                elsewhere=connection.scalar(later, values) is not None,
                heard=connection.scalar(HEARD, values),
                said=_said(connection, theirs.row) if theirs else (),
                birthday=_known(born) if born else None,
                plans=[_known(each) for each in facts.over(connection, scope, since, now)],
            )

        return await self._database.read(transaction)

    async def spoken(self, event: Event, since: datetime) -> Sequence[tuple[str, datetime]]:
        """What the author of an event said here since then."""
        values = {**rows.at(event.key), "author": event.author.id, "since": since}

        def transaction(connection: sa.Connection) -> Sequence[tuple[str, datetime]]:
            return [(row.text, row.at) for row in connection.execute(SINCE, values)]

        return await self._database.read(transaction)


def agree(connection: sa.Connection, event: Event, new: Checkin) -> None:
    """Write to the author of an event first, here and nowhere else that they linked with it."""
    values = {**rows.at(event.key), "author": event.author.id}
    found = connection.execute(HERE, values).first()
    row = found.id if found else None
    kept = kept_of(event)
    if row is None:
        row = schedules.add(
            connection, kept, job=CHECKIN, due=new.due, rule=new.rule, zone=new.zone
        )
        theirs = {"schedule_id": row, "language": new.language, "daily": new.daily}
        connection.execute(checkin.insert(), theirs)
    else:
        when = {"due": new.due, "rule": new.rule, "zone": new.zone, "event": rows.dump(kept)}
        connection.execute(schedule.update().where(schedule.c.id == row).values(when))
        how = {"language": new.language, "daily": new.daily}
        connection.execute(checkin.update().where(checkin.c.schedule_id == row).values(how))
    for other in connection.scalars(ELSEWHERE, values).all():
        end(connection, other)


def end(connection: sa.Connection, row: int) -> None:
    """Write to them first no more. What was said is still known, to be forgotten with them."""
    theirs = connection.execute(sa.select(schedule).where(schedule.c.id == row)).first()
    if theirs is None:
        return
    connection.execute(schedule.update().where(schedule.c.id == row).values(due=None))
    connection.execute(
        schedule.delete().where(
            schedule.c.conversation_id == theirs.conversation_id,
            schedule.c.author == theirs.author,
            schedule.c.job == PROMISE,
        )
    )


def follow(connection: sa.Connection, row: int, zone: str, due: datetime | None) -> None:
    """Their clock is another now."""
    connection.execute(schedule.update().where(schedule.c.id == row).values(zone=zone, due=due))


def note(
    connection: sa.Connection,
    row: int,
    came: Event,
    said: Said,
    *,
    fact: int | None = None,
    source: int | None = None,
) -> None:
    """Something was said to them: in the last turn of ours in the conversation of `came`, which
    is the event that it came of. `fact` and `source`, a turn of ours, are what it was made of."""
    values = {
        "schedule_id": row,
        "what": said.what,
        "about": said.about,
        "at": said.at,
        "event": came.id,
        "fact_id": fact,
        "source_id": source,
        "turn_id": connection.scalar(NEWEST, rows.at(came.key)),
    }
    connection.execute(checkin_said.insert(), values)
    c = checkin_said.c
    old = sa.and_(c.schedule_id == row, c.at < said.at - KEPT)
    connection.execute(checkin_said.delete().where(old))


def promised(connection: sa.Connection, event: Event, due: datetime, zone: str) -> None:
    """What the last turn of ours says is to be kept at its time."""
    row = schedules.add(connection, kept_of(event), job=PROMISE, due=due, zone=zone)
    words = {"schedule_id": row, "turn_id": connection.scalar(NEWEST, rows.at(event.key))}
    connection.execute(promise.insert(), words)


def kept_of(event: Event) -> Event:
    """What is kept of an event: who and where."""
    return replace(
        event,
        kind=Kind.SCHEDULED,
        message="",
        text="",
        warning="",
        quoted=None,
        attachments=(),
        reply_to=None,
    )


def _said(connection: sa.Connection, row: int) -> Sequence[Said]:
    c = checkin_said.c
    found = connection.execute(
        sa.select(c.what, c.about, c.at).where(c.schedule_id == row).order_by(c.at, c.id)
    )
    return [Said(what=each.what, about=each.about, at=each.at) for each in found]


def _checkin(row: Any) -> Checkin | None:
    if row is None:
        return None
    return Checkin(
        row=row.id,
        language=row.language,
        daily=row.daily,
        rule=row.rule,
        zone=row.zone,
        due=row.due,
    )


def _known(row: Any) -> Known:
    return Known(row=row.id, text=row.text, value=row.value, at=row.at)


def _promised(row: Any) -> Promised:
    return Promised(turn=row.id, text=row.text, at=row.at, zone=row.zone)
