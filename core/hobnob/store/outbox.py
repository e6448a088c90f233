"""What is to go out, part by part, each sent once (`hobnob.ports.Outbox`)."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Reply, Visibility
from hobnob.ports import Parcel
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.inbox import UNSENT
from hobnob.store.schema import outbox

_HERE = outbox.c.conversation_id == rows.THE_CONVERSATION
NEXT = sa.select(outbox).where(_HERE, outbox.c.state.in_(UNSENT)).order_by(outbox.c.id).limit(1)
PART_BEFORE = (
    sa.select(outbox.c.message)
    .where(_HERE, outbox.c.id < sa.bindparam("row"), outbox.c.part == sa.bindparam("part"))
    .order_by(outbox.c.id.desc())
    .limit(1)
)


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self, key: ConversationKey) -> Parcel | None:
        def transaction(connection: sa.Connection) -> Parcel | None:
            row = connection.execute(NEXT, rows.at(key)).first()
            if row is None:
                return None
            before = None
            if row.part > 0:
                values = {**rows.at(key), "row": row.id, "part": row.part - 1}
                before = connection.scalar(PART_BEFORE, values)
            reply = Reply(
                key=key,
                text=row.text or "",
                nonce=row.nonce,
                in_reply_to=row.in_reply_to,
                follows=before or "",
                mention=row.mention,
                visibility=Visibility(row.visibility) if row.visibility else None,
                warning=row.warning,
                attempted=row.attempted,
            )
            return Parcel(row=row.id, reply=reply)

        return await self._database.read(transaction)

    async def begin(self, row: int, at: datetime) -> None:
        first = sa.func.coalesce(outbox.c.attempted, sa.literal(at, outbox.c.attempted.type))
        await self._mark(row, state="sending", attempted=first)

    async def sent(self, row: int, message: str) -> None:
        erased = {"text": None, "warning": "", "mention": ""}  # the turn has what was said
        await self._mark(row, state="sent", message=message, error=None, **erased)

    async def again(self, parcel: Parcel) -> None:
        await self._mark(parcel.row, state="pending", attempted=parcel.reply.attempted)

    async def give_up(self, row: int, state: str, error: str) -> None:
        await self._mark(row, state=state, error=error)

    async def _mark(self, row: int, **values: Any) -> None:
        def transaction(connection: sa.Connection) -> None:
            connection.execute(outbox.update().where(outbox.c.id == row).values(values))

        await self._database.write(transaction)
