"""Telegram (https://core.telegram.org/bots/api), by python-telegram-bot."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo, field_validator
from telegram import Bot
from telegram.error import InvalidToken, RetryAfter, TelegramError

from hobnob import media
from hobnob.errors import AdapterStopped, FetchFailed, SendRefused
from hobnob.events import Addressed, Attachment, Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_telegram import check, files
from hobnob_telegram.client import REFUSED, WHERE_FROM, connect, seconds
from hobnob_telegram.composing import LONGEST, Composing
from hobnob_telegram.incoming import Incoming, offer
from hobnob_telegram.markup import units
from hobnob_telegram.outgoing import MEDIA
from hobnob_telegram.pace import Pace, Rates
from hobnob_telegram.polling import poll
from hobnob_telegram.rooms import Rooms
from hobnob_telegram.send import Sender
from hobnob_telegram.translate import PLATFORM
from hobnob_telegram.webhook import Webhook

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_LISTEN = re.compile(r"(?:[^:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


class TelegramOptions(BaseModel):
    """`[platforms.telegram]` of bot.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr
    """From @BotFather."""
    base_url: str | None = None
    """Another server than Telegram's, without "/bot<token>", like "http://127.0.0.1:8081"."""
    webhook_url: str | None = None
    """Where Telegram hands updates in, instead of being asked for them."""
    webhook_listen: str = "127.0.0.1:8080"
    """Where we are, behind that address."""
    webhook_secret: SecretStr | None = None
    """What Telegram proves with that it is Telegram; one is made at each start if none is given."""

    @field_validator("webhook_url")
    @classmethod
    def _an_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        allowed = ("https",) if info.data.get("base_url") is None else ("https", "http")
        if url is not None and (urlsplit(url).scheme not in allowed or not urlsplit(url).netloc):
            raise ValueError('must be an address like "https://bot.example.org/telegram".')
        return url

    @field_validator("webhook_listen", "webhook_secret")
    @classmethod
    def _with_a_webhook(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("webhook_url") is None:
            raise ValueError("is of use only with platforms.telegram.webhook_url.")
        return value

    @field_validator("webhook_listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        if not _LISTEN.fullmatch(listen) or int(listen.rpartition(":")[2]) > 65535:
            raise ValueError('must be a host and a port, like "127.0.0.1:8080".')
        return listen

    @field_validator("webhook_secret")
    @classmethod
    def _a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 1 to 256 letters, digits, - and _.")
        return secret


class TelegramAdapter:
    """Telegram as a platform. See `hobnob.ports.Adapter`."""

    Options = TelegramOptions
    name = PLATFORM
    # Telegram counts what is left without the marks, which is never more: see markup.py.
    # One send at a time: there is no idempotency key, so a crash may leave just one in doubt.
    limits = Limits(
        max_length=LONGEST,
        length=units,
        edit_seconds=1.2,
        drafts=True,
        buttons=True,
        parallel_sends=1,
        media=MEDIA,
    )

    def __init__(self, options: TelegramOptions, *, rates: Rates | None = None) -> None:
        self._options = options
        self._bot: Bot | None = None
        self._online = asyncio.Event()
        self._pulse = Pulse()
        self._rooms = Rooms()
        self._pace = Pace(rates)
        self._sender = Sender(self._rooms, self._pace, self._pulse)

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        pause = 1.0
        try:
            while True:
                try:
                    async with self._client() as bot:
                        await self._rooms.open(receiver, str(bot.id))
                        await offer(bot, receiver.commands)
                        self._bot = bot
                        self._online.set()
                        self._pulse.turned(State.CONNECTED)
                        pause = 1.0
                        await self._hear(bot, receiver)
                except InvalidToken:
                    raise AdapterStopped(f"{REFUSED}. {WHERE_FROM}") from None
                except TelegramError as error:
                    log.warning("telegram: no connection, again in %.0f s: %s", pause, error)
                    self._pulse.failed(f"no connection: {error}")
                    self._pulse.turned(State.RECONNECTING)
                    if isinstance(error, RetryAfter):
                        self._pulse.limited(seconds(error))
                        pause = max(pause, seconds(error))
                finally:
                    self._bot = None
                    self._online.clear()
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._pulse.turned(State.STOPPED)

    async def send(self, reply: Reply) -> str:
        media.check(reply.media, self.limits)
        while self._bot is None:
            await self._online.wait()
        return await self._sender.deliver(self._bot, reply)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        composing = self._composing(event)
        if composing is None:
            yield lambda text: None
            return
        task = asyncio.create_task(composing.run())
        try:
            yield composing.show
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        if self._bot is None:
            raise FetchFailed("there is no connection to Telegram just now")
        return await files.fetch(self._bot, attachment, most)

    async def check(self) -> Sequence[Finding]:
        server = self._options.base_url or "Telegram's server"
        url = self._options.webhook_url
        return [finding async for finding in check.examine(self._client(), server, url)]

    def _client(self) -> Bot:
        return connect(self._options.token.get_secret_value(), self._options.base_url)

    async def _hear(self, bot: Bot, receiver: Receiver) -> None:
        incoming = Incoming(bot, receiver, self._rooms, self._pulse)
        try:
            if webhook := self._webhook():
                await webhook.serve(bot, incoming, self._pulse)
            else:
                await poll(bot, incoming, self._pulse)
        finally:
            await incoming.close()

    def _webhook(self) -> Webhook | None:
        options = self._options
        if options.webhook_url is None:
            return None
        secret = options.webhook_secret.get_secret_value() if options.webhook_secret else None
        return Webhook(options.webhook_url, options.webhook_listen, secret)

    def _composing(self, event: Event) -> Composing | None:
        """None while there is no connection, or nowhere to show anything."""
        try:
            place = self._rooms.place(event.key)
        except SendRefused:
            return None
        if self._bot is None:
            return None
        drafts = event.addressed is Addressed.DIRECT and place.business is None
        number = self._rooms.number(place, event.message) or event.at.microsecond or 1
        return Composing(self._bot, place, self._pace, draft=number if drafts else 0)
