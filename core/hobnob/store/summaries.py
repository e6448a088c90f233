"""Summaries of what was said before the window, in SQL: parts of a transaction."""

from datetime import datetime

import sqlalchemy as sa

from hobnob.recollection import Overflow
from hobnob.store import rows
from hobnob.store.schema import conversation, summary, turn

MOST = 2000
"""Turns read for one summary."""


def overflow(connection: sa.Connection, place: int, window: int, step: int) -> Overflow | None:
    here = turn.c.conversation_id == place
    last = connection.scalar(sa.select(sa.func.max(turn.c.position)).where(here))
    forgotten = connection.scalar(
        sa.select(conversation.c.forgotten).where(conversation.c.id == place)
    )
    if last is None or forgotten is None:
        return None
    done = connection.execute(
        sa.select(summary.c.position, summary.c.text).where(summary.c.conversation_id == place)
    ).first()
    until = last - window
    since = done.position if done else -1
    if until - since < step:
        return None
    query = sa.select(*rows.TURN, turn.c.position).where(here, turn.c.position <= until)
    found = connection.execute(query.order_by(turn.c.position.desc()).limit(MOST)).all()[::-1]
    return Overflow(
        conversation=place,
        forgotten=forgotten,
        position=until,
        before=done.text if done else "",
        older=tuple(rows.turns(found)),
        new=sum(row.position > since for row in found),
    )


def put(connection: sa.Connection, overflow: Overflow, text: str, now: datetime) -> None:
    same = sa.select(conversation.c.id).where(
        conversation.c.id == overflow.conversation,
        conversation.c.forgotten == overflow.forgotten,
    )
    if connection.scalar(same) is None:
        return
    values = {"position": overflow.position, "text": text, "at": now}
    row = rows.insert(connection.dialect.name, summary)
    connection.execute(
        row.on_conflict_do_update(index_elements=["conversation_id"], set_=values),
        {"conversation_id": overflow.conversation, **values},
    )
