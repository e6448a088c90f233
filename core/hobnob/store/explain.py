"""Why a message was or was not answered, as the database tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import checkin_said, conversation, inbox, outbox

_FIRST = sa.and_(
    outbox.c.conversation_id == inbox.c.conversation_id, checkin_said.c.event == inbox.c.event
)
"""What was written first, and the event that it came of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A part of what was said to a message, and what became of it."""

    state: str
    message: str
    """The platform's id; "" while there is none."""
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What became of an event; its text is not in here."""

    key: ConversationKey
    at: datetime
    received: datetime
    kind: str
    author: str
    state: str
    decision: str
    reason: str
    error: str
    attempts: int
    answers: tuple[Answered, ...]


async def explain(database: Database, message: str) -> Sequence[Explained]:
    """What became of the events that carry this message or are about it, or whose answer it is:
    the platform's id, of theirs or of ours. Oldest first."""
    ours = sa.and_(
        outbox.c.conversation_id == inbox.c.conversation_id,
        outbox.c.in_reply_to == inbox.c.message,
    )
    answered = sa.select(outbox.c.id).where(ours, outbox.c.message == message).exists()
    unasked = (
        sa.select(outbox.c.id)
        .join(checkin_said, checkin_said.c.turn_id == outbox.c.turn_id)
        .where(_FIRST, outbox.c.message == message)
        .exists()
    )
    query = (
        sa.select(inbox, *rows.KEY)
        .join_from(inbox, conversation)
        .where(
            sa.or_(inbox.c.message == message, sa.and_(inbox.c.message != "", answered), unasked)
        )
        .order_by(inbox.c.id)
    )

    def transaction(connection: sa.Connection) -> Sequence[Explained]:
        return [_explained(connection, row) for row in connection.execute(query).all()]

    return await database.read(transaction)


def _explained(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Explained:
    first = sa.select(checkin_said.c.turn_id).where(checkin_said.c.event == row.event)
    answers = sa.and_(outbox.c.in_reply_to == row.message, outbox.c.in_reply_to != "")
    parts = (
        sa.select(outbox.c.state, outbox.c.message, outbox.c.error)
        .where(
            outbox.c.conversation_id == row.conversation_id,
            sa.or_(answers, outbox.c.turn_id.in_(first)),
        )
        .order_by(outbox.c.id)
    )
    return Explained(
        key=rows.key(row),
        at=row.at,
        received=row.received,
        kind=row.kind,
        author=row.author,
        state=row.state,
        decision=row.decision or "",
        reason=row.reason or "",
        error=row.error or "",
        attempts=row.attempts,
        answers=tuple(
            Answered(state=part.state, message=part.message or "", error=part.error or "")
            for part in connection.execute(parts)
        ),
    )
