"""From Telegram's updates to our events. Pure.

https://core.telegram.org/bots/api#update
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telegram import (
    CallbackQuery,
    Chat,
    Message,
    MessageEntity,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    MessageReactionUpdated,
    ReactionTypeEmoji,
    Update,
    User,
)

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Event, Kind, Quote
from hobnob_telegram.attachments import attachments
from hobnob_telegram.rooms import BUSINESS

PLATFORM = "telegram"
ALLOWED = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.BUSINESS_MESSAGE,
    Update.EDITED_BUSINESS_MESSAGE,
    Update.DELETED_BUSINESS_MESSAGES,
    Update.MESSAGE_REACTION,
    Update.CALLBACK_QUERY,
)
"""The updates that we ask for."""
MENTION = "tg://user?id="
"""Begins the link that mentions a person (https://core.telegram.org/bots/api#formatting-options)."""
OTHER_EMOJI = "🌟"
"""Stands for an emoji that has no character: a custom or a paid one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who we are there."""

    id: int
    username: str


def to_events(update: Update, me: Me, now: datetime) -> Sequence[Event]:
    """The events that an update tells of; none for what does not concern us."""
    number = str(update.update_id)
    if reaction := update.message_reaction:
        return _reaction(reaction, me, number)
    if press := update.callback_query:
        return _press(press, me, number, now)
    if gone := update.deleted_business_messages:
        key = _key(gone.chat, me, f"{BUSINESS}{gone.business_connection_id}")
        return [
            Event(
                id=f"{number}:{message}",
                kind=Kind.DELETE,
                key=key,
                author=_of_chat(gone.chat),
                at=now,
                message=str(message),
            )
            for message in gone.message_ids
        ]
    said = update.message or update.business_message
    edited = update.edited_message or update.edited_business_message
    if said:
        return _message(said, me, number)
    return _message(edited, me, number, edit=True) if edited else ()


def _message(message: Message, me: Me, number: str, *, edit: bool = False) -> Sequence[Event]:
    author = _author(message)
    if author is None or _is_our_own(message, me):
        return ()
    text, kind, addressed = _read(message, me)
    quoted = _quoted(message, text)
    if message.forward_origin:  # somebody else's words, and none of them is meant for us
        text, kind = "", Kind.MESSAGE
        alone = addressed is Addressed.DIRECT or message.business_connection_id
        addressed = addressed if alone else Addressed.NONE
    files = attachments(message)
    if not text and not files and not quoted:
        return ()  # a service message: somebody joined, a title changed
    event = Event(
        id=number,
        kind=Kind.EDIT if edit else kind,
        key=_key(message.chat, me, _thread(message)),
        author=author,
        at=(message.edit_date if edit else None) or message.date,
        message=str(message.message_id),
        text=text,
        addressed=addressed,
        reply_to=str(replied.message_id) if (replied := _replied(message)) else None,
        quoted=quoted,
        attachments=files,
    )
    return (event,)


def _reaction(reaction: MessageReactionUpdated, me: Me, number: str) -> Sequence[Event]:
    if reaction.user:
        author = _of_user(reaction.user)
    elif reaction.actor_chat:
        author = _of_chat(reaction.actor_chat)
    else:
        return ()
    *_, last = (None, *reaction.new_reaction)
    emoji = last.emoji if isinstance(last, ReactionTypeEmoji) else OTHER_EMOJI if last else ""
    event = Event(
        id=number,
        kind=Kind.REACTION,
        key=_key(reaction.chat, me),
        author=author,
        at=reaction.date,
        message=str(reaction.message_id),
        text=str(emoji),
    )
    return (event,)


def _press(press: CallbackQuery, me: Me, number: str, now: datetime) -> Sequence[Event]:
    """A button's use. A client can send what it likes, so what comes is what somebody typed."""
    under, command = press.message, press.data or ""
    if under is None or not command.startswith("/"):
        return ()
    thread = _thread(under) if isinstance(under, Message) else ""
    direct = under.chat.type == Chat.PRIVATE and not thread.startswith(BUSINESS)
    event = Event(
        id=number,
        kind=Kind.COMMAND,
        key=_key(under.chat, me, thread),
        author=_of_user(press.from_user),
        at=now,
        message="",
        text=command,
        addressed=Addressed.DIRECT if direct else Addressed.REPLY,
        reply_to=str(under.message_id),
    )
    return (event,)


# ------------------------------------------------------------------------------- who and where


def _key(chat: Chat, me: Me, thread: str = "") -> ConversationKey:
    return ConversationKey(platform=PLATFORM, account=str(me.id), room=str(chat.id), thread=thread)


def _thread(message: Message) -> str:
    if message.business_connection_id:
        return f"{BUSINESS}{message.business_connection_id}"
    return str(message.message_thread_id) if message.is_topic_message else ""


def _author(message: Message) -> Author | None:
    """Who wrote it: a person, or a chat in whose name an anonymous admin or a channel speaks."""
    if message.sender_chat is not None:
        return _of_chat(message.sender_chat)
    return _of_user(message.from_user) if message.from_user else None


def _of_user(user: User) -> Author:
    return Author(
        id=str(user.id), name=user.full_name, is_bot=user.is_bot, handle=f"{MENTION}{user.id}"
    )


def _of_chat(chat: Chat) -> Author:
    return Author(id=f"chat:{chat.id}", name=chat.effective_name or "")


def _is_our_own(message: Message, me: Me) -> bool:
    """Said by us in the name of a business."""
    return message.sender_business_bot is not None and message.sender_business_bot.id == me.id


# ---------------------------------------------------------------------------------------- what


def _read(message: Message, me: Me) -> tuple[str, Kind, Addressed]:
    """The text without our own name at its beginning, whether it is a command, and to whom."""
    text = message.text or message.caption or ""
    ours = f"@{me.username}".casefold()
    private = message.chat.type == Chat.PRIVATE
    addressed = Addressed.DIRECT if private else Addressed.NONE
    if message.business_connection_id:  # the one in whose name we speak reads it: a room of two
        theirs = message.from_user is not None and message.from_user.id == message.chat.id
        addressed = Addressed.MENTION if theirs else Addressed.NONE
    elif addressed is Addressed.NONE and _replies_to(message, me):
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


def _replied(message: Message) -> Message | None:
    """What it replies to. Everything in a topic "replies" to the message that opened it."""
    replied = message.reply_to_message
    return None if replied is None or replied.forum_topic_created else replied


def _replies_to(message: Message, me: Me) -> bool:
    replied = message.reply_to_message
    return replied is not None and replied.from_user is not None and replied.from_user.id == me.id


def _quoted(message: Message, text: str) -> Quote | None:
    """What it forwards, or what it replies to: the words picked out of that, or all of them."""
    if message.forward_origin:
        return Quote(author=_origin(message.forward_origin), text=text) if text else None
    picked = message.quote.text if message.quote else ""
    if message.external_reply:
        return Quote(author=_origin(message.external_reply.origin), text=picked) if picked else None
    if (replied := _replied(message)) is None:
        return None
    words = picked or replied.text or replied.caption or ""
    author = _author(replied)
    return Quote(author=author.name if author else "", text=words) if words else None


def _origin(origin: MessageOrigin) -> str:
    """Whose message it was, by name."""
    match origin:
        case MessageOriginUser():
            return origin.sender_user.full_name
        case MessageOriginHiddenUser():
            return origin.sender_user_name
        case MessageOriginChat():
            return origin.sender_chat.effective_name or ""
        case MessageOriginChannel():
            return origin.chat.effective_name or ""
        case _:
            return ""
