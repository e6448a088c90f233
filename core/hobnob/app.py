"""The composition root: opens everything in order, runs, and closes it in reverse."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from hobnob import employ, links, registry
from hobnob.chat import Chat, Stores
from hobnob.clock import SystemClock
from hobnob.errors import AdapterError, AdapterStopped, ConfigError, StoreError
from hobnob.jobs import Job, Jobs
from hobnob.memory.embedder import STARTER, SentenceModel
from hobnob.memory.facts.trust import Reader
from hobnob.memory.recall import Remembering
from hobnob.policy import Rules
from hobnob.ports import Adapter, Clock, Engine, Receiver
from hobnob.recollection import Embedder
from hobnob.recurrence import next_due
from hobnob.schedule import Bell
from hobnob.settings import Bot
from hobnob.store import connections, migrate, upkeep
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.schedule import SqlSchedule
from hobnob.tables import ModelTable
from hobnob.web.reader import PageReader

log = logging.getLogger(__name__)

SEND_SECONDS = 6.0
"""How long sends under way may take to end when we are told to stop; 10 s are all we have."""
LEAVE_SECONDS = 2.0
"""How long a platform may take to be left."""
LONGEST_PAUSE = 300.0
NOTE_SECONDS = 5.0
"""Between two looks at how the connections are doing."""
TRIALS = "trials.json"
"""In the user's cache folder: how models did before they may find facts."""


async def run(
    bot: Bot,
    adapters: Mapping[str, Adapter],
    *,
    rules: Rules,
    engine: Engine | None = None,
    report: Callable[[str], None] = log.info,
) -> None:
    """Run the bot on these platforms until all are done, or SIGINT or SIGTERM comes.
    `engine`: instead of the one that bot.toml names.

    Raises AdapterError at the end if a platform stopped us for good.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(bot, prepare=True))
        for name in adapters:
            await stack.enter_async_context(database.claim(name))
        engine = await stack.enter_async_context(engine or open_engine(bot, report))
        embedder = await stack.enter_async_context(open_embedder(bot))
        await _look_for_another(embedder, database, bot)
        memory = open_memory(bot, database, clock, embedder, engine)
        reads_links = bot.settings.engage.read_links
        place = employ.Workplace(
            bot=bot,
            database=database,
            clock=clock,
            engine=engine,
            memory=memory,
            embedder=embedder,
            adapters=adapters,
            report=report,
        )
        jobs = await employ.jobs(place, stack)
        chat = build(
            bot,
            adapters,
            rules=rules,
            engine=engine,
            memory=memory,
            database=database,
            clock=clock,
            jobs=jobs,
            fetch_page=await stack.enter_async_context(PageReader()) if reads_links else None,
        )
        stop = stack.enter_context(_stop_signal())
        report("")
        for name in adapters:
            await chat.resume(name)
        tasks = [
            asyncio.create_task(_supervise(adapter, chat.receiver(name), clock), name=name)
            for name, adapter in adapters.items()
        ]
        tasks_beside = [
            asyncio.create_task(memory.learner.run(lambda: chat.writing)),
            asyncio.create_task(_note_health(database, adapters, clock)),
            asyncio.create_task(_wipe(database)),
            *(asyncio.create_task(job.run(chat.wake, lambda: chat.writing)) for job in jobs),
        ]
        stack.push_async_callback(_cancel, [*tasks, *tasks_beside])
        stack.push_async_callback(chat.close, SEND_SECONDS)  # while the platforms still listen
        schedule = SqlSchedule(database, clock, next_due)
        await stack.enter_async_context(Bell(partial(schedule.ring, list(adapters)), chat.wake))
        await _done_or_stopped(tasks, stop)
        _raise_failures(tasks)


def build(
    bot: Bot,
    adapters: Mapping[str, Adapter],
    *,
    rules: Rules,
    engine: Engine,
    memory: Remembering,
    database: Database,
    clock: Clock,
    jobs: Sequence[Job] = (),
    fetch_page: links.Fetch | None = None,
) -> Chat:
    """Put a chat together from its parts; connects to nothing."""
    return Chat(
        persona=bot.persona,
        rules=rules,
        engine=engine,
        memory=memory,
        stores=Stores(
            inbox=SqlInbox(database, clock),
            outbox=SqlOutbox(database),
            history=SqlHistory(database),
        ),
        adapters=adapters,
        clock=clock,
        jobs=Jobs(jobs),
        fetch_page=fetch_page,
        folder=bot.folder,
    )


@asynccontextmanager
async def open_database(bot: Bot, *, prepare: bool) -> AsyncIterator[Database]:
    """The bot's database. With `prepare`, an SQLite file is brought to the present shape; a
    server, which others may be using, must have been (`hobnob db upgrade`)."""
    async with Database(bot.database_url) as database:
        if prepare and database.is_sqlite:
            await migrate.upgrade(database)
        else:
            await migrate.require_current(database)
        yield database


def open_engine(bot: Bot, report: Callable[[str], None]) -> Engine:
    model = bot.settings.model
    return registry.engine(model.engine, model.options(report))


@asynccontextmanager
async def open_embedder(bot: Bot) -> AsyncIterator[Embedder | None]:
    """The model that finds what was meant, not only what was said; it loads when first needed.

    None if bot.toml wants none, or if the one that comes along was not installed. Raises
    ConfigError or EngineUnavailable if another's files can't be had.
    """
    name = bot.settings.memory.embedder
    if name == "none":
        yield None
        return
    embedder = SentenceModel(name)
    try:
        yield embedder if await _is_there(embedder, name) else None
    finally:
        await embedder.close()


async def _is_there(embedder: SentenceModel, name: str) -> bool:
    try:
        await embedder.prepare()
    except ConfigError as error:
        if name != STARTER:
            raise
        log.warning("memory finds words only: %s", error)
        return False
    return True


async def _look_for_another(embedder: Embedder | None, database: Database, bot: Bot) -> None:
    """Say so, if what was said long ago is known by another embedder than this."""
    if embedder and await upkeep.oldest_learned(database) not in (None, embedder.id):
        log.warning(
            "memory: what was said before was read by another embedder, and is found by its words "
            "alone until you run: hobnob memory index %s",
            bot.folder,
        )


def open_memory(
    bot: Bot,
    database: Database,
    clock: Clock,
    embedder: Embedder | None,
    engine: Engine | None = None,
) -> Remembering:
    """The bot's memory; `engine` writes its summaries and finds facts where bot.toml wants that."""
    table = bot.settings.memory
    reader = None
    if engine is not None and table.facts == "model":
        file = platformdirs.user_cache_path("hobnob") / TRIALS
        reader = Reader(engine, identity(bot.settings.model), file)
    return Remembering(
        SqlMemory(database, clock, zone=bot.settings.bot.timezone),
        embedder=embedder,
        linked=table.links,
        writer=engine if table.summaries == "model" else None,
        reader=reader,
    )


