"""The posting assistant: plans, lets the model draft in idle time, and publishes what is due."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from hobnob import replies
from hobnob.conversation import ConversationKey
from hobnob.errors import EngineError, EngineUnavailable, PageFailed, StoreError
from hobnob.events import Event, Visibility
from hobnob.jobs import Deed, Job, Message, Wake
from hobnob.persona import Persona
from hobnob.policy import Decision
from hobnob.ports import Adapter, Clock, Engine, Limits
from hobnob.posts import draft, feed, review
from hobnob.posts.desk import COMMANDS, Desk
from hobnob.posts.rule import Rule, skipped_because
from hobnob.posts.version import fingerprint, messages
from hobnob.store import posts as store
from hobnob.store.posts import Act, Post, SqlPosts

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
PLAN_EVERY = 30
"""Ticks between two looks at what bot.toml wants."""
MOST_AHEAD = 10
"""Posts of one rule in the table that are still to come."""
IDLE_SECONDS = 0.25
LONGEST_WAIT = 30.0
"""In a busy place nobody is ever idle."""
AGAIN = timedelta(minutes=1)
"""After a model failed at a draft."""
AGAIN_FEED = timedelta(minutes=10)
"""After a feed failed, or had nothing new."""
BEFORE = 3
"""Earlier posts that the model is shown."""
CAREFUL = Limits(max_length=500)
"""Of a platform that is not connected here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """`[review]` of bot.toml."""

    where: ConversationKey | None = None
    """Where drafts are shown."""
    owners: frozenset[str] = frozenset()
    """platform/id of whoever may decide."""


