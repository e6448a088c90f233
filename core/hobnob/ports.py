"""The seams: what hobnob asks of a platform, a model and a database. Contracts only.

Each has a real implementation and a fake (`hobnob.testing`), and one contract suite runs over
both (tests/contract).
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from hobnob.conversation import ConversationKey
from hobnob.events import (
    Attachment,
    ChatMessage,
    Event,
    Memory,
    Recalled,
    Reply,
    Sampling,
    Turn,
)
from hobnob.health import Health

# ------------------------------------------------------------------------------------ platforms


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
        itself drops the double, or if it can see that there is none.

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


# --------------------------------------------------------------------------------------- models


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What `[model]` in bot.toml says: every engine is constructed from exactly this."""

    name: str = "starter"
    """"starter", a hub id, or a path; for a server, the name it knows the model by."""
    device: str = "auto"
    dtype: str = "auto"
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    sees: bool = False
    """The model on the server takes pictures."""
    report: Callable[[str], None] = field(default=lambda _: None, repr=False)
    """Told in a few words what is going on while something takes long (loading, converting)."""


class Engine(Protocol):
    """A language model. Constructed from `ModelOptions`; loads only when entered."""

    @property
    def what(self) -> str:
        """For the owner, once entered: what computes where, as in "torch on cpu in bfloat16"."""
        ...

    @property
    def busy(self) -> str:
        """Why a new request would only be refused with EngineUnavailable; "" while there is room.
        Whoever has a choice looks here first, and leaves what waits in the inbox."""
        ...

    @property
    def sees(self) -> bool:
        """Pictures (`ChatMessage.images`) reach the model. Where this is False they are left out,
        and the words for them in `content` stand alone. May change: a server that refuses pictures
        is shown none for a while."""
        ...

    @property
    def context_tokens(self) -> int:
        """The longest prompt and answer together, in tokens."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """The longest prompt worth its cost, as `count_tokens` counts."""
        ...

    async def __aenter__(self) -> Self:
        """Load. Raises EngineUnavailable or ConfigError with what to do."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Release everything; streams still open end with EngineUnavailable."""
        ...

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the rendered prompt, never too few; of pictures, as many as most models make of
        one."""
        ...

    def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """Yield the answer in pieces as it is written, none of them empty.

        The text of `messages` is data: nothing in it can end a message or open another. Stop
        strings are never part of what is yielded. Closing the iterator (aclose, cancellation)
        stops the work at once. Raises EngineError for this prompt's sake, EngineUnavailable where
        no prompt would work now. A block of thinking is yielded as `<think>...</think>`.

        With `sampling.schema` nothing is yielded but JSON of that shape, which breaks off after
        `max_new_tokens`. An engine that can't hold its model to it raises EngineError.
        """
        ...


class MemoryPort(Protocol):
    """What is remembered."""

    async def snapshot(self, batch: Sequence[Event]) -> Memory:
        """What is always at hand for answering `batch`, without `batch` itself."""
        ...

    async def recall(self, batch: Sequence[Event], shown: Sequence[Turn]) -> Recalled:
        """What else was said that matters for answering `batch`, and is not among `shown`."""
        ...

    async def command(self, event: Event) -> str:
        """Do what somebody asks of their memory (/memory, /forget, /incognito); what to answer.
        Done twice it does no more than once."""
        ...

    def said(self, turns: Sequence[Turn], event: Event, *, incognito: bool) -> None:
        """`event` was answered, and these turns were stored, unless they are incognito. Returns at
        once."""
        ...


# ------------------------------------------------------------------------------------- database


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
    introduces: bool = False
    """They say that we are an AI."""


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
        next. None, and nothing written, if an edit or a deletion of one of these messages has come
        in meanwhile."""
        ...

    async def change(self, changed: Sequence[Waiting], sent: Afterwards = ...) -> None:
        """Apply edits, deletions and reactions, in order: to messages still waiting, and to
        history. A reply of which nothing has been sent is withdrawn; if its message was edited, not
        deleted, the message waits again with its new text. `sent` says what becomes of a reply that
        people have seen."""
        ...

    async def fail(self, failed: Sequence[int], error: str, *, most: int) -> bool:
        """Note a crash. Rows that crashed `most` times are set aside; True if they were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """A message of ours that is shown while it is written."""

    row: int
    nonce: str
    message: str = ""
    """The platform's id of it; "" while it is not there, or nobody knows."""


class Outbox(Protocol):
    """What is to go out. A row is `growing` (shown while it is written), `pending`, `sending` (an
    attempt began), `sent`, `unknown` (an attempt whose outcome nobody can tell), `refused` or
    `withdrawn`."""

    async def grow(self, reply: Reply, at: datetime) -> Growing:
        """A message of this conversation is about to be shown while it is written. Where an
        earlier attempt at the same answer left one, that one. `Inbox.finish` makes it the first
        part of the answer."""
        ...

    async def grew(self, row: int, message: str) -> None:
        """It is there, under the platform's id."""
        ...

    async def shrink(self, row: int) -> None:
        """It certainly is not."""
        ...

    async def begin(self, row: int, at: datetime) -> None:
        """An attempt begins: committed before the first byte leaves."""
        ...

    async def sent(self, row: int, message: str) -> None: ...

    async def again(self, parcel: Parcel) -> None:
        """The attempt certainly delivered nothing: pending again, just as doubtful as before."""
        ...

    async def give_up(self, row: int, state: str, error: str) -> None:
        """Record `refused` or `unknown`."""
        ...


class History(Protocol):
    """What was said."""

    async def recent(self, key: ConversationKey, limit: int) -> Sequence[Turn]:
        """The last `limit` turns, oldest first."""
        ...

    async def usage(self, key: ConversationKey, author: str, since: datetime) -> Usage:
        """Counts messages said after `since`, whenever they came in: who wrote ten messages in an
        hour while we were away did not flood us."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...
