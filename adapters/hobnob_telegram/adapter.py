"""Telegram (https://core.telegram.org/bots/api), by python-telegram-bot."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library's own way to spans of time that last

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr
from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters, Update
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from hobnob.errors import AdapterError, AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_telegram.translate import ALLOWED, PLATFORM, Me, to_event

log = logging.getLogger(__name__)

GET_UPDATES = "GetUpdates"
"""In this spelling the library gives what Telegram sent, unread; Telegram minds no spelling."""
POLL_SECONDS = 50
SILENCE = POLL_SECONDS + 10.0
LONGEST_PAUSE = 60.0
CONFLICT_PAUSE = 30.0
TYPING_SECONDS = 4.0
"""The indicator is shown for five."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before the first byte of a request has left."""
REFUSED = "Telegram refuses the token"
WHERE_FROM = "Copy the token that @BotFather shows for your bot into platforms.telegram.token."


class TelegramOptions(BaseModel):
    """`[platforms.telegram]` of bot.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr
    """From @BotFather."""
    base_url: str | None = None
    """Another server than Telegram's, without "/bot<token>", like "http://127.0.0.1:8081"."""


class TelegramAdapter:
    """Telegram as a platform. See `hobnob.ports.Adapter`."""

    Options = TelegramOptions
    name = PLATFORM
    # One send at a time: there is no idempotency key, so a crash may leave just one in doubt.
    limits = Limits(
        max_length=4096,
        length=lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
        parallel_sends=1,
    )

    def __init__(self, options: TelegramOptions) -> None:
        self._options = options
        self._bot: Bot | None = None
        self._online = asyncio.Event()
        self._pulse = Pulse()

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        # Its lines about requests, one a poll, show the URL, which holds the token.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        pause = 1.0
        while True:
            try:
                async with self._connect() as bot:
                    self._bot = bot
                    self._online.set()
                    self._pulse.turned(State.CONNECTED)
                    pause = 1.0
                    await self._poll(bot, receiver)
            except InvalidToken:
                raise AdapterStopped(f"{REFUSED}. {WHERE_FROM}") from None
            except TelegramError as error:
                log.warning("telegram: no connection, again in %.0f s: %s", pause, error)
            finally:
                self._bot = None
                self._online.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def send(self, reply: Reply) -> str:
        if reply.attempted is not None:
            raise SendUnknown(
                "an earlier attempt was cut off, and Telegram can't tell whether it arrived"
            )
        bot = await self._connected()
        try:
            message = await _post(bot, reply, int(reply.key.room))
        except ChatMigrated as moved:
            message = await self._post_again(bot, reply, moved.new_chat_id)
        except TelegramError as error:
            raise _failure(error) from error
        return str(message.message_id)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        typing = asyncio.create_task(self._type(event))
        try:
            yield lambda text: None
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def check(self) -> Sequence[Finding]:
        try:
            async with self._connect() as bot:
                me = await bot.get_me()
                webhook = await bot.get_webhook_info()
        except InvalidToken:
            return [Finding(ok=False, what=REFUSED, fix=WHERE_FROM)]
        except TelegramError as error:
            where = self._options.base_url or "Telegram's server"
            fix = "Check the network and platforms.telegram.base_url."
            return [Finding(ok=False, what=f"{where} can't be asked: {error}", fix=fix)]
        seen = (
            "every message in groups"
            if me.can_read_all_group_messages
            else "in groups only what is addressed to it (privacy mode, switched by @BotFather)"
        )
        findings = [Finding(ok=True, what=f"the token is @{me.username}'s; it sees {seen}")]
        if webhook.url:
            fix = "Remove the webhook (the Bot API's deleteWebhook), or stop who set it."
            findings.append(
                Finding(ok=False, what="a webhook is set, so polling gets nothing", fix=fix)
            )
        return findings

    def _connect(self) -> Bot:
        """A client that is not connected yet: entering it asks who we are."""
        root = self._options.base_url
        server = {} if root is None else {"base_url": f"{root.rstrip('/')}/bot"}
        return Bot(
            self._options.token.get_secret_value(),
            request=HTTPXRequest(connection_pool_size=16),
            **server,  # type: ignore[arg-type]
        )

    async def _connected(self) -> Bot:
        while self._bot is None:
            await self._online.wait()
        return self._bot

    async def _poll(self, bot: Bot, receiver: Receiver) -> None:
        """Hand in updates until cancelled. Asking with an offset confirms everything below it, so
        the offset moves only over what is stored. Each update is read by itself: the library reads
        all or nothing, so one that it can't read would keep all others from us for ever."""
        me = Me(id=bot.id, username=bot.username)
        asked: dict[str, Any] = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED}
        pause = 1.0
        while True:
            try:
                updates = await _updates(bot, asked)
            except InvalidToken:
                raise  # revoked meanwhile
            except Conflict:
                log.error(
                    "telegram: another program polls with this token, so both miss messages. "
                    "Stop the other one. Next try in %.0f s.",
                    CONFLICT_PAUSE,
                )
                await asyncio.sleep(CONFLICT_PAUSE)
            except TelegramError as error:
                wait = _seconds(error) if isinstance(error, RetryAfter) else pause
                log.warning("telegram: polling failed, again in %.0f s: %s", wait, error)
                await asyncio.sleep(wait)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = 1.0
                for number, raw in updates:
                    try:
                        event = to_event(Update.de_json(raw, bot), me)
                    except Exception as error:  # without its text: it may quote the message
                        kind = type(error).__name__
                        log.error("telegram: update %d is passed over: %s", number, kind)
                        event = None
                    if event is not None:
                        await receiver.put(event)
                    asked["offset"] = number + 1

    async def _post_again(self, bot: Bot, reply: Reply, chat: int) -> Message:
        """To the chat that a group has become. Its old id is dead, and nothing was sent there."""
        try:
            return await _post(bot, reply, chat)
        except TelegramError as error:
            raise _failure(error) from error

    async def _type(self, event: Event) -> None:
        """Show that we type until cancelled. A failure ends it; nobody misses it."""
        if self._bot is None:
            return
        try:
            while True:
                await self._bot.send_chat_action(
                    int(event.key.room),
                    ChatAction.TYPING,
                    message_thread_id=int(event.key.thread) if event.key.thread else None,
                )
                await asyncio.sleep(TYPING_SECONDS)
        except (TelegramError, RuntimeError):  # RuntimeError: the connection closes just now
            return


