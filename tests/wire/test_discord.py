"""The adapter and the real client library, against a server in memory."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from hobnob.conversation import ConversationKey
from hobnob.errors import AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Addressed, Event, Kind, Reply
from hobnob.ports import Cursor
from hobnob_discord.adapter import DiscordAdapter, DiscordOptions
from tests.wire.discord_payloads import BOT_USER
from tests.wire.fake_discord import DM, GENERAL, MENTION, SIDE, THREAD, TOKEN, FakeDiscord, Fault
from tests.wire.receiver import RecordingReceiver

BOT = BOT_USER["id"]
SECONDS = 10.0


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as opened:
        yield opened


@pytest.fixture
def receiver() -> RecordingReceiver:
    return RecordingReceiver()


def an_adapter(server: FakeDiscord, token: str = TOKEN) -> DiscordAdapter:
    options = DiscordOptions(
        token=SecretStr(token), api_url=server.api_url, gateway_url=server.gateway_url
    )
    return DiscordAdapter(options, retry_pauses=(0.05, 0.05))


@asynccontextmanager
async def running(
    server: FakeDiscord, receiver: RecordingReceiver
) -> AsyncIterator[DiscordAdapter]:
    """A connected adapter: what is said from now on comes over the gateway."""
    adapter = an_adapter(server)
    before = server.sessions.identified
    task = asyncio.create_task(adapter.run(receiver))
    try:
        await until(lambda: server.sessions.identified > before or task.done())
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), task
    await until(lambda: not server.sessions.connected)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


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


# What comes in


async def test_a_mention_in_a_channel_comes_in_and_is_answered(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hello")
        assert (event.kind, event.text, event.addressed) == (
            Kind.MESSAGE,
            "hello",
            Addressed.MENTION,
        )
        assert event.key == ConversationKey(platform="discord", account=BOT, room=GENERAL)
        assert (event.author.name, event.author.is_bot) == ("Ann", False)
        assert event.id == event.message
        assert receiver.cursor_values[f"channel:{GENERAL}"] == event.message

        sent = await adapter.send(answer(event))
        [posted] = server.replies
        assert (posted.id, posted.channel, posted.content) == (sent, GENERAL, "Hello!")
        assert (posted.reference, posted.nonce) == (event.message, "n" * 20)
        assert posted.payload["enforce_nonce"] is True
        assert posted.payload["allowed_mentions"] == {"parse": [], "replied_user": False}
        assert posted.payload["message_reference"]["fail_if_not_exists"] is False


async def test_only_the_first_part_of_an_answer_refers_to_the_message(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi", DM)
        first = await adapter.send(answer(event, "one"))
        await adapter.send(answer(event, "two", nonce="m" * 20, follows=first))
    assert [posted.reference for posted in server.replies] == [event.message, None]


async def test_a_direct_message_is_direct(server: FakeDiscord, receiver: RecordingReceiver) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "psst", DM)
        assert (event.addressed, event.key.room, event.key.thread) == (Addressed.DIRECT, DM, "")
        await adapter.send(answer(event))
    assert [posted.channel for posted in server.replies] == [DM]


async def test_a_reply_to_us_is_for_us_and_our_own_messages_are_not_handed_in(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "anyone?")
        assert event.addressed is Addressed.NONE
        ours = await adapter.send(answer(event))
        reply = await heard(server, receiver, "thanks", author="bob", reply_to=ours)
    assert (reply.addressed, reply.reply_to) == (Addressed.REPLY, ours)
    assert texts(receiver) == ["anyone?", "thanks"]


async def test_a_thread_is_a_conversation_of_its_own_in_its_channel(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} here", THREAD)
        assert (event.key.room, event.key.thread) == (GENERAL, THREAD)
        await adapter.send(answer(event))
    assert [posted.channel for posted in server.replies] == [THREAD]


async def test_an_edit_comes_in_whole_and_a_preview_does_not(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        event = await heard(server, receiver, "helo")
        server.preview(event.message)
        server.edit(event.message, f"{MENTION} hello")
        await receiver.wait_for(2, SECONDS)
        server.edit(event.message, "hello all")
        await receiver.wait_for(3, SECONDS)
    _, first, second = receiver.events
    assert (first.kind, first.message, first.text) == (Kind.EDIT, event.message, "hello")
    assert (second.kind, second.text, second.addressed) == (
        Kind.EDIT,
        "hello all",
        Addressed.NONE,
    )
    assert first.id != second.id
    assert (first.key, first.author) == (event.key, event.author)


async def test_deletions_come_in_one_by_one_with_nobody_as_their_author(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        said = [(await heard(server, receiver, text, THREAD)).message for text in "abc"]
        server.delete(said[1])
        server.delete(said[0], said[2])
        await receiver.wait_for(6, SECONDS)
    gone = receiver.events[3:]
    assert [event.message for event in gone] == [said[1], said[0], said[2]]
    assert {(event.kind, event.author.id, event.key.thread) for event in gone} == {
        (Kind.DELETE, "", THREAD)
    }


# What was missed


async def test_what_was_said_while_away_comes_in_order_and_before_anything_new(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        for channel in (GENERAL, THREAD, DM):
            await heard(server, receiver, "before", channel)
    for number in range(120):  # more than a page
        server.say(GENERAL, f"away {number}")
    server.say(THREAD, "away in the thread")
    server.say(DM, "away in private")
    async with running(server, receiver):
        server.say(GENERAL, "new")
        await receiver.wait_for(3 + 120 + 3, SECONDS)
    general = [e.text for e in receiver.events if e.key.room == GENERAL and not e.key.thread]
    assert general == ["before", *(f"away {number}" for number in range(120)), "new"]
    assert {"away in the thread", "away in private"} <= set(texts(receiver))
    assert len(receiver.events) == 126


async def test_a_channel_first_spoken_in_while_away_is_caught_up(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    server.say(SIDE, "long before we came")
    async with running(server, receiver):
        await heard(server, receiver, "hi", GENERAL)
    server.say(SIDE, f"{MENTION} are you there?")
    async with running(server, receiver):
        await receiver.wait_for(2, SECONDS)
    assert texts(receiver) == ["hi", "are you there?"]


async def test_what_was_missed_comes_first_though_discord_is_slow_to_show_the_server(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "hi", DM)
    server.say(SIDE, "missed")
    server.guild_comes = False
    async with running(server, receiver):
        server.say(DM, "live")
        server.show_guild()
        await receiver.wait_for(3, SECONDS)
    assert texts(receiver) == ["hi", "missed", "live"]


async def test_a_thread_that_discord_did_not_tell_of_is_still_a_thread(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    server.thread_listed = False
    async with running(server, receiver):
        await heard(server, receiver, "one", THREAD)
    server.say(THREAD, "two")
    async with running(server, receiver):
        await receiver.wait_for(2, SECONDS)
        server.delete(receiver.events[0].message)
        await receiver.wait_for(3, SECONDS)
    assert {(event.key.room, event.key.thread) for event in receiver.events} == {(GENERAL, THREAD)}


async def test_a_cut_connection_is_resumed_and_nothing_is_read_twice(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "one")
        server.drop()
        server.say(GENERAL, "two")
        await receiver.wait_for(2, SECONDS)
        assert (server.sessions.resumed, server.sessions.identified) == (1, 1)
    assert texts(receiver) == ["one", "two"]
    assert not any(asked.startswith("GET") and "messages" in asked for asked in server.asked)


async def test_a_session_that_discord_forgot_is_made_up_for_from_the_history(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "one")
        server.drop(forget=True)
        server.say(GENERAL, "two")  # told to no session
        await until(lambda: server.sessions.identified == 2)
        server.say(GENERAL, "three")
        await receiver.wait_for(3, SECONDS)
    assert texts(receiver) == ["one", "two", "three"]


async def test_a_channel_that_we_may_no_longer_read_is_skipped(
    server: FakeDiscord, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "hi", DM)
        await heard(server, receiver, "hi", GENERAL)
    server.say(DM, "secret")
    server.say(GENERAL, "open")
    server.forbidden.add(DM)
    with caplog.at_level(logging.WARNING):
        async with running(server, receiver):
            await receiver.wait_for(3, SECONDS)
            await until(lambda: f"channel {DM} cannot be read" in caplog.text)
            await heard(server, receiver, "still here", GENERAL)
    assert texts(receiver) == ["hi", "hi", "open", "still here"]


async def test_a_receiver_that_waits_loses_nothing_and_keeps_the_order(
    server: FakeDiscord,
) -> None:
    class Slow(RecordingReceiver):
        def __init__(self) -> None:
            super().__init__()
            self.opened = asyncio.Event()

        async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
            await self.opened.wait()
            return await super().put(event, cursor)

    receiver = Slow()
    async with running(server, receiver):
        for text in "abc":
            server.say(GENERAL, text)
        server.drop()
        await until(lambda: server.sessions.resumed == 1)
        server.say(GENERAL, "d")
        assert not receiver.events
        receiver.opened.set()
        await receiver.wait_for(4, SECONDS)
    assert texts(receiver) == list("abcd")


# What goes out


async def test_the_same_nonce_delivers_once(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi", DM)
        first = await adapter.send(answer(event))
        again = await adapter.send(answer(event, attempted=datetime.now(UTC)))
    assert first == again
    assert len(server.replies) == 1


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.LOST, Fault.BROKEN])
async def test_a_send_without_an_answer_is_repeated_and_delivers_once(
    server: FakeDiscord, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi", DM)
        server.faults.append(fault)
        sent = await adapter.send(answer(event))
    assert [posted.id for posted in server.replies] == [sent]


async def test_a_send_that_never_gets_an_answer_is_in_doubt(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi", DM)
        server.faults.extend([Fault.LOST, Fault.LOST, Fault.LIMITED])
        with pytest.raises(SendUnknown):
            await adapter.send(answer(event))


@pytest.mark.parametrize("delivered", [True, False])
async def test_after_the_nonce_has_lapsed_the_history_tells_what_arrived(
    server: FakeDiscord, receiver: RecordingReceiver, delivered: bool
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with running(server, receiver) as adapter:
        other = await heard(server, receiver, "hi")
        event = await heard(server, receiver, "hi", author="bob")
        # The same words, but in answer to another message.
        await adapter.send(answer(other, nonce="o" * 20))
        expected = await adapter.send(answer(event, nonce="old")) if delivered else ""
        sent = await adapter.send(answer(event, attempted=long_ago))
        follows = answer(event, nonce="p" * 20, follows=sent, attempted=long_ago)
        await adapter.send(follows)
    assert len(server.replies) == 3
    assert [posted.nonce for posted in server.replies][1:] == [
        "old" if delivered else "n" * 20,
        "p" * 20,
    ]
    assert sent == (expected or server.replies[1].id)


async def test_an_attempt_is_not_repeated_where_the_history_cannot_be_seen(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    server.permissions = 1 << 10 | 1 << 11
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi")
        with pytest.raises(SendUnknown, match="Read Message History"):
            await adapter.send(answer(event, attempted=datetime.now(UTC) - timedelta(hours=1)))
    assert not server.replies


async def test_what_discord_refuses_is_refused_for_good(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi")
        server.forbidden.add(GENERAL)
        with pytest.raises(SendRefused, match=r"403 .*Missing Access"):
            await adapter.send(answer(event))
        with pytest.raises(SendRefused, match=r"404 .*Unknown Channel"):
            await adapter.send(answer(event, key=replace(event.key, room="77")))
        with pytest.raises(SendRefused, match="'general' is not a channel id"):
            await adapter.send(answer(event, key=replace(event.key, room="general")))


async def test_a_rate_limit_is_waited_for_by_the_caller(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi")
        server.faults.append(Fault.LIMITED)
        with pytest.raises(SendLater) as later:
            await adapter.send(answer(event))
    assert later.value.retry_after == 77.0


async def test_a_send_waits_for_the_connection(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(server)
    key = ConversationKey(platform="discord", account=BOT, room=GENERAL)
    sending = asyncio.create_task(adapter.send(Reply(key=key, text="Hello!", nonce="n" * 20)))
    connection = asyncio.create_task(adapter.run(receiver))
    async with asyncio.timeout(SECONDS):
        sent = await sending
    connection.cancel()
    await asyncio.gather(connection, return_exceptions=True)
    assert [posted.id for posted in server.replies] == [sent]


async def test_composing_shows_typing_and_never_fails(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "hi", THREAD)
        async with adapter.composing(event) as draft:
            draft("Hel")
            await until(lambda: server.typing == [THREAD])
        elsewhere = replace(event, key=replace(event.key, thread="nowhere"))
        async with adapter.composing(elsewhere) as draft:
            draft("Hel")
    async with adapter.composing(event) as draft:  # not connected
        draft("Hel")


# Being let in


async def test_a_wrong_token_stops_the_adapter_and_is_not_shown(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    with pytest.raises(AdapterStopped, match=r"refuses the token.*Reset Token") as stopped:
        await an_adapter(server, "wrong-secret").run(receiver)
    assert "wrong-secret" not in str(stopped.value)


async def test_a_token_that_is_withdrawn_stops_the_adapter(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    run = asyncio.create_task(an_adapter(server).run(receiver))
    await until(lambda: server.sessions.connected)
    server.token = "another"
    server.drop(forget=True)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(AdapterStopped, match="refuses the token"):
            await run


async def test_a_missing_intent_stops_the_adapter(receiver: RecordingReceiver) -> None:
    async with FakeDiscord(content_intent=False) as server:
        with pytest.raises(AdapterStopped, match=r"Message Content.*discord\.com/developers"):
            await an_adapter(server).run(receiver)


async def test_check_finds_all_in_order(server: FakeDiscord) -> None:
    findings = await an_adapter(server).check()
    assert [finding.ok for finding in findings] == [True, True, True]
    assert not server.replies


async def test_check_says_what_to_do() -> None:
    async with FakeDiscord(content_intent=False) as server:
        server.guild_count = 0
        found = [finding for finding in await an_adapter(server).check() if not finding.ok]
        assert [bool(finding.fix) for finding in found] == [True, True]
        assert "Message Content" in found[0].what
        assert "https://discord.com/oauth2/authorize" in found[1].fix

        [wrong] = await an_adapter(server, "wrong-secret").check()
        assert (wrong.ok, wrong.what) == (False, "Discord refuses the token")
    [silent] = await an_adapter(server).check()
    assert (silent.ok, "gives no answer" in silent.what) == (False, True)


def test_the_options_name_what_is_wrong_and_hide_the_token() -> None:
    with pytest.raises(ValidationError, match="tokn"):
        DiscordOptions.model_validate({"tokn": "secret"})
    assert "secret" not in repr(DiscordOptions(token=SecretStr("secret")))
