"""The pictures of a message, for a model that sees. They are looked at once and never kept."""

import asyncio
import logging
from collections.abc import Sequence

from hobnob import media
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
    kind = media.kind_of(data)
    if not kind.startswith("image/"):
        raise FetchFailed("it is no PNG, JPEG, GIF or WebP")
    return Image(media_type=kind, data=data)
