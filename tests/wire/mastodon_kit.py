"""What the tests of the Mastodon adapter have in common."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import SecretStr

from hobnob import replies
from hobnob.events import Event, Reply
from hobnob.ports import Limits
from hobnob.testing.live import until
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.receiver import RecordingReceiver
from hobnob_mastodon.adapter import MastodonAdapter, MastodonOptions

SECONDS = 30.0


def an_adapter(
    server: FakeMastodon, token: str = FakeMastodon.access_token, *, silence: float = 10.0
) -> MastodonAdapter:
    options = MastodonOptions(base_url=server.base_url, access_token=SecretStr(token))
    return MastodonAdapter(
        options, retry_pauses=(0.05, 0.05), silence=silence, processing_pause=0.02
    )


@asynccontextmanager
async def running(
    server: FakeMastodon, receiver: RecordingReceiver, *, silence: float = 10.0
) -> AsyncIterator[MastodonAdapter]:
    """A connected adapter: what is said from now on is new."""
    adapter = an_adapter(server, silence=silence)
    task = asyncio.create_task(adapter.run(receiver))
    try:
        await until(lambda: bool(server.streams) or task.done())
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), task
    await until(lambda: not any(t.name.startswith("mastodon") for t in threading.enumerate()))


async def heard(server: FakeMastodon, receiver: RecordingReceiver, text: str = "hi") -> Event:
    count = len(receiver.events) + 1
    server.say("ann@far.example", text)
    await receiver.wait_for(count, SECONDS)
    return receiver.events[-1]


def answer(event: Event, text: str = "Hello!", **changes: object) -> Reply:
    reply = Reply(
        key=event.key,
        text=text,
        nonce="n" * 20,
        in_reply_to=event.message,
        mention=event.author.handle,
        visibility=event.visibility,
        warning=event.warning,
    )
    return replace(reply, **changes)  # type: ignore[arg-type]


def in_parts(event: Event, said: str, limits: Limits) -> list[Reply]:
    """What an answer leaves as; but for `Reply.follows`, which the outbox knows."""
    return [replace(replies.empty(event), text=part) for part in replies.parts(event, said, limits)]
