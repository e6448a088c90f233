"""What is attached to a message, described. Pure: fetched only when somebody wants to see it."""

from collections.abc import Sequence
from typing import Protocol

from telegram import Message, Sticker

from hobnob.events import Attachment


class _File(Protocol):
    file_id: str
    file_size: int | None


def attachments(message: Message) -> tuple[Attachment, ...]:
    """A caption is the message's text, so only a sticker says what it shows: an emoji."""
    found: list[Attachment] = []
    if message.photo:
        found.append(_attachment(message.photo[-1], "image/jpeg"))  # the largest
    if sticker := message.sticker:
        found.append(
            _attachment(sticker, _of_sticker(sticker), name="sticker", alt=sticker.emoji or "")
        )
    files: Sequence[tuple[_File | None, str]] = (
        (message.document, "application/octet-stream"),
        (message.audio, "audio/mpeg"),
        (message.voice, "audio/ogg"),
        (message.video, "video/mp4"),
        (message.video_note, "video/mp4"),
        (message.animation, "video/mp4"),
    )
    if message.animation:  # which Telegram gives a second time, as a document
        files = files[1:]
    for file, usual in files:
        if file is not None:
            media_type = getattr(file, "mime_type", None) or usual
            name = getattr(file, "file_name", None) or ""
            found.append(_attachment(file, media_type, name=name))
    return tuple(found)


def _attachment(file: _File, media_type: str, *, name: str = "", alt: str = "") -> Attachment:
    return Attachment(
        media_type=media_type, name=name, alt=alt, id=file.file_id, size=file.file_size or 0
    )


def _of_sticker(sticker: Sticker) -> str:
    if sticker.is_animated:
        return "application/x-tgsticker"
    return "video/webm" if sticker.is_video else "image/webp"
