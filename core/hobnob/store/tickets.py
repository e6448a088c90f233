"""Tickets of the support desk: who needs a person, who has it, and all that was done about it. What
changes one is a part of a transaction, and raises Changed if somebody was faster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.errors import Changed
from hobnob.events import Event, Turn
from hobnob.store import links, outbox, rows
from hobnob.store import schedule as schedules
from hobnob.store.database import Database
from hobnob.store.forgetting import forget_turns
from hobnob.store.inbox import append
from hobnob.store.schema import conversation, ticket, ticket_act
from hobnob.store.schema import outbox as outbox_table

SILENT = ("taken", "snoozed")
"""A person has it: we say nothing in its conversation."""
BOT = "hobnob"
JOB = "ticket"
"""Its rows in `schedule`."""

_HERE = ticket.c.conversation_id == rows.THE_CONVERSATION
_UNRESOLVED = ticket.c.state != "resolved"
HAS_IT = sa.select(ticket.c.id, ticket.c.state, ticket.c.staff).where(_HERE, _UNRESOLVED)
SELECT = sa.select(ticket, conversation.c.language, *rows.KEY).join_from(ticket, conversation)
ACTIVE = SELECT.where(_HERE, _UNRESOLVED)
ASKED = (
    SELECT.where(_HERE, ticket.c.state == "resolved", ticket.c.asked.is_not(None))
    .where(ticket.c.author == sa.bindparam("author"))
    .order_by(ticket.c.id.desc())
    .limit(1)
)
LANGUAGE = sa.select(conversation.c.language).where(conversation.c.id == rows.THE_CONVERSATION)
HIGHEST = sa.select(sa.func.max(ticket.c.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    number: int
    key: ConversationKey
    """The customer's conversation."""
    author: str
    """The customer; "" once they had everything forgotten."""
    name: str
    language: str = ""
    """In which the bot is to answer there, by its English name; "": nobody said."""
    event: Event
    """What the customer said last, without its text."""
    state: str
    """open (the bot answers, a person may look), waiting (for a person), taken (a person has it),
    snoozed (likewise, and it comes back at its time) or resolved."""
    staff: str = ""
    """platform/id of who has it."""
    staff_name: str = ""
    held: str = ""
    """An answer that a person has to approve."""
    opened: datetime
    asked: datetime | None = None
    """When the customer was asked how it went."""
    rating: int | None = None
    schedule: int | None = None
    """What wakes it, while it is snoozed."""

    @property
    def is_silent(self) -> bool:
        return self.state in SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did about a ticket."""

    what: str
    """wanted, unanswered, held, taken, said, sent, lost (what was said did not arrive), wrote (what
    is no part of the conversation), released, snoozed, back, resolved or rated."""
    who: str = BOT
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What there is of tickets in a conversation."""

    active: Ticket | None
    """The one that is not resolved."""
    asked: Ticket | None
    """The last that is, and about which the person who speaks was asked."""
    next_number: int
    incognito: bool
    """What is said here is not to be kept."""
    language: str
    """In which the bot is to answer here, by its English name; "": nobody said."""


Change = Callable[[sa.Connection], None]


# ------------------------------------------------------------------ within a transaction


def act(connection: sa.Connection, number: int, done: Act, at: datetime) -> None:
    """Put on record what was done."""
    values = {"ticket_id": number, "at": at, "who": done.who, "what": done.what, "note": done.note}
    connection.execute(ticket_act.insert(), values)


def create(connection: sa.Connection, new: Ticket, done: Act, at: datetime) -> None:
    """Add it under its number, for the conversation that it is about. Raises Changed if the number
    or the conversation has one by now."""
    values = {
        "id": new.number,
        "conversation_id": rows.ensure_conversation(connection, new.key),
        "author": new.author,
        "name": new.name,
        "event": rows.dump_bare(new.event),
        "state": new.state,
        "staff": new.staff,
        "staff_name": new.staff_name,
        "held": new.held,
        "opened": at,
    }
    add = rows.insert(connection.dialect.name, ticket).on_conflict_do_nothing()
    if connection.scalar(add.values(values).returning(ticket.c.id)) is None:
        raise Changed(f"there is a ticket {new.number}, or one of this conversation, by now")
    act(connection, new.number, done, at)


