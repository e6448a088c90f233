"""What production throws at the Discord adapter, with the chat and a database behind it.

Whatever happens: each message is answered once and in order, and Discord finds nothing to complain
of.
"""

import asyncio
import logging
import sys

import pytest

from hobnob.errors import AdapterStopped
from hobnob.health import State
from hobnob.testing.discord import DM, GENERAL, MENTION, SIDE, TOKEN, FakeDiscord
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob_discord.pace import Backoff
from tests.wire.discord_bot import an_adapter, answer, heard, running
from tests.wire.discord_life import Life


async def cut_off(discord: FakeDiscord, *, forget: bool = False) -> None:
    """Cut the connection, and wait for the next."""
    before = discord.sessions.identified + discord.sessions.resumed
    discord.drop(forget=forget)
    await until(lambda: discord.sessions.identified + discord.sessions.resumed > before)


# The connection


async def test_two_hundred_cuts_lose_nothing_double_nothing_and_begin_few_sessions(
    life: Life, discord: FakeDiscord
) -> None:
    said = [f"answer {number}" for number in range(40)]
    async with life.living(*said):
        for cut in range(200):
            if cut % 5 == 0:
                discord.say(DM, f"message {cut // 5}")
            if cut % 5 == 2:
                discord.say(GENERAL, "not for us")
            await cut_off(discord, forget=cut % 20 == 19)
        await until(lambda: life.texts(DM) == said)
    assert discord.sessions.identified <= 25
    assert discord.sessions.resumed > 180
    assert discord.ledger.invalid == 0


async def test_an_invalid_session_is_begun_anew_and_the_gap_is_filled(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living("zero", "one", "two"):
        discord.say(DM, "0")
        await until(lambda: life.texts(DM) == ["zero"])
        await discord.sessions.invalidate()
        discord.say(DM, "1")  # told to no session
        await until(lambda: discord.sessions.identified == 2)
        discord.say(DM, "2")
        await until(lambda: life.texts(DM) == ["zero", "one", "two"])


async def test_a_connection_that_is_silently_dead_is_noticed_and_resumed(
    life: Life, discord: FakeDiscord
) -> None:
    discord.sessions.heartbeat_seconds = 0.1
    async with life.living("one", heartbeat_seconds=0.4):
        await until(lambda: discord.sessions.heard > 2)
        discord.sessions.deaf = True
        await until(lambda: discord.sessions.resumed)
        discord.sessions.deaf = False
        discord.say(DM, "1")
        await until(lambda: life.texts(DM) == ["one"])
    assert discord.sessions.identified == 1


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4007, 4008, 4009])
async def test_a_close_of_discords_is_no_end(life: Life, discord: FakeDiscord, code: int) -> None:
    async with life.living("one"):
        await discord.sessions.close(code)
        await until(lambda: discord.sessions.identified + discord.sessions.resumed == 2)
        discord.say(DM, "1")
        await until(lambda: life.texts(DM) == ["one"])


@pytest.mark.parametrize(("code", "why"), [(4004, "refuses the token"), (4014, "Message Content")])
async def test_what_only_the_owner_can_mend_stops_us_at_once(
    discord: FakeDiscord, receiver: RecordingReceiver, code: int, why: str
) -> None:
    adapter = an_adapter(discord)
    run = asyncio.create_task(adapter.run(receiver))
    await until(lambda: discord.sessions.connected)
    if code == 4004:
        discord.token = "another"
    else:
        discord.content_intent = False
    discord.drop(forget=True)
    with pytest.raises(AdapterStopped, match=why):
        await run
    asked = len(discord.asked)
    assert adapter.health.state is State.STOPPED
    assert (discord.sessions.identified, discord.sessions.refused) == (1, 1)
    assert len(discord.asked) == asked
    discord.token = TOKEN


