"""What is to go out, part by part, each sent once (`hobnob.ports.Outbox`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Reply, Visibility
from hobnob.ports import Growing, Parcel, Permit
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import outbox

UNSENT = ("pending", "sending")
A_TICKET = "ticket {}"
"""What the messages of a ticket are about (`Reply.about`)."""

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
GROWING = (
    sa.select(outbox.c.id, outbox.c.nonce, outbox.c.message, outbox.c.attempted)
    .where(
        outbox.c.conversation_id == sa.bindparam("where"),
        outbox.c.state == "growing",
    )
    .order_by(outbox.c.part)
)
QUEUE = outbox.insert()
MARK = outbox.update().where(outbox.c.id == sa.bindparam("row"))
SENT = MARK.values(
    state=sa.case(
        (sa.and_(outbox.c.text == "", outbox.c.media.is_(None)), "withdrawn"), else_="sent"
    ),
    error=None,
    text=None,  # the turn has what was said
    warning="",
    mention="",
    buttons=None,
    media=None,
)
_ARRIVED = sa.bindparam("arrived", type_=outbox.c.message.type)
_TAKEN_BACK = outbox.c.state == "withdrawn"
GREW = MARK.values(  # what was taken back meanwhile is deleted
    message=_ARRIVED,
    state=sa.case((_TAKEN_BACK, "pending"), else_=outbox.c.state),
    text=sa.case((_TAKEN_BACK, ""), else_=outbox.c.text),
    replaces=sa.case((_TAKEN_BACK, _ARRIVED), else_=outbox.c.replaces),
)
_BEGAN = sa.bindparam("began", type_=outbox.c.attempted.type)
BEGIN = (
    MARK.where(
        rows.one_of(outbox.c.state, UNSENT),
        sa.func.coalesce(outbox.c.text, "") == sa.bindparam("as_read"),
    )
    .values(state="sending", attempted=sa.func.coalesce(outbox.c.attempted, _BEGAN))
    .returning(outbox.c.id)
)
STILL = MARK.where(outbox.c.state == "sending")
"""Unless it was taken back while it was on its way."""


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
        replaces=row.replaces or "",
        private=row.private,
        buttons=rows.load_buttons(row.buttons) if row.buttons else (),
        media=rows.load_media(row.media) if row.media else (),
    )
    return Parcel(row=row.id, reply=reply)


def queue(
    connection: sa.Connection, where: int, turn_id: int | None, replies: Sequence[Reply]
) -> None:
    """Queue the parts of an answer. What people already see of it changes into them, part by part;
    what is left of that is deleted. What is for one alone takes no place that others see."""
    seen = connection.execute(GROWING, {"where": where}).all()
    private = any(reply.private for reply in replies)
    there = [row for row in seen if row.message is not None and not private]
    for part, (reply, row) in enumerate(zip(replies, there, strict=False)):
        values = {**_row(where, turn_id, part, reply), "replaces": row.message, "attempted": None}
        del values["nonce"]
        connection.execute(outbox.update().where(outbox.c.id == row.id).values(values))
    if len(replies) > len(there):
        added = enumerate(replies[len(there) :], start=len(there))
        connection.execute(QUEUE, [_row(where, turn_id, part, reply) for part, reply in added])
    if len(seen) > min(len(there), len(replies)):
        growing = sa.and_(outbox.c.conversation_id == where, outbox.c.state == "growing")
        take_back(connection, growing)


def post(connection: sa.Connection, where: int, replies: Sequence[Reply]) -> None:
    """Queue what is said of our own accord, behind all else in its conversation. What grows there
    belongs to an answer, and stays."""
    values = [_row(where, None, part, reply) for part, reply in enumerate(replies)]
    connection.execute(QUEUE, values)


def say(connection: sa.Connection, key: ConversationKey, replies: Sequence[Reply]) -> None:
    """`post`, where perhaps nothing was said yet."""
    post(connection, rows.ensure_conversation(connection, key), replies)


def take_back(
    connection: sa.Connection, which: sa.ColumnElement[bool], *, seen: bool = True
) -> None:
    """Of these replies, those not sent are withdrawn, and one that was still growing is deleted on
    the platform; if `seen`, so are those that were sent."""
    pending = sa.and_(which, outbox.c.state == "pending")
    connection.execute(
        outbox.update()
        .where(pending, outbox.c.replaces.is_(None))
        .values(state="withdrawn", text=None, warning="")
    )
    connection.execute(
        outbox.update()
        .where(pending, outbox.c.replaces.is_not(None))
        .values(text="", warning="", media=None, turn_id=None)
    )
    shown = ("growing", "sent") if seen else ("growing",)
    connection.execute(
        outbox.update()
        .where(which, rows.one_of(outbox.c.state, shown), outbox.c.message.is_not(None))
        .values(state="pending", text="", replaces=outbox.c.message, attempted=None, turn_id=None)
    )
    lost = {"state": "withdrawn", "error": "its beginning may have arrived"}
    connection.execute(outbox.update().where(which, outbox.c.state == "growing").values(lost))


def give_up_on_its_way(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Those of these replies that are on their way now, or were when the power failed, are not
    sent again if they do not arrive."""
    gone = {"text": None, "buttons": None, "media": None}
    lost = {**gone, "state": "withdrawn", "error": "it may have arrived"}
    connection.execute(outbox.update().where(which, outbox.c.state == "sending").values(lost))