async def _updates(bot: Bot, asked: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The next updates with their numbers, unread. Raises TelegramError."""
    answer: Any = await bot.do_api_request(GET_UPDATES, asked, read_timeout=SILENCE)
    try:
        return [(int(raw["update_id"]), raw) for raw in answer]
    except (TypeError, KeyError, ValueError):
        raise TelegramError("the answer is no list of updates") from None


async def _post(bot: Bot, reply: Reply, chat: int) -> Message:
    answered = reply.in_reply_to if not reply.follows else ""
    return await bot.send_message(
        chat,
        reply.text,
        message_thread_id=int(reply.key.thread) if reply.key.thread else None,
        reply_parameters=(
            ReplyParameters(message_id=int(answered), allow_sending_without_reply=True)
            if answered
            else None
        ),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )


def _failure(error: TelegramError) -> AdapterError:
    """What a failed send means."""
    if isinstance(error, RetryAfter):
        return SendLater("Telegram asks us to slow down", retry_after=_seconds(error))
    if isinstance(error, InvalidToken):
        return SendLater(REFUSED, retry_after=LONGEST_PAUSE)
    if isinstance(error, (Forbidden, BadRequest, ChatMigrated)):
        return SendRefused(f"Telegram does not take it: {error}")
    if isinstance(error.__cause__, NOT_SENT):
        return SendLater(f"Telegram can't be reached: {error}", retry_after=5.0)
    if isinstance(error, NetworkError):
        return SendUnknown(f"the connection failed while sending: {error}")
    return SendUnknown(f"Telegram's answer can't be understood: {error}")


def _seconds(error: RetryAfter) -> float:
    span = error.retry_after
    return float(span) if isinstance(span, int) else span.total_seconds()
