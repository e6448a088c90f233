"""What is said on Discord comes in: the adapter and the real client library, against a server in
memory."""

import asyncio
import logging

import pytest

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Event, Kind
from hobnob.ports import Cursor
from hobnob.testing.discord import DM, GENERAL, MENTION, SIDE, THREAD, FakeDiscord
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_bot import BOT, SECONDS, answer, heard, running, texts


async def test_a_mention_in_a_channel_comes_in_and_is_answered(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hello")
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
        [posted] = discord.replies
        assert (posted.id, posted.channel, posted.content) == (sent, GENERAL, "Hello!")
        assert (posted.reference, posted.nonce) == (event.message, "n" * 20)
        assert posted.payload["enforce_nonce"] is True
        assert posted.payload["allowed_mentions"] == {"parse": [], "replied_user": False}
        assert posted.payload["message_reference"]["fail_if_not_exists"] is False


async def test_only_the_first_part_of_an_answer_refers_to_the_message(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "hi", DM)
        first = await adapter.send(answer(event, "one"))
        await adapter.send(answer(event, "two", nonce="m" * 20, follows=first))
    assert [posted.reference for posted in discord.replies] == [event.message, None]


async def test_a_direct_message_is_direct(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "psst", DM)
        assert (event.addressed, event.key.room, event.key.thread) == (Addressed.DIRECT, DM, "")
        await adapter.send(answer(event))
    assert [posted.channel for posted in discord.replies] == [DM]


async def test_a_reply_to_us_is_for_us_and_our_own_messages_are_not_handed_in(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "anyone?")
        assert event.addressed is Addressed.NONE
        ours = await adapter.send(answer(event))
        reply = await heard(discord, receiver, "thanks", author="bob", reply_to=ours)
    assert (reply.addressed, reply.reply_to) == (Addressed.REPLY, ours)
    assert texts(receiver) == ["anyone?", "thanks"]


async def test_a_thread_is_a_conversation_of_its_own_in_its_channel(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} here", THREAD)
        assert (event.key.room, event.key.thread) == (GENERAL, THREAD)
        await adapter.send(answer(event))
    assert [posted.channel for posted in discord.replies] == [THREAD]


async def test_an_edit_comes_in_whole_and_a_preview_does_not(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        event = await heard(discord, receiver, "helo")
        discord.preview(event.message)
        discord.edit(event.message, f"{MENTION} hello")
        await receiver.wait_for(2, SECONDS)
        discord.edit(event.message, "hello all")
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
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        said = [(await heard(discord, receiver, text, THREAD)).message for text in "abc"]
        discord.delete(said[1])
        discord.delete(said[0], said[2])
        await receiver.wait_for(6, SECONDS)
    gone = receiver.events[3:]
    assert [event.message for event in gone] == [said[1], said[0], said[2]]
    assert {(event.kind, event.author.id, event.key.thread) for event in gone} == {
        (Kind.DELETE, "", THREAD)
    }


# What was missed


async def test_what_was_said_while_away_comes_in_order_and_before_anything_new(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        for channel in (GENERAL, THREAD, DM):
            await heard(discord, receiver, "before", channel)
    for number in range(120):  # more than a page
        discord.say(GENERAL, f"away {number}")
    discord.say(THREAD, "away in the thread")
    discord.say(DM, "away in private")
    async with running(discord, receiver):
        discord.say(GENERAL, "new")
        await receiver.wait_for(3 + 120 + 3, SECONDS)
    general = [e.text for e in receiver.events if e.key.room == GENERAL and not e.key.thread]
    assert general == ["before", *(f"away {number}" for number in range(120)), "new"]
    assert {"away in the thread", "away in private"} <= set(texts(receiver))
    assert len(receiver.events) == 126


async def test_a_channel_first_spoken_in_while_away_is_caught_up(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    discord.say(SIDE, "long before we came")
    async with running(discord, receiver):
        await heard(discord, receiver, "hi", GENERAL)
    discord.say(SIDE, f"{MENTION} are you there?")
    async with running(discord, receiver):
        await receiver.wait_for(2, SECONDS)
    assert texts(receiver) == ["hi", "are you there?"]


async def test_what_was_missed_comes_first_though_discord_is_slow_to_show_the_server(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "hi", DM)
    discord.say(SIDE, "missed")
    discord.guild_comes = False
    async with running(discord, receiver):
        discord.say(DM, "live")
        discord.show_guild()
        await receiver.wait_for(3, SECONDS)
    assert texts(receiver) == ["hi", "missed", "live"]


async def test_a_thread_that_discord_did_not_tell_of_is_still_a_thread(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    discord.thread_listed = False
    async with running(discord, receiver):
        await heard(discord, receiver, "one", THREAD)
    discord.say(THREAD, "two")
    async with running(discord, receiver):
        await receiver.wait_for(2, SECONDS)
        discord.delete(receiver.events[0].message)
        await receiver.wait_for(3, SECONDS)
    assert {(event.key.room, event.key.thread) for event in receiver.events} == {(GENERAL, THREAD)}


async def test_a_cut_connection_is_resumed_and_nothing_is_read_twice(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "one")
        asked = len(discord.asked)
        discord.drop()
        discord.say(GENERAL, "two")
        await receiver.wait_for(2, SECONDS)
        assert (discord.sessions.resumed, discord.sessions.identified) == (1, 1)
    assert texts(receiver) == ["one", "two"]
    assert not any("messages" in request for request in discord.asked[asked:])


async def test_a_session_that_discord_forgot_is_made_up_for_from_the_history(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "one")
        discord.drop(forget=True)
        discord.say(GENERAL, "two")  # told to no session
        await until(lambda: discord.sessions.identified == 2)
        discord.say(GENERAL, "three")
        await receiver.wait_for(3, SECONDS)
    assert texts(receiver) == ["one", "two", "three"]


async def test_a_channel_that_we_may_no_longer_read_is_skipped(
    discord: FakeDiscord, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "hi", DM)
        await heard(discord, receiver, "hi", GENERAL)
    discord.say(DM, "secret")
    discord.say(GENERAL, "open")
    discord.forbidden.add(DM)
    with caplog.at_level(logging.WARNING):
        async with running(discord, receiver):
            await receiver.wait_for(3, SECONDS)
            await until(lambda: f"channel {DM} cannot be read" in caplog.text)
            await heard(discord, receiver, "still here", GENERAL)
    assert texts(receiver) == ["hi", "hi", "open", "still here"]


async def test_a_receiver_that_waits_loses_nothing_and_keeps_the_order(
    discord: FakeDiscord,
) -> None:
    class Slow(RecordingReceiver):
        def __init__(self) -> None:
            super().__init__()
            self.asked, self.opened = asyncio.Event(), asyncio.Event()

        async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
            self.asked.set()
            await self.opened.wait()
            return await super().put(event, cursor)

    receiver = Slow()
    async with running(discord, receiver):
        for text in "abc":
            discord.say(GENERAL, text)
        await receiver.asked.wait()  # a client that hasn't heard of its session can't resume it
        discord.drop()
        await until(lambda: discord.sessions.resumed == 1)
        discord.say(GENERAL, "d")
        assert not receiver.events
        receiver.opened.set()
        await receiver.wait_for(4, SECONDS)
    assert texts(receiver) == list("abcd")
