"""What was said (`hobnob.ports.History`), and what the owner may look at."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Turn
from hobnob.ports import Usage
from hobnob.prompt import STEP
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import conversation, inbox, turn

ANSWERED = ("answer", "chime", "greet")


_HERE = turn.c.conversation_id == rows.THE_CONVERSATION
_NEWEST = sa.select(sa.func.max(turn.c.position)).where(_HERE).scalar_subquery()
_START = (_NEWEST + 1 - sa.bindparam("limit", type_=sa.Integer)) // STEP * STEP
RECENT = (
    sa.select(*rows.TURN, turn.c.position)
    .where(_HERE, turn.c.position >= _START, turn.c.position >= sa.bindparam("begins"))
    .order_by(turn.c.position)
)
INTRODUCED = sa.select(conversation.c.introduced).where(conversation.c.id == rows.THE_CONVERSATION)
_COUNT = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.at > sa.bindparam("since"))
_BY_CHAT = _COUNT.where(inbox.c.conversation_id == rows.THE_CONVERSATION)
_BY_USER = _COUNT.where(
    inbox.c.platform == sa.bindparam("key_platform"), inbox.c.author == sa.bindparam("author")
)
USAGE = sa.select(
    _BY_USER.where(rows.one_of(inbox.c.decision, ANSWERED)).scalar_subquery(),
    _BY_CHAT.where(rows.one_of(inbox.c.decision, ANSWERED)).scalar_subquery(),
    _BY_CHAT.where(inbox.c.decision == "notice").scalar_subquery(),
)
CHIMES = _BY_CHAT.where(inbox.c.decision == "chime")


class SqlHistory:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, key: ConversationKey, limit: int) -> Sequence[Turn]:
        """The last `limit` to `limit + STEP` turns: the window begins at a multiple of STEP, so
        that most turns only add to its end."""

        def transaction(connection: sa.Connection) -> Sequence[Turn]:
            found = connection.execute(RECENT, {**rows.at(key), "limit": limit, "begins": 0}).all()
            return rows.turns(found)

        return await self._database.read(transaction)

    async def introduced(self, key: ConversationKey) -> bool:
        return bool(await self._database.read(lambda found: found.scalar(INTRODUCED, rows.at(key))))

    async def usage(
        self, key: ConversationKey, author: str, until: datetime, *, unasked: bool
    ) -> Usage:
        minute = {**rows.at(key), "author": author, "since": until - timedelta(minutes=1)}
        hour = {**rows.at(key), "since": until - timedelta(hours=1)}

        def transaction(connection: sa.Connection) -> Usage:
            by_user, by_chat, notices = connection.execute(USAGE, minute).one()
            chimes = connection.scalar(CHIMES, hour) or 0 if unasked else 0
            return Usage(by_user=by_user, by_chat=by_chat, noticed=notices > 0, chimes=chimes)

        return await self._database.read(transaction)
