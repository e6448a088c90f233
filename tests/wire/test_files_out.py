"""Files that leave, through the real client libraries, where a platform makes trouble."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Media
from hobnob.testing.discord import DM, FakeDiscord
from hobnob.testing.discord import Fault as DiscordFault
from hobnob.testing.mastodon import FakeMastodon, Fault
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.telegram import FakeTelegram
from hobnob_mastodon import adapter as mastodon
from tests.wire import discord_bot, mastodon_kit, telegram_bot
from tests.wire.telegram_bot import LENIENT, REPLY

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
CAT = Media(
    file="pictures/cat.png",
    media_type="image/png",
    size=len(PNG),
    digest="",
    alt="A cat.",
    data=PNG,
)
FILM = replace(CAT, file="cat.mp4", media_type="video/mp4")
PNG_ONLY = {
    "supported_mime_types": ["image/png", "video/webm"],
    "image_size_limit": 300,
    "video_size_limit": 400,
    "description_limit": 7,
}


async def test_mastodon_is_waited_for_until_it_has_processed_a_file(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    server.processing = 3
    async with mastodon_kit.running(server, receiver) as adapter:
        event = await mastodon_kit.heard(server, receiver)
        await adapter.send(mastodon_kit.answer(event, media=(CAT, CAT)))
    (post,) = server.replies
    assert post.alts == ("A cat.", "A cat.")


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.BROKEN_AFTER, Fault.DROPPED])
async def test_a_post_that_is_repeated_has_the_files_of_one_upload(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with mastodon_kit.running(server, receiver) as adapter:
        event = await mastodon_kit.heard(server, receiver)
        server.faults.extend([Fault.NONE, fault])
        await adapter.send(mastodon_kit.answer(event, media=(CAT,)))
    assert [post.alts for post in server.replies] == [("A cat.",)]
    assert len(server.uploads) == 1


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.DROPPED, Fault.LIMITED])
async def test_an_upload_that_fails_has_posted_nothing(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with mastodon_kit.running(server, receiver) as adapter:
        event = await mastodon_kit.heard(server, receiver)
        server.faults.append(fault)
        with pytest.raises(SendLater):
            await adapter.send(mastodon_kit.answer(event, media=(CAT,)))
    assert server.attempts == 0


async def test_a_file_that_mastodon_refuses_stops_the_post(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with mastodon_kit.running(server, receiver) as adapter:
        event = await mastodon_kit.heard(server, receiver)
        reply = mastodon_kit.answer(event, media=(FILM,))
        with pytest.raises(SendRefused, match=r"cat\.mp4: http.* 422: .*content type is invalid"):
            await adapter.send(reply)
        with pytest.raises(SendUnknown, match="look at the account's posts"):
            await adapter.send(replace(reply, attempted=datetime.now(UTC)))
    assert server.attempts == 0


async def test_a_file_that_is_never_processed_stops_the_post(
    server: FakeMastodon, receiver: RecordingReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mastodon, "PROCESSING_SECONDS", 0.05)
    server.processing = 10**6
    async with mastodon_kit.running(server, receiver) as adapter:
        event = await mastodon_kit.heard(server, receiver)
        with pytest.raises(SendRefused, match="is not done with it"):
            await adapter.send(mastodon_kit.answer(event, media=(CAT,)))
    assert server.attempts == 0


async def test_what_the_server_says_of_files_is_kept_to(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    server.takes = PNG_ONLY
    async with mastodon_kit.running(server, receiver) as adapter:
        limits = adapter.limits.media
        assert limits.largest == {"image/png": 300, "video/webm": 400}
        assert (limits.most, limits.longest_alt) == (4, 7)
        event = await mastodon_kit.heard(server, receiver)
        for file, words in (
            (FILM, "video/mp4, which is not taken"),
            (replace(CAT, alt="Two cats."), "more than 7 characters"),
            (replace(CAT, size=301), "are taken"),
        ):
            with pytest.raises(SendRefused, match=words):
                await adapter.send(mastodon_kit.answer(event, media=(file,)))
    assert not server.uploads


@pytest.mark.parametrize("fault", [DiscordFault.DROPPED, DiscordFault.LOST, DiscordFault.BROKEN])
async def test_discord_gets_a_file_once_and_whole_whatever_is_repeated(
    discord: FakeDiscord, receiver: RecordingReceiver, fault: DiscordFault
) -> None:
    async with discord_bot.running(discord, receiver) as adapter:
        event = await discord_bot.heard(discord, receiver, "hi", DM)
        discord.faults.append(fault)
        sent = await adapter.send(discord_bot.answer(event, media=(CAT,)))
    (file,) = discord.find(sent)["attachments"]
    assert (file["filename"], file["description"]) == ("cat.png", "A cat.")
    assert discord.files[file["url"].rpartition("?")[2]] == PNG
    assert [posted.id for posted in discord.replies] == [sent]


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("cat.png", "image/png"),
        ("cat.gif", "image/gif"),
        ("cat.mp4", "video/mp4"),
        ("cat.pdf", "application/pdf"),
    ],
)
async def test_telegram_gets_each_kind_as_what_it_is_and_never_again(
    receiver: RecordingReceiver, file: str, shown: str
) -> None:
    reply = replace(REPLY, text="**Look**!", media=(replace(CAT, file=file, media_type=shown),))
    async with FakeTelegram(LENIENT) as telegram:
        async with telegram_bot.running(telegram_bot.adapter_for(telegram), receiver) as adapter:
            await adapter.send(reply)
            with pytest.raises(SendUnknown):
                await adapter.send(replace(reply, attempted=datetime.now(UTC)))
        assert telegram.complaints == []
    (sent,) = telegram.replies
    assert (sent.text, sent.files) == ("Look!\n\n[A cat.]", (shown,))
    assert [entity["type"] for entity in sent.entities] == ["bold"]


async def test_telegram_shows_long_alt_texts_under_their_own_pictures(
    receiver: RecordingReceiver,
) -> None:
    files = (replace(CAT, alt="a" * 800), replace(CAT, alt="b" * 1200))
    async with FakeTelegram(LENIENT) as telegram:
        async with telegram_bot.running(telegram_bot.adapter_for(telegram), receiver) as adapter:
            await adapter.send(replace(REPLY, text="", media=files))
        (sent,) = telegram.replies
    assert sent.text == f"[{'a' * 800}]\n\n[{'b' * 1022}…"
