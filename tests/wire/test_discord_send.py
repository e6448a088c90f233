"""What leaves for Discord, once, whatever becomes of the connection."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hobnob.conversation import ConversationKey
from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Reply
from hobnob.testing.discord import DM, GENERAL, THREAD, FakeDiscord
from hobnob.testing.discord.ledger import Fault
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_bot import BOT, SECONDS, an_adapter, answer, heard, running


async def test_the_same_nonce_delivers_once(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi", DM)
        first = await adapter.send(answer(event))
        again = await adapter.send(answer(event, attempted=datetime.now(UTC)))
    assert first == again
    assert len(discord.replies) == 1


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.LOST, Fault.BROKEN])
async def test_a_send_without_an_answer_is_repeated_and_delivers_once(
    discord: FakeDiscord, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi", DM)
        discord.faults.append(fault)
        sent = await adapter.send(answer(event))
    assert [posted.id for posted in discord.replies] == [sent]


async def test_a_send_that_never_gets_an_answer_is_in_doubt(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi", DM)
        discord.faults.extend([Fault.LOST, Fault.LOST, Fault.LIMITED])
        with pytest.raises(SendUnknown):
            await adapter.send(answer(event))


@pytest.mark.parametrize("delivered", [True, False])
async def test_after_the_nonce_has_lapsed_the_history_tells_what_arrived(
    discord: FakeDiscord, receiver: RecordingReceiver, delivered: bool
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with running(discord, receiver) as adapter:
        other = await heard(discord, receiver, "hi")
        event = await heard(discord, receiver, "hi", author="bob")
        # The same words, but in answer to another message.
        await adapter.send(answer(other, nonce="o" * 20))
        expected = await adapter.send(answer(event, nonce="old")) if delivered else ""
        sent = await adapter.send(answer(event, attempted=long_ago))
        follows = answer(event, nonce="p" * 20, follows=sent, attempted=long_ago)
        await adapter.send(follows)
    assert len(discord.replies) == 3
    assert [posted.nonce for posted in discord.replies][1:] == [
        "old" if delivered else "n" * 20,
        "p" * 20,
    ]
    assert sent == (expected or discord.replies[1].id)


async def test_an_attempt_is_not_repeated_where_the_history_cannot_be_seen(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    discord.permissions = 1 << 10 | 1 << 11
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi")
        with pytest.raises(SendUnknown, match="Read Message History"):
            await adapter.send(answer(event, attempted=datetime.now(UTC) - timedelta(hours=1)))
    assert not discord.replies


async def test_what_discord_refuses_is_refused_for_good(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi")
        discord.forbidden.add(GENERAL)
        with pytest.raises(SendRefused, match=r"403 .*Missing Access"):
            await adapter.send(answer(event))
        with pytest.raises(SendRefused, match=r"404 .*Unknown Channel"):
            await adapter.send(answer(event, key=replace(event.key, room="77")))
        with pytest.raises(SendRefused, match="'general' is not a channel id"):
            await adapter.send(answer(event, key=replace(event.key, room="general")))


async def test_a_rate_limit_is_waited_for_by_the_caller(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi")
        discord.faults.append(Fault.LIMITED)
        with pytest.raises(SendLater) as later:
            await adapter.send(answer(event))
    assert later.value.retry_after == 77.0


async def test_a_send_waits_for_the_connection(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(discord)
    key = ConversationKey(platform="discord", account=BOT, room=GENERAL)
    sending = asyncio.create_task(adapter.send(Reply(key=key, text="Hello!", nonce="n" * 20)))
    connection = asyncio.create_task(adapter.run(receiver))
    async with asyncio.timeout(SECONDS):
        sent = await sending
    connection.cancel()
    await asyncio.gather(connection, return_exceptions=True)
    assert [posted.id for posted in discord.replies] == [sent]


async def test_composing_shows_typing_and_never_fails(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi", THREAD)
        async with adapter.composing(event) as draft:
            draft("Hel")
            await until(lambda: discord.typing == [THREAD])
        elsewhere = replace(event, key=replace(event.key, thread="nowhere"))
        async with adapter.composing(elsewhere) as draft:
            draft("Hel")
    async with adapter.composing(event) as draft:  # not connected
        draft("Hel")