def _row(where: int, turn_id: int | None, part: int, reply: Reply) -> dict[str, Any]:
    return {
        "conversation_id": where,
        "turn_id": turn_id,
        "text": reply.text,
        "nonce": reply.nonce,
        "in_reply_to": reply.in_reply_to,
        "part": part,
        "mention": reply.mention,
        "visibility": reply.visibility,
        "warning": reply.warning,
        "private": reply.private,
        "buttons": rows.dump_buttons(reply.buttons) if reply.buttons else None,
        "about": reply.about,
        "media": rows.dump_media(reply.media) if reply.media else None,
        "state": "pending",
    }


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def grow(self, reply: Reply, at: datetime, permit: Permit | None = None) -> Growing:
        def transaction(connection: sa.Connection) -> Growing:
            if permit:
                permit(connection, reply.key)
            where = rows.ensure_conversation(connection, reply.key)
            row = connection.execute(GROWING, {"where": where}).first()
            if row is not None:
                doubt = row.attempted if row.message is None else None
                message = row.message or ""
                return Growing(row=row.id, nonce=row.nonce, message=message, attempted=doubt)
            values = {**_row(where, None, 0, reply), "text": None, "state": "growing"}
            made = connection.scalar(QUEUE.returning(outbox.c.id), {**values, "attempted": at})
            assert made is not None  # noqa: S101 - RETURNING gives it
            return Growing(row=made, nonce=reply.nonce)

        return await self._database.write(transaction)

    async def grew(self, row: int, message: str) -> None:
        await self._mark(GREW, row=row, arrived=message)

    async def shrink(self, row: int) -> None:
        def transaction(connection: sa.Connection) -> None:
            connection.execute(outbox.delete().where(outbox.c.id == row))

        await self._database.write(transaction)

    async def begin(self, parcel: Parcel, at: datetime) -> bool:
        values = {"row": parcel.row, "began": at, "as_read": parcel.reply.text}

        def transaction(connection: sa.Connection) -> bool:
            return connection.scalar(BEGIN, values) is not None

        return await self._database.write(transaction)

    async def sent(self, row: int, message: str) -> None:
        await self._mark(SENT, row=row, message=message)

    async def again(self, parcel: Parcel) -> None:
        attempted = parcel.reply.attempted
        await self._mark(STILL, row=parcel.row, state="pending", attempted=attempted)

    async def anew(self, row: int, nonce: str) -> None:
        own = {"replaces": None, "message": None, "attempted": None, "nonce": nonce}
        await self._mark(STILL, row=row, state="pending", **own)

    async def give_up(self, row: int, state: str, error: str) -> None:
        await self._mark(MARK, row=row, state=state, error=error)

    async def _mark(self, update: sa.Update, **values: object) -> None:
        def transaction(connection: sa.Connection) -> None:
            connection.execute(update, values)

        await self._database.write(transaction)
