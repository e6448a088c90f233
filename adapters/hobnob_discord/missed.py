"""What was said while nobody listened: read from the history, channel by channel.

A channel is read from its cursor on; one without, from when this bot first connected or came to its
server.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TypeVar

import aiohttp
import discord

log = logging.getLogger(__name__)

T = TypeVar("T")
GuildChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

LINK_FAILURES = (aiohttp.ClientError, OSError)
"""What the library raises where Discord did not answer; a timeout is an OSError."""
GUILDS_SECONDS = 10.0
LONGEST_PAUSE = 60.0


class Missed:
    """Hands what was missed to `take`, oldest first in each channel."""

    def __init__(
        self, client: discord.Client, take: Callable[[discord.Message], Awaitable[None]]
    ) -> None:
        self._client = client
        self._take = take
        self.since = 0
        """A snowflake of the time of the first connection."""
        self.read: dict[int, int] = {}
        """The last message handed in, by channel."""
        self._closed_to_us: set[int] = set()

    async def in_shard(self, shard: int) -> None:
        """In all channels of a shard."""
        await self._guilds_come(shard)
        for guild in self._client.guilds:
            if guild.shard_id == shard:
                await self.in_guild(guild)
        if shard == 0:  # which has the direct channels
            shown = {channel.id for guild in self._client.guilds for channel in _channels(guild)}
            for channel in [channel for channel in self.read if channel not in shown]:
                if channel not in self._closed_to_us:
                    await self.ask(channel, partial(self._in_unseen, channel))

    async def in_guild(self, guild: discord.Guild) -> None:
        for channel in _channels(guild):
            read = self.read.get(channel.id) or max(self.since, _joined(guild))
            if (channel.last_message_id or 0) > read and readable(channel):
                self.read[channel.id] = read
                await self.ask(channel.id, partial(self._in_channel, channel))

    async def ask(self, channel: int, question: Callable[[], Awaitable[T]]) -> T | None:
        """What Discord says about a channel, asked until it answers; None where it refuses."""
        pause = 1.0
        while True:
            try:
                return await question()
            except discord.RateLimited as limited:
                pause = limited.retry_after
                failure: Exception = limited
            except discord.HTTPException as error:
                if error.status < 500 and error.status not in (401, 429):
                    # Asked again for each session, it would count towards a ban of our address.
                    self._closed_to_us.add(channel)
                    log.warning("channel %s cannot be read and is skipped: %s", channel, error)
                    return None
                failure = error
            except (discord.InvalidData, LookupError, TypeError, ValueError) as error:
                log.warning("channel %s cannot be read and is skipped: %s", channel, error)
                return None
            except LINK_FAILURES as error:
                failure = error
            log.info("channel %s: %r; asked again in %.0f s", channel, failure, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _in_unseen(self, number: int) -> None:
        """A direct channel, or a thread that was archived."""
        channel = await self._client.fetch_channel(number)
        if isinstance(channel, GuildChannel):
            if (channel.last_message_id or 0) > self.read[number]:
                await self._in_channel(channel)
        elif isinstance(channel, discord.DMChannel):
            await self._in_channel(channel)

    async def _in_channel(self, channel: GuildChannel | discord.DMChannel) -> None:
        after = discord.Object(self.read[channel.id])
        async for message in channel.history(after=after, limit=None, oldest_first=True):
            await self._take(message)

    async def _guilds_come(self, shard: int) -> None:
        """Wait for the guilds that READY announced, though not for ever: one may be down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GUILDS_SECONDS):
                while any(  # noqa: ASYNC110  the library's own event comes 2 s late
                    guild.unavailable for guild in self._client.guilds if guild.shard_id == shard
                ):
                    await asyncio.sleep(0.02)


def _channels(guild: discord.Guild) -> Iterator[GuildChannel]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.stage_channels
    yield from guild.threads


def _joined(guild: discord.Guild) -> int:
    """When we came to this guild, as a snowflake; nothing before concerns us."""
    joined = guild.me.joined_at if guild.me else None
    return discord.utils.time_snowflake(joined) if joined else 0


def readable(channel: GuildChannel) -> bool:
    """Whether we may read it; asking all the same counts towards a ban of our address."""
    place = channel.parent if isinstance(channel, discord.Thread) else channel
    if place is None or not channel.guild.me:
        return False
    allowed = place.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history
