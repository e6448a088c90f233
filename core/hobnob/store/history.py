"""What was said (`hobnob.ports.History`), and what the owner may look at."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Role, Turn
from hobnob.ports import Usage
from hobnob.prompt import STEP
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import inbox, turn

ANSWERED = ("answer", "greet")


_HERE = turn.c.conversation_id == rows.THE_CONVERSATION
NEWEST = sa.select(sa.func.max(turn.c.position)).where(_HERE)
SINCE = (
    sa.select(turn).where(_HERE, turn.c.position >= sa.bindparam("start")).order_by(turn.c.position)
)
_RECENTLY = sa.and_(inbox.c.at > sa.bindparam("since"), inbox.c.decision.in_((*ANSWERED, "notice")))
BY_USER = sa.select(inbox.c.decision).where(
    inbox.c.platform == sa.bindparam("key_platform"),
    inbox.c.author == sa.bindparam("author"),
    _RECENTLY,
)
BY_CHAT = sa.select(inbox.c.decision).where(
    inbox.c.conversation_id == rows.THE_CONVERSATION, _RECENTLY
)


class SqlHistory:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, key: ConversationKey, limit: int) -> Sequence[Turn]:
        """The last `limit` to `limit + STEP` turns: the window begins at a multiple of STEP, so
        that most turns only add to its end."""

        def transaction(connection: sa.Connection) -> Sequence[Turn]:
            newest = connection.scalar(NEWEST, rows.at(key))
            if newest is None:
                return []
            start = max(0, (newest + 1 - limit) // STEP * STEP)
            return [
                Turn(
                    role=Role(row.role),
                    author=Author(id=row.author, name=row.name),
                    text=row.text,
                    at=row.at,
                    message=row.message,
                )
                for row in connection.execute(SINCE, {**rows.at(key), "start": start})
            ]

        return await self._database.read(transaction)

    async def usage(self, key: ConversationKey, author: str, since: datetime) -> Usage:
        values = {**rows.at(key), "author": author, "since": since}

        def transaction(connection: sa.Connection) -> Usage:
            user = list(connection.scalars(BY_USER, values))
            chat = list(connection.scalars(BY_CHAT, values))
            return Usage(
                by_user=sum(decision in ANSWERED for decision in user),
                by_chat=sum(decision in ANSWERED for decision in chat),
                noticed="notice" in chat,
            )

        return await self._database.read(transaction)