class Poster(Job):
    """See `hobnob.jobs.Job`."""

    commands = COMMANDS

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        review: Review,
        posts: SqlPosts,
        persona: Persona,
        engine: Engine,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        fetch: feed.Fetch | None = None,
    ) -> None:
        """`fetch` where there are feeds."""
        self._rules = {rule.name: rule for rule in rules}
        self._review = review
        self._posts = posts
        self._persona = persona
        self._engine = engine
        self._adapters = adapters
        self._clock = clock
        self._fetch = fetch
        self._rest: dict[int, datetime] = {}
        """Until when a post that failed to be drafted is left alone."""
        self._desk = Desk(
            self._rules,
            posts=posts,
            owners=review.owners,
            where=review.where,
            limits=self._limits,
            clock=clock,
        )

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        return await self._desk.take(events[-1], decision)

    async def run(self, wake: Wake, busy: Callable[[], bool]) -> None:
        await asyncio.gather(self._publish_all(wake), self._draft_all(wake, busy))

    async def _publish_all(self, wake: Wake) -> None:
        tick = 0
        while True:
            try:
                if tick % PLAN_EVERY == 0:
                    await self.plan()
                tick += 1
                for key in await self.publish():
                    wake(key)
            except StoreError as error:
                log.warning("posts wait: %s", error)
            except Exception:
                log.exception("a bug; posts wait")
            await self._clock.sleep(TICK_SECONDS)

    async def _draft_all(self, wake: Wake, busy: Callable[[], bool]) -> None:
        while True:
            waited = 0.0
            while busy() and waited < LONGEST_WAIT:
                await self._clock.sleep(IDLE_SECONDS)
                waited += IDLE_SECONDS
            try:
                for key in await self.draft():
                    wake(key)
            except (EngineUnavailable, StoreError) as error:
                log.warning("drafting waits: %s", error)
            except Exception:
                log.exception("a bug; drafting waits")
            await self._clock.sleep(TICK_SECONDS)

    # ------------------------------------------------------------------ planning

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
            self._tell(connection, review.draft(rule, post, self._limits), post)

        await self._posts.write(transaction)

    async def _withdraw(self, post: Post, now: datetime) -> None:
        done = Act(what="withdrawn", note="bot.toml wants it no more")

        def transaction(connection: sa.Connection) -> None:
            store.change(connection, post, done, now, state="withdrawn")

        await self._posts.write(transaction)

    # ------------------------------------------------------------------ publishing

    async def publish(self) -> Sequence[ConversationKey]:
        """Let what is due go out, or say why not; where something is to be sent now."""
        keys: list[ConversationKey] = []
        for post in await self._posts.open(until=self._clock.now()):
            if rule := self._rules.get(post.rule):
                keys += await self._publish(rule, post)
        return keys

    async def _publish(self, rule: Rule, post: Post) -> Sequence[ConversationKey]:
        now, body = self._clock.now(), rule.text or post.text
        ends = []
        for version in post.open:
            if version.key.platform not in self._adapters:
                continue  # another process has that platform, or none
            approved = version.approved == fingerprint(rule, version.key, body)
            why = skipped_because(rule, post.due, now, text=body, approved=approved)
            limits = self._limits(version.key)
            said = [] if why else messages(rule, version.key, body, limits)
            done = Act(what="skipped" if why else "posted", note=f"{version.key} {why}".strip())
            ends.append((version, said, done, why))
        reasons = "; ".join(sorted({why for *_, why in ends if why}))
        told = f"Not posted: {review.name(post, rule.zone)}: {reasons}." if reasons else ""

        def transaction(connection: sa.Connection) -> None:
            ended = [
                store.publish(connection, post, version, said, body, done, now)
                for version, said, done, _ in ends
            ]
            if any(ended) and told:
                self._tell(connection, told)

        if not ends:
            return []
        await self._posts.write(transaction)
        if told:
            log.warning("%s", told)
        return [*(version.key for version, *_ in ends), *self._where()]

    # ------------------------------------------------------------------ drafting

    async def draft(self) -> Sequence[ConversationKey]:
        """Write the next text that is needed, and show it to the owner; where something is to be
        sent now."""
        now = self._clock.now()
        for post in await self._posts.open():
            rule = self._rules.get(post.rule)
            if (
                rule is not None
                and rule.is_written
                and post.state == "planned"
                and post.due - rule.ahead <= now < post.due + rule.late
                and self._rest.get(post.number, now) <= now
                and any(version.key.platform in self._adapters for version in post.open)
            ):
                try:
                    return await self._draft(rule, post)
                except PageFailed as error:
                    log.warning("the feed of “%s” can't be read: %s", rule.name, error)
                    self._rest[post.number] = now + AGAIN_FEED
                except EngineUnavailable:
                    raise
                except EngineError as error:
                    log.warning("the model failed at a draft for “%s”: %s", rule.name, error)
                    self._rest[post.number] = now + AGAIN
        return []

    async def _draft(self, rule: Rule, post: Post) -> Sequence[ConversationKey]:
        entry, old = None, set[str]()
        if rule.feed and not post.text and self._fetch:
            seen = await self._posts.seen(rule.name)
            entries = await feed.read(self._fetch, rule.feed)
            entry = feed.next_entry(entries, seen)
            if entry is None:
                self._rest[post.number] = self._clock.now() + AGAIN_FEED
                return []
            old = {entry.id} if seen else {each.id for each in entries}
        text = entry.post if entry else post.text
        if rule.prompt:
            text = await self._written(rule, post, entry)
        now = self._clock.now()
        drafted = Post(
            number=post.number,
            rule=post.rule,
            due=post.due,
            state="drafted",
            text=text,
            versions=post.versions,
        )

        def transaction(connection: sa.Connection) -> None:
            done = Act(what="drafted", note=text)
            store.change(connection, post, done, now, state="drafted", text=text, wish="")
            store.saw(connection, rule.name, old, now)
            if rule.needs_approval:
                shown = review.draft(rule, drafted, self._limits)
                self._tell(connection, shown, drafted)

        await self._posts.write(transaction)
        log.info("post %d, “%s”, is drafted", post.number, rule.name)
        return self._where()

    async def _written(self, rule: Rule, post: Post, entry: feed.Entry | None) -> str:
        link = entry.link if entry else ""
        room = min(self._limits(key).max_length for key in rule.to)
        room -= len(" ".join(rule.hashtags)) + len(link) + len(rule.warning) + 4
        before = await self._posts.said(rule.name, BEFORE)
        asked = draft.request(rule, post, entry, before, room)
        text = await draft.write(self._engine, self._persona, rule.to[0], asked, self._clock.now())
        return f"{text}\n\n{link}" if link and link not in text else text

    # ------------------------------------------------------------------ the owner

    def _tell(self, connection: sa.Connection, text: str, post: Post | None = None) -> None:
        """Say something to the owner, who sees it nowhere but in the right place."""
        if self._review.where is None:
            return
        said = Message(
            key=self._review.where,
            text=text,
            buttons=review.buttons(post) if post else (),
            visibility=Visibility.DIRECT,
        )
        limits = self._limits(said.key)
        store.say(connection, said.key, replies.elsewhere(said, limits))

    def _where(self) -> Sequence[ConversationKey]:
        where = self._review.where
        return [where] if where and where.platform in self._adapters else []

    def _limits(self, key: ConversationKey) -> Limits:
        adapter = self._adapters.get(key.platform)
        return adapter.limits if adapter else CAREFUL
