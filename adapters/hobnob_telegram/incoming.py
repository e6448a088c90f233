"""What Telegram tells, on its way to whoever stores it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, BotCommand, Update
from telegram.error import TelegramError

from hobnob.health import Pulse
from hobnob.ports import Command, Receiver
from hobnob_telegram.client import quietly, said
from hobnob_telegram.rooms import Rooms
from hobnob_telegram.translate import Me, to_events

log = logging.getLogger(__name__)


class Incoming:
    def __init__(self, bot: Bot, receiver: Receiver, rooms: Rooms, pulse: Pulse) -> None:
        self._bot = bot
        self._receiver = receiver
        self._rooms = rooms
        self._pulse = pulse
        self._me = Me(id=bot.id, username=bot.username)
        self._acknowledging: set[asyncio.Task[bool]] = set()

    async def take(self, raw: dict[str, Any]) -> None:
        """Store what an update tells. Each is read by itself: one that can't be read is passed
        over, and keeps no other from us. When this returns, Telegram may forget it."""
        try:
            update = Update.de_json(raw, self._bot)
            events = to_events(update, self._me, datetime.now(UTC))
        except Exception as error:  # without its text: it may quote the message
            kind = type(error).__name__
            log.error("telegram: update %s is passed over: %s", raw.get("update_id"), kind)
            self._pulse.failed(f"an update could not be read ({kind})")
            return
        if update.callback_query:
            self._acknowledge(update.callback_query.id)
        await self._note_moves(update)
        for event in events:
            self._pulse.came(event.at)
            await self._receiver.put(self._rooms.in_conversation(event))

    async def close(self) -> None:
        """Before the connection closes: nothing may be under way on it."""
        for task in self._acknowledging:
            task.cancel()
        await asyncio.gather(*self._acknowledging, return_exceptions=True)

    def _acknowledge(self, press: str) -> None:
        """At once: until then the button looks as if nothing happened."""
        task = asyncio.create_task(quietly(self._bot.answer_callback_query(press)))
        self._acknowledging.add(task)
        task.add_done_callback(self._acknowledging.discard)

    async def _note_moves(self, update: Update) -> None:
        message = update.message
        if message and message.migrate_to_chat_id:
            await self._rooms.moved(message.chat.id, message.migrate_to_chat_id)
        if message and message.migrate_from_chat_id:
            await self._rooms.moved(message.migrate_from_chat_id, message.chat.id)


async def offer(bot: Bot, commands: Sequence[Command]) -> None:
    """The menu of commands, if it is another than the one that is there."""
    menu = [BotCommand(command.name, command.description) for command in commands]
    try:
        if list(await bot.get_my_commands()) != menu:
            await bot.set_my_commands(menu)
    except TelegramError as error:
        log.warning("telegram: the menu of commands is not set: %s", said(error))
