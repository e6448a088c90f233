"""What the owner looks at and mends: conversations, decisions, what was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.facts import true_at
from hobnob.store.schema import conversation, fact, fact_source, inbox, outbox, reaction, turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A stored conversation in one line."""

    key: ConversationKey
    turns: int
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of an event, and why; its text is not in here."""

    key: ConversationKey
    received: datetime
    kind: str
    author: str
    state: str
    decision: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What needs the owner: events set aside, sends in doubt, sends refused."""

    aside: int
    unknown: int
    refused: int
    last_error: str = ""


async def conversations(database: Database) -> Sequence[Summary]:
    """All stored conversations, the one that spoke last at the end."""
    query = (
        sa.select(*rows.KEY, sa.func.count(turn.c.id).label("turns"), sa.func.max(turn.c.at))
        .select_from(conversation.outerjoin(turn))
        .group_by(conversation.c.id, *rows.KEY)
        .order_by(sa.func.max(turn.c.at).nulls_first())
    )

    def transaction(connection: sa.Connection) -> Sequence[Summary]:
        return [
            Summary(key=rows.key(row), turns=row.turns, last=row[-1])
            for row in connection.execute(query)
        ]

    return await database.read(transaction)


async def decisions(
    database: Database, key: ConversationKey | None, limit: int
) -> Sequence[Decided]:
    """The last `limit` events of a conversation, or of all, with what was decided; oldest first."""
    query = sa.select(inbox, *rows.KEY).join(conversation).order_by(inbox.c.id.desc()).limit(limit)
    if key is not None:
        query = query.where(inbox.c.conversation_id == rows.THE_CONVERSATION)
    values = {} if key is None else rows.at(key)

    def transaction(connection: sa.Connection) -> Sequence[Decided]:
        found = [
            Decided(
                key=rows.key(row),
                received=row.received,
                kind=row.kind,
                author=row.author,
                state=row.state,
                decision=row.decision or "",
                reason=row.reason or row.error or "",
            )
            for row in connection.execute(query, values)
        ]
        return found[::-1]

    return await database.read(transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted:
    """What somebody thinks of something that we said."""

    at: datetime
    key: ConversationKey
    author: str
    emoji: str
    text: str
    """What we said; "" where that is not kept."""


async def reactions(
    database: Database, key: ConversationKey | None, limit: int
) -> Sequence[Reacted]:
    """The last `limit` reactions in a conversation, or in all; oldest first."""
    said = sa.and_(
        outbox.c.conversation_id == reaction.c.conversation_id,
        outbox.c.message == reaction.c.message,
    )
    query = (
        sa.select(reaction, turn.c.text, *rows.KEY)
        .join_from(reaction, conversation)
        .outerjoin(outbox, said)
        .outerjoin(turn, turn.c.id == outbox.c.turn_id)
        .order_by(reaction.c.at.desc())
        .limit(limit)
    )
    if key is not None:
        query = query.where(reaction.c.conversation_id == rows.THE_CONVERSATION)
    values = {} if key is None else rows.at(key)

    def transaction(connection: sa.Connection) -> Sequence[Reacted]:
        found = [
            Reacted(
                at=row.at,
                key=rows.key(row),
                author=row.author,
                emoji=row.emoji,
                text=row.text or "",
            )
            for row in connection.execute(query, values)
        ]
        return found[::-1]

    return await database.read(transaction)


async def troubles(database: Database) -> Troubles:
    def transaction(connection: sa.Connection) -> Troubles:
        def count(table: sa.Table, state: str) -> int:
            query = sa.select(sa.func.count()).select_from(table).where(table.c.state == state)
            return int(connection.scalar(query) or 0)

        last = sa.select(inbox.c.error).where(inbox.c.state == "aside").order_by(inbox.c.id.desc())
        return Troubles(
            aside=count(inbox, "aside"),
            unknown=count(outbox, "unknown"),
            refused=count(outbox, "refused"),
            last_error=connection.scalar(last.limit(1)) or "",
        )

    return await database.read(transaction)


async def retry(database: Database, *, unknown: bool) -> tuple[int, int]:
    """Let events that were set aside wait again, and with `unknown` send again what is in doubt;
    how many of each."""

    def transaction(connection: sa.Connection) -> tuple[int, int]:
        events = connection.execute(
            inbox.update()
            .where(inbox.c.state == "aside")
            .values(state="waiting", attempts=0, error=None)
        )
        if not unknown:
            return events.rowcount, 0
        sends = connection.execute(
            outbox.update()
            .where(outbox.c.state == "unknown", outbox.c.text.is_not(None))  # not forgotten
            .values(state="pending", attempted=None, error=None)
        )
        return events.rowcount, sends.rowcount

    return await database.write(transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A fact as the owner sees it."""

    key: ConversationKey
    person: str
    name: str
    number: int
    kind: str
    text: str
    at: datetime
    ended: datetime | None


async def known(database: Database, who: str, limit: int, *, ended: bool) -> Sequence[Known]:
    """The last `limit` facts: of a person ("platform/id"), of a conversation, or with "" all;
    with `ended` also those that are no longer so."""
    name = (
        sa.select(turn.c.name)
        .join_from(fact_source, turn)
        .where(fact_source.c.fact_id == fact.c.id)
        .order_by(turn.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = sa.select(fact, *rows.KEY, name.label("name")).join_from(fact, conversation)
    query = query.order_by(fact.c.id.desc()).limit(limit)

    if not ended:
        query = query.where(true_at(datetime.now(UTC)))

    def transaction(connection: sa.Connection) -> Sequence[Known]:
        found = connection.execute(query.where(_whose(connection, who)))
        return [
            Known(
                key=rows.key(row),
                person=f"{row.platform}/{row.subject}",
                name=row.name or "",
                number=row.number,
                kind=row.kind,
                text=row.text,
                at=row.at,
                ended=row.ended,
            )
            for row in found
        ][::-1]

    return await database.read(transaction)


async def learned(database: Database, embedder: str) -> tuple[int, int]:
    """Turns that recall doesn't know yet or knows by another embedder, and all turns."""

    def transaction(connection: sa.Connection) -> tuple[int, int]:
        all_ = sa.select(sa.func.count()).select_from(turn)
        known = connection.scalar(all_.where(turn.c.learned == embedder)) or 0
        total = connection.scalar(all_) or 0
        return total - known, total

    return await database.read(transaction)


async def oldest_learned(database: Database) -> str | None:
    """Which embedder knows the oldest turn that any knows."""
    query = sa.select(turn.c.learned).where(turn.c.learned.is_not(None)).order_by(turn.c.id)
    return await database.read(lambda connection: connection.scalar(query.limit(1)))


async def relearn(database: Database, embedder: str, limit: int) -> int:
    """Let up to `limit` turns that another embedder knows be learned anew; how many."""
    others = sa.select(turn.c.id).where(turn.c.learned != embedder).limit(limit)

    def transaction(connection: sa.Connection) -> int:
        change = turn.update().where(turn.c.id.in_(others)).values(learned=None)
        return connection.execute(change).rowcount

    return await database.write(transaction)


async def accounts(database: Database, platform: str) -> Sequence[str]:
    """Our accounts on a platform, as far as somebody spoke to them."""
    query = sa.select(conversation.c.account).where(conversation.c.platform == platform)

    def transaction(connection: sa.Connection) -> Sequence[str]:
        return list(connection.scalars(query.distinct()))

    return await database.read(transaction)


async def above_row_security(database: Database) -> bool:
    """Whether the server's own guard between conversations is nothing to our user."""
    query = sa.text(
        "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user"
    )

    def transaction(connection: sa.Connection) -> bool:
        return connection.dialect.name == "postgresql" and bool(connection.scalar(query))

    return await database.read(transaction)


def _whose(connection: sa.Connection, who: str) -> sa.ColumnElement[bool]:
    if not who:
        return sa.true()
    platform, slash, person = who.partition("/")
    if slash:
        return sa.and_(conversation.c.platform == platform, fact.c.subject == person)
    key = ConversationKey.parse(who)
    return fact.c.conversation_id == connection.scalar(rows.FIND, rows.at(key))
