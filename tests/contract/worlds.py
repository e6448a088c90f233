"""Where the adapters' contract suite takes place: every platform's world, and the bot living there.

A new platform is one line in `WORLDS`: its world says where one can talk there and what it `can`.
What a platform lacks is no test of it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pytest

from hobnob import app
from hobnob.chat import Chat, ChatReceiver
from hobnob.clock import SystemClock
from hobnob.commands import COMMANDS
from hobnob.conversation import ConversationKey
from hobnob.events import Event
from hobnob.ports import Cursor, Engine
from hobnob.settings import Bot, load
from hobnob.store.database import Database
from hobnob.testing.engine import ScriptedEngine
from hobnob.testing.live import until
from tests.contract.fake_world import FakeWorld
from tests.contract.world import Place, Shown, World
from tests.wire.console_world import Keyboard, Pipe
from tests.wire.discord_world import DiscordWorld
from tests.wire.mastodon_world import MastodonWorld
from tests.wire.telegram_world import TelegramWorld
from tests.wire.web_world import WebWorld


class Opens(Protocol):
    """The class of a world: entered, it is one."""

    places: frozenset[Place]
    can: frozenset[str]

    def __call__(self) -> AbstractAsyncContextManager[World]: ...


WORLDS: Mapping[str, Opens] = {
    "console": Keyboard,
    "discord": DiscordWorld,
    "fake": FakeWorld,
    "mastodon": MastodonWorld,
    "pipe": Pipe,
    "telegram": TelegramWorld,
    "web": WebWorld,
}

PATIENCE = 20.0
BOT = """\
[bot]
name = "robin"

[engage]
disclose = false
burst_seconds = {burst}
edited = "update"
per_user_per_minute = 0
per_chat_per_minute = 0
"""
PERSONA = '+++\nname = "Robin"\ngreeting = "Hello, I am Robin, an AI."\n+++\nYou are Robin.'


def over(*can: str, place: Place = Place.DIRECT) -> pytest.MarkDecorator:
    """The scenario, over every world that has this place and can do this."""
    names = [name for name, kind in WORLDS.items() if place in kind.places and kind.can >= set(can)]
    return pytest.mark.parametrize("world", names, indirect=True)


def everywhere(*can: str) -> pytest.MarkDecorator:
    """The scenario, over every place of every world that can do this."""
    found = [
        pytest.param(name, place, id=f"{name}-{place}")
        for name, kind in WORLDS.items()
        if kind.can >= set(can)
        for place in sorted(kind.places)
    ]
    return pytest.mark.parametrize(("world", "place"), found, indirect=["world"])


class Life:
    """One life of the bot: what its adapter hands in goes to the chat, which is put together when
    the adapter is there."""

    commands = COMMANDS

    def __init__(self, town: "Town", bot: Bot, engine: Engine) -> None:
        self._town = town
        self._bot = bot
        self._engine = engine

    @property
    def name(self) -> str:
        return self._town.world.adapter.name

    @cached_property
    def chat(self) -> Chat:
        database, clock = self._town.database, SystemClock()
        return app.build(
            self._bot,
            {self.name: self._town.world.adapter},
            rules=self._bot.rules,
            engine=self._engine,
            memory=app.open_memory(self._bot, database, clock, None),
            database=database,
            clock=clock,
        )

    @property
    def _receiver(self) -> ChatReceiver:
        return self.chat.receiver(self.name)

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        return await self._receiver.put(event, cursor)

    async def move(self, account: str, cursor: Cursor) -> None:
        await self._receiver.move(account, cursor)

    async def cursors(self, account: str) -> Mapping[str, str]:
        return await self._receiver.cursors(account)

    async def settled(self, key: ConversationKey) -> None:
        await self._receiver.settled(key)


@dataclass(frozen=True, kw_only=True)
class Town:
    """A world, and the database that outlives the bot."""

    world: World
    database: Database
    folder: Path

    @asynccontextmanager
    async def living(
        self, *answers: str, hold: asyncio.Event | None = None, burst: float = 0
    ) -> AsyncIterator[ScriptedEngine]:
        """The bot, connected. At the end it is stopped as the program is: see `app.run`."""
        (self.folder / "bot.toml").write_text(BOT.format(burst=burst))
        (self.folder / "persona.md").write_text(PERSONA)
        engine = ScriptedEngine(answers, hold=hold, piece=8)
        life = Life(self, load(self.folder), engine)
        async with self.world.running(life):
            await life.chat.resume(life.name)
            try:
                yield engine
            finally:
                await life.chat.close(app.SEND_SECONDS)

    async def said(
        self, *texts: str, place: Place = Place.DIRECT, by: str = "ann"
    ) -> Sequence[Shown]:
        """What people see of us there, once it is exactly this."""
        await until(lambda: self.texts(place, by) == list(texts), lambda: self.texts(place, by))
        return self.world.shown(place, by=by)

    def texts(self, place: Place = Place.DIRECT, by: str = "ann") -> list[str]:
        return [shown.text for shown in self.world.shown(place, by=by)]
