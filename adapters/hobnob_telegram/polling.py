"""Asking Telegram for what happened."""

import asyncio
import logging
from typing import Any

from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from hobnob.health import Pulse, State
from hobnob_telegram.client import seconds
from hobnob_telegram.incoming import Incoming
from hobnob_telegram.translate import ALLOWED

log = logging.getLogger(__name__)

GET_UPDATES = "GetUpdates"
"""In this spelling the library gives what Telegram sent, unread; Telegram minds no spelling."""
POLL_SECONDS = 50
SILENCE = POLL_SECONDS + 10.0
LONGEST_PAUSE = 60.0
CONFLICT_PAUSE = 30.0
CONFLICT = "another program polls with this token, so both miss messages. Stop the other one"


async def poll(bot: Bot, incoming: Incoming, pulse: Pulse) -> None:
    """Take in updates until cancelled. Asking with an offset confirms everything below it, so the
    offset moves only over what is stored. Raises TelegramError where asking again is useless."""
    await bot.delete_webhook()  # while one is set, polling gets nothing
    asked: dict[str, Any] = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED}
    pause = 1.0
    while True:
        try:
            updates = await _updates(bot, asked)
        except InvalidToken:
            raise  # revoked meanwhile
        except TelegramError as error:
            wait = pause
            if isinstance(error, Conflict):
                wait, what = CONFLICT_PAUSE, CONFLICT
                log.error("telegram: %s. Next try in %.0f s.", CONFLICT, wait)
            else:
                if isinstance(error, RetryAfter):
                    wait = seconds(error)
                    pulse.limited(wait)
                what = f"polling failed: {error}"
                log.warning("telegram: polling failed, again in %.0f s: %s", wait, error)
                pause = min(2 * pause, LONGEST_PAUSE)
            pulse.failed(what)
            pulse.turned(State.RECONNECTING)
            await asyncio.sleep(wait)
        else:
            pulse.turned(State.CONNECTED)
            pause = 1.0
            for number, raw in updates:
                await incoming.take(raw)
                asked["offset"] = number + 1


async def _updates(bot: Bot, asked: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The next updates with their numbers, unread. Raises TelegramError."""
    answer: Any = await bot.do_api_request(GET_UPDATES, asked, read_timeout=SILENCE)
    try:
        return [(int(raw["update_id"]), raw) for raw in answer]
    except (TypeError, KeyError, ValueError):
        raise TelegramError("the answer is no list of updates") from None