async def test_no_session_is_begun_that_would_cost_the_token(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    discord.sessions_left, discord.sessions_reset_seconds = 0, 0.3
    adapter = an_adapter(discord)
    async with running(discord, receiver, adapter):
        assert adapter.health.last_error == "Discord lets the bot begin no more sessions today"
        assert discord.asked.count("GET /api/v10/gateway/bot") == 2
        await heard(discord, receiver, "hi", DM)


async def test_we_are_back_soon_after_discord_is(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        gateway = await adapter._connected()
        await until(lambda: gateway.shards)
        assert type(gateway.shards[0]._parent._backoff) is Backoff


# Limits


@pytest.mark.parametrize("scope", ["", f"POST /channels/{DM}/messages"])
async def test_a_limit_is_waited_for_and_seen(life: Life, discord: FakeDiscord, scope: str) -> None:
    async with life.living("one", "two"):
        discord.limit(0.5, scope)
        discord.say(DM, "1")
        discord.say(DM, "2")
        await until(lambda: life.texts(DM) == ["one", "two"])
    assert discord.ledger.invalid <= 3


async def test_a_place_that_is_closed_to_us_holds_up_no_other(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living("one", "two"):
        discord.forbidden.add(SIDE)
        discord.say(SIDE, f"{MENTION} 1")
        await until(lambda: discord.ledger.invalid > 0)
        discord.say(DM, "2")
        await until(lambda: life.texts(DM))
    assert await life.states() == ["refused", "sent"]


async def test_a_channel_that_was_refused_is_not_asked_for_with_each_new_session(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "hi", DM)
        discord.forbidden.add(DM)
        for session in range(4):
            await cut_off(discord, forget=True)
            await heard(discord, receiver, f"session {session}", GENERAL)
    assert discord.ledger.invalid == 1


# What the owner sees


async def test_health_tells_how_we_are_doing(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(discord)
    states = [adapter.health.state]
    async with running(discord, receiver, adapter):
        event = await heard(discord, receiver, "hi", DM)
        healthy = adapter.health
        assert (healthy.state, healthy.errors) == (State.CONNECTED, 0)
        assert healthy.last_event
        assert healthy.lag is not None
        discord.limit(0.5)
        sending = asyncio.create_task(adapter.send(answer(event)))
        await until(lambda: adapter.health.limited_until)
        await sending
        discord.forbidden.add(DM)
        with pytest.raises(Exception, match="Missing Access"):
            await adapter.send(answer(event, nonce="o" * 20))
        assert "Missing Access" in adapter.health.last_error
        discord.drop()
        await until(lambda: "lost its connection" in adapter.health.last_error)
        await until(lambda: adapter.health.state is State.CONNECTED)
    states.append(adapter.health.state)
    assert states == [State.CONNECTING, State.STOPPED]


async def test_every_shard_is_shown_and_one_that_is_cut_goes_on(
    receiver: RecordingReceiver,
) -> None:
    async with FakeDiscord(shards=2) as discord:
        adapter = an_adapter(discord)
        async with running(discord, receiver, adapter):
            await until(lambda: all(shard.latency for shard in adapter.health.shards))
            shards = adapter.health.shards
            assert {shard.state for shard in shards} == {State.CONNECTED}
            assert [shard.number for shard in shards] == [0, 1]
            await heard(discord, receiver, "hi", DM)
            discord.drop()
            await until(lambda: discord.sessions.resumed == 2)
            await heard(discord, receiver, "still there?", GENERAL)
        assert discord.complaints == []


async def test_the_token_is_told_to_nobody(
    life: Life, discord: FakeDiscord, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with life.living("one"):
        discord.say(DM, "1")
        await until(lambda: life.texts(DM))
        use = discord.use("/memory", GENERAL)
        await until(lambda: use.whispers)
        discord.forbidden.add(DM)
        discord.say(DM, "2")
        discord.drop(forget=True)
        await until(lambda: discord.sessions.identified == 2)
    with pytest.raises(AdapterStopped) as stopped:
        await an_adapter(discord, "wrong-secret").run(RecordingReceiver())
    assert TOKEN not in caplog.text
    assert "wrong-secret" not in caplog.text
    assert "wrong-secret" not in repr(stopped.value.__context__)
    loud = [each.getMessage() for each in caplog.records if each.levelno > logging.DEBUG]
    assert not any(use.token in line for line in loud)
    assert TOKEN not in " ".join(sys.orig_argv)
