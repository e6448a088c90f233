"""From Telegram's updates to our events. Pure.

https://core.telegram.org/bots/api#update
"""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Message, MessageEntity, Update

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind

PLATFORM = "telegram"
ALLOWED = (Update.MESSAGE, Update.EDITED_MESSAGE)
"""The updates that we ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who we are there."""

    id: int
    username: str


def to_event(update: Update, me: Me) -> Event | None:
    """The event that an update tells of; None for what does not concern us."""
    message = update.message or update.edited_message
    if message is None or (author := _author(message)) is None:
        return None
    text, kind, addressed = _read(message, me)
    attachments = _attachments(message)
    if not text and not attachments:
        return None  # a service message: somebody joined, a title changed
    edited = update.edited_message is not None
    return Event(
        id=str(update.update_id),
        kind=Kind.EDIT if edited else kind,
        key=ConversationKey(
            platform=PLATFORM,
            account=str(me.id),
            room=str(message.chat.id),
            thread=str(message.message_thread_id) if message.is_topic_message else "",
        ),
        author=author,
        at=(message.edit_date if edited else None) or message.date,
        message=str(message.message_id),
        text=text,
        addressed=addressed,
        reply_to=_reply_to(message),
        attachments=attachments,
    )


def _author(message: Message) -> Author | None:
    """Who wrote it: a person, or a chat in whose name an anonymous admin or a channel speaks."""
    if message.sender_chat is not None:
        chat = message.sender_chat
        return Author(id=f"chat:{chat.id}", name=chat.effective_name or "")
    user = message.from_user
    if user is None:
        return None
    return Author(id=str(user.id), name=user.full_name, is_bot=user.is_bot)


def _read(message: Message, me: Me) -> tuple[str, Kind, Addressed]:
    """The text without our own name at its beginning, whether it is a command, and to whom."""
    text = message.text or message.caption or ""
    ours = f"@{me.username}".casefold()
    private = message.chat.type == message.chat.PRIVATE
    addressed = Addressed.DIRECT if private else Addressed.NONE
    if addressed is Addressed.NONE and _replies_to(message, me):
        addressed = Addressed.REPLY
    for entity, part in _entities(message).items():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            command, _, addressee = part.partition("@")
            if addressee.casefold() == me.username.casefold():
                addressed = addressed if private else Addressed.MENTION
            elif addressee:
                addressed = Addressed.NONE  # another bot's
            return command + text[len(part) :], Kind.COMMAND, addressed
        mentioned = entity.type == MessageEntity.MENTION and part.casefold() == ours
        linked = entity.type == MessageEntity.TEXT_MENTION and entity.user is not None
        if mentioned or (linked and entity.user is not None and entity.user.id == me.id):
            addressed = addressed if private else Addressed.MENTION
            if entity.offset == 0:
                text = text[len(part) :].lstrip(" ,:")
    return text, Kind.MESSAGE, addressed


def _entities(message: Message) -> dict[MessageEntity, str]:
    """Entities with their texts, in order. Their offsets count UTF-16 units; the library knows."""
    return message.parse_entities() if message.text else message.parse_caption_entities()


def _replies_to(message: Message, me: Me) -> bool:
    replied = message.reply_to_message
    return replied is not None and replied.from_user is not None and replied.from_user.id == me.id


def _reply_to(message: Message) -> str | None:
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None  # everything in a topic "replies" to the message that opened it
    return str(replied.message_id)


def _attachments(message: Message) -> tuple[Attachment, ...]:
    """What is attached, described: never fetched."""
    found: list[Attachment] = []
    if message.photo:
        largest = message.photo[-1]
        found.append(Attachment(media_type="image/jpeg", size=largest.file_size or 0))
    if sticker := message.sticker:
        found.append(Attachment(media_type="image/webp", name="sticker", alt=sticker.emoji or ""))
    files: Sequence[tuple[object, str]] = (
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
            found.append(
                Attachment(
                    media_type=getattr(file, "mime_type", None) or usual,
                    name=getattr(file, "file_name", None) or "",
                    size=getattr(file, "file_size", None) or 0,
                )
            )
    return tuple(found)
