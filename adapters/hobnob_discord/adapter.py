"""Discord (https://docs.discord.com/developers), by discord.py."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import discord
from pydantic import BaseModel, ConfigDict, SecretStr

from hobnob import media
from hobnob.conversation import ConversationKey
from hobnob.errors import AdapterError, AdapterStopped, FetchFailed, SendRefused
from hobnob.events import Attachment, Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_discord import check, files
from hobnob_discord.content import LONGEST
from hobnob_discord.gateway import HEARTBEAT_SECONDS, Gateway, use_server
from hobnob_discord.missed import LINK_FAILURES
from hobnob_discord.pace import SPACING, Identifies
from hobnob_discord.send import MEDIA, RETRY_PAUSES, Sender, channel_id
from hobnob_discord.translate import PLATFORM


class DiscordOptions(BaseModel):
    """`[platforms.discord]` of bot.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr
    """The bot's token, from its page in the developer portal."""
    api_url: str | None = None
    """Another server than Discord's, like "http://127.0.0.1:8000/api/v10"."""
    gateway_url: str | None = None
    """Its gateway, like "ws://127.0.0.1:8000/gateway"."""


class DiscordAdapter:
    """Discord as a platform. See `hobnob.ports.Adapter`."""

    Options = DiscordOptions
    name = PLATFORM
    limits = Limits(max_length=LONGEST, edit_seconds=1.5, buttons=True, media=MEDIA)

    def __init__(
        self,
        options: DiscordOptions,
        *,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
        identify_spacing: float = SPACING,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._options = options
        self._heartbeat_seconds = heartbeat_seconds
        self._identifies = Identifies(identify_spacing)
        self._online = asyncio.Event()
        self._pulse = Pulse()
        self._gateway: Gateway | None = None
        self._sender = Sender(self._connected, self._pulse, retry_pauses)

    @property
    def health(self) -> Health:
        if self._gateway:
            self._gateway.note_shards()
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        use_server(self._options.api_url, self._options.gateway_url)
        self._pulse.turned(State.CONNECTING)
        gateway = Gateway(
            receiver,
            self._pulse,
            self._identifies,
            heartbeat_seconds=self._heartbeat_seconds,
        )
        ended = State.STOPPED
        try:
            await gateway.login(self._options.token.get_secret_value())
            self._gateway = gateway
            self._online.set()
            await gateway.offer()
            await self._sessions_left(gateway)
            await _first_to_end(gateway.connect(), gateway.hand_in())
            ended = State.RECONNECTING
        except discord.PrivilegedIntentsRequired:
            raise AdapterStopped(f"{check.NO_CONTENT}. {check.SWITCH_CONTENT_ON}") from None
        except Exception as error:
            self._pulse.failed(check.reason(error))
            if check.is_token_refused(error):
                raise AdapterStopped(f"{check.TOKEN_REFUSED}. {check.GET_A_TOKEN}") from None
            ended = State.RECONNECTING
            raise
        finally:
            self._pulse.turned(ended)
            self._online.clear()
            self._gateway = None
            await gateway.shut()
        raise AdapterError("Discord closed the connection.")

    async def send(self, reply: Reply) -> str:
        media.check(reply.media, self.limits)
        return await self._sender.deliver(reply)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        typing = asyncio.create_task(self._type(event.key))
        try:
            yield lambda text: None
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        if self._gateway is None:
            raise FetchFailed("there is no connection to Discord just now")
        return await files.fetch(self._gateway, attachment, most, self._origins())

    async def check(self) -> Sequence[Finding]:
        use_server(self._options.api_url, self._options.gateway_url)
        token = self._options.token.get_secret_value()
        return [finding async for finding in check.examine(token)]

    async def _connected(self) -> Gateway:
        while self._gateway is None:
            await self._online.wait()
        return self._gateway

    async def _sessions_left(self, gateway: Gateway) -> None:
        """Wait where no session may be begun any more today: Discord takes the token away."""
        limits = await gateway.fetch_session_start_limits()
        if limits.remaining <= 0:
            seconds = limits.reset_after / 1000
            self._pulse.limited(seconds)
            self._pulse.failed("Discord lets the bot begin no more sessions today")
            await asyncio.sleep(seconds)

    async def _type(self, key: ConversationKey) -> None:
        """Show that we type until cancelled. A failure ends it; nobody misses it."""
        if self._gateway is None:
            return
        with suppress(discord.DiscordException, SendRefused, RuntimeError, *LINK_FAILURES):
            async with self._gateway.get_partial_messageable(channel_id(key)).typing():
                await asyncio.Event().wait()

    def _origins(self) -> tuple[str, ...]:
        if self._options.api_url is None:
            return ()
        parts = urlsplit(self._options.api_url)
        return (f"{parts.scheme}://{parts.netloc}",)


async def _first_to_end(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them side by side until one ends, however it ends; then end the others."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
