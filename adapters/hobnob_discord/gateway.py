"""The connection to Discord: hands in what it tells, in order, and first what was missed.

Discord repeats nothing to a new session. So every message is handed in with a cursor of its
channel, and a new session begins by reading on from there, over REST, before anything that it
tells itself. A channel without a cursor is read from when this bot first connected, or came to its
server. What cannot be caught up: edits and deletions made while away, and the first message of a
person whose direct channel is new, for bots cannot list those.

https://docs.discord.com/developers/events/gateway
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from hobnob.ports import Cursor, Receiver
from hobnob_discord import translate

log = logging.getLogger(__name__)

T = TypeVar("T")
GuildChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

LINK_FAILURES = (aiohttp.ClientError, OSError)
"""What the library raises where Discord did not answer; a timeout is an OSError."""
GUILDS_SECONDS = 10.0
CLOSE_SECONDS = 4.0
LONGEST_PAUSE = 60.0
_CHANNEL = "channel:"
_SINCE = "since"
"""The cursor of channels that have none: a snowflake of the time of the first connection."""


class Gateway(discord.AutoShardedClient):
    """One connection. `login`, then `connect` and `hand_in` side by side, then `shut`."""

    def __init__(self, receiver: Receiver) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        no_voice()
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            max_ratelimit_timeout=30.0,
        )
        self._receiver = receiver
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._since = 0
        self._read: dict[int, int] = {}
        """The last message handed in, by channel."""

    @property
    def me(self) -> int:
        """Our user id, known when logged in."""
        return self.user.id if self.user else 0

    async def hand_in(self) -> None:
        """Hand in everything, one after the other, until cancelled."""
        cursors = await self._receiver.cursors(str(self.me))
        if _SINCE not in cursors:
            now = str(discord.utils.time_snowflake(datetime.now(UTC)))
            cursors = {**cursors, _SINCE: now}
            await self._receiver.move(str(self.me), Cursor(name=_SINCE, value=now))
        for name, value in cursors.items():
            if name == _SINCE:
                self._since = int(value)
            elif name.startswith(_CHANNEL):
                self._read[int(name.removeprefix(_CHANNEL))] = int(value)
        while True:
            step = await self._steps.get()
            await step()

    async def sees_history(self, channel: int) -> bool:
        """Whether the history that Discord shows us is all there is: without the permission it
        looks empty."""
        await self.wait_until_ready()
        known = self.get_channel(channel)
        return not isinstance(known, GuildChannel) or _readable(known)

    async def shut(self) -> None:
        """Close, soon: the library would wait half a minute for a dead connection."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close()
        except TimeoutError:
            await self.http.close()

    # The library calls these in the order in which things happened. They only queue.

    async def on_shard_connect(self, shard_id: int) -> None:  # a new session, not a resumed one
        self._steps.put_nowait(partial(self._catch_up, shard_id))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._steps.put_nowait(partial(self._catch_up_in, guild))

    async def on_message(self, message: discord.Message) -> None:
        self._steps.put_nowait(partial(self._take_message, message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        if payload.message.edited_at:  # else Discord has added a preview of a link, or a pin
            edit = partial(self._take_edit, payload.message, payload.message.edited_at)
            self._steps.put_nowait(edit)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self._queue_deletions(payload, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        self._queue_deletions(payload, sorted(payload.message_ids))

    def _queue_deletions(
        self,
        payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent,
        messages: Iterable[int],
    ) -> None:
        channel = self.get_partial_messageable(payload.channel_id, guild_id=payload.guild_id)
        at = datetime.now(UTC)
        self._steps.put_nowait(partial(self._take_deletions, channel, messages, at))

    async def _take_message(self, message: discord.Message) -> None:
        channel = message.channel.id
        read = max(message.id, self._read.get(channel, 0))
        cursor = Cursor(name=f"{_CHANNEL}{channel}", value=str(read))
        if translate.is_said(message, self.me):
            key = translate.conversation(str(self.me), await self._known(message.channel))
            await self._receiver.put(translate.to_event(message, key, self.me), cursor)
        else:
            await self._receiver.move(str(self.me), cursor)
        self._read[channel] = read

    async def _take_edit(self, message: discord.Message, at: datetime) -> None:
        if translate.is_said(message, self.me):
            key = translate.conversation(str(self.me), await self._known(message.channel))
            await self._receiver.put(translate.to_edit(message, at, key, self.me))

    async def _take_deletions(
        self, channel: discord.PartialMessageable, messages: Iterable[int], at: datetime
    ) -> None:
        key = translate.conversation(str(self.me), await self._known(channel))
        for message in messages:
            await self._receiver.put(translate.to_delete(message, at, key))

    async def _known(self, channel: discord.abc.Snowflake) -> discord.abc.Snowflake:
        """The channel with its kind: a thread that is not in the cache looks like a channel."""
        if not isinstance(channel, discord.PartialMessageable) or channel.guild_id is None:
            return channel
        return (
            self.get_channel(channel.id)
            or await self._ask(channel.id, partial(self.fetch_channel, channel.id))
            or channel
        )

    async def _catch_up(self, shard: int) -> None:
        """Hand in what the channels of a shard hold that was not handed in."""
        await self._guilds_come(shard)
        for guild in self.guilds:
            if guild.shard_id == shard:
                await self._catch_up_in(guild)
        if shard == 0:  # which has the direct channels
            cached = {channel.id for guild in self.guilds for channel in _channels(guild)}
            for channel in [channel for channel in self._read if channel not in cached]:
                await self._ask(channel, partial(self._read_on_unseen, channel))

    async def _catch_up_in(self, guild: discord.Guild) -> None:
        for channel in _channels(guild):
            read = self._read.get(channel.id) or max(self._since, _joined(guild))
            if (channel.last_message_id or 0) > read and _readable(channel):
                self._read[channel.id] = read
                await self._ask(channel.id, partial(self._read_on, channel))

    async def _read_on_unseen(self, number: int) -> None:
        channel = await self.fetch_channel(number)
        if isinstance(channel, GuildChannel | discord.DMChannel):
            await self._read_on(channel)

    async def _read_on(self, channel: GuildChannel | discord.DMChannel) -> None:
        after = discord.Object(self._read[channel.id])
        async for message in channel.history(after=after, limit=None, oldest_first=True):
            await self._take_message(message)

    async def _guilds_come(self, shard: int) -> None:
        """Wait for the guilds that READY announced, though not for ever: one may be down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GUILDS_SECONDS):
                while any(  # noqa: ASYNC110  the library's own event comes 2 s late
                    guild.unavailable for guild in self.guilds if guild.shard_id == shard
                ):
                    await asyncio.sleep(0.02)

    async def _ask(self, channel: int, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What Discord says about a channel, asked until it answers; None where it refuses."""
        pause = 1.0
        while True:
            try:
                return await ask()
            except discord.RateLimited as limited:
                pause = limited.retry_after
                failure: Exception = limited
            except discord.HTTPException as error:
                if error.status < 500 and error.status not in (401, 429):
                    log.warning("channel %s cannot be read and is skipped: %s", channel, error)
                    return None
                failure = error
            except discord.InvalidData as error:
                log.warning("channel %s cannot be read and is skipped: %s", channel, error)
                return None
            except LINK_FAILURES as error:
                failure = error
            log.info("channel %s: %r; asked again in %.0f s", channel, failure, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def use_server(api_url: str | None, gateway_url: str | None) -> None:
    """Talk to another server than Discord's own. The library keeps both addresses for the whole
    process, so one process speaks to one server."""
    if api_url:
        Route.BASE = api_url.rstrip("/")
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


def no_voice() -> None:
    """We never speak: the owner need not read that the libraries for it are not installed."""
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False


def _channels(guild: discord.Guild) -> Iterator[GuildChannel]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.stage_channels
    yield from guild.threads


def _joined(guild: discord.Guild) -> int:
    """When we came to this guild, as a snowflake; nothing before concerns us."""
    joined = guild.me.joined_at if guild.me else None
    return discord.utils.time_snowflake(joined) if joined else 0


def _readable(channel: GuildChannel) -> bool:
    """Whether we may read it; asking all the same counts towards a ban of our address."""
    place = channel.parent if isinstance(channel, discord.Thread) else channel
    if place is None or not channel.guild.me:
        return False
    allowed = place.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history
