"""Discord's objects to hobnob's events. Pure: asks nobody, looks at no clock.

https://docs.discord.com/developers/resources/message
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import discord

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Quote
from hobnob.text import clean_name

PLATFORM = "discord"

_SAID = (discord.MessageType.default, discord.MessageType.reply)
_MARKUP = re.compile(r"<(?:(?P<sign>@!?|@&|#)(?P<id>\d+)|a?(?P<emoji>:\w+:)\d+)>")


def conversation(account: str, channel: discord.abc.Snowflake) -> ConversationKey:
    """The conversation held in a channel: a thread is a part of the channel it hangs on."""
    if isinstance(channel, discord.Thread):
        return ConversationKey(
            platform=PLATFORM, account=account, room=str(channel.parent_id), thread=str(channel.id)
        )
    return ConversationKey(platform=PLATFORM, account=account, room=str(channel.id))


def mention(user: int) -> str:
    return f"<@{user}>"


def is_said(message: discord.Message, me: int) -> bool:
    """Whether somebody else wrote it: not us, and not Discord (a pin, a boost, somebody joined)."""
    return message.type in _SAID and message.author.id != me


def to_event(message: discord.Message, key: ConversationKey, me: int) -> Event:
    return Event(
        id=str(message.id),
        kind=Kind.MESSAGE,
        key=key,
        author=_author(message),
        at=message.created_at,
        message=str(message.id),
        text=_text(message, me),
        addressed=_addressed(message, me),
        reply_to=_reply_to(message),
        quoted=_quoted(message),
        attachments=tuple(_attachments(message)),
    )


def to_edit(message: discord.Message, at: datetime, key: ConversationKey, me: int) -> Event:
    """The message as it was at `at`, its edited timestamp, which tells one edit from the next."""
    return replace(
        to_event(message, key, me),
        id=f"edit:{message.id}:{at.isoformat()}",
        kind=Kind.EDIT,
        at=at,
    )


def to_delete(message: int, at: datetime, key: ConversationKey) -> Event:
    """Discord tells neither who deleted a message nor who wrote it: the author's id is ""."""
    return Event(
        id=f"delete:{message}",
        kind=Kind.DELETE,
        key=key,
        author=Author(id="", name=""),
        at=at,
        message=str(message),
    )


def to_reaction(
    payload: discord.RawReactionActionEvent, at: datetime, key: ConversationKey
) -> Event:
    """Discord gives a reaction neither an id nor a time: the same one, told twice, is two events
    that say the same."""
    added = payload.event_type == "REACTION_ADD"
    emoji = payload.emoji.name if payload.emoji.is_unicode_emoji() else f":{payload.emoji.name}:"
    return Event(
        id=f"reaction:{payload.message_id}:{payload.user_id}:{at.isoformat()}",
        kind=Kind.REACTION,
        key=key,
        author=Author(
            id=str(payload.user_id),
            name=payload.member.display_name if payload.member else "",
            is_bot=payload.member is not None and payload.member.bot,
        ),
        at=at,
        message=str(payload.message_id),
        text=emoji if added else "",
    )


def _author(message: discord.Message) -> Author:
    author = message.author
    return Author(
        id=str(author.id),
        name=author.display_name,
        is_bot=author.bot or message.webhook_id is not None,
        handle=mention(author.id),
    )


def _quoted(message: discord.Message) -> Quote | None:
    """What it replies to, or forwards: Discord does not say whose a forwarded message was."""
    answered = message.reference.resolved if message.reference else None
    if isinstance(answered, discord.Message) and answered.content:
        shown = _MARKUP.sub(lambda match: _shown(match, answered), answered.content)
        return Quote(author=answered.author.display_name, text=shown)
    forwarded = "\n\n".join(each.content for each in message.message_snapshots if each.content)
    shown = _MARKUP.sub(lambda match: _shown(match, message), forwarded)
    return Quote(author="", text=shown) if shown else None


def _attachments(message: discord.Message) -> Iterator[Attachment]:
    """The files of the message and of what it forwards, and its stickers."""
    holders: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for holder in holders:
        for file in holder.attachments:
            yield Attachment(
                media_type=file.content_type or "application/octet-stream",
                name=file.filename,
                alt=file.description or "",
                url=file.url,
                id=f"{message.channel.id}/{message.id}/{file.id}",
                size=file.size,
            )
        for sticker in holder.stickers:
            if sticker.format is not discord.StickerFormatType.lottie:  # no picture, but a program
                kind = "gif" if sticker.format is discord.StickerFormatType.gif else "png"
                yield Attachment(
                    media_type=f"image/{kind}",
                    name=f"{sticker.name}.{kind}",
                    alt=sticker.name,
                    url=sticker.url,
                    id=f"{message.channel.id}/{message.id}/{sticker.id}",
                )


def _addressed(message: discord.Message, me: int) -> Addressed:
    if message.guild is None and getattr(message.channel, "guild_id", None) is None:
        return Addressed.DIRECT
    if any(_is_me(match, message, me) for match in _MARKUP.finditer(message.content)):
        return Addressed.MENTION
    if _reply_to(message) and (
        _answered_author(message) == me or any(user.id == me for user in message.mentions)
    ):
        return Addressed.REPLY
    return Addressed.NONE


def _reply_to(message: discord.Message) -> str | None:
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None:
        return None
    return str(reference.message_id) if reference.message_id else None


def _answered_author(message: discord.Message) -> int | None:
    answered = message.reference.resolved if message.reference else None
    return answered.author.id if isinstance(answered, discord.Message) else None


def _is_me(match: re.Match[str], message: discord.Message, me: int) -> bool:
    """Whether it mentions us, or the role that Discord made for us: the two look the same when
    they are picked from the list that Discord shows."""
    if match["sign"] in ("@", "@!"):
        return int(match["id"]) == me
    return match["sign"] == "@&" and any(
        role.id == int(match["id"]) and role.tags is not None and role.tags.bot_id == me
        for role in message.role_mentions
    )


def _text(message: discord.Message, me: int) -> str:
    """What a reader sees: names for ids, and no mention of us at the beginning."""
    text = message.content.lstrip()
    while (match := _MARKUP.match(text)) and _is_me(match, message, me):
        text = text[match.end() :].lstrip(" ,:\n")
    return _MARKUP.sub(lambda match: _shown(match, message), text).rstrip()


def _shown(match: re.Match[str], message: discord.Message) -> str:
    if match["emoji"]:
        return match["emoji"]
    number = int(match["id"])
    if match["sign"] == "#":
        channel = message.guild.get_channel_or_thread(number) if message.guild else None
        return f"#{clean_name(channel.name)}" if channel else match[0]
    if match["sign"] == "@&":
        role = next((role for role in message.role_mentions if role.id == number), None)
        return f"@{clean_name(role.name)}" if role else match[0]
    user = next((user for user in message.mentions if user.id == number), None)
    return f"@{clean_name(user.display_name)}" if user else match[0]
