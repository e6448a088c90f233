"""What came in: stored once, dealt with once (`hobnob.ports.Inbox`)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.errors import Changed
from hobnob.events import Addressed, Event, Kind, Reply, Role, Turn
from hobnob.ports import Afterwards, Clock, Cursor, Outcome, Parcel, Todo, Waiting
from hobnob.store import changes, links, rows
from hobnob.store.database import Database
from hobnob.store.outbox import UNSENT, next_parcel, queue, say
from hobnob.store.schema import conversation, cursor, inbox, outbox, turn

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
USUAL = Afterwards()

WAITING = (
    sa.select(inbox.c.id, inbox.c.payload, inbox.c.received, inbox.c.attempts)
    .where(inbox.c.conversation_id == rows.THE_CONVERSATION, inbox.c.state == "waiting")
    .order_by(inbox.c.id)
    .limit(MOST_AT_ONCE)
)
CHANGES_WAITING = WAITING.where(rows.one_of(inbox.c.kind, changes.KINDS))
_CHANGE = inbox.alias()
CHANGED_MEANWHILE = (
    sa.select(_CHANGE.c.id)
    .where(
        inbox.c.id == sa.bindparam("row"),
        _CHANGE.c.conversation_id == inbox.c.conversation_id,
        _CHANGE.c.message == inbox.c.message,
        _CHANGE.c.state == "waiting",
        rows.one_of(_CHANGE.c.kind, (Kind.EDIT, Kind.DELETE)),
    )
    .limit(1)
)
MARK = inbox.update().where(inbox.c.id == sa.bindparam("row"))
_NEXT = sa.select(sa.func.coalesce(sa.func.max(turn.c.position) + 1, 0)).where(
    turn.c.conversation_id == sa.bindparam("where")
)
APPEND = turn.insert().values(position=_NEXT.scalar_subquery()).returning(turn.c.id)
INTRODUCED = (
    conversation.update().where(conversation.c.id == sa.bindparam("where")).values(introduced=True)
)


@cache
def _store(dialect: str) -> sa.Insert:
    """Adds an event, unless it is there."""
    return rows.insert(dialect, inbox).on_conflict_do_nothing().returning(inbox.c.id)


@cache
def _set(dialect: str) -> sa.Insert:
    """Adds or replaces a cursor."""
    row = rows.insert(dialect, cursor)
    return row.on_conflict_do_update(
        index_elements=list(cursor.primary_key), set_={"value": row.excluded.value}
    )


def store(connection: sa.Connection, event: Event, received: datetime) -> bool:
    """Store an event; False if this id was stored before."""
    row = {
        "platform": event.key.platform,
        "account": event.key.account,
        "event": event.id,
        "conversation_id": rows.ensure_conversation(
            connection, event.key, direct=event.addressed is Addressed.DIRECT
        ),
        "message": event.message,
        "kind": event.kind,
        "author": event.author.id,
        "payload": rows.dump(event),
        "at": event.at,
        "received": received,
        "state": "waiting",
        "attempts": 0,
    }
    return connection.scalar(_store(connection.dialect.name), row) is not None


class SqlInbox:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def receive(self, event: Event, cursor: Cursor | None = None) -> bool:
        def transaction(connection: sa.Connection) -> bool:
            if cursor is not None:
                _move(connection, event.key.platform, event.key.account, cursor)
            return store(connection, event, self._clock.now())

        return await self._database.write(transaction)

    async def move(self, platform: str, account: str, cursor: Cursor) -> None:
        def transaction(connection: sa.Connection) -> None:
            _move(connection, platform, account, cursor)

        await self._database.write(transaction)

    async def cursors(self, platform: str, account: str) -> Mapping[str, str]:
        query = sa.select(cursor.c.name, cursor.c.value).where(
            cursor.c.platform == platform, cursor.c.account == account
        )

        def transaction(connection: sa.Connection) -> Mapping[str, str]:
            return {row.name: row.value for row in connection.execute(query)}

        return await self._database.read(transaction)

    async def unfinished(self, platform: str) -> Sequence[ConversationKey]:
        waiting = sa.select(inbox.c.conversation_id).where(inbox.c.state == "waiting")
        unsent = sa.select(outbox.c.conversation_id).where(outbox.c.state.in_(UNSENT))
        c = conversation.c
        query = sa.select(*rows.KEY).where(
            c.platform == platform, sa.or_(c.id.in_(waiting), c.id.in_(unsent))
        )

        def transaction(connection: sa.Connection) -> Sequence[ConversationKey]:
            return [rows.key(row) for row in connection.execute(query.order_by(c.id))]

        return await self._database.read(transaction)

    async def todo(self, key: ConversationKey) -> Todo:
        unreadable: set[int] = set()

        def read(connection: sa.Connection, query: sa.Executable) -> Iterator[Waiting]:
            for row in connection.execute(query, rows.at(key)):
                try:
                    yield _waiting(row)
                except ValueError:
                    unreadable.add(row.id)

        def transaction(connection: sa.Connection) -> Todo:
            waiting = list(read(connection, WAITING))
            changed = [row for row in waiting if row.event.kind in changes.KINDS]
            if not changed and len(waiting) == MOST_AT_ONCE:  # they may be further behind
                changed = list(read(connection, CHANGES_WAITING))
            return Todo(
                changes=tuple(changed),
                parcel=next_parcel(connection, key),
                waiting=tuple(row for row in waiting if row.event.kind not in changes.KINDS),
            )

        todo = await self._database.read(transaction)
        if not unreadable:
            return todo
        log.error("%s: %d events can't be read, and are set aside", key, len(unreadable))
        await self.fail(sorted(unreadable), "the stored event can't be read", most=1)
        return await self.todo(key)

    async def finish(self, outcome: Outcome) -> Parcel | None:
        done = {"state": "done", "payload": None, "reason": outcome.reason}

        def transaction(connection: sa.Connection) -> Parcel | None:
            for row in outcome.rows:
                if connection.scalar(CHANGED_MEANWHILE, {"row": row}) is not None:
                    raise Changed(f"{outcome.key}: a message was edited or deleted meanwhile")
            where = rows.ensure_conversation(connection, outcome.key)
            now = self._clock.now()
            *merged, last = outcome.rows
            decided = [(row, "merged") for row in merged] + [(last, outcome.decision)]
            connection.execute(
                MARK,
                [{**done, "row": row, "decision": what, "done": now} for row, what in decided],
            )
            if outcome.permit and outcome.replies:  # `also` may change what it sees
                outcome.permit(connection, outcome.key)
            turn_id = append(connection, where, _open(connection, outcome))
            if outcome.introduces:
                connection.execute(INTRODUCED, {"where": where})
            told = outcome.also(connection) if outcome.also else None
            if outcome.permit and told and not outcome.replies:
                outcome.permit(connection, outcome.key)
            ours = (*outcome.replies, *(told or ()))
            queue(connection, where, turn_id, ours)
            for message in outcome.elsewhere:
                say(connection, message[0].key, message)
            return next_parcel(connection, outcome.key) if ours else None

        return await self._database.write(transaction)

    async def change(self, changed: Sequence[Waiting], sent: Afterwards = USUAL) -> None:
        def transaction(connection: sa.Connection) -> None:
            for row in changed:
                reason = changes.apply(connection, row.event, sent)
                if reason is None:  # it waits again, as a message
                    anew = replace(row.event, kind=Kind.MESSAGE)
                    values = {"kind": anew.kind, "payload": rows.dump(anew)}
                    connection.execute(inbox.update().where(inbox.c.id == row.row).values(values))
                else:
                    _close(connection, [row.row], row.event.kind, reason, self._clock.now())

        await self._database.write(transaction)

    async def fail(
        self, failed: Sequence[int], error: str, *, most: int, sorry: Sequence[Reply] = ()
    ) -> bool:
        def transaction(connection: sa.Connection) -> bool:
            attempts = inbox.c.attempts + 1
            connection.execute(
                inbox.update()
                .where(inbox.c.id.in_(failed))
                .values(
                    attempts=attempts,
                    error=error,
                    state=sa.case((attempts >= most, "aside"), else_="waiting"),
                )
            )
            left = sa.select(inbox.c.conversation_id).where(
                inbox.c.id.in_(failed), inbox.c.state == "aside"
            )
            where = connection.scalar(left.limit(1))
            if where is not None:
                queue(connection, where, None, sorry)
            return where is not None

        return await self._database.write(transaction)


def _move(connection: sa.Connection, platform: str, account: str, to: Cursor) -> None:
    row = {"platform": platform, "account": account, "name": to.name, "value": to.value}
    connection.execute(_set(connection.dialect.name), row)


def _waiting(row: Any) -> Waiting:
    return Waiting(
        row=row.id, event=rows.load(row.payload), received=row.received, attempts=row.attempts
    )


def _open(connection: sa.Connection, outcome: Outcome) -> Sequence[Turn]:
    """The turns; none of what was only overheard where nothing is to be remembered."""
    turns = outcome.turns
    overheard = bool(turns) and turns[-1].role is Role.USER
    closed = overheard and connection.scalar(links.INCOGNITO, rows.at(outcome.key))
    return () if closed else turns


def append(connection: sa.Connection, where: int, turns: Sequence[Turn]) -> int | None:
    """Append the turns; the id of the last, which is the one that the replies are parts of."""
    turn_id = None
    for said in turns:
        row = {
            "where": where,
            "conversation_id": where,
            "role": said.role,
            "author": said.author.id,
            "name": said.author.name,
            "text": said.text,
            "at": said.at,
            "message": said.message,
        }
        turn_id = connection.scalar(APPEND, row)
    return turn_id


def _close(
    connection: sa.Connection, ids: Sequence[int], decision: str, reason: str, at: datetime
) -> None:
    connection.execute(
        inbox.update()
        .where(inbox.c.id.in_(ids))
        .values(state="done", payload=None, decision=decision, reason=reason, done=at)
    )