def identity(model: ModelTable) -> str:
    """Tells a model from others, and from another file under the same name."""
    file = Path(model.name).expanduser()
    changed = f" {file.stat().st_mtime:.0f}" if file.exists() else ""
    where = urlsplit(model.base_url).netloc.rpartition("@")[2] or model.dtype
    return f"{model.engine} {model.name} {where}{changed}"


async def _supervise(adapter: Adapter, receiver: Receiver, clock: Clock) -> None:
    """Keep one platform connected, whatever it does, without troubling the others."""
    pause = 1.0
    while True:
        try:
            await adapter.run(receiver)
            return
        except AdapterStopped as stopped:
            log.error("%s: %s", adapter.name, stopped)
            raise
        except Exception:
            log.exception("%s: connection failed; again in %.0f s", adapter.name, pause)
        await clock.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _note_health(database: Database, adapters: Mapping[str, Adapter], clock: Clock) -> None:
    """Tell `hobnob platforms` how the connections are doing."""
    while True:
        found = {name: adapter.health for name, adapter in adapters.items()}
        try:
            await connections.note(database, found, clock.now())
        except StoreError as error:
            log.debug("how the connections are doing can't be noted: %s", error)
        await clock.sleep(NOTE_SECONDS)


async def _wipe(database: Database) -> None:
    """A kill may have come between forgetting and this."""
    try:
        await database.scrub()
    except StoreError as error:
        log.warning("what was forgotten may still be in a file of the database: %s", error)


@contextlib.contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _done_or_stopped(tasks: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    async def everything() -> None:
        await asyncio.wait(tasks)

    ends = [asyncio.create_task(everything()), asyncio.create_task(_wait(stop))]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(ends)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=LEAVE_SECONDS)


def _raise_failures(tasks: Sequence[asyncio.Task[None]]) -> None:
    failed = [
        f"{task.get_name()}: {error}"
        for task in tasks
        if task.done() and not task.cancelled() and (error := task.exception())
    ]
    if failed:
        raise AdapterError("\n".join(failed))
