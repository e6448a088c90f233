"""One message out: posted, changed, deleted, or shown in answer to a command."""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import aiohttp
import discord

from hobnob import notices
from hobnob.conversation import ConversationKey
from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Button, Media, Reply
from hobnob.health import Pulse
from hobnob.media import MEGABYTE
from hobnob.ports import MediaLimits
from hobnob_discord import check, interactions
from hobnob_discord.content import content
from hobnob_discord.gateway import Gateway, retry_after
from hobnob_discord.interactions import Ticket
from hobnob_discord.missed import LINK_FAILURES

log = logging.getLogger(__name__)

NONCE_HOLDS = timedelta(minutes=2)
"""Discord drops a second message with the same nonce for "a few minutes"."""
LOOK_BACK = timedelta(minutes=5)
"""How far Discord's clock may be behind ours."""
MOST_LOOKED_AT = 1000
RETRY_PAUSES = (1.0, 4.0, 15.0, 60.0, 120.0)
"""Seconds before a send that may have arrived is repeated, which nonce and history make safe."""
SEND_SECONDS = 60.0
LATER_SECONDS = 30.0
OPEN = "Let members of this server write you direct messages, then ask me again."
MEDIA = MediaLimits(most=10, largest={"": 10 * MEGABYTE}, longest_alt=1024)
"""Where no server is boosted. Discord counts each file by itself."""
OLD_EDITS = 30046
"""Discord's code for too many edits of messages that are more than an hour old."""
FAILURES = (discord.DiscordException, *LINK_FAILURES, RuntimeError, KeyError)
"""What the library raises: RuntimeError where the connection closes just now, KeyError where an
answer lacks what it should have."""


