"""The connection to Discord: hands in what it tells, in order, and first what was missed.

Discord repeats nothing to a new session. So every message is handed in with a cursor of its
channel, and a new session begins by reading on from there, over REST, before anything that it
tells itself (missed.py). What cannot be caught up: edits, deletions, reactions and commands made
while away, and the first message of a person whose direct channel is new, for bots cannot list
those.

https://docs.discord.com/developers/events/gateway
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace

import aiohttp
import discord
from discord import shard
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from hobnob.conversation import ConversationKey
from hobnob.health import Pulse, Shard, State
from hobnob.ports import Cursor, Receiver
from hobnob_discord import interactions, translate
from hobnob_discord.desk import Desk
from hobnob_discord.missed import LINK_FAILURES, GuildChannel, Missed, readable
from hobnob_discord.pace import Backoff, Identifies

log = logging.getLogger(__name__)

CLOSE_SECONDS = 4.0
HEARTBEAT_SECONDS = 60.0
_CHANNEL = "channel:"
_SINCE = "since"
"""The cursor of channels that have none: a snowflake of the time of the first connection."""
_OFFERED = "commands"
"""The cursor that tells which commands Discord knows."""


class Gateway(discord.AutoShardedClient):
    """One connection. `login`, `offer`, `connect` and `hand_in` side by side, then `shut`."""

    def __init__(
        self,
        receiver: Receiver,
        pulse: Pulse,
        identifies: Identifies,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        no_voice()
        shard.ExponentialBackoff = Backoff  # type: ignore[attr-defined,assignment]
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            max_ratelimit_timeout=30.0,
            heartbeat_timeout=heartbeat_seconds,
            http_trace=_watching(pulse),
        )
        self._receiver = receiver
        self._pulse = pulse
        self._identifies = identifies
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._missed = Missed(self, self._take_message)
        self.desk = Desk(self, receiver, receiver.commands)

    @property
    def me(self) -> int:
        """Our user id, known when logged in."""
        return self.user.id if self.user else 0

    async def offer(self) -> None:
        """Tell Discord which commands there are, if that has changed. It remembers."""
        cursors = await self._receiver.cursors(str(self.me))
        application = self.application_id or 0
        payload = interactions.offered(self._receiver.commands)
        fingerprint = interactions.fingerprint(application, payload)
        if fingerprint == cursors.get(_OFFERED):
            return
        try:
            await self.http.bulk_upsert_global_commands(application, payload)
        except (discord.DiscordException, *LINK_FAILURES) as error:
            log.warning("discord: the commands are not offered until the next start: %s", error)
            self._pulse.failed(f"the commands are not offered: {error}")
            return
        await self._receiver.move(str(self.me), Cursor(name=_OFFERED, value=fingerprint))

    async def hand_in(self) -> None:
        """Hand in everything, one after the other, until cancelled."""
        cursors = await self._receiver.cursors(str(self.me))
        if _SINCE not in cursors:
            now = str(discord.utils.time_snowflake(datetime.now(UTC)))
            cursors = {**cursors, _SINCE: now}
            await self._receiver.move(str(self.me), Cursor(name=_SINCE, value=now))
        for name, value in cursors.items():
            if name == _SINCE:
                self._missed.since = int(value)
            elif name.startswith(_CHANNEL):
                self._missed.read[int(name.removeprefix(_CHANNEL))] = int(value)
        while True:
            step = await self._steps.get()
            try:
                await step()
            except Exception as error:  # one thing that cannot be read must not end us for ever
                log.exception("discord: something was skipped")
                self._pulse.failed(f"something could not be read ({type(error).__name__})")

    async def sees_history(self, channel: int) -> bool:
        """Whether the history that Discord shows us is all there is: without the permission it
        looks empty."""
        await self.wait_until_ready()
        known = self.get_channel(channel)
        return not isinstance(known, GuildChannel) or readable(known)

    def note_shards(self) -> None:
        for number, info in self.shards.items():
            state = State.RECONNECTING if info.is_closed() else State.CONNECTED
            latency = info.latency if math.isfinite(info.latency) else None
            self._pulse.shard(Shard(number=number, state=state, latency=latency))

    async def shut(self) -> None:
        """Close, soon: the library would wait half a minute for a dead connection."""
        await self.desk.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close()
        except TimeoutError:
            await self.http.close()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        while wait := self._identifies.wait(shard_id or 0):
            self._pulse.limited(wait)
            await asyncio.sleep(wait)
        self._identifies.begin(shard_id or 0)

    # The library calls these in the order in which things happened. They only queue.

    async def on_shard_connect(self, shard_id: int) -> None:  # a new session, not a resumed one
        self._turned()
        self._steps.put_nowait(partial(self._missed.in_shard, shard_id))

    async def on_shard_resumed(self, shard_id: int) -> None:
        self._turned()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        self._pulse.turned(State.RECONNECTING)
        self._pulse.failed(f"shard {shard_id} lost its connection")

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._steps.put_nowait(partial(self._missed.in_guild, guild))

    async def on_message(self, message: discord.Message) -> None:
        self._pulse.came(message.created_at)
        self._steps.put_nowait(partial(self._take_message, message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        if payload.message.edited_at:  # else Discord has added a preview of a link, or a pin
            edit = partial(self._take_edit, payload.message, payload.message.edited_at)
            self._steps.put_nowait(edit)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self._queue_deletions(payload, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        self._queue_deletions(payload, sorted(payload.message_ids))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        if payload.message_author_id in (None, self.me):
            self._queue_reaction(payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        self._queue_reaction(payload)  # Discord does not say whose message it is

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            self.desk.complete(interaction)
            return
        ticket = interactions.ticket(interaction, self._receiver.commands)
        if ticket is None or interaction.channel is None:
            return
        self._pulse.came(interaction.created_at)
        key: asyncio.Future[ConversationKey] = asyncio.get_running_loop().create_future()
        self._steps.put_nowait(
            partial(self._take_interaction, interaction, ticket, interaction.channel, key)
        )
        self.desk.take(interaction, ticket, key)

    def _turned(self) -> None:
        """We are connected if every shard is."""
        closed = any(info.is_closed() for info in self.shards.values())
        self._pulse.turned(State.RECONNECTING if closed else State.CONNECTED)

    def _queue_deletions(
        self,
        payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent,
        messages: Iterable[int],
    ) -> None:
        channel = self.get_partial_messageable(payload.channel_id, guild_id=payload.guild_id)
        at = datetime.now(UTC)
        self._steps.put_nowait(partial(self._take_deletions, channel, messages, at))

    def _queue_reaction(self, payload: discord.RawReactionActionEvent) -> None:
        if payload.user_id != self.me:
            at = datetime.now(UTC)
            self._steps.put_nowait(partial(self._take_reaction, payload, at))

    async def _take_message(self, message: discord.Message) -> None:
        channel = message.channel.id
        read = max(message.id, self._missed.read.get(channel, 0))
        cursor = Cursor(name=f"{_CHANNEL}{channel}", value=str(read))
        if translate.is_said(message, self.me):
            key = await self._conversation(message.channel)
            await self._receiver.put(translate.to_event(message, key, self.me), cursor)
        else:
            await self._receiver.move(str(self.me), cursor)
        self._missed.read[channel] = read

    async def _take_edit(self, message: discord.Message, at: datetime) -> None:
        if translate.is_said(message, self.me):
            key = await self._conversation(message.channel)
            await self._receiver.put(translate.to_edit(message, at, key, self.me))

    async def _take_deletions(
        self, channel: discord.PartialMessageable, messages: Iterable[int], at: datetime
    ) -> None:
        key = await self._conversation(channel)
        for message in messages:
            await self._receiver.put(translate.to_delete(message, at, key))

    async def _take_reaction(self, payload: discord.RawReactionActionEvent, at: datetime) -> None:
        channel = self.get_partial_messageable(payload.channel_id, guild_id=payload.guild_id)
        key = await self._conversation(channel)
        await self._receiver.put(translate.to_reaction(payload, at, key))

    async def _take_interaction(
        self,
        interaction: discord.Interaction,
        ticket: interactions.Ticket,
        channel: discord.abc.Snowflake,
        stored: "asyncio.Future[ConversationKey]",
    ) -> None:
        key = await self._conversation(channel)
        new = await self._receiver.put(interactions.to_event(interaction, ticket, key))
        if not new:
            stored.cancel()
        elif not stored.done():
            stored.set_result(key)

    async def _conversation(self, channel: discord.abc.Snowflake) -> ConversationKey:
        return translate.conversation(str(self.me), await self._known(channel))

    async def _known(self, channel: discord.abc.Snowflake) -> discord.abc.Snowflake:
        """The channel with its kind: a thread that is not in the cache looks like a channel."""
        if not isinstance(channel, discord.PartialMessageable) or channel.guild_id is None:
            return channel
        return (
            self.get_channel(channel.id)
            or await self._missed.ask(channel.id, partial(self.fetch_channel, channel.id))
            or channel
        )


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


def _watching(pulse: Pulse) -> aiohttp.TraceConfig:
    """Notes when Discord wants us to wait: the library does so by itself and tells nobody."""

    async def ended(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        request: aiohttp.TraceRequestEndParams,
    ) -> None:
        if request.response.status == 429:
            pulse.limited(retry_after(request.response.headers))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(ended)
    return trace


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; 0 where the server does not say."""
    try:
        return max(0.0, float(headers.get("Retry-After", 0)))
    except ValueError:
        return 0.0
