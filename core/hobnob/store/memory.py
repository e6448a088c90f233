"""What is remembered, in SQL (`hobnob.recollection.MemoryStore`): reading within a scope."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Turn
from hobnob.ports import Clock
from hobnob.recollection import Entries, Learned, Lesson, News, Overflow, Recent, Scope
from hobnob.store import facts, lessons, links, rows, summaries
from hobnob.store.database import Database
from hobnob.store.forgetting import forget_person
from hobnob.store.history import RECENT
from hobnob.store.rights import SqlRights
from hobnob.store.schema import conversation, recall, recall_tokens, summary, turn

PLACE = sa.select(
    conversation.c.id,
    conversation.c.incognito,
    conversation.c.forgotten,
    conversation.c.begins,
    conversation.c.language,
    conversation.c.person,
).where(
    conversation.c.platform == sa.bindparam("key_platform"),
    conversation.c.account == sa.bindparam("key_account"),
    conversation.c.room == sa.bindparam("key_room"),
    conversation.c.thread == sa.bindparam("key_thread"),
)
LINKED = sa.select(*PLACE.selected_columns).where(
    conversation.c.person == sa.bindparam("person"), conversation.c.id != sa.bindparam("id")
)
_OLDEST = sa.select(sa.func.min(turn.c.position)).where(
    turn.c.conversation_id == rows.THE_CONVERSATION
)
_SUMMARY = sa.select(summary.c.text).where(
    summary.c.conversation_id == rows.THE_CONVERSATION,
    summary.c.position >= sa.bindparam("begins"),
)
OLDER = sa.select(_OLDEST.scalar_subquery(), _SUMMARY.scalar_subquery())
ENTRIES = (
    sa.select(
        turn.c.id,
        turn.c.at,
        turn.c.author,
        turn.c.name,
        turn.c.role,
        turn.c.learned,
        recall.c.terms,
        recall.c.vector,
    )
    .join_from(recall, turn)
    .where(
        recall.c.conversation_id == sa.bindparam("where"),
        recall.c.turn_id > sa.bindparam("after"),
    )
    .order_by(recall.c.turn_id)
    .limit(sa.bindparam("most"))
)
_PLACES: sa.BindParameter[int] = sa.bindparam("places", expanding=True)
_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
TOKENS = sa.select(recall_tokens.c.turn_id, recall_tokens.c.tokens).where(
    recall_tokens.c.turn_id.in_(_IDS), recall_tokens.c.conversation_id.in_(_PLACES)
)
_HIT = turn.alias("hit")
_AROUND = sa.bindparam("around", type_=sa.Integer)
PASSAGES = (
    sa.select(*rows.TURN, _HIT.c.id.label("hit"))
    .where(
        _HIT.c.id.in_(_IDS),
        _HIT.c.conversation_id.in_(_PLACES),
        turn.c.conversation_id == _HIT.c.conversation_id,
        turn.c.position.between(_HIT.c.position - _AROUND, _HIT.c.position + _AROUND),
    )
    .order_by(_HIT.c.id, turn.c.position)
)


class SqlMemory:
    def __init__(self, database: Database, clock: Clock, *, zone: str = "UTC") -> None:
        """`zone` is the bot's: whose own nobody knows is taken to live there."""
        self._database = database
        self._clock = clock
        self.rights = SqlRights(clock)
        self._zone = zone

    # ------------------------------------------------------------------ reading, within a scope

    async def recent(self, scope: Scope, limit: int) -> Recent:
        def transaction(connection: sa.Connection) -> Recent:
            at = rows.at(scope.key)
            here, *_ = rest = _find(connection, scope)
            places = _enter(connection, scope, rest)
            if not places:
                return Recent()
            begins = here.begins if here is not None else 0
            found = connection.execute(RECENT, {**at, "limit": limit, "begins": begins}).all()
            first = found[0].position if found else begins
            oldest, summed_up = connection.execute(OLDER, {**at, "begins": begins}).one()
            older = oldest is not None and oldest < first
            return Recent(
                turns=tuple(rows.turns(found)),
                complete=not older and len(places) == 1,
                summary=summed_up or "",
                facts=facts.known(connection, scope, list(places), self._clock.now()),
                incognito=any(place.incognito for place in places.values()),
                language=(here.language or "") if here is not None else "",
            )

        return await self._database.view(transaction)

    async def news(self, scope: Scope, newest: Mapping[int, int], limit: int) -> Mapping[int, News]:
        def transaction(connection: sa.Connection) -> Mapping[int, News]:
            return {
                place.id: News(
                    forgotten=place.forgotten,
                    entries=_entries(connection, place.id, newest.get(place.id, 0), limit),
                )
                for place in _enter(connection, scope).values()
            }

        return await self._database.view(transaction)

    async def known_as(self, scope: Scope) -> frozenset[str]:
        if not scope.direct:
            return frozenset()
        found = await self._database.read(lambda found: links.members(found, scope.key))
        return frozenset(row.whose for row in found)

    async def entries(self, conversation: int, after: int, limit: int) -> Entries:
        def transaction(connection: sa.Connection) -> Entries:
            restrict(connection, [conversation])
            return _entries(connection, conversation, after, limit)

        return await self._database.view(transaction)

    async def tokens(self, scope: Scope, ids: Sequence[int]) -> Mapping[int, bytes]:
        def transaction(connection: sa.Connection) -> Mapping[int, bytes]:
            values = {"ids": ids, "places": list(_enter(connection, scope))}
            return {row.turn_id: row.tokens for row in connection.execute(TOKENS, values)}

        return await self._database.view(transaction)

    async def ended(self, scope: Scope, ids: Sequence[int]) -> Sequence[tuple[int, int, str]]:
        def transaction(connection: sa.Connection) -> Sequence[tuple[int, int, str]]:
            return facts.ended(connection, scope, list(_enter(connection, scope)), ids)

        return await self._database.view(transaction)

    async def passages(
        self, scope: Scope, ids: Sequence[int], around: int
    ) -> Mapping[int, Sequence[Turn]]:
        def transaction(connection: sa.Connection) -> Mapping[int, Sequence[Turn]]:
            values = {"ids": ids, "places": list(_enter(connection, scope)), "around": around}
            read = connection.execute(PASSAGES, values).all()
            found: dict[int, list[Turn]] = {}
            for row, said in zip(read, rows.turns(read), strict=True):
                found.setdefault(row.hit, []).append(said)
            return found

        return await self._database.view(transaction)

    # ------------------------------------------------------------------ learning

    async def lessons(self, limit: int, without: Collection[int] = ()) -> Sequence[Lesson]:
        def transaction(connection: sa.Connection) -> Sequence[Lesson]:
            return lessons.read(connection, limit, without, self._zone)

        return await self._database.read(transaction)

    async def learn(self, learned: Sequence[Learned]) -> None:
        def transaction(connection: sa.Connection) -> None:
            for each in learned:
                lessons.learn(connection, each)

        await self._database.write(transaction)

    async def overflow(self, conversation: int, window: int, step: int) -> Overflow | None:
        def transaction(connection: sa.Connection) -> Overflow | None:
            return summaries.overflow(connection, conversation, window, step)

        return await self._database.read(transaction)

    async def sum_up(self, overflow: Overflow, summary: str) -> None:
        now = self._clock.now()

        def transaction(connection: sa.Connection) -> None:
            summaries.put(connection, overflow, summary, now)

        await self._database.write(transaction)

    async def forget_person(self, platform: str, account: str, person: str) -> int:
        def transaction(connection: sa.Connection) -> int:
            return forget_person(connection, platform, account, person)

        return await self._database.write(transaction)

    async def is_incognito(self, key: ConversationKey) -> bool:
        return bool(
            await self._database.read(lambda found: found.scalar(links.INCOGNITO, rows.at(key)))
        )

    async def scrub(self) -> None:
        await self._database.scrub()


