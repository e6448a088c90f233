"""The Discord adapter as its wire tests start it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from hobnob.events import Event, Reply
from hobnob.ports import Receiver
from hobnob.testing.discord import GENERAL, TOKEN, FakeDiscord
from hobnob.testing.discord.payloads import BOT_USER
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob_discord.adapter import DiscordAdapter, DiscordOptions

BOT = BOT_USER["id"]
SECONDS = 10.0


def an_adapter(server: FakeDiscord, token: str = TOKEN, **changes: Any) -> DiscordAdapter:
    options = DiscordOptions(
        token=SecretStr(token), api_url=server.api_url, gateway_url=server.gateway_url
    )
    how: dict[str, Any] = {"retry_pauses": (0.05, 0.05), "identify_spacing": 0.0, **changes}
    return DiscordAdapter(options, **how)


@asynccontextmanager
async def running(
    server: FakeDiscord, receiver: Receiver, adapter: DiscordAdapter | None = None
) -> AsyncIterator[DiscordAdapter]:
    """A connected adapter: what is said from now on comes over the gateway."""
    adapter = adapter or an_adapter(server)
    before = server.sessions.identified
    task = asyncio.create_task(adapter.run(receiver))
    try:
        await until(lambda: server.sessions.identified >= before + server.shards or task.done())
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), task
    await until(lambda: not server.sessions.connected)


async def heard(
    server: FakeDiscord, receiver: RecordingReceiver, text: str, channel: str = GENERAL, **how: Any
) -> Event:
    count = len(receiver.events) + 1
    server.say(channel, text, **how)
    await receiver.wait_for(count, SECONDS)
    return receiver.events[-1]


def answer(event: Event, text: str = "Hello!", **changes: object) -> Reply:
    reply = Reply(key=event.key, text=text, nonce="n" * 20, in_reply_to=event.message)
    return replace(reply, **changes)  # type: ignore[arg-type]


def texts(receiver: RecordingReceiver) -> list[str]:
    return [event.text for event in receiver.events]