class Sender:
    """`connected` gives the connection, and waits until there is one."""

    def __init__(
        self,
        connected: Callable[[], Awaitable[Gateway]],
        pulse: Pulse,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self._connected = connected
        self._pulse = pulse
        self._retry_pauses = retry_pauses

    async def deliver(self, reply: Reply) -> str:
        """See `hobnob.ports.Adapter.send`."""
        number = channel_id(reply.key)
        try:
            if reply.replaces:
                return await self._change(number, reply)
            return await self._post(number, reply)
        except (SendLater, SendRefused, SendUnknown) as failure:
            self._pulse.failed(f"a send failed: {failure}")
            raise

    async def _change(self, number: int, reply: Reply) -> str:
        """Edit or delete: doing it twice changes nothing, so no doubt remains."""
        gateway = await self._connected()
        channel = gateway.get_partial_messageable(number)
        message = channel.get_partial_message(int(reply.replaces))
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if reply.text:
                    await message.edit(
                        content=content(reply.text),
                        view=interactions.view(reply.buttons) if reply.buttons else None,
                        allowed_mentions=discord.AllowedMentions.none(),
                    )
                else:
                    await message.delete()
        except discord.NotFound as error:
            if reply.text:
                raise _failure(error) from None
        except FAILURES as error:
            failure = _failure(error)
            if isinstance(failure, SendUnknown):
                raise SendLater(str(failure), retry_after=LATER_SECONDS) from None
            raise failure from None
        return reply.replaces

    async def _post(self, number: int, reply: Reply) -> str:
        doubt = reply.attempted  # when the first attempt began that may have arrived
        pauses = iter(self._retry_pauses)
        while True:
            gateway = await self._connected()
            began = datetime.now(UTC)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    return await _attempt(gateway, number, replace(reply, attempted=doubt))
            except FAILURES as error:
                failure = _failure(error)
            if not isinstance(failure, SendUnknown) and doubt == reply.attempted:
                raise failure
            pause = next(pauses, None)
            if pause is None:
                raise SendUnknown(str(failure))
            doubt = doubt or began
            await asyncio.sleep(pause)


def channel_id(key: ConversationKey) -> int:
    try:
        return int(key.thread or key.room)
    except ValueError:
        raise SendRefused(
            f"{key}: {key.thread or key.room!r} is not a channel id of Discord, which is a number. "
            "Switch on Developer Mode in Discord's settings to copy ids."
        ) from None


async def _attempt(gateway: Gateway, number: int, reply: Reply) -> str:
    """Post it, once as far as anybody can tell. Raises SendUnknown if nobody can."""
    ticket = Ticket.read(reply.in_reply_to)
    if ticket and not reply.media and (shown := await _respond(gateway, ticket, reply)):
        return shown
    if not reply.private:
        return await _say(gateway, number, reply, ticket)
    try:
        if asker := interactions.asker(reply):
            alone = (await gateway.create_dm(discord.Object(asker))).id
            elsewhere = replace(reply, in_reply_to="") if alone != number and not ticket else reply
            return await _say(gateway, alone, elsewhere, ticket)
    except discord.HTTPException as error:
        if reply.follows or not isinstance(_failure(error), SendRefused):
            raise
        log.info("%s: what is for one alone is refused: %s", reply.key, check.reason(error))
    hint = replace(reply, text=notices.for_one(OPEN), buttons=(), private=False)
    return await _say(gateway, number, hint, ticket)


async def _say(gateway: Gateway, number: int, reply: Reply, ticket: Ticket | None) -> str:
    """Post it in the channel with this number."""
    doubt = reply.attempted
    lapsed = doubt is not None and datetime.now(UTC) - doubt > NONCE_HOLDS
    if doubt and (lapsed or ticket):
        found = await _find(gateway, number, reply, doubt, ticket)
        if found:
            return found
    # discord.py sends `enforce_nonce` with a nonce.
    message = await gateway.get_partial_messageable(number).send(
        content(reply.text) if reply.text else None,
        nonce=reply.nonce,
        allowed_mentions=discord.AllowedMentions.none(),
        mention_author=False,
        suppress_embeds=True,
        **_reference(number, reply, ticket),
        **_buttons(reply.buttons),
        **_files(reply.media),
    )
    return str(message.id)


async def _respond(gateway: Gateway, ticket: Ticket, reply: Reply) -> str | None:
    """Answer in the place that a command has for it; None where there is none (any more)."""
    alone = ticket.shown == "one"
    fits = not reply.follows and (alone or (ticket.shown and not reply.private))
    if fits and (shown := await gateway.desk.answer(ticket, reply)):
        return shown
    if reply.private and reply.attempted:
        raise SendUnknown(f"{reply.key}: nobody can look at what only one person was shown.")
    return await gateway.desk.add(ticket, reply) if reply.private and alone else None


def _reference(number: int, reply: Reply, ticket: Ticket | None) -> dict[str, Any]:
    """What the message visibly answers."""
    answered = (ticket.under if ticket else int(reply.in_reply_to or 0)) if not reply.follows else 0
    if not answered or (ticket and reply.private):
        return {}
    reference = discord.MessageReference(
        message_id=answered, channel_id=number, fail_if_not_exists=False
    )
    return {"reference": reference}


def _buttons(buttons: Sequence[Button]) -> dict[str, Any]:
    return {"view": interactions.view(buttons)} if buttons else {}


def _files(media: Sequence[Media]) -> dict[str, Any]:
    """Made anew for each attempt: the library reads them to their end."""
    files = [
        discord.File(io.BytesIO(each.data), PurePosixPath(each.file).name, description=each.alt)
        for each in media
    ]
    return {"files": files} if files else {}


async def _find(
    gateway: Gateway, number: int, reply: Reply, attempted: datetime, ticket: Ticket | None
) -> str | None:
    """Look for what an attempt at that time has posted. Raises SendUnknown if we can't see."""
    if not await gateway.sees_history(number):
        raise SendUnknown(
            f"{reply.key}: to look for what was posted there, the bot needs the permission "
            "Read Message History."
        )
    channel = gateway.get_partial_messageable(number)
    answered = ticket.id if ticket else int(reply.in_reply_to or 0)
    before = int(reply.follows or answered)
    after = discord.Object(before) if before else attempted - LOOK_BACK
    async for message in channel.history(after=after, limit=MOST_LOOKED_AT, oldest_first=True):
        if (
            message.author.id == gateway.me
            and message.content.strip() == (content(reply.text) if reply.text else "")
            and len(message.attachments) == len(reply.media)
            and (reply.follows or _answers(message) in (None, answered, ticket and ticket.under))
        ):
            return str(message.id)
    return None


def _answers(message: discord.Message) -> int | None:
    if message.interaction_metadata:
        return message.interaction_metadata.id
    return message.reference.message_id if message.reference else None


def _failure(error: Exception) -> SendLater | SendRefused | SendUnknown:
    """What became of a send that ended with `error`."""
    if isinstance(error, discord.RateLimited):
        return SendLater("Discord asks us to wait.", retry_after=error.retry_after)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return SendLater(f"Discord can't be reached: {error}", retry_after=LATER_SECONDS)
    if isinstance(error, discord.HTTPException) and error.status < 500:
        what = f"Discord answers {check.reason(error)}"
        if error.status in (401, 429) and error.code != OLD_EDITS:
            wait = retry_after(error.response.headers) if error.status == 429 else 0.0
            return SendLater(what, retry_after=max(wait, LATER_SECONDS))
        return SendRefused(what)
    return SendUnknown(f"Discord gave no clear answer: {check.reason(error)}")
