"""Which jobs a bot has: what its bot.toml switches on, put together."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TextIO

from hobnob import registry, replies
from hobnob.assistant.job import Assistant
from hobnob.checkin.job import Checkins
from hobnob.commands import COMMANDS
from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError, MissingExtra
from hobnob.jobs import Job
from hobnob.knowledge.job import HUMAN, UNKNOWN, Knowledge
from hobnob.knowledge.library import Library
from hobnob.knowledge.sync import Keeper
from hobnob.ports import Adapter, Clock, Engine, MemoryPort
from hobnob.posts import feed
from hobnob.posts.owner import Review
from hobnob.posts.poster import Poster
from hobnob.posts.table import rules as post_rules
from hobnob.recollection import Embedder
from hobnob.settings import Bot
from hobnob.skills.doing import Runner
from hobnob.skills.job import ANSWERS, Skills
from hobnob.skills.servers import ToolServer
from hobnob.skills.skill import Skill
from hobnob.store.asked import SqlAsked
from hobnob.store.checkins import SqlCheckins
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.knowledge import SqlKnowledge
from hobnob.store.memory import SqlMemory
from hobnob.store.posts import SqlPosts
from hobnob.store.reminders import SqlReminders
from hobnob.store.tickets import SqlTickets
from hobnob.support.customer import Customer
from hobnob.support.desk import Desk
from hobnob.support.opening import Opening
from hobnob.support.staff import LimitsOf, Staff
from hobnob.validate import FILE
from hobnob.web.reader import PageReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What jobs work with."""

    bot: Bot
    database: Database
    clock: Clock
    engine: Engine
    memory: MemoryPort
    embedder: Embedder | None
    adapters: Mapping[str, Adapter]
    report: Callable[[str], None] = log.info
    """Told what takes long before the bot can begin."""


async def jobs(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    """The bot's jobs, in the order in which they are asked; what they keep open is closed with
    `stack`."""
    desk = support(place)
    found = [*([desk] if desk else ()), *await _poster(place, stack), *_assistant(place)]
    found += _checkins(place)
    found += await _skills(place, found, stack)
    return [*found, *await _knowledge(place, desk)]


def support(place: Workplace) -> Desk | None:
    """The desk. Raises ConfigError where its calendar can't be read."""
    bot, table = place.bot, place.bot.settings.support
    if not table.enabled:
        return None
    where = ConversationKey.parse(table.where) if table.where else None
    limits = partial(replies.limits_of, place.adapters)
    tickets = SqlTickets(place.database)
    return Desk(
        customer=Customer(
            tickets=tickets,
            where=where,
            opening=Opening.of(table.opening, bot.settings.bot.timezone, bot.folder),
            language=bot.settings.bot.language,
            memory_command=place.memory.command,
            clock=place.clock,
        ),
        staff=staff(bot, place.database, limits, place.clock),
        tickets=tickets,
        where=where,
        limits=limits,
        clock=place.clock,
    )


def staff(bot: Bot, database: Database, limits: LimitsOf, clock: Clock) -> Staff:
    """The staff's side of the desk: all of it that the terminal needs."""
    table = bot.settings.support
    return Staff(
        tickets=SqlTickets(database),
        history=SqlHistory(database),
        where=ConversationKey.parse(table.where) if table.where else None,
        members=frozenset(table.staff),
        answers=table.answers,
        language=bot.settings.bot.language,
        zone=table.opening.timezone or bot.settings.bot.timezone,
        limits=limits,
        clock=clock,
    )


async def _poster(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    settings = place.bot.settings
    if not settings.posts:
        return ()
    rules = await asyncio.to_thread(
        post_rules, settings.posts, settings.bot.timezone, place.bot.folder
    )
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
        folder=place.bot.folder,
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


def _checkins(place: Workplace) -> Sequence[Job]:
    settings = place.bot.settings
    if not settings.checkin.enabled:
        return ()
    bot = settings.bot
    manners = settings.checkin.manners(zone=bot.timezone, language=bot.language)
    store = SqlCheckins(place.database)
    return (Checkins(store, place.clock, manners, names=place.bot.rules.names),)


def keeper(bot: Bot, store: SqlKnowledge, embedder: Embedder | None) -> Keeper:
    """Who keeps the index of the bot's documents. Only for a bot that has a folder of them."""
    table = bot.settings.knowledge
    return Keeper(bot.folder / table.folder, store, embedder, links=table.links)


async def _knowledge(place: Workplace, desk: Desk | None) -> Sequence[Job]:
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
    knowledge = Knowledge(
        Library(store, place.embedder),
        SqlHistory(place.database),
        unknown=table.unknown or (f"{UNKNOWN} {HUMAN}" if desk else UNKNOWN),
        names=place.bot.rules.names,
        desk=desk,
    )
    return (knowledge,)


async def _skills(place: Workplace, others: Sequence[Job], stack: AsyncExitStack) -> Sequence[Job]:
    ours = [*COMMANDS, *(command for job in others for command in job.commands)]
    found = skills(place.bot, {command.name for command in ours})
    connected = [await stack.enter_async_context(server) for server in servers(place.bot)]
    if not found and not connected:
        return ()
    asked = SqlAsked(place.database)
    runner = Runner(
        asked,
        place.clock,
        zone_of=SqlReminders(place.database).zone_of,
        zone=place.bot.settings.bot.timezone,
    )
    job = Skills(
        found,
        place.clock,
        asked=asked,
        runner=runner,
        incognito=SqlMemory(place.database, place.clock).is_incognito,
        servers=connected,
        names=place.bot.rules.names,
    )
    return (job,)


def skills(bot: Bot, taken: Collection[str] = ()) -> Sequence[Skill]:
    """What `[tools] skills` names; `taken` are the commands that there are already. Raises
    ConfigError and MissingExtra."""
    found: dict[str, Skill] = {}
    taken = {*taken, *(command.name for command in ANSWERS)}
    for server in bot.settings.tools.mcp:
        if server.name in taken:
            raise ConfigError(f"{FILE}: tools.mcp: there is a command /{server.name} already.")
    taken |= {server.name for server in bot.settings.tools.mcp}
    for name in bot.settings.tools.skills:
        at = f'{FILE}: {registry.SKILLS_KEY}: "{name}"'
        skill = Skill.of(registry.skill(name, bot.folder), at)
        command = skill.command.name
        if command in taken or command in found:
            raise ConfigError(f"{at}: there is a command /{command} already. Rename the function.")
        found[command] = skill
    return tuple(found.values())


def servers(bot: Bot, errors: TextIO | None = None) -> Sequence[ToolServer]:
    """What `[[tools.mcp]]` names, not yet connected; `errors` is where programs' own messages go.
    Raises MissingExtra."""
    tables = bot.settings.tools.mcp
    if tables and find_spec("mcp") is None:
        raise MissingExtra(
            f"{FILE}: [[tools.mcp]] needs the mcp library: pip install 'hobnob[mcp]'"
        )
    return [ToolServer(table.options(bot.folder), errors=errors) for table in tables]