def change(
    connection: sa.Connection, seen: Ticket, done: Act | None, at: datetime, **values: Any
) -> None:
    """Change a ticket, as long as it is as it was seen. Raises Changed if somebody was faster."""
    if isinstance(event := values.get("event"), Event):
        values["event"] = rows.dump_bare(event)
    as_seen = sa.and_(
        ticket.c.id == seen.number, ticket.c.state == seen.state, ticket.c.staff == seen.staff
    )
    update = ticket.update().where(as_seen).values({"state": seen.state, **values})
    if connection.scalar(update.returning(ticket.c.id)) is None:
        raise Changed(f"ticket {seen.number} has changed meanwhile")
    if done:
        act(connection, seen.number, done, at)


def hush(connection: sa.Connection, seen: Ticket) -> None:
    """Take back what we were about to say in its conversation, unless it is about the ticket; an
    answer of which nothing left was not said."""
    c = outbox_table.c
    where = rows.ensure_conversation(connection, seen.key)
    ours = sa.and_(c.conversation_id == where, c.about != outbox.A_TICKET.format(seen.number))
    parts = outbox_table.alias()
    left = parts.c.state.not_in(("pending", "growing"))
    partly = sa.select(parts.c.id).where(parts.c.turn_id == c.turn_id, left).exists()
    unsaid = sa.select(c.turn_id).where(ours, c.state == "pending", c.turn_id.is_not(None), ~partly)
    turns = list(connection.scalars(unsaid.distinct()))
    outbox.take_back(connection, ours, seen=False)
    forget_turns(connection, turns)
    outbox.give_up_on_its_way(connection, ours)


def permit(connection: sa.Connection, key: ConversationKey) -> None:
    """Raises Changed if a person has this conversation. Until the transaction ends, nobody takes
    it, so that what it says is there to be taken back by whoever does (`hush`)."""
    found = connection.execute(HAS_IT.with_for_update(), rows.at(key)).first()
    if found is not None and found.state in SILENT:
        raise Changed(f"{found.staff} has ticket {found.id}")


def remember(connection: sa.Connection, seen: Ticket, turn: Turn) -> None:
    """What a person said to the customer is a part of their conversation."""
    if not connection.scalar(links.INCOGNITO, rows.at(seen.key)):
        append(connection, rows.ensure_conversation(connection, seen.key), [turn])


def snooze(connection: sa.Connection, seen: Ticket, event: Event, due: datetime) -> int:
    """Let `event` come in when it is due; the number to change the ticket with."""
    wake(connection, seen)
    return schedules.add(connection, event, job=JOB, due=due)


def wake(connection: sa.Connection, seen: Ticket) -> None:
    """It does not come back by itself any more."""
    if seen.schedule is not None:
        schedules.drop(connection, seen.schedule)


# ------------------------------------------------------------------ the table as a whole


