"""A bot that is really there: with its adapters and their client libraries, on servers of ours.

async with FakeDiscord() as server, living(FOLDER, server, answers=["Ahoy!"]):
    server.say(GENERAL, f"{MENTION} hello")
    await until(lambda: server.replies)
    assert server.replies[0].content == "Ahoy!"
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from hobnob import app, registry, settings
from hobnob.health import State
from hobnob.testing.engine import ScriptedEngine

SECONDS = 20.0
"""How long anything here may take."""


class Server(Protocol):
    """A platform on this machine: `FakeDiscord`, `FakeTelegram`, `FakeMastodon`, `Site`."""

    platform: str

    @property
    def table(self) -> Mapping[str, str]:
        """What `[platforms.NAME]` of bot.toml says, for a bot to go there. Known once the server
        is entered."""
        ...


def tables(*servers: Server) -> str:
    """The `[platforms.*]` of a bot.toml: for `hobnob run` in a process of its own."""
    lines: list[str] = []
    for server in servers:
        lines += [f"[platforms.{server.platform}]"]
        lines += [f'{key} = "{value}"' for key, value in server.table.items()]
    return "\n".join(lines)


@asynccontextmanager
async def living(
    folder: Path,
    *servers: Server,
    answers: Iterable[str | Exception] = (),
    burst_seconds: float = 0.0,
) -> AsyncIterator[ScriptedEngine]:
    """The bot in `folder`, connected to these servers, as `hobnob run` has it; but its model says
    `answers`, one after the other, and its database is empty and of no duration. At the end it is
    stopped. Raises what stopped it before, ConfigError, and MissingExtra.
    """
    engine = ScriptedEngine(answers)
    with tempfile.TemporaryDirectory() as data:
        bot = settings.load(folder)
        bot = replace(bot, database_url=f"sqlite:///{data}/hobnob.db")
        adapters = {
            server.platform: registry.adapter(server.platform, server.table) for server in servers
        }
        rules = replace(bot.rules, burst_seconds=burst_seconds)
        life = asyncio.create_task(app.run(bot, adapters, rules=rules, engine=engine))

        def there() -> bool:
            states = {name: adapter.health.state for name, adapter in adapters.items()}
            return life.done() or set(states.values()) == {State.CONNECTED}

        try:
            await until(there, lambda: {name: each.health for name, each in adapters.items()})
            if life.done():
                life.result()
            yield engine
        finally:
            life.cancel()
            await asyncio.wait([life])
        if not life.cancelled():
            life.result()


async def until(
    condition: Callable[[], object],
    seen: Callable[[], object] | None = None,
    *,
    seconds: float = SECONDS,
) -> None:
    """Return when the condition holds. Raises AssertionError if it doesn't in so many seconds, with
    what is `seen` then."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        what = f": there is {seen()!r}" if seen else ""
        raise AssertionError(f"it did not come in {seconds:.0f} s{what}") from None
