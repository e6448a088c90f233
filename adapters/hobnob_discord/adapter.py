"""Discord (https://docs.discord.com/developers), by discord.py."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord
from pydantic import BaseModel, ConfigDict, SecretStr

from hobnob.conversation import ConversationKey
from hobnob.errors import AdapterError, AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_discord import check
from hobnob_discord.gateway import LINK_FAILURES, Gateway, use_server
from hobnob_discord.translate import PLATFORM

NONCE_HOLDS = timedelta(minutes=2)
"""Discord drops a second message with the same nonce for "a few minutes"."""
LOOK_BACK = timedelta(minutes=5)
"""How far Discord's clock may be behind ours."""
MOST_LOOKED_AT = 1000
RETRY_PAUSES = (1.0, 4.0, 15.0, 60.0, 120.0)
"""Seconds before a send that may have arrived is repeated, which nonce and history make safe."""
SEND_SECONDS = 60.0
LATER_SECONDS = 30.0


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
    limits = Limits(max_length=2000)  # code points

    def __init__(
        self, options: DiscordOptions, *, retry_pauses: Sequence[float] = RETRY_PAUSES
    ) -> None:
        self._options = options
        self._retry_pauses = retry_pauses
        self._online = asyncio.Event()
        self._pulse = Pulse()
        self._gateway: Gateway | None = None

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        use_server(self._options.api_url, self._options.gateway_url)
        gateway = Gateway(receiver)
        try:
            await gateway.login(self._options.token.get_secret_value())
            self._gateway = gateway
            self._online.set()
            self._pulse.turned(State.CONNECTED)
            await _first_to_end(gateway.connect(), gateway.hand_in())
        except discord.PrivilegedIntentsRequired:
            raise AdapterStopped(f"{check.NO_CONTENT}. {check.SWITCH_CONTENT_ON}") from None
        except (discord.LoginFailure, discord.ConnectionClosed, discord.HTTPException) as error:
            if check.is_token_refused(error):
                raise AdapterStopped(f"{check.TOKEN_REFUSED}. {check.GET_A_TOKEN}") from None
            raise
        finally:
            self._online.clear()
            self._gateway = None
            await gateway.shut()
        raise AdapterError("Discord closed the connection.")

    async def send(self, reply: Reply) -> str:
        number = _channel(reply.key)
        doubt = reply.attempted  # when the first attempt began that may have arrived
        pauses = iter(self._retry_pauses)
        while True:
            gateway = await self._connected()
            began = datetime.now(UTC)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    if doubt and began - doubt > NONCE_HOLDS:
                        found = await _find(gateway, number, reply, doubt)
                        if found:
                            return found
                    return await _post(gateway.get_partial_messageable(number), reply)
            except (discord.DiscordException, *LINK_FAILURES, RuntimeError) as error:
                failure = _failure(error)  # RuntimeError: the connection closes just now
            if not isinstance(failure, SendUnknown) and doubt == reply.attempted:
                raise failure
            pause = next(pauses, None)
            if pause is None:
                raise SendUnknown(str(failure))
            doubt = doubt or began
            await asyncio.sleep(pause)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        typing = asyncio.create_task(self._type(event.key))
        try:
            yield lambda text: None
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def check(self) -> Sequence[Finding]:
        use_server(self._options.api_url, self._options.gateway_url)
        token = self._options.token.get_secret_value()
        return [finding async for finding in check.examine(token)]

    async def _connected(self) -> Gateway:
        while self._gateway is None:
            await self._online.wait()
        return self._gateway

    async def _type(self, key: ConversationKey) -> None:
        """Show that we type until cancelled. A failure ends it; nobody misses it."""
        if self._gateway is None:
            return
        with suppress(discord.DiscordException, SendRefused, RuntimeError, *LINK_FAILURES):
            async with self._gateway.get_partial_messageable(_channel(key)).typing():
                await asyncio.Event().wait()


def _channel(key: ConversationKey) -> int:
    try:
        return int(key.thread or key.room)
    except ValueError:
        raise SendRefused(
            f"{key}: {key.thread or key.room!r} is not a channel id of Discord, which is a number. "
            "Switch on Developer Mode in Discord's settings to copy ids."
        ) from None


async def _post(channel: discord.PartialMessageable, reply: Reply) -> str:
    """POST it, once as far as Discord can tell: discord.py sends `enforce_nonce` with a nonce."""
    reference: dict[str, Any] = {}
    if reply.in_reply_to and not reply.follows:
        reference["reference"] = discord.MessageReference(
            message_id=int(reply.in_reply_to), channel_id=channel.id, fail_if_not_exists=False
        )
    message = await channel.send(
        reply.text,
        nonce=reply.nonce,
        allowed_mentions=discord.AllowedMentions.none(),
        mention_author=False,
        **reference,
    )
    return str(message.id)


async def _find(gateway: Gateway, number: int, reply: Reply, attempted: datetime) -> str | None:
    """Look for what an attempt at that time has posted. Raises SendUnknown if we can't see."""
    if not await gateway.sees_history(number):
        raise SendUnknown(
            f"{reply.key}: to look for what was posted there, the bot needs the permission "
            "Read Message History."
        )
    channel = gateway.get_partial_messageable(number)
    before = reply.follows or reply.in_reply_to
    after = discord.Object(int(before)) if before else attempted - LOOK_BACK
    async for message in channel.history(after=after, limit=MOST_LOOKED_AT, oldest_first=True):
        answers = message.reference.message_id if message.reference else None
        if (
            message.author.id == gateway.me
            and message.content.strip() == reply.text.strip()
            and (reply.follows or answers in (None, int(reply.in_reply_to or 0)))
        ):
            return str(message.id)
    return None


def _failure(error: Exception) -> SendLater | SendRefused | SendUnknown:
    """What became of a send that ended with `error`."""
    if isinstance(error, discord.RateLimited):
        return SendLater("Discord asks us to wait.", retry_after=error.retry_after)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return SendLater(f"Discord can't be reached: {error}", retry_after=LATER_SECONDS)
    if isinstance(error, discord.HTTPException) and error.status < 500:
        what = f"Discord answers {check.reason(error)}"
        if error.status in (401, 429):
            return SendLater(what, retry_after=LATER_SECONDS)
        return SendRefused(what)
    return SendUnknown(f"Discord gave no clear answer: {check.reason(error)}")


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
