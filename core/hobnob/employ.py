"""Which jobs a bot has: what its bot.toml switches on, put together."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from hobnob.assistant.job import Assistant
from hobnob.conversation import ConversationKey
from hobnob.jobs import Job
from hobnob.ports import Adapter, Clock, Engine
from hobnob.posts import feed
from hobnob.posts.owner import Review
from hobnob.posts.poster import Poster
from hobnob.recollection import Embedder
from hobnob.settings import Bot
from hobnob.store.database import Database
from hobnob.store.posts import SqlPosts
from hobnob.store.reminders import SqlReminders
from hobnob.web.reader import PageReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What jobs work with."""

    bot: Bot
    database: Database
    clock: Clock
    engine: Engine
    embedder: Embedder | None
    adapters: Mapping[str, Adapter]


async def jobs(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    """The bot's jobs, in the order in which they are asked; what they keep open is closed with
    `stack`."""
    return [*await _poster(place, stack), *_assistant(place)]


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
