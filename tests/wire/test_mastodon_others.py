"""Servers by others that speak Mastodon's API, and do not all that Mastodon does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hobnob.errors import SendRefused, SendUnknown
from hobnob.events import Visibility
from hobnob.ports import Cursor
from hobnob.testing.mastodon import FakeMastodon, Fault
from hobnob.testing.receiver import RecordingReceiver
from hobnob_mastodon.adapter import MastodonAdapter
from tests.wire.mastodon_kit import SECONDS, an_adapter, answer, in_parts


@pytest.fixture
async def other() -> AsyncIterator[FakeMastodon]:
    async with FakeMastodon(other=True) as opened:
        yield opened
    assert opened.ledger.complaints == []


@pytest.fixture
async def adapter(
    other: FakeMastodon, receiver: RecordingReceiver
) -> AsyncIterator[MastodonAdapter]:
    """It has heard one message, without a stream."""
    found = an_adapter(other)
    await receiver.move("", Cursor(name="notifications", value="0"))
    other.say("ann@far.example", "hello", visibility="direct")
    run = asyncio.create_task(found.run(receiver))
    await receiver.wait_for(1, SECONDS)
    yield found
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_long_answer_fits_where_every_character_counts(
    adapter: MastodonAdapter, receiver: RecordingReceiver, other: FakeMastodon
) -> None:
    (event,) = receiver.events
    link = "https://example.com/" + "x" * 100
    for part in in_parts(event, f"See [this]({link}), नमस्ते. " * 20, adapter.limits):
        await adapter.send(part)

    assert sum(reply.text.count(link) for reply in other.replies) == 20


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.BROKEN_AFTER, Fault.BROKEN])
async def test_what_may_have_arrived_is_looked_for(
    adapter: MastodonAdapter, receiver: RecordingReceiver, other: FakeMastodon, fault: Fault
) -> None:
    reply = answer(receiver.events[0], visibility=Visibility.PUBLIC)
    other.faults.append(fault)
    posted = await adapter.send(reply)

    assert [reply.id for reply in other.replies] == [posted]
    assert await adapter.send(replace(reply, attempted=datetime.now(UTC))) == posted
    assert len(other.replies) == 1


async def test_what_may_have_arrived_and_cannot_be_looked_for_is_in_doubt(
    adapter: MastodonAdapter, receiver: RecordingReceiver, other: FakeMastodon
) -> None:
    other.faults.append(Fault.DROPPED)
    with pytest.raises(SendUnknown, match="does not list posts that are not public"):
        await adapter.send(answer(receiver.events[0]))

    assert len(other.replies) == 1


async def test_what_is_not_public_is_never_changed(
    adapter: MastodonAdapter, receiver: RecordingReceiver, other: FakeMastodon
) -> None:
    (event,) = receiver.events
    posted = await adapter.send(answer(event, "a secret"))
    with pytest.raises(SendRefused, match="not known to keep a post as private as it was"):
        await adapter.send(answer(event, "another secret", replaces=posted))
    assert [reply.visibility for reply in other.replies] == ["direct"]

    await adapter.send(answer(event, "", replaces=posted))
    assert not other.replies