def restrict(connection: sa.Connection, places: Sequence[int], scope: Scope | None = None) -> None:
    """On PostgreSQL, let this transaction see only what is in these conversations, whatever its
    queries ask for (migration 0002 has the policies)."""
    if connection.dialect.name != "postgresql":
        return
    values = {
        "hobnob.scope": f"{{{','.join(map(str, places))}}}",
        "hobnob.asker": scope.asker if scope else "",
        "hobnob.direct": "true" if scope and scope.direct else "false",
    }
    settings = [sa.func.set_config(name, value, True) for name, value in values.items()]
    connection.execute(sa.select(*settings))


def _find(connection: sa.Connection, scope: Scope) -> list[Any]:
    """The rows of the scope's conversations; None for one that does not exist. What the person
    linked themselves comes last."""
    found = [connection.execute(PLACE, rows.at(key)).first() for key in scope.keys]
    here = found[0]
    if scope.direct and here is not None and here.person is not None:
        values = {"person": here.person, "id": here.id}
        found += connection.execute(LINKED, values).all()
    return found


def _enter(
    connection: sa.Connection, scope: Scope, found: Sequence[Any] | None = None
) -> dict[int, Any]:
    """The scope's conversations that exist, by id; from here on nothing else is seen."""
    found = _find(connection, scope) if found is None else found
    places = {row.id: row for row in found if row is not None}
    restrict(connection, list(places), scope)
    return places


def _entries(connection: sa.Connection, conversation: int, after: int, limit: int) -> Entries:
    values = {"where": conversation, "after": after, "most": limit}
    found = connection.execute(ENTRIES, values).all()
    if not found:
        return Entries()
    ids, times, authors, names, roles, embedders, terms, vectors = zip(*found, strict=True)
    said_by = list(zip(authors, names, roles, strict=True))
    people = {
        each: Author(id=each[0], name=each[1], is_bot=each[2] == "assistant")
        for each in set(said_by)
    }
    return Entries(
        ids=ids,
        at=[at.timestamp() for at in times],
        authors=[people[each] for each in said_by],
        terms=terms,
        vectors=vectors,
        embedders=embedders,
    )
