"""Showing that an answer is being written, and in private chats the text as it grows."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import RetryAfter, TelegramError

from hobnob_telegram.client import seconds
from hobnob_telegram.markup import render, units
from hobnob_telegram.pace import Act, Pace
from hobnob_telegram.rooms import Place

TYPING_SECONDS = 4.0
"""The indicator is shown for five."""
KEPT_SECONDS = 20.0
"""A draft is shown for thirty."""
LONGEST = 4096


class Composing:
    """Shows `place` what is being done, until cancelled. A failure ends it; nobody misses it."""

    def __init__(self, bot: Bot, place: Place, pace: Pace, *, draft: int = 0) -> None:
        """`draft` is its number, the same while one answer grows; 0 where there are no drafts."""
        self._bot = bot
        self._place = place
        self._pace = pace
        self._draft = draft
        self._text = ""
        self._more = asyncio.Event()

    def show(self, text: str) -> None:
        """`hobnob.ports.Draft`. What is too long for one message is not shown: the rest comes in
        messages of its own."""
        if self._draft and text.strip() and units(text) <= LONGEST:
            self._text = text
            self._more.set()

    async def run(self) -> None:
        while True:
            if self._draft and self._text:
                if not await self._show():
                    self._draft = 0
                    continue
                await self._wait(KEPT_SECONDS)
            elif await self._type():
                await self._wait(TYPING_SECONDS)
            else:
                return

    async def _wait(self, most: float) -> None:
        """So long; with drafts, only until there is more text."""
        if not self._draft:
            await asyncio.sleep(most)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                await self._more.wait()

    async def _type(self) -> bool:
        return await self._ask(
            self._bot.send_chat_action(
                self._place.chat,
                ChatAction.TYPING,
                message_thread_id=self._place.topic,
                business_connection_id=self._place.business,
            )
        )

    async def _show(self) -> bool:
        if wait := self._pace.take(self._place.chat, Act.SHOW):
            await asyncio.sleep(wait)
            self._more.set()  # there is something that nobody has seen
            return True
        self._more.clear()
        rendered = render(self._text)
        return await self._ask(
            self._bot.send_message_draft(
                self._place.chat,
                self._draft,
                rendered.text,
                entities=rendered.entities,
                message_thread_id=self._place.topic,
            )
        )

    async def _ask(self, request: Coroutine[Any, Any, bool]) -> bool:
        try:
            return await request
        except RetryAfter as error:
            self._pace.limited(self._place.chat, seconds(error))
            return False
        except (TelegramError, RuntimeError):  # RuntimeError: the connection closes just now
            return False
