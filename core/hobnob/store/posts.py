"""Posts on a schedule. Each is in its table once for each of its times, and each version of it goes
into the outbox in the transaction that says so: it is published once, whenever a kill comes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.errors import Changed
from hobnob.events import Reply
from hobnob.store import outbox, rows
from hobnob.store.database import Database
from hobnob.store.schema import conversation, post, post_act, post_feed, post_version
from hobnob.store.schema import outbox as outbox_table

OPEN = ("planned", "drafted")
BOT = "hobnob"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A post in one place."""

    where: int
    key: ConversationKey
    state: str
    """open, posted or skipped."""
    approved: str = ""
    sent: str = ""
    """What became of it in the outbox, once posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    number: int
    rule: str
    due: datetime
    state: str
    text: str = ""
    wish: str = ""
    versions: tuple[Version, ...] = ()

    @property
    def open(self) -> tuple[Version, ...]:
        return tuple(version for version in self.versions if version.state == "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did about a post."""

    what: str
    """planned, drafted, edited, approved, voided, rejected, redraft, posted, skipped, withdrawn."""
    who: str = BOT
    note: str = ""


Change = Callable[[sa.Connection], None]


# ------------------------------------------------------------------ within a transaction


def act(connection: sa.Connection, number: int, done: Act, at: datetime) -> None:
    """Put on record what was done."""
    connection.execute(
        post_act.insert().values(
            post_id=number, at=at, who=done.who, what=done.what, note=done.note
        )
    )


def plan(
    connection: sa.Connection, rule: str, due: datetime, to: Sequence[ConversationKey], at: datetime
) -> int | None:
    """Put a post into the table; None if it is there. Its places are brought up to date."""
    new = rows.insert(connection.dialect.name, post).on_conflict_do_nothing()
    values = {"rule": rule, "due": due, "state": "planned", "wish": ""}
    made: int | None = connection.scalar(new.returning(post.c.id), values)
    here = sa.and_(post.c.rule == rule, post.c.due == due)
    if made is None:  # unless it is there because bot.toml wanted it before, and wants it again
        again = post.update().where(here, post.c.state == "withdrawn")
        made = connection.scalar(again.values(state="planned", text=None).returning(post.c.id))
    number = made or connection.scalar(sa.select(post.c.id).where(here))
    assert number is not None  # noqa: S101 - it was there or was made
    if made:
        act(connection, number, Act(what="planned"), at)
    wanted = {rows.ensure_conversation(connection, key) for key in to}
    c = post_version.c
    gone = sa.and_(c.post_id == number, c.state == "open", c.conversation_id.not_in(wanted))
    connection.execute(post_version.delete().where(gone))
    add = rows.insert(connection.dialect.name, post_version).on_conflict_do_nothing()
    for where in wanted:
        connection.execute(add, {"post_id": number, "conversation_id": where, "state": "open"})
    return made


def change(connection: sa.Connection, seen: Post, done: Act, at: datetime, **values: Any) -> None:
    """Change an open post, as long as it is as it was seen. Whatever was approved of it no longer
    is. Raises Changed if somebody was faster."""
    changed = connection.execute(
        post.update().where(_as(seen)).values({"state": seen.state, **values}).returning(post.c.id)
    ).first()
    if changed is None:
        raise Changed(f"post {seen.number} has changed meanwhile")
    connection.execute(
        post_version.update().where(post_version.c.post_id == seen.number).values(approved=None)
    )
    act(connection, seen.number, done, at)


def approve(
    connection: sa.Connection, seen: Post, prints: dict[int, str], done: Act, at: datetime
) -> None:
    """Approve each version under its fingerprint. Raises Changed like `change`."""
    if connection.scalar(sa.select(post.c.id).where(_as(seen)).with_for_update()) is None:
        raise Changed(f"post {seen.number} has changed meanwhile")
    for where, fingerprint in prints.items():
        connection.execute(
            post_version.update().where(_open_at(seen, where)).values(approved=fingerprint)
        )
    act(connection, seen.number, done, at)


def publish(
    connection: sa.Connection,
    seen: Post,
    version: Version,
    replies: Sequence[Reply],
    text: str,
    done: Act,
    at: datetime,
) -> bool:
    """Let one version go out, or end it where there are no `replies`; False if it is not as it was
    seen. `text` is what they say as a whole."""
    # Another version of it may have gone out already, and left its text there.
    same = sa.func.coalesce(post.c.text, "").in_((seen.text, text))
    still = sa.select(post.c.id).where(post.c.id == seen.number, post.c.state == seen.state, same)
    if connection.scalar(still.with_for_update()) is None:
        return False
    values = {
        "state": "posted" if replies else "skipped",
        "nonce": replies[0].nonce if replies else None,
    }
    ended = connection.execute(
        post_version.update()
        .where(_open_at(seen, version.where), _still_approved(version))
        .values(values)
        .returning(post_version.c.post_id)
    ).first()
    if ended is None:
        return False
    if replies:
        outbox.post(connection, version.where, replies)
        connection.execute(post.update().where(post.c.id == seen.number).values(text=text))
    act(connection, seen.number, done, at)
    _close(connection, seen.number)
    return True


