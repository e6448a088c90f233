"""The command line. Everything heavy is imported by the command that needs it."""

import contextlib
import logging
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hobnob import (
    __version__,
    cli_explain,
    cli_knowledge,
    cli_memory,
    cli_persona,
    cli_platforms,
    cli_posts,
    cli_support,
)
from hobnob.cli_bot import BotName, Verbose, fail, load, run_until_done
from hobnob.errors import HobnobError
from hobnob.terminal import Progress, err, out, show, show_finding

if TYPE_CHECKING:
    from hobnob.settings import Bot

cli = typer.Typer(
    name="hobnob",
    help="Chatbots that live where people already talk, on a model of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, and a token may be one
    context_settings={"help_option_names": ["-h", "--help"]},
)
db = typer.Typer(help="The bot's database.", no_args_is_help=True)
cli.add_typer(db, name="db")
cli.add_typer(cli_knowledge.knowledge, name="knowledge")
cli.add_typer(cli_memory.memory, name="memory")
cli.add_typer(cli_persona.persona, name="persona")
cli.add_typer(cli_posts.posts, name="posts")
cli.command()(cli_posts.review)
cli.command()(cli_platforms.platforms)
cli.command()(cli_explain.explain)
cli.command()(cli_support.tickets)
cli.command()(cli_support.desk)
cli.add_typer(cli_support.stats, name="stats")


def main() -> None:
    """The program. Errors meant for people end it with their message and exit code 1."""
    try:
        _main()
    except SystemExit as end:
        if any(thread.daemon for thread in threading.enumerate()):
            _leave(end)
        raise


def _main() -> None:
    try:
        cli()
    except HobnobError as error:
        fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left: nothing to say about it
        sys.exit(1)


def _leave(end: SystemExit) -> None:
    """End now. A model's thread may be in the middle of a word: Python would stop it where it next
    asks for Python's lock, and the C++ around it answers that by aborting the program."""
    if end.code is not None and not isinstance(end.code, int):
        print(end.code, file=sys.stderr)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"hobnob {__version__}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None: ...


@cli.command()
def chat(bot: BotName = "friend", verbose: Verbose = False) -> None:
    """Talk with a bot in the terminal, or through a pipe: a line in, an answer out."""
    from hobnob import app, registry

    found = load(bot, verbose)
    if not verbose:
        logging.getLogger("hobnob").setLevel(logging.WARNING)  # people are talking here
    adapter = registry.adapter("console", {"persona": found.persona.name})
    if out.is_terminal and sys.stdin.isatty():
        _welcome(found)
    # Alone with one person at a keyboard there is nothing to hold back and nobody to protect.
    rules = replace(
        found.rules,
        burst_seconds=0,
        per_user_per_minute=0,
        per_chat_per_minute=0,
        disclose=False,
    )
    with Progress() as progress:
        run_until_done(app.run(found, {"console": adapter}, rules=rules, report=progress))


@cli.command()
def run(bot: BotName = ".", verbose: Verbose = False) -> None:
    """Connect a bot to every platform in its bot.toml, until stopped (Ctrl-C or SIGTERM)."""
    from hobnob import app, logs, registry

    found = load(bot, verbose)
    names = list(found.settings.platforms)
    if not names:
        fail(
            f"{found.folder / 'bot.toml'} has no [platforms.*] table, so there is nothing to "
            "connect to. Add one (see the comments in that file), or use `hobnob chat`."
        )
    tables = {name: found.settings.platform(name) for name in names}
    hidden = (secret for name in names for secret in registry.secrets(name, tables[name]))
    logs.configure(verbose, (*found.secrets, *hidden))
    adapters = {name: registry.adapter(name, tables[name]) for name in names}
    rules = found.rules
    err.print(f"{found.persona.name} connects to {', '.join(names)}. Stop with Ctrl-C.")
    with Progress() as progress:
        run_until_done(app.run(found, adapters, rules=rules, report=progress))


@cli.command()
def new(
    target: Annotated[Path, typer.Argument(help="The folder to make; its name names the bot.")],
    like: Annotated[str, typer.Option(help="The ready bot to start from.")] = "friend",
) -> None:
    """Make a bot of your own: bot.toml, persona and dialog table, with comments."""
    from hobnob import scaffold

    for path in scaffold.new(target, like):
        out.print(f"wrote {path}", markup=False)
    out.print(f"\nTalk to it:      hobnob chat {target}", markup=False)
    out.print(
        f"Connect it:      edit {target / 'bot.toml'}, then hobnob run {target}", markup=False
    )
    out.print(f"Check it:        hobnob doctor {target}", markup=False)


