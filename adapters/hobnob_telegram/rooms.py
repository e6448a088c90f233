"""Which chat a conversation is in.

A group that becomes a supergroup is another chat for Telegram, with numbers of messages that begin
anew. For us it is the same conversation: it keeps the key it had, and the numbers of the new chat
have the chat before them. What became what is kept in the database, as cursors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from hobnob.conversation import ConversationKey
from hobnob.errors import SendRefused
from hobnob.events import Event
from hobnob.ports import Cursor, Receiver

BUSINESS = "business-"
"""Begins the thread of a conversation that we have in somebody else's name."""
_CURSOR = "moved "


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is sent, in Telegram's own terms."""

    chat: int
    topic: int | None = None
    business: str | None = None

    @property
    def is_direct(self) -> bool:
        """Only the person and we read it: groups have numbers below zero."""
        return self.chat > 0 and self.business is None

    @classmethod
    def of(cls, key: ConversationKey, chat: int) -> Self:
        if key.thread.startswith(BUSINESS):
            return cls(chat=chat, business=key.thread.removeprefix(BUSINESS))
        return cls(chat=chat, topic=_number(key, key.thread) if key.thread else None)


class Rooms:
    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._account = ""
        self._now: dict[int, int] = {}
        """The chat that a group has become."""

    async def open(self, receiver: Receiver, account: str) -> None:
        self._receiver, self._account = receiver, account
        self._now = _moves(await receiver.cursors(account))

    async def moved(self, before: int, now: int) -> None:
        if self._receiver is not None and self._now.get(before) != now:
            self._now[before] = now
            cursor = Cursor(name=f"{_CURSOR}{before}", value=str(now))
            await self._receiver.move(self._account, cursor)

    def place(self, key: ConversationKey) -> Place:
        """Raises SendRefused if the key is none of Telegram's."""
        room = _number(key, key.room)
        return Place.of(key, self._now.get(room, room))

    def number(self, place: Place, message: str) -> int | None:
        """Telegram's number of a message of ours or theirs in the chat; None for one that stayed
        behind when the chat became another."""
        chat, _, number = message.rpartition("/")
        moved = place.chat in self._now.values()
        if not number.isdecimal() or (chat != str(place.chat) if moved else chat):
            return None
        return int(number)

    def message(self, chat: int, number: int) -> str:
        """What we call a message."""
        return f"{chat}/{number}" if chat in self._now.values() else str(number)

    def in_conversation(self, event: Event) -> Event:
        """`event` as part of the conversation that its chat goes on with."""
        chat = int(event.key.room)
        before = next((old for old, new in self._now.items() if new == chat), None)
        if before is None:
            return event
        return replace(
            event,
            key=replace(event.key, room=str(before)),
            message=event.message and f"{chat}/{event.message}",
            reply_to=event.reply_to and f"{chat}/{event.reply_to}",
        )


def _moves(cursors: Mapping[str, str]) -> dict[int, int]:
    return {
        int(name.removeprefix(_CURSOR)): int(value)
        for name, value in cursors.items()
        if name.startswith(_CURSOR)
    }


def _number(key: ConversationKey, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SendRefused(
            f"{key}: {text!r} is no chat of Telegram's, which is a number. "
            "`hobnob history` shows the conversations that there were."
        ) from None
