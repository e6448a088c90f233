"""Facts with their receipts, in SQL: parts of a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Fact
from hobnob.recollection import Lesson, NewFact, Receipt, Scope
from hobnob.store import rows
from hobnob.store.schema import conversation, fact, fact_source, turn

COLUMNS = (
    fact.c.id,
    fact.c.number,
    fact.c.kind,
    fact.c.value,
    fact.c.text,
    fact.c.at,
    fact.c.confidence,
    fact.c.ended,
)


def true_at(now: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
    """Neither ended by another fact, nor one that only says that something is over, nor over by
    itself."""
    over_later = sa.and_(fact.c.ended_by.is_(None), fact.c.ended > fact.c.at, fact.c.ended > now)
    return sa.or_(fact.c.ended.is_(None), over_later)


HERE = conversation.alias("here")
_HERE = (
    sa.select(*COLUMNS)
    .where(
        fact.c.conversation_id == sa.bindparam("place"),
        true_at(sa.bindparam("now", type_=fact.c.at.type)),
    )
    .order_by(fact.c.at, fact.c.id)
)
_THEIRS = fact.c.subject == sa.bindparam("asker")
# Between us there is only one person, by whatever id they are known elsewhere.
_BETWEEN_US = sa.or_(_THEIRS, fact.c.visibility == "direct")
KNOWN = _HERE.where(_THEIRS)
KNOWN_BETWEEN_US = _HERE.where(_BETWEEN_US)
_LATER = fact_source.alias("later")
_TURNS: sa.BindParameter[int] = sa.bindparam("turns", expanding=True)
ENDED = (
    sa.select(fact_source.c.turn_id, _LATER.c.turn_id, fact.c.text)
    .join_from(fact_source, fact)
    .join(_LATER, _LATER.c.fact_id == fact.c.ended_by)
    .where(
        fact_source.c.turn_id.in_(_TURNS),
        _LATER.c.turn_id.in_(_TURNS),
        fact.c.conversation_id.in_(sa.bindparam("places", expanding=True)),
        fact.c.kind != "feeling",  # the next mood does not make the last one untrue
    )
)
ENDED_OF_THEIRS, ENDED_BETWEEN_US = ENDED.where(_THEIRS), ENDED.where(_BETWEEN_US)


def known(
    connection: sa.Connection, scope: Scope, places: Sequence[int], now: datetime
) -> tuple[Fact, ...]:
    """What is true of the asker, of what was said in these conversations."""
    values = {"asker": scope.asker, "now": now}
    query = KNOWN_BETWEEN_US if scope.direct else KNOWN
    found = [
        row for place in places for row in connection.execute(query, {**values, "place": place})
    ]
    return tuple(_fact(row) for row in sorted(found, key=lambda row: (row.at, row.id)))


def ended(
    connection: sa.Connection, scope: Scope, places: Sequence[int], turns: Sequence[int]
) -> Sequence[tuple[int, int, str]]:
    """Of these turns the pairs of which the second ended a fact of the first, and that fact."""
    query = ENDED_BETWEEN_US if scope.direct else ENDED_OF_THEIRS
    values = {"asker": scope.asker, "places": places, "turns": turns}
    return [tuple(row) for row in connection.execute(query, values)]


def told(connection: sa.Connection, scope: Scope, now: datetime) -> Sequence[Fact]:
    """What a person may see of what is known of them."""
    query = sa.select(*COLUMNS).where(_theirs(scope), true_at(now)).order_by(fact.c.number)
    return [_fact(row) for row in connection.execute(query)]


def one(connection: sa.Connection, scope: Scope, number: int) -> Any:
    """The row of the fact that a person calls by this number; None if there is none."""
    query = sa.select(*COLUMNS, fact.c.conversation_id).where(
        _theirs(scope), fact.c.number == number
    )
    return connection.execute(query).first()


def latest(connection: sa.Connection, scope: Scope, attribute: str, now: datetime) -> Any:
    """The row of what a person may see of an attribute of theirs, as it was last said; None if
    there is none."""
    query = sa.select(*COLUMNS).where(_theirs(scope), fact.c.attribute == attribute, true_at(now))
    return connection.execute(query.order_by(fact.c.at.desc(), fact.c.id.desc())).first()


def over(connection: sa.Connection, scope: Scope, since: datetime, now: datetime) -> Sequence[Any]:
    """The rows of what a person may see, and what was true until some time since then: it had its
    day, and nothing was said that ended it."""
    by_itself = sa.and_(fact.c.ended_by.is_(None), fact.c.ended > fact.c.at)
    query = sa.select(*COLUMNS).where(
        _theirs(scope), by_itself, fact.c.ended > since, fact.c.ended <= now
    )
    return connection.execute(query.order_by(fact.c.at, fact.c.id)).all()


def receipt(connection: sa.Connection, scope: Scope, number: int) -> Receipt | None:
    found = one(connection, scope, number)
    if found is None:
        return None
    sources = (
        sa.select(*rows.TURN)
        .join_from(fact_source, turn)
        .where(fact_source.c.fact_id == found.id)
        .order_by(turn.c.at, turn.c.id)
    )
    place = sa.select(*rows.KEY).where(conversation.c.id == found.conversation_id)
    return Receipt(
        fact=_fact(found),
        key=rows.key(connection.execute(place).one()),
        sources=tuple(rows.turns(connection.execute(sources))),
    )


def add(connection: sa.Connection, lesson: Lesson, new: NewFact) -> None:
    """Put a fact in its place in time: it ends the older ones of its attribute, and a newer one
    ends it. Said again, it only has one more receipt."""
    said = lesson.turn
    rivals = connection.execute(
        sa.select(*COLUMNS)
        .where(
            fact.c.conversation_id == lesson.conversation,
            fact.c.subject == said.author.id,
            fact.c.attribute == new.attribute,
        )
        .order_by(fact.c.at, fact.c.id)
    ).all()
    if new.ends and new.value:
        rivals = [rival for rival in rivals if _same(rival.value, new.value)]
    older = [rival for rival in rivals if rival.at <= said.at]
    newer = [rival for rival in rivals if rival.at > said.at]
    same = [rival for rival in older if rival.text == new.text]
    if same and (same[-1].at == said.at or (same[-1] is older[-1] and not new.ends)):
        _source(connection, same[-1].id, lesson.id)  # learned anew, or said again
        return
    if new.ends and not older:
        return  # what ends something that we never knew tells us nothing to keep
    theirs = sa.or_(
        fact.c.subject == said.author.id,
        fact.c.conversation_id.in_(_linked_with(HERE.c.id == lesson.conversation)),
    )
    subject = sa.select(sa.func.max(fact.c.number)).where(theirs)
    ended = newer[0].at if newer else said.at if new.ends else new.until
    row = {
        "conversation_id": lesson.conversation,
        "subject": said.author.id,
        "number": (connection.scalar(subject) or 0) + 1,
        "visibility": "direct" if lesson.direct else "room",
        "kind": new.kind,
        "attribute": new.attribute,
        "value": new.value,
        "text": new.text,
        "confidence": new.confidence,
        "at": said.at,
        "ended": ended,
        "ended_by": newer[0].id if newer else None,
    }
    made = connection.scalar(fact.insert().returning(fact.c.id), row)
    assert made is not None  # noqa: S101 - RETURNING gives it
    _source(connection, made, lesson.id)
    open_ = [rival.id for rival in older if rival.ended is None or rival.ended > said.at]
    if open_:
        ends = fact.update().where(fact.c.id.in_(open_))
        connection.execute(ends.values(ended=said.at, ended_by=made))


def _same(value: str, ended: str) -> bool:
    """Whether "Rome" is what "Rome, Italy" was."""
    return ended.casefold() in (value.casefold(), value.casefold().partition(",")[0])


def _source(connection: sa.Connection, fact_id: int, turn_id: int) -> None:
    row = rows.insert(connection.dialect.name, fact_source).on_conflict_do_nothing()
    connection.execute(row, {"fact_id": fact_id, "turn_id": turn_id})


def _theirs(scope: Scope) -> sa.ColumnElement[bool]:
    """Facts about the asker: between the two of us all of this platform, in a room those that
    were said there."""
    if not scope.direct:
        here = sa.or_(*(_at(key) for key in scope.keys))
    else:
        here = sa.and_(
            conversation.c.platform == scope.key.platform,
            conversation.c.account == scope.key.account,
        )
    places = sa.select(conversation.c.id).where(here)
    theirs = sa.and_(fact.c.subject == scope.asker, fact.c.conversation_id.in_(places))
    if not scope.direct:
        return theirs
    linked = fact.c.conversation_id.in_(_linked_with(_at(scope.key, HERE)))
    return sa.or_(theirs, sa.and_(linked, fact.c.visibility == "direct"))


def _linked_with(here: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    """The conversations that a person linked with this one (of `HERE`), itself included."""
    person = sa.select(HERE.c.person).where(here).scalar_subquery()
    return sa.select(conversation.c.id).where(conversation.c.person == person)


def _at(key: ConversationKey, table: Any = conversation) -> sa.ColumnElement[bool]:
    c = table.c
    return sa.and_(
        c.platform == key.platform,
        c.account == key.account,
        c.room == key.room,
        c.thread == key.thread,
    )


def _fact(row: Any) -> Fact:
    return Fact(
        number=row.number,
        kind=row.kind,
        text=row.text,
        at=row.at,
        confidence=row.confidence,
        ended=row.ended,
    )
