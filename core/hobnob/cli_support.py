"""`hobnob tickets`, `hobnob desk` and `hobnob stats`: the support desk in the terminal."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hobnob.cli_bot import BotName, fail, limits_of, load, run_until_done
from hobnob.errors import StoreError
from hobnob.terminal import Progress, err, out, piped, say, show

if TYPE_CHECKING:
    from hobnob.settings import Bot
    from hobnob.store.database import Database
    from hobnob.support.terminal import Terminal

stats = typer.Typer(help="How the bot does, in numbers.", no_args_is_help=True)

LOOK_SECONDS = 1.0
LEAVE = ("/quit", "/exit", "/bye")
HINT = "/tickets lists them, /take 1 makes one yours, /quit leaves."


def tickets(
    bot: BotName = ".",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show who needs a person, and what became of it."""
    from hobnob.store.tickets import SqlTickets
    from hobnob.support import wording

    found = load(bot)

    async def read() -> list[dict[str, object]]:
        async with _database(found) as database:
            table = SqlTickets(database)
            listed = await (table.all(limit) if everything else table.unresolved())
            return [
                {
                    "number": each.number,
                    "opened": each.opened,
                    "customer": each.name,
                    "where": each.key,
                    "state": wording.state(each),
                    "rating": each.rating or "",
                }
                for each in listed[:limit]
            ]

    show(run_until_done(read()), as_json)


def desk(
    bot: BotName = ".",
    name: Annotated[str, typer.Option(help="Who you are, as customers are told.")] = "",
) -> None:
    """Answer customers from the terminal, while the bot runs. In a pipe: a command a line."""
    from hobnob import employ
    from hobnob.clock import SystemClock
    from hobnob.support.staff import Who
    from hobnob.support.terminal import Terminal

    found = load(bot)
    name = name or getpass.getuser()

    async def work() -> None:
        async with _database(found) as database:
            limits = limits_of(found)
            staff = employ.staff(found, database, limits, SystemClock())
            who = Who(id=f"terminal/{name}", name=name)
            terminal = Terminal(database, staff=staff, limits=limits, who=who)
            await (_at_keyboard(terminal, name) if _is_terminal() else _in_pipe(terminal))

    run_until_done(work())


@stats.command()
def support(
    bot: BotName = ".",
    days: Annotated[int, typer.Option(min=1, max=3660, help="How far to look back.")] = 30,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a picture into this file, which ends in .svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show how the support desk does: who was helped without a person, how long others waited, and
    what they asked."""
    from hobnob.conversation import ConversationKey
    from hobnob.support import counting, picture
    from hobnob.support.stats import rows

    found = load(bot)
    where = found.settings.support.where
    staff = ConversationKey.parse(where) if where else None
    until = datetime.now(UTC)
    since = until - timedelta(days=days)

    async def count() -> counting.Numbers:
        async with _database(found) as database:
            return await counting.numbers(database, staff, since, until)

    with Progress() as progress:
        progress("counting")
        numbers = run_until_done(count())
    if plot:
        picture.save(numbers, found.settings.bot.name, plot)
        err.print(f"wrote {plot}", markup=False)
    show(rows(numbers), as_json)


@asynccontextmanager
async def _database(bot: "Bot") -> "AsyncIterator[Database]":
    from hobnob import app

    if not bot.settings.support.enabled:
        fail(f"{bot.folder / 'bot.toml'} has no desk: set [support] enabled = true.")
    async with app.open_database(bot, prepare=True) as database:
        yield database


def _is_terminal() -> bool:
    return sys.stdin.isatty() and out.is_terminal


async def _in_pipe(terminal: "Terminal") -> None:
    async for line in piped():
        if line.strip() and (said := await terminal.do(line)):
            say(said)


async def _at_keyboard(terminal: "Terminal", name: str) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession()
    say(f"{await terminal.do('/tickets')}\n{HINT}")
    with patch_stdout():
        watching = asyncio.create_task(_watch(terminal))
        try:
            while True:
                line = await session.prompt_async(f"{name}> ")
                if line.strip() in LEAVE:
                    return
                if not line.strip():
                    continue
                try:
                    if said := await terminal.do(line):
                        say(said)
                except StoreError as error:
                    err.print(f"{error}", markup=False)
        except (EOFError, KeyboardInterrupt):
            return
        finally:
            watching.cancel()


async def _watch(terminal: "Terminal") -> None:
    """Show what happens at the desk, until cancelled."""
    while True:
        try:
            for text in await terminal.news():
                say(text)
        except StoreError as error:
            err.print(f"{error}", markup=False)
        await asyncio.sleep(LOOK_SECONDS)
