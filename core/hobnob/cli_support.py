"""`hobnob tickets`, `hobnob desk` and `hobnob stats`: the support desk in the terminal."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hobnob.cli_bot import BotName, fail, limits_of, load, run_until_done
from hobnob.errors import Changed, StoreError
from hobnob.terminal import err, out, show

if TYPE_CHECKING:
    import sqlalchemy as sa

    from hobnob.conversation import ConversationKey
    from hobnob.jobs import Deed
    from hobnob.ports import Limits
    from hobnob.settings import Bot
    from hobnob.store.database import Database
    from hobnob.store.tickets import SqlTickets
    from hobnob.support.staff import Staff, Who

stats = typer.Typer(help="How the bot does, in numbers.", no_args_is_help=True)

LOOK_SECONDS = 1.0
TRIES = 3
"""Somebody else may change a ticket at the same moment."""
HINT = "/tickets lists them, /take 1 makes one yours, Ctrl-D leaves."


def tickets(
    bot: BotName = ".",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show who needs a person, and what became of it."""
    from hobnob.support import wording

    found = load(bot)

    async def read() -> list[dict[str, object]]:
        async with _office(found, "") as office:
            listed = (
                await office.tickets.all(limit)
                if everything
                else (await office.tickets.unresolved())[:limit]
            )
            return [
                {
                    "number": each.number,
                    "opened": each.opened,
                    "customer": each.name,
                    "where": each.key,
                    "state": wording.state(each),
                    "rating": each.rating or "",
                }
                for each in listed
            ]

    show(run_until_done(read()), as_json)


def desk(
    bot: BotName = ".",
    name: Annotated[str, typer.Option(help="Who you are, as customers are told.")] = "",
) -> None:
    """Answer customers from the terminal, while the bot runs. In a pipe: a command a line."""
    found = load(bot)

    async def work() -> None:
        async with _office(found, name or getpass.getuser()) as office:
            await (_at_keyboard(office) if _is_terminal() else _in_pipe(office))

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
    from hobnob.support import counting, picture
    from hobnob.support.stats import rows

    found = load(bot)
    until = datetime.now(UTC)
    since = until - timedelta(days=days)

    async def count() -> counting.Numbers:
        async with _office(found, "") as office:
            return await counting.numbers(office.database, office.where, since, until)

    numbers = run_until_done(count())
    if plot:
        picture.save(numbers, found.settings.bot.name, plot)
        err.print(f"wrote {plot}", markup=False)
    show(rows(numbers), as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The desk as the terminal sees it."""

    database: "Database"
    tickets: "SqlTickets"
    staff: "Staff"
    who: "Who"
    where: "ConversationKey | None"
    limits: "Callable[[ConversationKey], Limits]"

    async def do(self, line: str) -> None:
        """Do what somebody wrote, and say what came of it."""
        for attempt in range(TRIES):
            deed = await self.staff.hear(line, self.who)
            try:
                await self._carry_out(deed)
                break
            except Changed:
                if attempt == TRIES - 1:
                    raise
        commands = "\n".join(f"{each.command} ({each.label})" for each in deed.buttons)
        for text in filter(None, (deed.said, commands)):
            out.print(text, markup=False)

    async def _carry_out(self, deed: "Deed") -> None:
        """The bot, which runs elsewhere, sends what is queued."""
        from hobnob import replies
        from hobnob.store.outbox import say

        def transaction(connection: "sa.Connection") -> None:
            for message in deed.elsewhere:
                parts = replies.elsewhere(message, self.limits(message.key))
                say(connection, message.key, parts)
            if deed.also:
                deed.also(connection)

        await self.database.write(transaction)

    async def watch(self) -> None:
        """Show what happens at the desk, until cancelled."""
        seen = None
        while True:
            try:
                news, seen = await self.tickets.news(seen)
            except StoreError as error:
                err.print(f"{error}", markup=False)
                news = ()
            for number, name, text in news:
                if f" by {self.who.id}" not in text or name:
                    out.print(f"#{number} {name}{': ' if name else ''}{text}", markup=False)
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _office(bot: "Bot", name: str) -> AsyncIterator[Office]:
    from hobnob import app, employ
    from hobnob.clock import SystemClock
    from hobnob.conversation import ConversationKey
    from hobnob.store.tickets import SqlTickets
    from hobnob.support.staff import Who

    table = bot.settings.support
    if not table.enabled:
        fail(f"{bot.folder / 'bot.toml'} has no desk: set [support] enabled = true.")
    limits = limits_of(bot)
    async with app.open_database(bot, prepare=True) as database:
        yield Office(
            database=database,
            tickets=SqlTickets(database),
            staff=employ.staff(bot, database, limits, SystemClock()),
            who=Who(id=f"terminal/{name}", name=name),
            where=ConversationKey.parse(table.where) if table.where else None,
            limits=limits,
        )


def _is_terminal() -> bool:
    return sys.stdin.isatty() and out.is_terminal


async def _in_pipe(office: Office) -> None:
    for line in sys.stdin:
        if line.strip():
            await office.do(line)


async def _at_keyboard(office: Office) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession()
    await office.do("/tickets")
    out.print(HINT, markup=False)
    with patch_stdout():
        watching = asyncio.create_task(office.watch())
        try:
            while True:
                line = await session.prompt_async(f"{office.who.name}> ")
                if line.strip():
                    try:
                        await office.do(line)
                    except StoreError as error:
                        err.print(f"{error}", markup=False)
        except (EOFError, KeyboardInterrupt):
            return
        finally:
            watching.cancel()