class SqlTickets:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, change: Change) -> None:
        await self._database.write(change)

    async def here(self, event: Event) -> Here:
        values = {**rows.at(event.key), "author": event.author.id}

        def transaction(connection: sa.Connection) -> Here:
            return Here(
                active=_first(connection.execute(ACTIVE, values)),
                asked=_first(connection.execute(ASKED, values)),
                next_number=(connection.scalar(HIGHEST) or 0) + 1,
                incognito=bool(connection.scalar(links.INCOGNITO, values)),
                language=connection.scalar(LANGUAGE, values) or "",
            )

        return await self._database.read(transaction)

    async def get(self, number: int) -> Ticket | None:
        query = SELECT.where(ticket.c.id == number)
        return await self._database.read(lambda connection: _first(connection.execute(query)))

    async def unresolved(self) -> Sequence[Ticket]:
        """Oldest first."""
        query = SELECT.where(_UNRESOLVED).order_by(ticket.c.id)

        def transaction(connection: sa.Connection) -> Sequence[Ticket]:
            return [of_row(row) for row in connection.execute(query)]

        return await self._database.read(transaction)

    async def of_message(self, key: ConversationKey, message: str) -> int | None:
        """The number of the ticket that a message of ours in this conversation is about."""
        c = outbox_table.c
        query = sa.select(c.about).where(
            c.message == message, c.conversation_id == rows.THE_CONVERSATION
        )

        def transaction(connection: sa.Connection) -> int | None:
            return _number(connection.scalar(query, rows.at(key)) or "")

        return await self._database.read(transaction)

    async def snoozed(self, row: int) -> Ticket | None:
        """The one that is woken by this row of `schedule`."""
        query = SELECT.where(ticket.c.schedule_id == row)
        return await self._database.read(lambda connection: _first(connection.execute(query)))

    async def acts(self, number: int) -> Sequence[tuple[datetime, Act]]:
        """What was done about a ticket, oldest first."""
        query = sa.select(ticket_act).where(ticket_act.c.ticket_id == number)

        def transaction(connection: sa.Connection) -> Sequence[tuple[datetime, Act]]:
            return [
                (row.at, Act(what=row.what, who=row.who, note=row.note))
                for row in connection.execute(query.order_by(ticket_act.c.id))
            ]

        return await self._database.read(transaction)

    async def all(self, limit: int) -> Sequence[Ticket]:
        """The last ones, the newest first."""
        query = SELECT.order_by(ticket.c.id.desc()).limit(limit)

        def transaction(connection: sa.Connection) -> Sequence[Ticket]:
            return [of_row(row) for row in connection.execute(query)]

        return await self._database.read(transaction)

    async def unsent(self) -> Sequence[ConversationKey]:
        """Conversations where something about a ticket is still to be said."""
        c = outbox_table.c
        waiting = sa.select(c.conversation_id).where(c.state == "pending", c.about != "")
        query = sa.select(*rows.KEY).where(conversation.c.id.in_(waiting))

        def transaction(connection: sa.Connection) -> Sequence[ConversationKey]:
            return [rows.key(row) for row in connection.execute(query)]

        return await self._database.read(transaction)

    async def undelivered(self) -> Sequence[tuple[int, Ticket, str]]:
        """Words of a person that did not, or perhaps not, reach the customer: each as its row in
        the outbox, the ticket and what went wrong."""
        c = outbox_table.c
        query = sa.select(c.id, c.about, c.state, c.error, c.conversation_id).where(
            rows.one_of(c.state, ("refused", "unknown")), c.about != ""
        )

        def transaction(connection: sa.Connection) -> Sequence[tuple[int, Ticket, str]]:
            found = []
            for row in connection.execute(query).all():
                number = _number(row.about)
                its = sa.and_(
                    ticket.c.id == number, ticket.c.conversation_id == row.conversation_id
                )
                if about := _first(connection.execute(SELECT.where(its))):
                    certain = "did not reach" if row.state == "refused" else "may not have reached"
                    found.append((row.id, about, f"{certain} them: {row.error}"))
            return found

        return await self._database.read(transaction)


def told(connection: sa.Connection, row: int) -> None:
    """This row of `undelivered` needs no more attention."""
    connection.execute(outbox_table.update().where(outbox_table.c.id == row).values(about=""))


def _number(about: str) -> int | None:
    name, _, number = about.partition(" ")
    return int(number) if name == "ticket" and number.isdecimal() else None


def _first(found: sa.CursorResult[Any]) -> Ticket | None:
    row = found.first()
    return of_row(row) if row is not None else None


def of_row(row: Any) -> Ticket:
    """Of `SELECT`."""
    return Ticket(
        number=row.id,
        key=rows.key(row),
        author=row.author,
        name=row.name,
        language=row.language or "",
        event=rows.load(row.event),
        state=row.state,
        staff=row.staff,
        staff_name=row.staff_name,
        held=row.held,
        opened=row.opened,
        asked=row.asked,
        rating=row.rating,
        schedule=row.schedule_id,
    )
