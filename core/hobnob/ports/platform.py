"""What hobnob asks of a platform. Contracts only."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from hobnob.conversation import ConversationKey
from hobnob.events import Attachment, Event, Reply
from hobnob.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """What files a platform takes with one message."""

    most: int = 0
    """Files; 0: none."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """Bytes of one file, by its media type ("image/png") or what that begins with ("image/", ""
    for all others). What is not in here is not taken."""
    longest_alt: int = 1500
    """Characters of an alt text."""
    longest_text: int | None = None
    """The longest text of a message with files, together with their alt texts
    (`hobnob.media.caption`), where the platform has no other place for these; None: as long as
    without files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform takes."""

    max_length: int
    """The longest text of one message, in the unit of `length`."""
    length: Callable[[str], int] = len
    """How the platform counts (code points, UTF-16 units, links as 23 ...)."""
    edit_seconds: float = 0.0
    """Between two changes of a message of ours that grows while it is written; 0 where messages
    are not changed, or `Adapter.composing` shows the text in another way."""
    drafts: bool = False
    """`Adapter.composing` shows the text in direct conversations: no message grows there."""
    buttons: bool = False
    """Messages can have buttons (`Reply.buttons`)."""
    media: MediaLimits = MediaLimits()
    """Messages can have files (`Reply.media`)."""
    parallel_sends: int = 8
    """Sends under way at once. 1 where a send cannot be made idempotent, so that a crash leaves at
    most one in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a stream of the platform has been read: kept with the event that moved it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that `hobnob doctor` looked at."""

    ok: bool
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What people can ask for by name: a platform that has a menu of commands offers it there."""

    name: str
    """Lower case ASCII letters; written "/name" wherever people can write it."""
    description: str
    """One line of at most 100 characters, in English."""
    argument: str = ""
    """What may follow, in a word; "" if nothing may."""
    choices: tuple[str, ...] = ()
    """What is offered for completion; anything else may be written too."""
    offered: bool = True
    """In menus and in /help; else it is for few, who know it."""
    private: bool = False
    """The answer concerns the asker alone (`Reply.private`)."""


class Receiver(Protocol):
    """Where an adapter hands in what happened."""

    @property
    def commands(self) -> Sequence[Command]:
        """What the bot can be asked for. Somebody's use of one is an event of kind `command`,
        whose text is what they would have typed: "/forget everything"."""
        ...

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        """Store the event, and the cursor, in one transaction; False if it was stored before.

        When this returns the event is safe: only then may the platform be told that it was
        received. A database that is locked or full is waited for, never skipped: a caller that
        awaits this in its receive loop holds the platform back, which is what is wanted.
        """
        ...

    async def move(self, account: str, cursor: Cursor) -> None:
        """Store a cursor that moved without an event of ours."""
        ...

    async def cursors(self, account: str) -> Mapping[str, str]:
        """All cursors of this platform's account, by name."""
        ...

    async def settled(self, key: ConversationKey) -> None:
        """Return when nothing waits in this conversation: all answered, decided or set aside."""
        ...


Draft = Callable[[str], None]
"""Takes the whole text written so far. Returns at once and never raises."""


class Adapter(Protocol):
    """A platform. Constructed from its own options; connects only in `run` and `check`."""

    @property
    def name(self) -> str:
        """The platform's name: the first part of every conversation key, the table in bot.toml."""
        ...

    @property
    def limits(self) -> Limits:
        """What the platform takes; exact once connected, careful before."""
        ...

    @property
    def health(self) -> Health:
        """How the connection is doing; `hobnob.health.Pulse` takes the notes."""
        ...

    async def run(self, receiver: Receiver) -> None:
        """Connect, fetch what was missed while away, then hand in every event, oldest first
        within a conversation, until cancelled. Reconnects by itself, with growing pauses.

        Returns only when the platform has nothing more to say (the end of a pipe). Raises
        AdapterStopped where trying again cannot help (token, intent): the message says what to do.
        """
        ...

    async def send(self, reply: Reply) -> str:
        """Deliver one message; return the platform's id of it. Waits until connected.

        Idempotent by `reply.nonce` as far as the platform allows: with `reply.attempted` set, an
        earlier attempt may have been delivered, and the adapter delivers only if the platform
        itself drops the double, or if it can see that there is none. Files (`reply.media`) arrive
        with the message or not at all, each with its alt text.

        What is `reply.private` is shown to nobody else, whatever goes wrong.

        Raises SendLater (certainly not delivered, honour `retry_after`), SendRefused (never will
        be) or SendUnknown (cannot be known). Any other exception counts as SendUnknown.
        """
        ...

    def composing(self, event: Event) -> AbstractAsyncContextManager[Draft]:
        """Show that an answer to `event` is being written, and where the platform allows the text
        as it grows. Never fails for the platform's sake: an indicator is not worth an answer."""
        ...

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        """The bytes of a file that came with an event of this platform, at most `most` of them.

        From the platform itself and the hosts that it keeps its files on, nobody else's. Stops
        reading where there are more. Raises FetchFailed, whose message names no secret URL.
        """
        ...

    async def check(self) -> Sequence[Finding]:
        """Look at token, permissions and settings for `hobnob doctor`. Sends nothing to people."""
        ...
