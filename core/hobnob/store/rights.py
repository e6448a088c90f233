"""What people may ask of their memory, in SQL (`hobnob.recollection.Rights`)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.events import Fact
from hobnob.ports import Clock
from hobnob.recollection import Receipt, Scope
from hobnob.store import facts, links, rows
from hobnob.store.forgetting import forget_person, forget_said
from hobnob.store.schema import conversation, fact_source, turn


class SqlRights:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def facts(self, connection: sa.Connection, scope: Scope) -> Sequence[Fact]:
        return facts.told(connection, scope, self._clock.now())

    def why(self, connection: sa.Connection, scope: Scope, number: int) -> Receipt | None:
        return facts.receipt(connection, scope, number)

    def forget_fact(self, connection: sa.Connection, scope: Scope, number: int) -> bool:
        found = facts.one(connection, scope, number)
        if found is None:
            return False
        sources = sa.select(fact_source.c.turn_id).where(fact_source.c.fact_id == found.id)
        forget_said(connection, list(connection.scalars(sources)))
        return True

    def forget_all(self, connection: sa.Connection, scope: Scope) -> int:
        key = scope.key
        whole = {(key.platform, key.account, scope.asker)}
        if scope.direct:
            whole |= {tuple(row) for row in links.members(connection, key)}
        return sum(forget_person(connection, *each) for each in sorted(whole))

    def offer_link(
        self, connection: sa.Connection, scope: Scope, code: str, lasts: timedelta
    ) -> None:
        links.offer(connection, scope.key, scope.asker, code, self._clock.now() + lasts)

    def link(self, connection: sa.Connection, scope: Scope, code: str) -> ConversationKey | None:
        return links.join(connection, scope.key, scope.asker, code, self._clock.now())

    def unlink(self, connection: sa.Connection, key: ConversationKey) -> bool:
        return links.leave(connection, rows.ensure_conversation(connection, key))

    def set_incognito(self, connection: sa.Connection, key: ConversationKey, on: bool) -> None:
        _set(connection, key, incognito=on)

    def set_language(self, connection: sa.Connection, key: ConversationKey, language: str) -> None:
        _set(connection, key, language=language or None)

    def begin_anew(self, connection: sa.Connection, key: ConversationKey) -> None:
        last = sa.select(sa.func.coalesce(sa.func.max(turn.c.position) + 1, 0))
        here = turn.c.conversation_id == conversation.c.id
        _set(connection, key, begins=last.where(here).scalar_subquery())


def _set(connection: sa.Connection, key: ConversationKey, **values: Any) -> None:
    where = rows.ensure_conversation(connection, key)
    change = conversation.update().where(conversation.c.id == where)
    connection.execute(change.values(**values))