@cli.command()
def doctor(bot: BotName = ".", verbose: Verbose = False) -> None:
    """Say what is missing or wrong, and what to do. Exit code 1 if anything is."""
    from hobnob.doctor import examine

    async def look() -> bool:
        healthy = True
        with Progress() as progress:
            async for finding in examine(found, progress):
                progress("")
                healthy &= finding.ok
                show_finding(finding)
        return healthy

    found = load(bot, verbose)
    if not verbose:
        logging.getLogger("hobnob").setLevel(logging.WARNING)  # the findings are what counts
    if not run_until_done(look()):
        raise typer.Exit(1)


@cli.command("test")
def hold_dialogs(
    bot: BotName = ".",
    real: Annotated[
        bool, typer.Option("--real", help="On the bot's own model; else on a scripted one.")
    ] = False,
) -> None:
    """Hold the dialogs in a bot's dialogs.toml. Exit code 1 if one goes otherwise."""
    from hobnob import app
    from hobnob.ports import Engine, Finding
    from hobnob.testing import dialogs

    found = load(bot)
    logging.getLogger("hobnob").setLevel(logging.CRITICAL)  # what goes wrong is told below
    table = [dialog for dialog in dialogs.load(found.folder) if dialog.is_real or not real]

    async def play(engine: Engine | None) -> bool:
        healthy = True
        for dialog in table:
            problems = await dialogs.play(found, dialog, engine)
            healthy &= not problems
            what = "\n     ".join(map(str, problems)) or dialog.name
            show_finding(Finding(ok=not problems, what=what))
        return healthy

    async def play_all() -> bool:
        if not real:
            return await play(None)
        with Progress() as progress:
            async with app.open_engine(found, progress) as engine:
                progress("")
                return await play(engine)

    if not run_until_done(play_all()):
        raise typer.Exit(1)


@cli.command()
def history(
    bot: BotName = ".",
    conversation: Annotated[
        str | None, typer.Argument(help="Show what was said in this conversation.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many lines at most.")] = 50,
    why: Annotated[
        bool, typer.Option("--why", help="Show what was decided about each event, and why.")
    ] = False,
    reactions: Annotated[
        bool, typer.Option("--reactions", help="Show what people think of what the bot said.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show stored conversations, what was said in one, or why something was (not) answered."""
    from hobnob import app
    from hobnob.conversation import ConversationKey
    from hobnob.store import upkeep
    from hobnob.store.history import SqlHistory

    found = load(bot)
    try:
        key = None if conversation is None else ConversationKey.parse(conversation)
    except ValueError as error:
        fail(str(error))

    async def read() -> list[dict[str, Any]]:
        async with app.open_database(found, prepare=True) as database:
            if why:
                return [
                    {
                        "at": row.received,
                        "conversation": row.key,
                        "author": row.author,
                        "event": row.kind,
                        "decision": row.decision or row.state,
                        "reason": row.reason,
                    }
                    for row in await upkeep.decisions(database, key, limit)
                ]
            if reactions:
                return [
                    {
                        "at": row.at,
                        "conversation": row.key,
                        "author": row.author,
                        "reaction": row.emoji,
                        "to": row.text,
                    }
                    for row in await upkeep.reactions(database, key, limit)
                ]
            if key is not None:
                turns = await SqlHistory(database).recent(key, limit)
                return [
                    {"at": turn.at, "who": turn.author.name, "text": turn.text}
                    for turn in turns[-limit:]
                ]
            return [
                {"conversation": row.key, "turns": row.turns, "last": row.last or ""}
                for row in (await upkeep.conversations(database))[-limit:]
            ]

    show(run_until_done(read()), as_json)


@cli.command()
def retry(
    bot: BotName = ".",
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also send again what was perhaps sent already.")
    ] = False,
) -> None:
    """Try again what was set aside. It is taken up at the bot's next start."""
    from hobnob import app
    from hobnob.store import upkeep

    found = load(bot)

    async def again() -> tuple[int, int]:
        async with app.open_database(found, prepare=False) as database:
            return await upkeep.retry(database, unknown=unknown)

    events, sends = run_until_done(again())
    out.print(f"{events} events and {sends} sends wait for the next start of the bot.")


@db.command()
def upgrade(bot: BotName = ".") -> None:
    """Bring the database to the shape that this version of hobnob needs."""
    from hobnob.store import migrate
    from hobnob.store.database import Database

    found = load(bot)

    async def change() -> str:
        async with Database(found.database_url) as database:
            before = await migrate.upgrade(database)
            return f"{database}: was {before}, is current"

    out.print(run_until_done(change()), markup=False)


def _welcome(bot: "Bot") -> None:
    model = bot.settings.model
    where = f"is written by {model.base_url}" if model.base_url else "runs on your machine"
    nothing = "" if model.base_url else "; nothing leaves it"
    out.print(f"[bold]{bot.persona.name}[/] {where}{nothing}.", end=" ")
    out.print("[dim]Leave with /quit or Ctrl-D.[/]\n")
