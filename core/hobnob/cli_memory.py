"""`hobnob memory`: what the owner may see of what the bot remembers, and do about it."""

from typing import Annotated, Any

import typer

from hobnob.cli_bot import BotName, fail, load, run_until_done
from hobnob.terminal import Bar, err, out, show

memory = typer.Typer(help="What the bot remembers.", no_args_is_help=True)

As = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
WHO = "A person (platform/id, as `memory show` prints it) or a conversation."


@memory.command("show")
def show_facts(
    bot: BotName = ".",
    who: Annotated[str, typer.Argument(help=WHO)] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many lines at most.")] = 100,
    ended: Annotated[bool, typer.Option("--ended", help="Also what is no longer so.")] = False,
    as_json: As = False,
) -> None:
    """Show what the bot knows about people."""
    from hobnob import app
    from hobnob.memory.facts.found import about
    from hobnob.store import upkeep
    from hobnob.text import clean_name

    found = load(bot)

    async def read() -> list[dict[str, Any]]:
        async with app.open_database(found, prepare=True) as database:
            return [
                {
                    "person": row.person,
                    "number": row.number,
                    "kind": row.kind,
                    "fact": about(row.text, clean_name(row.name)),
                    "said": row.at,
                    "in": row.key,
                    **({"until": row.ended or ""} if ended else {}),
                }
                for row in await upkeep.known(database, _who(who), limit, ended=ended)
            ]

    show(run_until_done(read()), as_json)


@memory.command()
def search(
    bot: Annotated[str, typer.Argument(metavar="BOT", help="A bot's folder, or a ready bot.")],
    conversation: Annotated[str, typer.Argument(help="Where, as `hobnob history` prints it.")],
    words: Annotated[str, typer.Argument(help="What to look for, as one would ask.")],
    limit: Annotated[int, typer.Option(min=1, help="How many lines at most.")] = 10,
    as_json: As = False,
) -> None:
    """Show what the bot would recall in a conversation if it were asked this."""
    from hobnob import app
    from hobnob.clock import SystemClock
    from hobnob.conversation import ConversationKey

    found = load(bot)
    try:
        key = ConversationKey.parse(conversation)
    except ValueError as error:
        fail(str(error))

    async def find() -> list[dict[str, Any]]:
        async with (
            app.open_database(found, prepare=True) as database,
            app.open_embedder(found) as embedder,
        ):
            remembering = app.open_memory(found, database, SystemClock(), embedder)
            return [
                {"score": f"{score:.2f}", "at": turn.at, "who": turn.author.name, "text": turn.text}
                for score, turn in await remembering.look_up(key, words, limit)
            ]

    show(run_until_done(find()), as_json)


@memory.command()
def forget(
    bot: Annotated[str, typer.Argument(metavar="BOT", help="A bot's folder, or a ready bot.")],
    who: Annotated[str, typer.Argument(help="A person: platform/id, as `memory show` prints it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Forget a person: every message of theirs, our answers to it, and all that was made of it."""
    from hobnob import app
    from hobnob.clock import SystemClock
    from hobnob.store import upkeep
    from hobnob.store.memory import SqlMemory

    found = load(bot)
    platform, slash, person = who.partition("/")
    if not (platform and slash and person):
        fail(f"{who!r} is not a person. Write platform/id, as `hobnob memory show` prints it.")
    if not yes:
        typer.confirm(f"Forget {who} for ever?", abort=True)

    async def erase() -> int:
        async with app.open_database(found, prepare=True) as database:
            store = SqlMemory(database, SystemClock())
            accounts = await upkeep.accounts(database, platform)
            counts = [await store.forget_person(platform, each, person) for each in accounts]
            await store.scrub()
            return sum(counts)

    count = run_until_done(erase())
    out.print(f"{count} messages of {who} are forgotten, and all that was made of them.")


@memory.command()
def index(bot: BotName = ".") -> None:
    """Make whatever recall needs of all that was said: after a change of the embedder, or to catch
    up with a long history."""
    from hobnob import app
    from hobnob.clock import SystemClock
    from hobnob.memory.learn import NO_EMBEDDER
    from hobnob.store import upkeep

    found = load(bot)

    async def learn() -> int:
        async with (
            app.open_database(found, prepare=True) as database,
            app.open_embedder(found) as embedder,
        ):
            name = embedder.id if embedder else NO_EMBEDDER
            learner = app.open_memory(found, database, SystemClock(), embedder).learner
            left, _ = await upkeep.learned(database, name)
            with Bar("learning", left) as advance:
                while await upkeep.relearn(database, name, 1000):
                    pass
                while count := await learner.some():
                    advance(count)
            return left

    count = run_until_done(learn())
    err.print(f"{count} messages were learned." if count else "Everything was learned already.")


def _who(who: str) -> str:
    from hobnob.conversation import ConversationKey

    if who and "/" not in who:
        try:
            ConversationKey.parse(who)
        except ValueError:
            fail(f"{who!r} is neither a person (platform/id) nor a conversation.")
    return who
