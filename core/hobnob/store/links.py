"""One person on two platforms: direct conversations that they linked are one place. Parts of a
transaction."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.store import rows
from hobnob.store.schema import conversation, fact, link_code

C = conversation.c
HERE = conversation.alias("here")
# Two who link at the same moment would both be the next person, and so one. SQLite has one writer.
ONE_AFTER_THE_OTHER = sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(b"hobnob link")))
_PERSON = sa.select(HERE.c.person).where(HERE.c.id == rows.THE_CONVERSATION).scalar_subquery()
INCOGNITO = sa.select(
    sa.exists().where(C.incognito, sa.or_(C.id == rows.THE_CONVERSATION, C.person == _PERSON))
)
"""Whether what is said in a conversation is not to be remembered: there, or where its person is
linked with it. Executed with the values of `rows.at`."""


def offer(
    connection: sa.Connection, key: ConversationKey, author: str, code: str, until: datetime
) -> None:
    """Let `code` (its hash) link another conversation with this one, instead of an earlier code."""
    where = rows.ensure_conversation(connection, key)
    connection.execute(link_code.delete().where(link_code.c.conversation_id == where))
    values = {"code": code, "conversation_id": where, "author": author, "until": until}
    connection.execute(link_code.insert(), values)


def join(
    connection: sa.Connection, key: ConversationKey, author: str, code: str, now: datetime
) -> ConversationKey | None:
    """Make this one place with the conversation where the code was given, which is used up then;
    that conversation. None if there is no such code, or if it was given here."""
    if connection.dialect.name == "postgresql":
        connection.execute(ONE_AFTER_THE_OTHER)
    connection.execute(link_code.delete().where(link_code.c.until <= now))
    here = rows.ensure_conversation(connection, key)
    query = sa.select(link_code, *rows.KEY, C.person).join_from(link_code, conversation)
    found = connection.execute(query.where(link_code.c.code == code)).first()
    if found is None or found.conversation_id == here:
        return None
    connection.execute(link_code.delete().where(link_code.c.code == code))
    leave(connection, here)
    there = found.conversation_id
    newest = connection.scalar(sa.select(sa.func.max(C.person))) or 0
    person = found.person or newest + 1
    _renumber(connection, key, author, after=_last_number(connection, found))
    for where, whose in ((here, author), (there, found.author)):
        values = {"person": person, "whose": whose, "forgotten": C.forgotten + 1}
        connection.execute(conversation.update().where(C.id == where).values(**values))
    return rows.key(found)


def leave(connection: sa.Connection, where: int) -> bool:
    """Make a conversation a place of its own again; False if it was."""
    person = connection.scalar(sa.select(C.person).where(C.id == where))
    if person is None:
        return False
    alone = {"person": None, "whose": None, "forgotten": C.forgotten + 1}
    connection.execute(conversation.update().where(C.id == where).values(**alone))
    others = connection.scalars(sa.select(C.id).where(C.person == person)).all()
    if len(others) == 1:
        connection.execute(conversation.update().where(C.id == others[0]).values(**alone))
    return True


def members(connection: sa.Connection, key: ConversationKey) -> Sequence[Any]:
    """Who a person is on the platforms that they linked, this one included: rows with platform,
    account and whose. None where nothing is linked."""
    person = sa.select(C.person).where(C.id == rows.THE_CONVERSATION).scalar_subquery()
    query = sa.select(C.platform, C.account, C.whose).where(C.person == person)
    return connection.execute(query, rows.at(key)).all()


def _theirs(platform: str, account: str, author: str) -> sa.ColumnElement[bool]:
    """The facts about a person on a platform."""
    places = sa.select(C.id).where(C.platform == platform, C.account == account)
    return sa.and_(fact.c.subject == author, fact.c.conversation_id.in_(places))


def _last_number(connection: sa.Connection, there: Any) -> int:
    """The highest that they know there, or on a platform that is linked with it."""
    whole = {(there.platform, there.account, there.author)}
    if there.person is not None:
        linked = sa.select(C.platform, C.account, C.whose).where(C.person == there.person)
        whole |= {tuple(row) for row in connection.execute(linked)}
    theirs = sa.or_(*(_theirs(*each) for each in sorted(whole)))
    return connection.scalar(sa.select(sa.func.max(fact.c.number)).where(theirs)) or 0


def _renumber(connection: sa.Connection, key: ConversationKey, author: str, *, after: int) -> None:
    """What is known of them here gets numbers that nothing has that is known of them there."""
    change = fact.update().where(_theirs(key.platform, key.account, author))
    connection.execute(change.values(number=fact.c.number + after))