def saw(connection: sa.Connection, rule: str, entries: Collection[str], at: datetime) -> None:
    """These entries of its feed need no post any more."""
    add = rows.insert(connection.dialect.name, post_feed).on_conflict_do_nothing()
    for entry in entries:
        connection.execute(add, {"rule": rule, "entry": entry, "at": at})


def _as(seen: Post) -> sa.ColumnElement[bool]:
    return sa.and_(
        post.c.id == seen.number,
        post.c.state == seen.state,
        sa.func.coalesce(post.c.text, "") == seen.text,
    )


def _open_at(seen: Post, where: int) -> sa.ColumnElement[bool]:
    c = post_version.c
    return sa.and_(c.post_id == seen.number, c.conversation_id == where, c.state == "open")


def _still_approved(version: Version) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(post_version.c.approved, "") == version.approved


def _close(connection: sa.Connection, number: int) -> None:
    """The post is over once no version is open."""
    states = set(
        connection.scalars(sa.select(post_version.c.state).where(post_version.c.post_id == number))
    )
    if "open" not in states:
        state = "posted" if "posted" in states else "skipped"
        connection.execute(post.update().where(post.c.id == number).values(state=state))


# ------------------------------------------------------------------ the table as a whole


class SqlPosts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, change: Change) -> None:
        await self._database.write(change)

    async def open(self, *, until: datetime | None = None) -> Sequence[Post]:
        """Posts that are still to come, or due by `until`; the next one first."""
        query = sa.select(post).where(post.c.state.in_(OPEN)).order_by(post.c.due, post.c.id)
        return await self._posts(query if until is None else query.where(post.c.due <= until))

    async def get(self, number: int) -> Post | None:
        return next(iter(await self._posts(sa.select(post).where(post.c.id == number))), None)

    async def over(self, limit: int) -> Sequence[Post]:
        """The last posts that went out or will not, the newest first."""
        query = sa.select(post).where(post.c.state.not_in(OPEN))
        return await self._posts(query.order_by(post.c.due.desc(), post.c.id.desc()).limit(limit))

    async def last_due(self, rule: str) -> datetime | None:
        """The latest time of the rule that is in the table."""
        query = sa.select(sa.func.max(post.c.due).label("due")).where(
            post.c.rule == rule, post.c.state != "withdrawn"
        )
        return await self._database.read(lambda connection: connection.scalar(query))

    async def said(self, rule: str, limit: int) -> Sequence[str]:
        """The last texts that the rule posted, the newest first."""
        query = (
            sa.select(post.c.text)
            .where(post.c.rule == rule, post.c.state == "posted", post.c.text.is_not(None))
            .order_by(post.c.due.desc())
            .limit(limit)
        )
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def seen(self, rule: str) -> frozenset[str]:
        """The entries of its feed that were dealt with."""
        query = sa.select(post_feed.c.entry).where(post_feed.c.rule == rule)
        return await self._database.read(lambda connection: frozenset(connection.scalars(query)))

    async def acts(self, number: int) -> Sequence[tuple[datetime, Act]]:
        """What was done about a post, oldest first."""
        query = sa.select(post_act).where(post_act.c.post_id == number).order_by(post_act.c.id)

        def transaction(connection: sa.Connection) -> Sequence[tuple[datetime, Act]]:
            return [
                (row.at, Act(what=row.what, who=row.who, note=row.note))
                for row in connection.execute(query)
            ]

        return await self._database.read(transaction)

    async def _posts(self, query: sa.Select[Any]) -> Sequence[Post]:
        def transaction(connection: sa.Connection) -> Sequence[Post]:
            found = connection.execute(query).all()
            sent = outbox_table.c.nonce == post_version.c.nonce
            versions = (
                sa.select(post_version, outbox_table.c.state.label("sent"), *rows.KEY)
                .select_from(post_version.join(conversation).outerjoin(outbox_table, sent))
                .where(post_version.c.post_id.in_([row.id for row in found]))
                .order_by(post_version.c.conversation_id)
            )
            of_post: dict[int, list[Version]] = defaultdict(list)
            for row in connection.execute(versions):
                of_post[row.post_id].append(
                    Version(
                        where=row.conversation_id,
                        key=rows.key(row),
                        state=row.state,
                        approved=row.approved or "",
                        sent=row.sent or "",
                    )
                )
            return [
                Post(
                    number=row.id,
                    rule=row.rule,
                    due=row.due,
                    state=row.state,
                    text=row.text or "",
                    wish=row.wish,
                    versions=tuple(of_post[row.id]),
                )
                for row in found
            ]

        return await self._database.read(transaction)
