"""How records of hobnob become rows, and back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Button, Event, Media, Role, Turn
from hobnob.store import schema
from hobnob.store.schema import conversation

_EVENT = TypeAdapter(Event)


def dump(event: Event) -> str:
    # Not pydantic's own JSON: it refuses halves of surrogate pairs, which column `Said` replaces.
    # Its own way to a plain value takes a tenth of the time of `dataclasses.asdict`.
    return json.dumps(_EVENT.dump_python(event), ensure_ascii=False, default=datetime.isoformat)


def dump_bare(event: Event) -> str:
    """Without what it says: what an answer to it refers to."""
    return dump(replace(event, text="", quoted=None, attachments=()))


def nobodys(event: Event) -> Event:
    """What is left of an event once its author is forgotten: where it was."""
    return replace(event, author=Author(id="", name=""), message="")


def load(payload: str) -> Event:
    return _EVENT.validate_json(payload)


def id_of(payload: str) -> str:
    """The id of an event; "" where it can't be read any more."""
    try:
        return str(json.loads(payload)["id"])
    except (ValueError, LookupError, TypeError):
        return ""


def dump_buttons(buttons: Sequence[Button]) -> str:
    return json.dumps([(button.label, button.command) for button in buttons], ensure_ascii=False)


def load_buttons(text: str) -> tuple[Button, ...]:
    return tuple(Button(label=label, command=command) for label, command in json.loads(text))


def dump_media(media: Sequence[Media]) -> str:
    """Without their bytes."""
    files = [
        {
            "file": each.file,
            "media_type": each.media_type,
            "size": each.size,
            "digest": each.digest,
            "alt": each.alt,
        }
        for each in media
    ]
    return json.dumps(files, ensure_ascii=False)


def load_media(text: str) -> tuple[Media, ...]:
    return tuple(Media(**file) for file in json.loads(text))


# Statements are made once and executed with values: making one costs more than running it.
FIND = sa.select(conversation.c.id).where(
    conversation.c.platform == sa.bindparam("key_platform"),
    conversation.c.account == sa.bindparam("key_account"),
    conversation.c.room == sa.bindparam("key_room"),
    conversation.c.thread == sa.bindparam("key_thread"),
)
THE_CONVERSATION = FIND.scalar_subquery()
"""A conversation's id as a part of a statement, which is executed with the values of `at`."""


_ROLES = {role.value: role for role in Role}
_T = schema.turn.c
TURN = (_T.role, _T.author, _T.name, _T.text, _T.at, _T.message)
"""The columns that `turns` reads, in its order."""


def turn(row: Any) -> Turn:
    return turns([row])[0]


def turns(found: Iterable[Any]) -> list[Turn]:
    """A hundred are read for each answer, of few authors."""
    authors: dict[tuple[str, str, str], Author] = {}
    turns = []
    for row in found:
        role, id_, name, text, at, message = row[:6]
        author = authors.get((id_, name, role))
        if author is None:
            author = Author(id=id_, name=name, is_bot=role == "assistant")
            authors[id_, name, role] = author
        turns.append(Turn(role=_ROLES[role], author=author, text=text, at=at, message=message))
    return turns


def one_of(column: sa.Column[Any], values: Iterable[str]) -> sa.ColumnElement[bool]:
    """`column IN values`, rendered once: SQLAlchemy renders its own IN at each execution."""
    return sa.or_(*(column == value for value in values))


def at(key: ConversationKey) -> dict[str, str]:
    """The values that find a conversation."""
    return {
        "key_platform": key.platform,
        "key_account": key.account,
        "key_room": key.room,
        "key_thread": key.thread,
    }


KEY = (conversation.c.platform, conversation.c.account, conversation.c.room, conversation.c.thread)
"""The columns that `key` reads."""


def key(row: Any) -> ConversationKey:
    return ConversationKey(
        platform=row.platform, account=row.account, room=row.room, thread=row.thread
    )


def ensure_conversation(
    connection: sa.Connection, key: ConversationKey, *, direct: bool = False
) -> int:
    """The id of a conversation, which is made if this is its first event; then `direct` says
    whether it is between one person and us."""
    found = connection.scalar(FIND, at(key))
    if found is None:
        values = {
            "platform": key.platform,
            "account": key.account,
            "room": key.room,
            "thread": key.thread,
            "direct": direct,
        }
        new = insert(connection.dialect.name, conversation).on_conflict_do_nothing()
        connection.execute(new, values)
        found = connection.scalar(FIND, at(key))
    assert found is not None  # noqa: S101 - it was there or was made
    return int(found)


def insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what to do about a conflict: both databases can, in one spelling
    that SQLAlchemy keeps apart by dialect."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
