"""How records of hobnob become rows, and back."""

import json
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite

from hobnob.conversation import ConversationKey
from hobnob.events import Event
from hobnob.store.schema import conversation

_EVENT = TypeAdapter(Event)


def dump(event: Event) -> str:
    # Not pydantic's own dump: it refuses halves of surrogate pairs, which column `Said` replaces.
    return json.dumps(asdict(event), ensure_ascii=False, default=datetime.isoformat)


def load(payload: str) -> Event:
    return _EVENT.validate_json(payload)


def of_key(key: ConversationKey) -> sa.ColumnElement[bool]:
    """The condition that finds a conversation."""
    return sa.and_(
        conversation.c.platform == key.platform,
        conversation.c.account == key.account,
        conversation.c.room == key.room,
        conversation.c.thread == key.thread,
    )


def id_of(key: ConversationKey) -> sa.ScalarSelect[int]:
    """A conversation's id, as a part of a statement."""
    return sa.select(conversation.c.id).where(of_key(key)).scalar_subquery()


def ensure_conversation(connection: sa.Connection, key: ConversationKey) -> int:
    """The id of a conversation, which is made if this is its first event."""
    find = sa.select(conversation.c.id).where(of_key(key))
    found = connection.scalar(find)
    if found is None:
        values = {
            "platform": key.platform,
            "account": key.account,
            "room": key.room,
            "thread": key.thread,
        }
        connection.execute(insert(connection, conversation).values(values).on_conflict_do_nothing())
        found = connection.scalar(find)
    assert found is not None  # noqa: S101 - it was there or was made
    return int(found)


def insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what to do about a conflict: both databases can, in one spelling
    that SQLAlchemy keeps apart by dialect."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
