"""The pictures of a message: fetched for a model that sees, and never worth an answer."""

import asyncio
import logging

import pytest

from hobnob import sight
from hobnob.errors import FetchFailed
from hobnob.events import Attachment, Event, Image
from hobnob.testing.adapter import FakeAdapter

PNG = b"\x89PNG\r\n\x1a\n" + b"png"
JPEG = b"\xff\xd8\xff\xe0jpeg"
GIF = b"GIF89agif"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "


def event(platform: FakeAdapter, **files: bytes | Exception) -> Event:
    """A message with these pictures."""
    platform.files |= files
    pictures = tuple(Attachment(media_type="image/png", id=name) for name in files)
    return platform.event("look", attachments=pictures)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")],
)
async def test_a_picture_is_what_its_bytes_say(data: bytes, kind: str) -> None:
    platform = FakeAdapter()
    assert await sight.look([event(platform, a=data)], platform) == (
        Image(media_type=kind, data=data),
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"BM\x00\x00", b"RIFF\x10\x00\x00\x00WAVEfmt ", b"MZ", b"\x89PNG", b"<html>"],
)
async def test_what_is_no_picture_is_left_out(data: bytes) -> None:
    platform = FakeAdapter()
    assert [
        image.data for image in await sight.look([event(platform, a=data, b=PNG)], platform)
    ] == [PNG]


async def test_only_pictures_are_fetched() -> None:
    platform = FakeAdapter()
    other = tuple(
        Attachment(media_type=kind, id=kind)
        for kind in ("audio/ogg", "video/mp4", "text/plain", "")
    )
    assert await sight.look([platform.event("listen", attachments=other)], platform) == ()
    assert platform.fetched == []


async def test_the_first_pictures_of_a_burst_are_enough() -> None:
    platform = FakeAdapter()
    burst = [event(platform, a=PNG, b=JPEG), event(platform, c=GIF, d=WEBP, e=PNG)]
    assert [image.data for image in await sight.look(burst, platform)] == [PNG, JPEG, GIF, WEBP]
    assert platform.fetched == ["a", "b", "c", "d"]


async def test_pictures_share_the_room_there_is() -> None:
    platform = FakeAdapter()
    batch = [event(platform, a=PNG, b=PNG + b"x" * 100, c=GIF)]
    images = await sight.look(batch, platform, most_bytes=len(PNG) + len(GIF))
    assert [image.data for image in images] == [PNG, GIF]


async def test_a_picture_as_large_as_the_room_is_seen_and_one_byte_more_is_not() -> None:
    platform = FakeAdapter()
    assert await sight.look([event(platform, a=PNG)], platform, most_bytes=len(PNG))
    assert not await sight.look([event(platform, a=PNG)], platform, most_bytes=len(PNG) - 1)


async def test_what_is_known_to_be_too_large_is_not_fetched() -> None:
    platform = FakeAdapter()
    huge = Attachment(media_type="image/png", id="a", size=9_000_000)
    assert await sight.look([platform.event("look", attachments=(huge,))], platform) == ()
    assert platform.fetched == []


async def test_failures_leave_the_words_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    platform = FakeAdapter()
    failures = (FetchFailed("gone"), RuntimeError("https://host/file?token=secret"), TimeoutError())
    batch = [event(platform, a=failures[0], b=failures[1], c=failures[2], d=PNG)]
    assert len(await sight.look(batch, platform)) == 1
    assert len(caplog.records) == 3
    assert "gone" in caplog.text
    assert "secret" not in caplog.text


async def test_a_platform_that_hangs_is_not_waited_for() -> None:
    class Hanging(FakeAdapter):
        async def fetch(self, attachment: Attachment, most: int) -> bytes:
            if attachment.id == "b":
                await asyncio.Event().wait()
            return await super().fetch(attachment, most)

    platform = Hanging()
    seen = await sight.look([event(platform, a=PNG, b=PNG, c=PNG)], platform, seconds=0.05)
    assert [image.data for image in seen] == [PNG]


def test_no_picture_is_in_a_repr() -> None:
    assert "secret" not in repr(Image(media_type="image/png", data=b"secret"))
