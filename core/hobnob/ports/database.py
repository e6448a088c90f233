"""What hobnob asks of a database. Contracts only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hobnob.conversation import ConversationKey
from hobnob.events import Event, Reply, Turn
from hobnob.ports.platform import Cursor

Permit = Callable[[Any, ConversationKey], None]
"""Given the connection of a transaction: raises Changed where nothing may be said now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row of the inbox that nobody has dealt with."""

    row: int
    event: Event
    received: datetime
    attempts: int = 0
    """How often handling it crashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was answered of the last minute's messages, for the rate limits."""

    by_user: int = 0
    by_chat: int = 0
    noticed: bool = False
    """A notice about a limit went out within the last minute."""
    chimes: int = 0
    """What we said unasked in the conversation within the last hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a batch of waiting events ended: written in one transaction."""

    rows: tuple[int, ...]
    key: ConversationKey
    decision: str
    reason: str
    turns: tuple[Turn, ...] = ()
    """What is to be remembered of it."""
    replies: tuple[Reply, ...] = ()
    """The answer, in its parts."""
    elsewhere: tuple[tuple[Reply, ...], ...] = ()
    """Messages to other conversations, each in its parts: at least one."""
    introduces: bool = False
    """They say that we are an AI."""
    also: Callable[[Any], Sequence[Reply] | None] | None = None
    """What else is written in this transaction, given its connection, and what replies come of it.
    It may run more than once, where what it wrote before was undone. Raises Changed where it does
    not fit any more."""
    permit: Permit | None = None
    """Asked before `also`, where something is said in this conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A row of the outbox that is to be sent."""

    row: int
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """What there is to do in a conversation, in this order."""

    changes: tuple[Waiting, ...] = ()
    """Edits, deletions and reactions, in the order in which they came."""
    parcel: Parcel | None = None
    """The oldest unsent part of an answer."""
    waiting: tuple[Waiting, ...] = ()
    """The oldest messages, in the order in which they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterwards:
    """What becomes of an answer that was sent."""

    update: bool = False
    """Its message is edited: it is written anew, in the same place."""
    remove: bool = True
    """Its message is deleted: it is too."""


class Inbox(Protocol):
    """What came in. Every method is one transaction and raises StoreError."""

    async def receive(self, event: Event, cursor: Cursor | None = None) -> bool:
        """Store the event and the cursor; False if this id was stored before (the cursor moves
        all the same)."""
        ...

    async def move(self, platform: str, account: str, cursor: Cursor) -> None: ...

    async def cursors(self, platform: str, account: str) -> Mapping[str, str]: ...

    async def unfinished(self, platform: str) -> Sequence[ConversationKey]:
        """Conversations with waiting events or unsent replies."""
        ...

    async def todo(self, key: ConversationKey) -> Todo:
        """What there is to do in this conversation. Not more rows than are worth looking at at
        once, but an edit or a deletion is always among them where there is one."""
        ...

    async def finish(self, outcome: Outcome) -> Parcel | None:
        """Mark the rows done, append the turns, queue the replies; the part that is to be sent
        next. Raises Changed, and nothing is written, if an edit or a deletion of one of these
        messages has come in meanwhile."""
        ...

    async def change(self, changed: Sequence[Waiting], sent: Afterwards = ...) -> None:
        """Apply edits, deletions and reactions, in order: to messages still waiting, and to
        history. A reply of which nothing has been sent is withdrawn; if its message was edited, not
        deleted, the message waits again with its new text. `sent` says what becomes of a reply that
        people have seen."""
        ...

    async def fail(
        self, failed: Sequence[int], error: str, *, most: int, sorry: Sequence[Reply] = ()
    ) -> bool:
        """Note a crash. Rows that crashed `most` times are set aside, and `sorry` is queued in
        place of what had begun to be said; True if they were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """A message of ours that is shown while it is written."""

    row: int
    nonce: str
    message: str = ""
    """The platform's id of it; "" while it is not there, or nobody knows."""
    attempted: datetime | None = None
    """When an earlier attempt to show it began whose outcome nobody knows."""


class Outbox(Protocol):
    """What is to go out. A row is `growing` (shown while it is written), `pending`, `sending` (an
    attempt began), `sent`, `unknown` (an attempt whose outcome nobody can tell), `refused` or
    `withdrawn`."""

    async def grow(self, reply: Reply, at: datetime, permit: Permit | None = None) -> Growing:
        """A message of this conversation is about to be shown while it is written. Where an
        earlier attempt at the same answer left one, that one. `Inbox.finish` makes it the first
        part of the answer. `permit` raises Changed where nothing may be said."""
        ...

    async def grew(self, row: int, message: str) -> None:
        """It is there, under the platform's id; if it was taken back, it is deleted."""
        ...

    async def shrink(self, row: int) -> None:
        """It certainly is not."""
        ...

    async def begin(self, parcel: Parcel, at: datetime) -> bool:
        """An attempt begins: committed before the first byte leaves. False if the parcel was taken
        back or changed since it was read: then it may not leave."""
        ...

    async def sent(self, row: int, message: str) -> None: ...

    async def again(self, parcel: Parcel) -> None:
        """The attempt certainly delivered nothing: pending again, just as doubtful as before."""
        ...

    async def anew(self, row: int, nonce: str) -> None:
        """The message that it was to take the place of cannot be changed: pending again, as a
        message of its own."""
        ...

    async def give_up(self, row: int, state: str, error: str) -> None:
        """Record `refused` or `unknown`."""
        ...


class History(Protocol):
    """What was said."""

    async def recent(self, key: ConversationKey, limit: int) -> Sequence[Turn]:
        """The last `limit` turns, oldest first."""
        ...

    async def introduced(self, key: ConversationKey) -> bool:
        """It was said here that we are an AI."""
        ...

    async def usage(
        self, key: ConversationKey, author: str, until: datetime, *, unasked: bool
    ) -> Usage:
        """Counts messages said in the minute before `until`, and with `unasked` what was said so in
        the hour before it, whenever they came in: who wrote ten messages in an hour while we were
        away did not flood us."""
        ...
