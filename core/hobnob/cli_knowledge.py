"""`hobnob knowledge`: the documents that a bot answers from."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hobnob.cli_bot import BotName, fail, load, run_until_done
from hobnob.terminal import Bar, err, out, show

if TYPE_CHECKING:
    from hobnob.recollection import Embedder
    from hobnob.settings import Bot
    from hobnob.store.knowledge import SqlKnowledge

knowledge = typer.Typer(help="The documents that the bot answers from.", no_args_is_help=True)

As = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Named = Annotated[str, typer.Argument(metavar="BOT", help="A bot's folder, or a ready bot.")]


@knowledge.command()
def add(
    bot: Named,
    files: Annotated[list[Path], typer.Argument(help="Documents to copy into the folder.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where one of that name is there.")
    ] = False,
) -> None:
    """Copy documents into the bot's folder of documents, and read them."""
    from hobnob.knowledge.folder import SUFFIXES
    from hobnob.settings import ready_bots

    found = _with_documents(bot)
    if found.folder in ready_bots().values():
        fail(f"{bot} came with hobnob. Make a bot of your own first: hobnob new FOLDER")
    folder = found.folder / found.settings.knowledge.folder
    for file in files:  # all are looked at before any is copied
        if not file.is_file():
            fail(f"{file}: is no file.")
        if file.suffix.casefold() not in SUFFIXES:
            fail(f"{file}: is of no kind that can be read: {', '.join(SUFFIXES)}.")
        if (folder / file.name).exists() and not replace:
            fail(f"{folder / file.name}: is there already. Write --replace to overwrite it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
    except (OSError, shutil.SameFileError) as error:
        fail(f"{folder}: cannot be written: {error}.")
    sync(bot)


@knowledge.command()
def sync(bot: BotName = ".") -> None:
    """Read what changed in the folder. A running bot answers from it at once. Exit code 1 if a
    document can't be read."""
    found = _with_documents(bot)

    async def work() -> bool:
        from hobnob import employ

        async with _open(found) as (store, embedder):
            keeper = employ.keeper(found, store, embedder)
            changes = await keeper.changes()
            with Bar("reading", changes.count) as advance:
                async for _ in keeper.sync(changes):
                    advance(1)
            documents = await store.documents()
        for other in changes.others:
            err.print(f"left out: {other} (not a kind that is read)", markup=False)
        failed = [each.error for each in documents if each.error]
        for error in failed:
            err.print("error:", style="bold red", end=" ")
            err.print(error, markup=False)
        known = len(documents) - len(failed)
        count = sum(each.excerpts for each in documents)
        out.print(f"{changes.count} changes; {known} documents in {count} excerpts are known.")
        return not failed

    if not run_until_done(work()):
        raise typer.Exit(1)


@knowledge.command("list")
def list_documents(bot: BotName = ".", as_json: As = False) -> None:
    """Show the documents as they were last read."""
    found = _with_documents(bot)

    async def read() -> list[dict[str, Any]]:
        async with _open(found) as (store, _):
            return [
                {
                    "document": each.path,
                    "title": each.title,
                    "excerpts": each.excerpts,
                    "link": each.url,
                    "error": each.error,
                }
                for each in await store.documents()
            ]

    show(run_until_done(read()), as_json)


@knowledge.command()
def search(
    bot: Named,
    question: Annotated[str, typer.Argument(help="As somebody would ask it.")],
    limit: Annotated[int, typer.Option(min=1, help="How many excerpts at most.")] = 5,
    as_json: As = False,
) -> None:
    """Show what the bot would find for a question, and whether that is enough for an answer."""
    found = _with_documents(bot)

    async def find() -> list[dict[str, Any]]:
        from hobnob.knowledge.library import Library

        async with _open(found) as (store, embedder):
            return [
                {
                    "score": f"{hit.score:.1f}",
                    "fits": "yes" if hit.fits else "no",
                    "document": hit.excerpt.path,
                    "at": hit.excerpt.start,
                    "heading": hit.excerpt.heading,
                    "text": hit.excerpt.text,
                }
                for hit in await Library(store, embedder).search(question, limit)
            ]

    show(run_until_done(find()), as_json)


def _with_documents(name: str) -> "Bot":
    found = load(name)
    if not found.settings.knowledge.folder:
        fail(
            f"{found.folder / 'bot.toml'} names no folder of documents. Write\n"
            '[knowledge]\nfolder = "knowledge"'
        )
    return found


@asynccontextmanager
async def _open(bot: "Bot") -> AsyncIterator[tuple["SqlKnowledge", "Embedder | None"]]:
    from hobnob import app
    from hobnob.store.knowledge import SqlKnowledge

    async with (
        app.open_database(bot, prepare=True) as database,
        app.open_embedder(bot) as embedder,
    ):
        yield SqlKnowledge(database), embedder
