"""The pictures of a message, for a model that sees. They are looked at once and never kept."""

import asyncio
import logging
from collections.abc import Sequence

from hobnob.errors import FetchFailed
from hobnob.events import Attachment, Event, Image
from hobnob.ports import Adapter

log = logging.getLogger(__name__)

SECONDS = 20.0
"""For all pictures of a turn."""
MOST_BYTES = 8 * 1024 * 1024
MOST = 4


async def look(
    events: Sequence[Event],
    adapter: Adapter,
    *,
    most_bytes: int = MOST_BYTES,
    most: int = MOST,
    seconds: float = SECONDS,
) -> tuple[Image, ...]:
    """The first pictures of these messages: at most `most`, of `most_bytes` together.

    Of one that cannot be had there are the words in the prompt, and a line in the log. Never raises
    for a picture's sake, and takes at most `seconds`.
    """
    wanted = [
        (event, attachment)
        for event in events
        for attachment in event.attachments
        if attachment.media_type.startswith("image/")
    ]
    seen: list[Image] = []
    try:
        async with asyncio.timeout(seconds):
            for event, attachment in wanted[:most]:
                left = most_bytes - sum(len(image.data) for image in seen)
                try:
                    seen.append(await _fetched(adapter, attachment, left))
                except FetchFailed as error:
                    log.info("%s: a picture of %s was not seen: %s", event.key, event.id, error)
    except TimeoutError:
        log.info("%s: no more pictures after %.0f s", events[-1].key, seconds)
    return tuple(seen)


async def _fetched(adapter: Adapter, attachment: Attachment, most: int) -> Image:
    if attachment.size > most:
        raise FetchFailed(f"it has {attachment.size} bytes, there is room for {most}")
    try:
        data = await adapter.fetch(attachment, most + 1)  # one more shows that it goes on
    except FetchFailed:
        raise
    except Exception as error:  # a bug, whose text could hold a URL with a token
        raise FetchFailed(f"fetching it crashed ({type(error).__name__})") from error
    if len(data) > most:
        raise FetchFailed(f"it has more than the {most} bytes that there is room for")
    return Image(media_type=kind_of(data), data=data)


def kind_of(data: bytes) -> str:
    """What a file is, by how it begins: its name may lie. Raises FetchFailed if it is none of the
    pictures that models take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    raise FetchFailed("it is no PNG, JPEG, GIF or WebP")
