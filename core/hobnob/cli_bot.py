"""What the commands share: the bot they are about, running to the end, ending with an error."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from hobnob.errors import HobnobError
from hobnob.terminal import err

if TYPE_CHECKING:
    from hobnob.conversation import ConversationKey
    from hobnob.ports import Limits
    from hobnob.settings import Bot

T = TypeVar("T")
BotName = Annotated[
    str,
    typer.Argument(metavar="BOT", help="A bot's folder, or a ready bot: friend, support, ..."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what goes on.")]


def load(name: str, verbose: bool = False) -> "Bot":
    from hobnob import logs, settings

    found = settings.load(settings.find(name))
    logs.configure(verbose, found.secrets)
    return found


def run_until_done(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def fail(message: str) -> NoReturn:
    err.print("error:", style="bold red", end=" ")
    err.print(message, markup=False)
    sys.exit(1)


def limits_of(bot: "Bot") -> "Callable[[ConversationKey], Limits]":
    """What each platform takes, as far as it says so without being connected."""
    from hobnob import registry
    from hobnob.replies import CAREFUL

    known = {}
    for name in bot.settings.platforms:
        try:
            known[name] = registry.adapter(name, bot.settings.platform(name)).limits
        except HobnobError:
            continue  # its token is not set in this shell
    return lambda key: known.get(key.platform, CAREFUL)
