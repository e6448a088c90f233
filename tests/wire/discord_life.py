"""A bot on the fake Discord, with the chat and a database behind it, started again and again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hobnob import app
from hobnob.clock import SystemClock
from hobnob.jobs import Job
from hobnob.settings import load
from hobnob.store.database import Database
from hobnob.store.schema import outbox
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.discord.payloads import BOT_USER
from hobnob.testing.engine import ScriptedEngine
from tests.wire.discord_bot import an_adapter, running

BOT_TOML = """\
[bot]
name = "robin"
[engage]
disclose = false
burst_seconds = 0
per_user_per_minute = {most}
per_chat_per_minute = 0
"""
PERSONA = '+++\nname = "Robin"\n+++\nYou are Robin.'


class Life:
    def __init__(self, server: FakeDiscord, database: Database, folder: Path) -> None:
        self.server = server
        self.database = database
        self._folder = folder
        (folder / "persona.md").write_text(PERSONA)

    @asynccontextmanager
    async def living(
        self,
        *answers: str,
        hold: asyncio.Event | None = None,
        most: int = 0,
        jobs: tuple[Job, ...] = (),
        **changes: Any,
    ) -> AsyncIterator[ScriptedEngine]:
        """The bot, connected; stopped at the end as the program is. `most` questions are taken
        from one person in a minute."""
        (self._folder / "bot.toml").write_text(BOT_TOML.format(most=most))
        bot = load(self._folder)
        adapter = an_adapter(self.server, **changes)
        engine, clock = ScriptedEngine(answers, hold=hold, piece=8), SystemClock()
        chat = app.build(
            bot,
            {adapter.name: adapter},
            rules=bot.rules,
            engine=engine,
            memory=app.open_memory(bot, self.database, clock, None),
            database=self.database,
            clock=clock,
            jobs=jobs,
        )
        async with running(self.server, chat.receiver(adapter.name), adapter):
            await chat.resume(adapter.name)
            try:
                yield engine
            finally:
                await chat.close(5)

    def texts(self, channel: str) -> list[str]:
        """What people see of us there."""
        said = self.server.history[channel]
        return [each["content"] for each in said if each["author"] == BOT_USER]

    async def states(self) -> list[str]:
        query = sa.select(outbox.c.state).order_by(outbox.c.id)
        return await self.database.read(lambda connection: list(connection.scalars(query)))
