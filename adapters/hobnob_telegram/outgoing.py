"""Files out. Telegram has no alt texts for bots, so that they stand in the caption: a screen reader
finds them there, if everybody else does, too."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from telegram import Bot, InputMediaPhoto, Message

from hobnob.events import Media
from hobnob.media import MEGABYTE, caption
from hobnob.ports import MediaLimits
from hobnob_telegram.markup import Rendered, plain, units

LONGEST = 1024
"""UTF-16 units of a caption."""
MEDIA = MediaLimits(
    most=10, largest={"image/": 10 * MEGABYTE, "": 50 * MEGABYTE}, longest_text=LONGEST
)
"""https://core.telegram.org/bots/api#sending-files"""
_KINDS = {
    "image/png": "photo",
    "image/jpeg": "photo",
    "image/webp": "photo",
    "image/gif": "animation",
    "video/mp4": "video",
}
"""What Telegram shows as what it is; all else is a document."""


def captions(text: str, media: Sequence[Media]) -> Sequence[str]:
    """Of each file, as Markdown. One of the first alone is shown under them all. Without a text,
    alt texts that are too long together stand under their own pictures, and are cut at the end."""
    whole = caption(text, media)
    if text or units(whole) <= LONGEST:
        return [whole, *[""] * (len(media) - 1)]
    return [_cut(caption("", [each])) for each in media]


async def send(
    bot: Bot, where: Mapping[str, Any], media: Sequence[Media], first: Rendered, rest: Sequence[str]
) -> Message:
    """The first of the messages: one, or as many as there are pictures."""
    if not rest:
        given = {**where, "caption": first.text, "caption_entities": first.entities}
        kind = _KINDS.get(media[0].media_type, "document")
        send_it = getattr(bot, f"send_{kind}")
        sent: Message = await send_it(
            **given, **{kind: media[0].data}, filename=PurePosixPath(media[0].file).name
        )
        return sent
    words = [first, *(Rendered(text=plain(said) if said else "") for said in rest)]
    pictures = [
        InputMediaPhoto(
            each.data,
            said.text,
            caption_entities=said.entities,
            filename=PurePosixPath(each.file).name,
        )
        for each, said in zip(media, words, strict=True)
    ]
    return (await bot.send_media_group(media=pictures, **where))[0]


def _cut(text: str) -> str:
    if units(text) <= LONGEST:
        return text
    return text.encode("utf-16-le")[: 2 * LONGEST - 2].decode("utf-16-le", "ignore") + "…"
