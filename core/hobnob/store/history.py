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


class SqlHistory:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, key: ConversationKey, limit: int) -> Sequence[Turn]:
        """The last `limit` to `limit + STEP` turns: the window begins at a multiple of STEP, so
        that most turns only add to its end."""
        here = turn.c.conversation_id == rows.id_of(key)
        last = sa.select(sa.func.max(turn.c.position)).where(here).scalar_subquery()

        def transaction(connection: sa.Connection) -> Sequence[Turn]:
            newest = connection.scalar(sa.select(last))
            if newest is None:
                return []
            start = max(0, (newest + 1 - limit) // STEP * STEP)
            query = sa.select(turn).where(here, turn.c.position >= start).order_by(turn.c.position)
            return [
                Turn(
                    role=Role(row.role),
                    author=Author(id=row.author, name=row.name),
                    text=row.text,
                    at=row.at,
                    message=row.message,
                )
                for row in connection.execute(query)
            ]

        return await self._database.read(transaction)

    async def usage(self, key: ConversationKey, author: str, since: datetime) -> Usage:
        recently = sa.and_(inbox.c.done >= since, inbox.c.decision.in_((*ANSWERED, "notice")))
        by_user = sa.select(inbox.c.decision).where(
            inbox.c.platform == key.platform, inbox.c.author == author, recently
        )
        by_chat = sa.select(inbox.c.decision).where(
            inbox.c.conversation_id == rows.id_of(key), recently
        )

        def transaction(connection: sa.Connection) -> Usage:
            user = list(connection.scalars(by_user))
            chat = list(connection.scalars(by_chat))
            return Usage(
                by_user=sum(decision in ANSWERED for decision in user),
                by_chat=sum(decision in ANSWERED for decision in chat),
                noticed="notice" in chat,
            )

        return await self._database.read(transaction)
