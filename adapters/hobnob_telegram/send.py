"""One message out: posted, changed or deleted."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, InvalidToken, RetryAfter, TelegramError

from hobnob import notices
from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Button, Reply
from hobnob.health import Pulse
from hobnob_telegram import outgoing
from hobnob_telegram.client import failure, said, seconds
from hobnob_telegram.markup import Rendered, plain, render
from hobnob_telegram.pace import Act, Pace
from hobnob_telegram.rooms import Place, Rooms
from hobnob_telegram.translate import MENTION

log = logging.getLogger(__name__)

T = TypeVar("T")

IN_A_ROW = 3
"""Buttons beside each other."""


class Sender:
    def __init__(self, rooms: Rooms, pace: Pace, pulse: Pulse) -> None:
        self._rooms = rooms
        self._pace = pace
        self._pulse = pulse

    async def deliver(self, bot: Bot, reply: Reply) -> str:
        """See `hobnob.ports.Adapter.send`."""
        place = self._rooms.place(reply.key)
        if not reply.replaces:
            return await self._post(bot, place, reply)
        number = self._rooms.number(place, reply.replaces)
        if not reply.text:
            if number is not None:
                await self._delete(bot, place, number)
        elif number is None:
            raise SendRefused("the message stayed in the group that this chat was before")
        else:
            await self._change(bot, place, number, reply)
        return reply.replaces

    async def _post(self, bot: Bot, place: Place, reply: Reply) -> str:
        if reply.attempted is not None:
            raise SendUnknown(
                "an earlier attempt was cut off, and Telegram can't tell whether it arrived"
            )
        if not reply.private or place.is_direct:
            return self._rooms.message(place.chat, await self._say(bot, place, reply))
        person = reply.mention.removeprefix(MENTION)
        try:
            if person.isdecimal():
                alone = Place(chat=int(person))
                number = await self._say(bot, alone, replace(reply, in_reply_to=""))
                return f"{person}/{number}"  # no message of the room's has such an id
        except SendRefused as refused:
            if reply.follows:
                raise
            log.info("%s: what is for one alone is refused: %s", reply.key, refused)
        hint = notices.for_one(f"Write to me, and ask me there: https://t.me/{bot.username}")
        number = await self._say(bot, place, replace(reply, text=hint, buttons=()))
        return self._rooms.message(place.chat, number)

    async def _say(self, bot: Bot, place: Place, reply: Reply) -> int:
        """Post it there; Telegram's number of the message."""
        answered = None
        if reply.in_reply_to and not reply.follows:
            answered = self._rooms.number(place, reply.in_reply_to)

        where: dict[str, Any] = {
            "chat_id": place.chat,
            "message_thread_id": place.topic,
            "business_connection_id": place.business,
            "reply_parameters": (
                ReplyParameters(message_id=answered, allow_sending_without_reply=True)
                if answered is not None
                else None
            ),
        }

        first, *rest = outgoing.captions(reply.text, reply.media) if reply.media else (reply.text,)

        async def post(rendered: Rendered) -> Message:
            if reply.media:
                return await outgoing.send(bot, where, reply.media, rendered, rest)
            return await bot.send_message(
                text=rendered.text,
                entities=rendered.entities,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_keyboard(reply.buttons),
                **where,
            )

        async with self._asking(place, Act.POST, messages=max(1, len(reply.media))):
            message = await _formatted(post, first)
        return message.message_id

    async def _change(self, bot: Bot, place: Place, number: int, reply: Reply) -> None:
        async def change(rendered: Rendered) -> None:
            await bot.edit_message_text(
                rendered.text,
                place.chat,
                number,
                entities=rendered.entities,
                business_connection_id=place.business,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_keyboard(reply.buttons),
            )

        async with self._asking(place, Act.CHANGE):
            try:
                await _formatted(change, reply.text)
            except BadRequest as error:
                if "not modified" not in str(error).casefold():
                    raise

    async def _delete(self, bot: Bot, place: Place, number: int) -> None:
        async with self._asking(place, Act.CHANGE):
            try:
                if place.business:
                    await bot.delete_business_messages(place.business, [number])
                else:
                    await bot.delete_message(place.chat, number)
            except BadRequest as error:
                if "not found" not in str(error).casefold():
                    raise

    @asynccontextmanager
    async def _asking(self, place: Place, act: Act, *, messages: int = 1) -> AsyncIterator[None]:
        """Keep to Telegram's limits, and say what a failure means."""
        if wait := self._pace.take(place.chat, act, messages):
            raise SendLater("Telegram takes no more there just now", retry_after=wait)
        try:
            yield
        except ChatMigrated as moved:
            await self._rooms.moved(place.chat, moved.new_chat_id)
            raise SendLater("the group has become another chat", retry_after=1.0) from None
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                self._pace.limited(place.chat, seconds(error))
                self._pulse.limited(seconds(error))
            self._pulse.failed(f"a send failed: {said(error)}")
            cause = None if isinstance(error, InvalidToken) else error  # its text has the token
            raise failure(error, again=act is Act.CHANGE) from cause


async def _formatted(ask: Callable[[Rendered], Awaitable[T]], text: str) -> T:
    """Ask with entities; where they are not understood nothing was done, so ask without."""
    try:
        return await ask(render(text))
    except BadRequest as error:
        if "entit" not in str(error).casefold():
            raise
        log.warning("telegram: sent without its formatting: %s", error)
        return await ask(Rendered(text=plain(text)))


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """What a button carries is its command: it works for as long as the message is there."""
    if not buttons:
        return None
    made = [InlineKeyboardButton(each.label, callback_data=each.command) for each in buttons]
    return InlineKeyboardMarkup(
        [made[start : start + IN_A_ROW] for start in range(0, len(made), IN_A_ROW)]
    )
