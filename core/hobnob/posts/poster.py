"""The posting assistant: plans, lets the model draft in idle time, and publishes what is due."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.errors import EngineError, EngineUnavailable, MediaFailed, PageFailed, StoreError
from hobnob.events import Event
from hobnob.jobs import Deed, Job, Wake
from hobnob.media import load, trouble
from hobnob.persona import Persona
from hobnob.policy import Decision
from hobnob.ports import Adapter, Clock, Engine
from hobnob.posts import draft, feed, review
from hobnob.posts.desk import COMMANDS, Desk
from hobnob.posts.owner import Owner, Review
from hobnob.posts.plan import Planner
from hobnob.posts.rule import Rule, skipped_because
from hobnob.posts.version import fingerprint, messages
from hobnob.store import posts as store
from hobnob.store.posts import Act, Post, SqlPosts

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
PLAN_EVERY = 30
"""Ticks between two looks at what bot.toml wants."""
IDLE_SECONDS = 0.25
LONGEST_WAIT = 30.0
"""In a busy place nobody is ever idle."""
AGAIN = timedelta(minutes=1)
"""After a model failed at a draft."""
AGAIN_FEED = timedelta(minutes=10)
"""After a feed failed, or had nothing new."""
MOST_ASKED = 500
"""Characters that the model is asked for, where the platforms take more."""
BEFORE = 3
"""Earlier posts that the model is shown."""


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
        folder: Path = Path(),
    ) -> None:
        """`fetch` where there are feeds; in `folder` are the files that posts have."""
        self._rules = {rule.name: rule for rule in rules}
        self._owner = Owner(review, adapters)
        self._posts = posts
        self._planner = Planner(self._rules, posts=posts, owner=self._owner, clock=clock)
        self._persona = persona
        self._engine = engine
        self._adapters = adapters
        self._clock = clock
        self._fetch = fetch
        self._folder = folder
        self._rest: dict[int, datetime] = {}
        """Until when a post that failed to be drafted is left alone."""
        self._desk = Desk(
            self._rules,
            posts=posts,
            owners=review.owners,
            where=review.where,
            limits=self._owner.limits,
            clock=clock,
        )

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        return await self._desk.take(events[-1], decision)

    async def run(self, wake: Wake, busy: Callable[[], bool]) -> None:
        await asyncio.gather(self._publish_all(wake), self._draft_all(wake, busy))

    async def work(self) -> Sequence[ConversationKey]:
        await self.plan()
        keys: list[ConversationKey] = []
        while (told := await self.draft()) is not None:
            keys += told
        return [*keys, *await self.publish()]

    async def plan(self) -> None:
        """Bring the table up to date with bot.toml."""
        await self._planner.plan()

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
                for key in await self.draft() or ():
                    wake(key)
            except (EngineUnavailable, StoreError) as error:
                log.warning("drafting waits: %s", error)
            except Exception:
                log.exception("a bug; drafting waits")
            await self._clock.sleep(TICK_SECONDS)

    # ------------------------------------------------------------------ publishing

    async def publish(self) -> Sequence[ConversationKey]:
        """Let what is due go out, or say why not; where something is to be sent now."""
        keys: list[ConversationKey] = []
        for post in await self._posts.open(until=self._clock.now()):
            if rule := self._rules.get(post.rule):
                keys += await self._publish(rule, post)
        return keys

    async def _publish(self, rule: Rule, post: Post) -> Sequence[ConversationKey]:
        now, body, ends = self._clock.now(), rule.text or post.text, []
        missing = await self._missing(rule)
        for version in post.open:
            if version.key.platform not in self._adapters:
                continue  # another process has that platform, or none
            approved = version.approved == fingerprint(rule, version.key, body)
            limits = self._owner.limits(version.key)
            why = skipped_because(rule, post.due, now, text=body, approved=approved)
            why = why or missing or trouble(rule.media, limits.media)
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
                self._owner.tell(connection, told)

        if not ends:
            return []
        await self._posts.write(transaction)
        if told:
            log.warning("%s", told)
        return [*(version.key for version, *_ in ends), *self._owner.keys()]

    async def _missing(self, rule: Rule) -> str:
        """Why its files can't go out; "": they can."""
        try:
            await asyncio.to_thread(load, self._folder, rule.media)
        except MediaFailed as failed:
            return f"{failed}"
        return ""

    # ------------------------------------------------------------------ drafting

    async def draft(self) -> Sequence[ConversationKey] | None:
        """Write the next text that is needed, and show it to the owner; where something is to be
        sent now. None: no text is needed."""
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
        return None

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
                shown = review.draft(rule, drafted, self._owner.limits)
                self._owner.tell(connection, shown, review.buttons(rule, drafted))

        await self._posts.write(transaction)
        log.info("post %d, “%s”, is drafted", post.number, rule.name)
        return self._owner.keys()

    async def _written(self, rule: Rule, post: Post, entry: feed.Entry | None) -> str:
        link = entry.link if entry else ""
        room = min(MOST_ASKED, *(self._owner.limits(key).max_length for key in rule.to))
        room -= len(" ".join(rule.hashtags)) + len(link) + len(rule.warning) + 4
        before = await self._posts.said(rule.name, BEFORE)
        asked = draft.request(rule, post, entry, before, room)
        text = await draft.write(self._engine, self._persona, rule.to[0], asked, self._clock.now())
        return f"{text}\n\n{link}" if link and link not in text else text
