"""What is to go out, part by part, each sent once (`hobnob.ports.Outbox`)."""

from datetime import datetime

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Reply, Visibility
from hobnob.ports import Parcel
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import outbox

UNSENT = ("pending", "sending")

_HERE = outbox.c.conversation_id == rows.THE_CONVERSATION
NEXT = (
    sa.select(outbox)
    .where(_HERE, rows.one_of(outbox.c.state, UNSENT))
    .order_by(outbox.c.id)
    .limit(1)
)
PART_BEFORE = (
    sa.select(outbox.c.message)
    .where(
        _HERE,
        outbox.c.in_reply_to == sa.bindparam("message"),
        outbox.c.part == sa.bindparam("before"),
        outbox.c.id < sa.bindparam("row"),
    )
    .order_by(outbox.c.id.desc())
    .limit(1)
)
MARK = outbox.update().where(outbox.c.id == sa.bindparam("row"))
_BEGAN = sa.bindparam("began", type_=outbox.c.attempted.type)
BEGIN = MARK.values(state="sending", attempted=sa.func.coalesce(outbox.c.attempted, _BEGAN))


def next_parcel(connection: sa.Connection, key: ConversationKey) -> Parcel | None:
    """The oldest unsent part of a conversation."""
    row = connection.execute(NEXT, rows.at(key)).first()
    if row is None:
        return None
    before = None
    if row.part > 0:
        part = {"row": row.id, "message": row.in_reply_to, "before": row.part - 1}
        before = connection.scalar(PART_BEFORE, {**rows.at(key), **part})
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


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, row: int, at: datetime) -> None:
        await self._mark(BEGIN, row=row, began=at)

    async def sent(self, row: int, message: str) -> None:
        erased = {"text": None, "warning": "", "mention": ""}  # the turn has what was said
        await self._mark(MARK, row=row, state="sent", message=message, error=None, **erased)

    async def again(self, parcel: Parcel) -> None:
        attempted = parcel.reply.attempted
        await self._mark(MARK, row=parcel.row, state="pending", attempted=attempted)

    async def give_up(self, row: int, state: str, error: str) -> None:
        await self._mark(MARK, row=row, state=state, error=error)

    async def _mark(self, update: sa.Update, **values: object) -> None:
        def transaction(connection: sa.Connection) -> None:
            connection.execute(update, values)

        await self._database.write(transaction)
