"""The Telegram adapter as its wire tests start it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from hobnob.conversation import ConversationKey
from hobnob.events import Event, Reply
from hobnob.ports import Receiver
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.telegram import ANN, BOT, TOKEN, FakeTelegram
from hobnob.testing.telegram.rules import Allowed
from hobnob_telegram.adapter import TelegramAdapter, TelegramOptions
from hobnob_telegram.pace import Rates

FAST = Rates(in_all=1000, chat_seconds=0.0, in_group=1000)
LENIENT = Allowed(in_all=1000, chat_seconds=0.0, in_group=1000)
"""For tests that are not of how fast we are."""

REPLY = Reply(
    key=ConversationKey(platform="telegram", account=str(BOT), room=str(ANN)),
    text="Hello!",
    nonce="n" * 20,
)


def adapter_for(
    server: FakeTelegram, token: str = TOKEN, *, rates: Rates = FAST, **options: Any
) -> TelegramAdapter:
    given = TelegramOptions(token=SecretStr(token), base_url=server.base_url, **options)
    return TelegramAdapter(given, rates=rates)


@asynccontextmanager
async def running(adapter: TelegramAdapter, receiver: Receiver) -> AsyncIterator[TelegramAdapter]:
    task = asyncio.create_task(adapter.run(receiver))
    try:
        yield adapter
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def heard(server: FakeTelegram, count: int = 1) -> list[Event]:
    """What arrives of what was said."""
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver):
        await receiver.wait_for(count)
    return receiver.events
