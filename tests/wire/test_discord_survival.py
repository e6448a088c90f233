"""What production throws at the Discord adapter, with the chat and a database behind it.

Whatever happens: each message is answered once and in order, and Discord finds nothing to complain
of.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hobnob.errors import AdapterStopped
from hobnob.health import State
from hobnob.store.database import Database
from hobnob_discord.pace import Backoff
from tests.wire.discord_bot import an_adapter, answer, heard, running, until
from tests.wire.discord_life import Life
from tests.wire.fake_discord import DM, GENERAL, MENTION, SIDE, TOKEN, FakeDiscord
from tests.wire.receiver import RecordingReceiver


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    """Whatever happens: nothing that Discord would mind."""
    async with FakeDiscord() as opened:
        yield opened
        assert opened.complaints() == []


@pytest.fixture
def life(server: FakeDiscord, sqlite: Database, tmp_path: Path) -> Life:
    return Life(server, sqlite, tmp_path)


async def cut_off(server: FakeDiscord, *, forget: bool = False) -> None:
    """Cut the connection, and wait for the next."""
    before = server.sessions.identified + server.sessions.resumed
    server.drop(forget=forget)
    await until(lambda: server.sessions.identified + server.sessions.resumed > before)


# The connection


async def test_two_hundred_cuts_lose_nothing_double_nothing_and_begin_few_sessions(
    life: Life, server: FakeDiscord
) -> None:
    said = [f"answer {number}" for number in range(40)]
    async with life.living(*said):
        for cut in range(200):
            if cut % 5 == 0:
                server.say(DM, f"message {cut // 5}")
            if cut % 5 == 2:
                server.say(GENERAL, "not for us")
            await cut_off(server, forget=cut % 20 == 19)
        await until(lambda: life.texts(DM) == said)
    assert server.sessions.identified <= 25
    assert server.sessions.resumed > 180
    assert server.ledger.invalid == 0


async def test_an_invalid_session_is_begun_anew_and_the_gap_is_filled(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living("zero", "one", "two"):
        server.say(DM, "0")
        await until(lambda: life.texts(DM) == ["zero"])
        await server.sessions.invalidate()
        server.say(DM, "1")  # told to no session
        await until(lambda: server.sessions.identified == 2)
        server.say(DM, "2")
        await until(lambda: life.texts(DM) == ["zero", "one", "two"])


async def test_a_connection_that_is_silently_dead_is_noticed_and_resumed(
    life: Life, server: FakeDiscord
) -> None:
    server.sessions.heartbeat_seconds = 0.1
    async with life.living("one", heartbeat_seconds=0.4):
        await until(lambda: server.sessions.heard > 2)
        server.sessions.deaf = True
        await until(lambda: server.sessions.resumed)
        server.sessions.deaf = False
        server.say(DM, "1")
        await until(lambda: life.texts(DM) == ["one"])
    assert server.sessions.identified == 1


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4007, 4008, 4009])
async def test_a_close_of_discords_is_no_end(life: Life, server: FakeDiscord, code: int) -> None:
    async with life.living("one"):
        await server.sessions.close(code)
        await until(lambda: server.sessions.identified + server.sessions.resumed == 2)
        server.say(DM, "1")
        await until(lambda: life.texts(DM) == ["one"])


@pytest.mark.parametrize(("code", "why"), [(4004, "refuses the token"), (4014, "Message Content")])
async def test_what_only_the_owner_can_mend_stops_us_at_once(
    server: FakeDiscord, receiver: RecordingReceiver, code: int, why: str
) -> None:
    adapter = an_adapter(server)
    run = asyncio.create_task(adapter.run(receiver))
    await until(lambda: server.sessions.connected)
    if code == 4004:
        server.token = "another"
    else:
        server.content_intent = False
    server.drop(forget=True)
    with pytest.raises(AdapterStopped, match=why):
        await run
    asked = len(server.asked)
    assert adapter.health.state is State.STOPPED
    assert (server.sessions.identified, server.sessions.refused) == (1, 1)
    assert len(server.asked) == asked
    server.token = TOKEN


async def test_no_session_is_begun_that_would_cost_the_token(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    server.sessions_left, server.sessions_reset_seconds = 0, 0.3
    adapter = an_adapter(server)
    async with running(server, receiver, adapter):
        assert adapter.health.last_error == "Discord lets the bot begin no more sessions today"
        assert server.asked.count("GET /api/v10/gateway/bot") == 2
        await heard(server, receiver, "hi", DM)


async def test_we_are_back_soon_after_discord_is(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        gateway = await adapter._connected()
        await until(lambda: gateway.shards)
        assert type(gateway.shards[0]._parent._backoff) is Backoff


# Limits


@pytest.mark.parametrize("scope", ["", f"POST /channels/{DM}/messages"])
async def test_a_limit_is_waited_for_and_seen(life: Life, server: FakeDiscord, scope: str) -> None:
    async with life.living("one", "two"):
        server.limit(0.5, scope)
        server.say(DM, "1")
        server.say(DM, "2")
        await until(lambda: life.texts(DM) == ["one", "two"])
    assert server.ledger.invalid <= 3


async def test_a_place_that_is_closed_to_us_holds_up_no_other(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living("one", "two"):
        server.forbidden.add(SIDE)
        server.say(SIDE, f"{MENTION} 1")
        await until(lambda: server.ledger.invalid > 0)
        server.say(DM, "2")
        await until(lambda: life.texts(DM))
    assert await life.states() == ["refused", "sent"]


async def test_a_channel_that_was_refused_is_not_asked_for_with_each_new_session(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "hi", DM)
        server.forbidden.add(DM)
        for session in range(4):
            await cut_off(server, forget=True)
            await heard(server, receiver, f"session {session}", GENERAL)
    assert server.ledger.invalid == 1


# What the owner sees


async def test_health_tells_how_we_are_doing(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(server)
    states = [adapter.health.state]
    async with running(server, receiver, adapter):
        event = await heard(server, receiver, "hi", DM)
        healthy = adapter.health
        assert (healthy.state, healthy.errors) == (State.CONNECTED, 0)
        assert healthy.last_event
        assert healthy.lag is not None
        server.limit(0.5)
        sending = asyncio.create_task(adapter.send(answer(event)))
        await until(lambda: adapter.health.limited_until)
        await sending
        server.forbidden.add(DM)
        with pytest.raises(Exception, match="Missing Access"):
            await adapter.send(answer(event, nonce="o" * 20))
        assert "Missing Access" in adapter.health.last_error
        server.drop()
        await until(lambda: "lost its connection" in adapter.health.last_error)
        await until(lambda: adapter.health.state is State.CONNECTED)
    states.append(adapter.health.state)
    assert states == [State.CONNECTING, State.STOPPED]


async def test_every_shard_is_shown_and_one_that_is_cut_goes_on(
    receiver: RecordingReceiver,
) -> None:
    async with FakeDiscord(shards=2) as server:
        adapter = an_adapter(server)
        async with running(server, receiver, adapter):
            await until(lambda: all(shard.latency for shard in adapter.health.shards))
            shards = adapter.health.shards
            assert {shard.state for shard in shards} == {State.CONNECTED}
            assert [shard.number for shard in shards] == [0, 1]
            await heard(server, receiver, "hi", DM)
            server.drop()
            await until(lambda: server.sessions.resumed == 2)
            await heard(server, receiver, "still there?", GENERAL)
        assert server.complaints() == []


async def test_the_token_is_told_to_nobody(
    life: Life, server: FakeDiscord, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with life.living("one"):
        server.say(DM, "1")
        await until(lambda: life.texts(DM))
        use = server.use("/memory", GENERAL)
        await until(lambda: use.whispers)
        server.forbidden.add(DM)
        server.say(DM, "2")
        server.drop(forget=True)
        await until(lambda: server.sessions.identified == 2)
    with pytest.raises(AdapterStopped) as stopped:
        await an_adapter(server, "wrong-secret").run(RecordingReceiver())
    assert TOKEN not in caplog.text
    assert "wrong-secret" not in caplog.text
    assert "wrong-secret" not in repr(stopped.value.__context__)
    loud = [each.getMessage() for each in caplog.records if each.levelno > logging.DEBUG]
    assert not any(use.token in line for line in loud)
    assert TOKEN not in " ".join(sys.orig_argv)
