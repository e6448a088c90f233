"""What the owner looks at and mends: conversations, decisions, what was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import conversation, inbox, outbox, turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A stored conversation in one line."""

    key: ConversationKey
    turns: int
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of an event, and why; its text is not in here."""

    key: ConversationKey
    received: datetime
    kind: str
    author: str
    state: str
    decision: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What needs the owner: events set aside, sends in doubt, sends refused."""

    aside: int
    unknown: int
    refused: int
    last_error: str = ""


_PARTS = (
    conversation.c.platform,
    conversation.c.account,
    conversation.c.room,
    conversation.c.thread,
)


def _key(row: Any) -> ConversationKey:
    return ConversationKey(
        platform=row.platform, account=row.account, room=row.room, thread=row.thread
    )


async def conversations(database: Database) -> Sequence[Summary]:
    """All stored conversations, the one that spoke last at the end."""
    query = (
        sa.select(*_PARTS, sa.func.count(turn.c.id).label("turns"), sa.func.max(turn.c.at))
        .select_from(conversation.outerjoin(turn))
        .group_by(conversation.c.id, *_PARTS)
        .order_by(sa.func.max(turn.c.at).nulls_first())
    )

    def transaction(connection: sa.Connection) -> Sequence[Summary]:
        return [
            Summary(key=_key(row), turns=row.turns, last=row[-1])
            for row in connection.execute(query)
        ]

    return await database.read(transaction)


async def decisions(
    database: Database, key: ConversationKey | None, limit: int
) -> Sequence[Decided]:
    """The last `limit` events of a conversation, or of all, with what was decided; oldest first."""
    query = sa.select(inbox, *_PARTS).join(conversation).order_by(inbox.c.id.desc()).limit(limit)
    if key is not None:
        query = query.where(inbox.c.conversation_id == rows.THE_CONVERSATION)
    values = {} if key is None else rows.at(key)

    def transaction(connection: sa.Connection) -> Sequence[Decided]:
        found = [
            Decided(
                key=_key(row),
                received=row.received,
                kind=row.kind,
                author=row.author,
                state=row.state,
                decision=row.decision or "",
                reason=row.reason or row.error or "",
            )
            for row in connection.execute(query, values)
        ]
        return found[::-1]

    return await database.read(transaction)


async def troubles(database: Database) -> Troubles:
    def transaction(connection: sa.Connection) -> Troubles:
        def count(table: sa.Table, state: str) -> int:
            query = sa.select(sa.func.count()).select_from(table).where(table.c.state == state)
            return int(connection.scalar(query) or 0)

        last = sa.select(inbox.c.error).where(inbox.c.state == "aside").order_by(inbox.c.id.desc())
        return Troubles(
            aside=count(inbox, "aside"),
            unknown=count(outbox, "unknown"),
            refused=count(outbox, "refused"),
            last_error=connection.scalar(last.limit(1)) or "",
        )

    return await database.read(transaction)


async def retry(database: Database, *, unknown: bool) -> tuple[int, int]:
    """Let events that were set aside wait again, and with `unknown` send again what is in doubt;
    how many of each."""

    def transaction(connection: sa.Connection) -> tuple[int, int]:
        events = connection.execute(
            inbox.update()
            .where(inbox.c.state == "aside")
            .values(state="waiting", attempts=0, error=None)
        )
        if not unknown:
            return events.rowcount, 0
        sends = connection.execute(
            outbox.update()
            .where(outbox.c.state == "unknown")
            .values(state="pending", attempted=None, error=None)
        )
        return events.rowcount, sends.rowcount

    return await database.write(transaction)
