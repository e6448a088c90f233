"""Acknowledges each use of a command in time, and answers it in its place."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import discord

from hobnob.conversation import ConversationKey
from hobnob.events import Reply
from hobnob.ports import Command, Receiver
from hobnob_discord import interactions
from hobnob_discord.content import content
from hobnob_discord.interactions import Ticket
from hobnob_discord.missed import LINK_FAILURES

log = logging.getLogger(__name__)

STORED_SECONDS = 1.5
"""Discord waits 3 seconds for an acknowledgement. For so long of them we wait until the event is
stored: a kill before that is not acknowledged, and whoever used the command sees that it failed."""
ACKNOWLEDGED_SECONDS = 10.0
_ORIGINAL: Any = "@original"
_VOID = (401, 404)
"""What Discord answers for an interaction that it takes no answer to any more."""


class Desk:
    """`take` is called for each interaction, `answer` for what leaves in its place."""

    def __init__(
        self, client: discord.Client, receiver: Receiver, commands: Sequence[Command]
    ) -> None:
        self._client = client
        self._receiver = receiver
        self._commands = commands
        self._acknowledged: dict[int, asyncio.Event] = {}
        self._answered: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def complete(self, interaction: discord.Interaction) -> None:
        """Offer what completes an argument that is being typed."""
        found = interactions.choices(interaction, self._commands)
        offered = [discord.app_commands.Choice(name=each, value=each) for each in found]
        self._start(self._quietly(interaction.response.autocomplete(offered)))

    def take(
        self,
        interaction: discord.Interaction,
        ticket: Ticket,
        key: "asyncio.Future[ConversationKey]",
    ) -> None:
        """Acknowledge it once `key` tells that it is stored, or in time at any rate. `key` is
        cancelled if it was stored before."""
        if ticket.id not in self._acknowledged:
            self._acknowledged[ticket.id] = asyncio.Event()
            self._start(self._see_to(interaction, ticket, key))

    async def answer(self, ticket: Ticket, reply: Reply) -> str | None:
        """Show `reply` in place of what tells that we think about it; doing it again changes
        nothing. None where there is no such place, or something else was said there."""
        if acknowledged := self._acknowledged.get(ticket.id):
            with suppress(TimeoutError):
                async with asyncio.timeout(ACKNOWLEDGED_SECONDS):
                    await acknowledged.wait()
        if not ticket.holds(discord.utils.utcnow()):
            return None
        webhook, text = self._webhook(ticket), content(reply.text)
        try:
            message = await webhook.fetch_message(_ORIGINAL)
            if message.flags.loading:
                message = await webhook.edit_message(
                    _ORIGINAL,
                    content=text,
                    view=interactions.view(reply.buttons) if reply.buttons else None,
                    allowed_mentions=discord.AllowedMentions.none(),
                )
            elif message.content != text:
                return None
        except discord.HTTPException as error:
            if error.status in _VOID:
                return None
            raise
        if ticket.id in self._acknowledged:
            self._answered.add(ticket.id)
        return str(message.id)

    async def add(self, ticket: Ticket, reply: Reply) -> str | None:
        """Show one more message to the user alone. None where Discord takes no more."""
        if not ticket.holds(discord.utils.utcnow()):
            return None
        try:
            message = await self._webhook(ticket).send(
                content(reply.text),
                view=interactions.view(reply.buttons) if reply.buttons else discord.utils.MISSING,
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
                ephemeral=True,
                wait=True,
            )
        except discord.HTTPException as error:
            if error.status in _VOID:
                return None
            raise
        return str(message.id)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see_to(
        self,
        interaction: discord.Interaction,
        ticket: Ticket,
        key: "asyncio.Future[ConversationKey]",
    ) -> None:
        acknowledged = self._acknowledged[ticket.id]
        try:
            await asyncio.wait([key], timeout=STORED_SECONDS)
            if key.cancelled():
                return
            thinking = bool(ticket.shown)
            private = ticket.shown == "one"
            await self._quietly(interaction.response.defer(ephemeral=private, thinking=thinking))
            acknowledged.set()
            await self._receiver.settled(await key)
            if thinking and ticket.id not in self._answered:  # there was nothing to say
                await self._quietly(interaction.delete_original_response())
        finally:
            acknowledged.set()
            del self._acknowledged[ticket.id]
            self._answered.discard(ticket.id)

    async def _quietly(self, request: Coroutine[Any, Any, Any]) -> None:
        """An answer comes without it too."""
        try:
            await request
        except (discord.DiscordException, *LINK_FAILURES) as error:
            log.info("an interaction was not acknowledged: %s", error)

    def _webhook(self, ticket: Ticket) -> discord.Webhook:
        webhook = discord.Webhook.partial(
            self._client.application_id or 0, ticket.token, client=self._client
        )
        webhook.type = discord.WebhookType.application
        return webhook

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
