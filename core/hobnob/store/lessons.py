"""Turns that recall does not know yet, and what is made of them, in SQL: parts of a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hobnob.events import Turn
from hobnob.recollection import Learned, Lesson
from hobnob.store import facts, rows
from hobnob.store.schema import conversation, recall, recall_tokens, turn, zone

SESSION = timedelta(hours=4)

LESSONS = (
    sa.select(
        *rows.TURN,
        turn.c.id,
        turn.c.conversation_id,
        turn.c.position,
        conversation.c.direct,
        zone.c.name.label("zone"),
    )
    .join_from(turn, conversation)
    .outerjoin(
        zone,
        sa.and_(
            zone.c.platform == conversation.c.platform,
            zone.c.account == conversation.c.account,
            zone.c.author == turn.c.author,
        ),
    )
    .where(turn.c.learned.is_(None), turn.c.id.not_in(sa.bindparam("without", expanding=True)))
    .order_by(turn.c.id)
    .limit(sa.bindparam("most"))
)
_BESIDE = sa.select(*rows.TURN).where(turn.c.conversation_id == sa.bindparam("where")).limit(1)
_POSITION = sa.bindparam("position", type_=sa.Integer)
BEFORE = _BESIDE.where(turn.c.position < _POSITION).order_by(turn.c.position.desc())
AFTER = _BESIDE.where(turn.c.position > _POSITION).order_by(turn.c.position)


def read(
    connection: sa.Connection, limit: int, without: Collection[int], own: str
) -> Sequence[Lesson]:
    """The oldest, `without` these, each on the clock of whoever said it; in the zone `own`, where
    nobody knows."""
    found = connection.execute(LESSONS, {"most": limit, "without": list(without)})
    return [_lesson(connection, row, ZoneInfo(row.zone or own)) for row in found]


def _lesson(connection: sa.Connection, row: Any, zone: ZoneInfo) -> Lesson:
    values = {"where": row.conversation_id, "position": row.position}
    before = connection.execute(BEFORE, values).first()
    after = connection.execute(AFTER, values).first()
    said = rows.turn(row)
    return Lesson(
        id=row.id,
        conversation=row.conversation_id,
        direct=row.direct,
        turn=replace(said, at=said.at.astimezone(zone)),
        before=_beside(before, row.at),
        after=_beside(after, row.at),
    )


def _beside(row: Any, at: datetime) -> Turn | None:
    """What belongs to what was said then; hours apart it does not."""
    return rows.turn(row) if row is not None and abs(row.at - at) <= SESSION else None


def learn(connection: sa.Connection, learned: Learned) -> None:
    """Store what was made of a lesson, unless the turn was changed or forgotten meanwhile."""
    lesson = learned.lesson
    same = sa.and_(
        turn.c.id == lesson.id, turn.c.learned.is_(None), turn.c.text == lesson.turn.text
    )
    marked = connection.execute(turn.update().where(same).values(learned=learned.embedder))
    if not marked.rowcount:
        return  # changed or forgotten meanwhile
    seen = sa.select(recall.c.turn_id).where(
        recall.c.conversation_id == lesson.conversation, recall.c.turn_id >= lesson.id
    )
    if connection.scalar(seen.limit(1)) is not None:  # copies in memory only look for later ones
        c = conversation.c
        change = conversation.update().where(c.id == lesson.conversation)
        connection.execute(change.values(forgotten=c.forgotten + 1))
    where = {"turn_id": lesson.id, "conversation_id": lesson.conversation}
    for table in (recall, recall_tokens):
        connection.execute(table.delete().where(table.c.turn_id == lesson.id))
    connection.execute(recall.insert(), {**where, "terms": learned.terms, "vector": learned.vector})
    if learned.tokens is not None:
        connection.execute(recall_tokens.insert(), {**where, "tokens": learned.tokens})
    for new in learned.facts:
        facts.add(connection, lesson, new)
