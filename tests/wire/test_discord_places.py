"""Where one can talk on Discord, and what comes along with what is said there."""

from dataclasses import replace
from typing import Any

import pytest

from hobnob.errors import FetchFailed
from hobnob.events import Attachment, Kind, Quote
from hobnob.testing.discord import DM, FORUM, GENERAL, MENTION, POST, THREAD, FakeDiscord
from hobnob.testing.discord.payloads import BOT_USER
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_bot import SECONDS, an_adapter, answer, heard, running


def a_file(url: str, **changes: object) -> dict[str, Any]:
    described = {
        "id": "9",
        "filename": "cat.png",
        "description": "a cat",
        "content_type": "image/png",
        "size": 3,
        "url": url,
        "proxy_url": url,
    }
    return described | changes


# Conversations


@pytest.mark.parametrize(("channel", "room"), [(THREAD, GENERAL), (POST, FORUM)])
async def test_a_thread_and_a_post_in_a_forum_are_conversations_of_their_own(
    discord: FakeDiscord, receiver: RecordingReceiver, channel: str, room: str
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi", channel)
        await adapter.send(answer(event))
    assert (event.key.room, event.key.thread) == (room, channel)
    assert [posted.channel for posted in discord.replies] == [channel]


async def test_a_post_in_a_forum_is_caught_up(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        await heard(discord, receiver, "before", POST)
    discord.say(POST, "away")
    async with running(discord, receiver):
        await receiver.wait_for(2, SECONDS)
    assert [event.text for event in receiver.events] == ["before", "away"]


async def test_everybody_has_a_direct_conversation_of_their_own(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        ann = await heard(discord, receiver, "hi", discord.direct("ann"))
        bob = await heard(discord, receiver, "hi", discord.direct("bob"), author="bob")
    assert ann.key != bob.key


# What it refers to


async def test_a_reply_carries_what_it_answers(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        first = await heard(discord, receiver, "red or blue?", author="bob")
        reply = await heard(discord, receiver, f"{MENTION} which?", reply_to=first.message)
        gone = await heard(discord, receiver, f"{MENTION} and?", reply_to="1")
    assert (reply.reply_to, reply.quoted) == (
        first.message,
        Quote(author="Bob", text="red or blue?"),
    )
    assert gone.quoted is None


async def test_what_is_forwarded_comes_as_a_quote_with_its_files(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    snapshot = {
        "type": 0,
        "content": "to all: the meeting is at 5",
        "embeds": [],
        "attachments": [a_file("https://cdn.discordapp.com/x")],
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "mentions": [],
        "mention_roles": [],
    }
    forward: dict[str, Any] = {
        "message_reference": {"type": 1, "message_id": "5", "channel_id": "99"},
        "message_snapshots": [{"message": snapshot}],
    }
    async with running(discord, receiver):
        live = await heard(discord, receiver, "", DM, **forward)
    discord.say(DM, "", **forward)
    async with running(discord, receiver):
        await receiver.wait_for(2, SECONDS)
    for event in (live, receiver.events[-1]):
        assert event.quoted == Quote(author="", text="to all: the meeting is at 5")
        assert event.reply_to is None
        assert [file.alt for file in event.attachments] == ["a cat"]


# Reactions


@pytest.mark.parametrize("channel", [GENERAL, DM])
async def test_reactions_to_what_we_said_come_in_and_are_taken_back(
    discord: FakeDiscord, receiver: RecordingReceiver, channel: str
) -> None:
    discord.people["hobnob"] = BOT_USER
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi", channel)
        ours = await adapter.send(answer(event))
        discord.react(event.message, {"name": "🎉"})  # to somebody else
        discord.react(ours, {"name": "👍"})
        discord.react(ours, {"id": "77", "name": "party"})
        discord.react(ours, {"name": "👍"}, author="hobnob")
        discord.react(ours, {"name": "👍"}, added=False)
        await receiver.wait_for(4, SECONDS)
    reactions = receiver.events[1:]
    assert {(each.kind, each.message, each.key) for each in reactions} == {
        (Kind.REACTION, ours, event.key)
    }
    assert [each.text for each in reactions] == ["👍", ":party:", ""]
    assert {each.author.id for each in reactions} == {event.author.id}


# Files


async def test_a_file_is_described_and_fetched_as_far_as_is_wanted(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    url = discord.keep_file(b"0123456789" * 100_000)
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "look", attachments=[a_file(url)])
        [file] = event.attachments
        whole = await adapter.fetch(file, 2_000_000)
        some = await adapter.fetch(file, 12)
    assert (file.media_type, file.alt, file.size) == ("image/png", "a cat", 3)
    assert (len(whole), some) == (1_000_000, b"012345678901")


async def test_an_address_that_has_lapsed_is_asked_for_anew(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    url = discord.keep_file(b"cat")
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "look", attachments=[a_file(url)])
        [file] = event.attachments
        assert await adapter.fetch(replace(file, url=url.replace("ex=", "ex=1")), 10) == b"cat"
        discord.delete(event.message)
        with pytest.raises(FetchFailed, match="does not give the file"):
            await adapter.fetch(replace(file, url=url.replace("ex=", "ex=1")), 10)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/attachments/1/2/cat.png?hm=secret",
        "https://cdn.discordapp.com.evil.example/cat.png?hm=secret",
        "https://cdn.discordapp.com@evil.example/cat.png?hm=secret",
        "https://evil.example/cat.png?hm=secret",
        "file:///etc/passwd?hm=secret",
        "hm=secret",
    ],
)
async def test_nothing_is_fetched_from_elsewhere_and_no_error_tells_an_address(
    discord: FakeDiscord, receiver: RecordingReceiver, url: str
) -> None:
    async with running(discord, receiver) as adapter:
        with pytest.raises(FetchFailed, match="not on a server of Discord's") as failed:
            await adapter.fetch(Attachment(media_type="image/png", url=url, id="1/2/3"), 10)
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


async def test_without_a_connection_nothing_is_fetched(discord: FakeDiscord) -> None:
    with pytest.raises(FetchFailed, match="no connection"):
        await an_adapter(discord).fetch(Attachment(media_type="image/png", url="https://x"), 10)


async def test_a_file_that_cannot_be_had_is_an_error_without_its_address(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    url = discord.keep_file(b"cat")
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, "look", attachments=[a_file(url)])
        discord.files.clear()
        with pytest.raises(FetchFailed, match="404") as failed:
            await adapter.fetch(event.attachments[0], 10)
        nowhere = replace(event.attachments[0], url="https://cdn.discordapp.com:1/secret")
        with pytest.raises(FetchFailed):
            await adapter.fetch(nowhere, 10)
    assert "secret" not in str(failed.value)


async def test_a_sticker_is_a_picture(discord: FakeDiscord, receiver: RecordingReceiver) -> None:
    wave = {"id": "5", "name": "Wave", "format_type": 1}
    program = {"id": "6", "name": "Dance", "format_type": 3}
    async with running(discord, receiver):
        event = await heard(discord, receiver, "", DM, sticker_items=[wave, program])
    [sticker] = event.attachments
    assert (sticker.media_type, sticker.alt) == ("image/png", "Wave")
    assert sticker.url == "https://cdn.discordapp.com/stickers/5.png"
