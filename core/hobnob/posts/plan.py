"""Which posts are to come: the table is brought up to date with bot.toml."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from hobnob.ports import Clock
from hobnob.posts import review
from hobnob.posts.owner import Owner
from hobnob.posts.rule import Rule
from hobnob.store import posts as store
from hobnob.store.posts import Act, Post, SqlPosts

MOST_AHEAD = 10
"""Posts of one rule in the table that are still to come."""


class Planner:
    def __init__(
        self, rules: Mapping[str, Rule], *, posts: SqlPosts, owner: Owner, clock: Clock
    ) -> None:
        self._rules = rules
        self._posts = posts
        self._owner = owner
        self._clock = clock

    async def plan(self) -> None:
        """Put into the table what is to come, and take out what bot.toml no longer wants."""
        now = self._clock.now()
        coming: dict[str, int] = {}
        for post in await self._posts.open():
            rule = self._rules.get(post.rule)
            if rule is None or (post.due > now and not rule.is_due_at(post.due)):
                await self._withdraw(post, now)
            elif post.due > now:
                coming[rule.name] = coming.get(rule.name, 0) + 1
                await self._look_again(rule, post, now)
        for rule in self._rules.values():
            for due in await self._times(rule, now, coming.get(rule.name, 0)):
                await self._plan(rule, due, now)

    async def _times(self, rule: Rule, now: datetime, coming: int) -> Sequence[datetime]:
        """The times that are missing in the table: those within reach, at least the next, and the
        first of those that went by while nobody was here."""
        last = await self._posts.last_due(rule.name)
        begin, missed = last or now, []
        if begin < now - rule.late:
            missed = list(islice(rule.times(begin, now - rule.late), 1))
            begin = now - rule.late
        found = list(islice(rule.times(begin, now + rule.ahead), max(0, MOST_AHEAD - coming)))
        if not coming and not any(due > now for due in found):
            found += islice(rule.times(max(begin, now), datetime.max.replace(tzinfo=now.tzinfo)), 1)
        return [*missed, *found]

    async def _plan(self, rule: Rule, due: datetime, now: datetime) -> None:
        def transaction(connection: sa.Connection) -> None:
            store.plan(connection, rule.name, due, rule.to, now)

        await self._posts.write(transaction)

    async def _look_again(self, rule: Rule, post: Post, now: datetime) -> None:
        """See to it that it goes where bot.toml says now. If it is no longer what was approved, the
        owner is asked again."""
        moved = {version.key for version in post.versions} != set(rule.to)
        if moved:
            await self._plan(rule, post.due, now)
            post = await self._posts.get(post.number) or post
        asked = moved or any(version.approved for version in post.open)
        waits = rule.needs_approval and post.state == "drafted"
        if not (asked and waits) or review.is_approved(rule, post):
            return
        done = Act(what="voided", note="bot.toml was changed")

        def transaction(connection: sa.Connection) -> None:
            store.change(connection, post, done, now)
            shown = review.draft(rule, post, self._owner.limits)
            self._owner.tell(connection, shown, review.buttons(rule, post))

        await self._posts.write(transaction)

    async def _withdraw(self, post: Post, now: datetime) -> None:
        done = Act(what="withdrawn", note="bot.toml wants it no more")

        def transaction(connection: sa.Connection) -> None:
            store.change(connection, post, done, now, state="withdrawn")

        await self._posts.write(transaction)
