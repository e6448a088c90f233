"""Which jobs a bot has: what its bot.toml switches on, put together."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from hobnob.assistant.job import Assistant
from hobnob.conversation import ConversationKey
from hobnob.jobs import Job
from hobnob.knowledge.job import HUMAN, UNKNOWN, Knowledge
from hobnob.knowledge.library import Library
from hobnob.knowledge.sync import Keeper
from hobnob.ports import Adapter, Clock, Engine
from hobnob.posts import feed
from hobnob.posts.owner import Review
from hobnob.posts.poster import Poster
from hobnob.recollection import Embedder
from hobnob.settings import Bot
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.knowledge import SqlKnowledge
from hobnob.store.posts import SqlPosts
from hobnob.store.reminders import SqlReminders
from hobnob.web.reader import PageReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What jobs work with."""

    bot: Bot
    database: Database
    clock: Clock
    engine: Engine
    embedder: Embedder | None
    adapters: Mapping[str, Adapter]
    report: Callable[[str], None] = log.info
    """Told what takes long before the bot can begin."""


async def jobs(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    """The bot's jobs, in the order in which they are asked; what they keep open is closed with
    `stack`."""
    found = [*await _poster(place, stack), *_assistant(place)]
    return [*found, *await _knowledge(place, found)]


async def _poster(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    settings = place.bot.settings
    if not settings.posts:
        return ()
    rules = [table.rule(settings.bot.timezone) for table in settings.posts]
    fetch = None
    if any(rule.feed for rule in rules):
        reader = await stack.enter_async_context(PageReader())
        fetch = partial(reader.load_body, kinds=feed.KINDS)
    poster = Poster(
        rules,
        review=Review(
            where=ConversationKey.parse(settings.review.where) if settings.review.where else None,
            owners=frozenset(settings.review.owners),
        ),
        posts=SqlPosts(place.database),
        persona=place.bot.persona,
        engine=place.engine,
        adapters=place.adapters,
        clock=place.clock,
        fetch=fetch,
    )
    return (poster,)


def _assistant(place: Workplace) -> Sequence[Job]:
    settings = place.bot.settings
    if not settings.assistant.enabled:
        return ()
    assistant = Assistant(
        SqlReminders(place.database),
        place.clock,
        zone=settings.bot.timezone,
        language=settings.bot.language,
        names=place.bot.rules.names,
    )
    return (assistant,)


def keeper(bot: Bot, store: SqlKnowledge, embedder: Embedder | None) -> Keeper:
    """Who keeps the index of the bot's documents. Only for a bot that has a folder of them."""
    table = bot.settings.knowledge
    return Keeper(bot.folder / table.folder, store, embedder, links=table.links)


async def _knowledge(place: Workplace, others: Sequence[Job]) -> Sequence[Job]:
    """Raises ConfigError where there is no folder. A document that can't be read is logged."""
    table = place.bot.settings.knowledge
    if not table.folder:
        return ()
    store = SqlKnowledge(place.database)
    keeps = keeper(place.bot, store, place.embedder)
    changes = await keeps.changes()
    done = 0
    async for document in keeps.sync(changes):
        done += 1
        place.report(f"reading documents: {done} of {changes.count}")
        if document.error:
            log.warning("nothing is known of a document: %s", document.error)
    has_human = any(each.name == "human" for job in others for each in job.commands)
    knowledge = Knowledge(
        Library(store, place.embedder),
        SqlHistory(place.database),
        unknown=table.unknown or (f"{UNKNOWN} {HUMAN}" if has_human else UNKNOWN),
        names=place.bot.rules.names,
    )
    return (knowledge,)
