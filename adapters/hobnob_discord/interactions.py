"""Slash commands and buttons: what is offered, and what somebody's use of one tells. Pure.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import discord

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Button, Event, Kind, Reply
from hobnob.ports import Command
from hobnob_discord.translate import mention

TOKEN_HOLDS = timedelta(minutes=14, seconds=30)
"""Discord takes answers to an interaction for 15 minutes."""
MOST_CHOICES = 25
MOST_BUTTONS = 25
_TICKET = "interaction"
_PRESSED = re.compile(r"hobnob\d+:(/.+)", re.DOTALL)
_MENTION = re.compile(r"<@(\d+)>", re.ASCII)
_LONGEST_ARGUMENT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What an interaction is answered with: the id of the "message" that the use of a command is.

    It carries all that an answer needs, so that after a restart the answer still takes its place.
    The token in it is good for nothing but answering, and for 15 minutes.
    """

    id: int
    user: int
    under: int
    """The message with the button that was pressed; 0 for a slash command."""
    shown: str
    """Who sees that we think about it, in the place where the answer is to be: "all", "one" (the
    user alone), or "" (nobody, there is no such place)."""
    token: str

    def __str__(self) -> str:
        return f"{_TICKET}:{self.id}:{self.user}:{self.under}:{self.shown}:{self.token}"

    @classmethod
    def read(cls, message: str) -> Self | None:
        """None if it is the id of a real message, or of none."""
        kind, *rest = message.split(":", 5)
        if kind != _TICKET or len(rest) != 5:
            return None
        number, user, under, shown, token = rest
        return cls(id=int(number), user=int(user), under=int(under), shown=shown, token=token)

    def holds(self, now: datetime) -> bool:
        """Whether Discord still takes an answer for it."""
        return now - discord.utils.snowflake_time(self.id) < TOKEN_HOLDS


def offered(commands: Iterable[Command]) -> list[dict[str, Any]]:
    """https://docs.discord.com/developers/interactions/application-commands"""
    return [
        {
            "type": 1,
            "name": command.name,
            "description": command.description[:100],
            "options": [_option(command)] if command.argument else [],
            "integration_types": [0],  # a server, not a person who takes us along anywhere
            "contexts": [0, 1],  # in servers, and in private with us
        }
        for command in commands
    ]


def fingerprint(application: int, payload: Sequence[Mapping[str, Any]]) -> str:
    """Tells whether what is offered has changed."""
    return hashlib.sha256(json.dumps([application, payload]).encode()).hexdigest()[:16]


def ticket(interaction: discord.Interaction, commands: Iterable[Command]) -> Ticket | None:
    """None for what is no use of a command of ours."""
    text = typed(interaction)
    if not text:
        return None
    name = text.split()[0].removeprefix("/")
    private = any(command.private for command in commands if command.name == name)
    pressed = interaction.message.id if interaction.message else 0
    return Ticket(
        id=interaction.id,
        user=interaction.user.id,
        under=pressed,
        shown="one" if private else "" if pressed else "all",
        token=interaction.token,
    )


def typed(interaction: discord.Interaction) -> str:
    """What somebody would have typed instead; "" if it is no use of a command of ours."""
    data: Any = interaction.data or {}
    if interaction.type is discord.InteractionType.component:
        pressed = _PRESSED.fullmatch(data.get("custom_id", ""))
        return pressed[1].strip() if pressed else ""
    if interaction.type is not discord.InteractionType.application_command:
        return ""
    values = [str(option.get("value", "")).strip() for option in data.get("options", [])]
    return " ".join([f"/{data['name']}", *values]).strip()


def asker(reply: Reply) -> int | None:
    """Whom it answers. What is said much later, as a reminder is, answers nothing any more; then
    the mention tells."""
    if command := Ticket.read(reply.in_reply_to):
        return command.user
    mentioned = _MENTION.fullmatch(reply.mention)
    return int(mentioned[1]) if mentioned else None


def to_event(interaction: discord.Interaction, ticket: Ticket, key: ConversationKey) -> Event:
    user = interaction.user
    there = Addressed.REPLY if ticket.under else Addressed.MENTION
    return Event(
        id=f"{_TICKET}:{interaction.id}",
        kind=Kind.COMMAND,
        key=key,
        author=Author(
            id=str(user.id), name=user.display_name, is_bot=user.bot, handle=mention(user.id)
        ),
        at=interaction.created_at,
        message=str(ticket),
        text=typed(interaction),
        addressed=there if interaction.guild_id else Addressed.DIRECT,
        reply_to=str(ticket.under) if ticket.under else None,
    )


def choices(interaction: discord.Interaction, commands: Iterable[Command]) -> list[str]:
    """What completes what somebody has typed of an argument so far."""
    data: Any = interaction.data or {}
    begun = " ".join(str(option.get("value", "")) for option in data.get("options", []))
    command = next((each for each in commands if each.name == data.get("name")), None)
    found = [
        each
        for each in (command.choices if command else ())
        if begun.strip().casefold() in each.casefold()
    ]
    return found[:MOST_CHOICES]


def view(buttons: Sequence[Button]) -> discord.ui.View:
    """What a button carries is its command: it works for as long as the message is there."""
    made = discord.ui.View(timeout=None)
    for number, button in enumerate(buttons[:MOST_BUTTONS]):
        made.add_item(
            discord.ui.Button(label=button.label, custom_id=f"hobnob{number}:{button.command}")
        )
    made.stop()  # the library need not remember it: a press tells all
    return made


def _option(command: Command) -> dict[str, Any]:
    return {
        "type": 3,
        "name": command.argument.casefold(),
        "description": ", ".join(command.choices)[:100] or command.argument,
        "required": False,
        "autocomplete": bool(command.choices),
        "max_length": _LONGEST_ARGUMENT,
    }
