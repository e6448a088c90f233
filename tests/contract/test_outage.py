"""A database server that drops its connections in the middle of the work loses nothing."""

import asyncio
from urllib.parse import urlsplit

import psycopg
import pytest

from hobnob import app, settings
from hobnob.engine.echo import EchoEngine
from hobnob.policy import Rules
from hobnob.ports import ModelOptions
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock

ROOMS, MESSAGES = 5, 12


async def test_connections_cut_in_mid_work(
    postgres_server: str, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    platform = FakeAdapter()
    async with Database(postgres_url) as database:
        await migrate.upgrade(database)
        friend, clock = settings.load(settings.ready_bots()["friend"]), FakeClock()
        chat = app.build(
            friend,
            {platform.name: platform},
            rules=Rules(burst_seconds=0, per_user_per_minute=0, per_chat_per_minute=0),
            engine=EchoEngine(ModelOptions()),
            memory=app.open_memory(friend, database, clock, None),
            database=database,
            clock=clock,
        )

        async def talk(room: int) -> None:
            for number in range(MESSAGES):
                event = platform.event(f"{room}:{number}", room=f"room {room}")
                await chat.receive(event, None)
                await chat.settled(event.key)

        async def cut() -> None:
            name = urlsplit(postgres_url).path.lstrip("/")
            async with await psycopg.AsyncConnection.connect(postgres_server, autocommit=True) as c:
                for _ in range(150):
                    await c.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                        [name],
                    )
                    await asyncio.sleep(0.01)

        await asyncio.gather(cut(), *(talk(room) for room in range(ROOMS)))
        await chat.close(timeout=5)
    expected = [[f"echo: {room}:{n}" for n in range(MESSAGES)] for room in range(ROOMS)]
    heard = [
        [r.text for r in platform.sent if r.key.room == f"room {room}"] for room in range(ROOMS)
    ]
    assert heard == expected
    assert "failed" in caplog.text  # some of the cuts hit
