"""What is remembered, as values, and what memory asks of a database and of an embedder.

Every memory has a subject (whom it is about), a conversation it came from, and a visibility: what
was said between one person and us is for that conversation only, what was said in a room for that
room only, and what people say of themselves in a room is recalled as theirs only for them. The
owner may link conversations, which are then one place.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Fact, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who asks, and where: what may be remembered for an answer follows from this alone."""

    key: ConversationKey
    asker: str
    """Their stable id."""
    direct: bool
    """Nobody else hears the answer."""
    linked: tuple[ConversationKey, ...] = ()
    """Other conversations that the owner made one place with this."""

    @property
    def keys(self) -> tuple[ConversationKey, ...]:
        return (self.key, *self.linked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What is read for every answer, in one transaction."""

    turns: tuple[Turn, ...] = ()
    """The window, oldest first."""
    complete: bool = True
    """Nothing older was said in the scope."""
    summary: str = ""
    facts: tuple[Fact, ...] = ()
    """What is true of the asker, oldest first."""
    incognito: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A turn that recall does not know yet."""

    id: int
    conversation: int
    direct: bool
    turn: Turn
    """Its time is on its author's clock: their "tomorrow" is theirs."""
    before: Turn | None
    """What was said before it in its conversation, in the same hours."""
    after: Turn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """What a person said of themselves, or asked of us."""

    kind: str
    attribute: str
    """A newer one with the same attribute ends this one."""
    value: str
    text: str
    confidence: float
    ends: bool = False
    """It says that something is no longer so: what had this value, or whatever had the attribute
    if that is ""."""
    until: datetime | None = None
    """When it will be over by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was made of a lesson."""

    lesson: Lesson
    embedder: str
    terms: bytes
    vector: bytes | None = None
    tokens: bytes | None = None
    facts: tuple[NewFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """What was said in a conversation before its window, and is not summed up yet."""

    conversation: int
    forgotten: int
    """The count in `News` when this was read."""
    position: int
    """Of the last turn."""
    before: str
    """The summary so far."""
    older: tuple[Turn, ...]
    """All that was said up to there, or the last part of it, oldest first."""
    new: int
    """How many of these, at the end, are not in the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """n turns as recall computes with them, oldest first: column by column, since it may be a
    million."""

    ids: Sequence[int] = ()
    at: Sequence[float] = ()
    """Unix seconds."""
    authors: Sequence[Author] = ()
    terms: Sequence[bytes] = ()
    vectors: Sequence[bytes | None] = ()
    embedders: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What there is in a conversation that was not read before."""

    forgotten: int
    """A count that changes when something in the conversation is changed or forgotten."""
    entries: Entries = Entries()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a fact comes from."""

    fact: Fact
    key: ConversationKey
    sources: tuple[Turn, ...]


class Rights(Protocol):
    """What people may ask of their memory. Every method is a part of a transaction, and is given
    its connection: what was asked for happens with the end of the event that asked, or not."""

    def facts(self, connection: Any, scope: Scope) -> Sequence[Fact]:
        """All that is known of the asker: in a direct conversation whatever they said anywhere on
        this platform, in a room only what was said in the scope."""
        ...

    def why(self, connection: Any, scope: Scope, number: int) -> Receipt | None: ...

    def forget_fact(self, connection: Any, scope: Scope, number: int) -> bool:
        """Forget a fact, and the messages it came from."""
        ...

    def forget_all(self, connection: Any, scope: Scope) -> int:
        """Forget the asker (`MemoryStore.forget_person`), and in a direct conversation on every
        platform that they linked with it."""
        ...

    def offer_link(self, connection: Any, scope: Scope, code: str, lasts: timedelta) -> None:
        """Let `code` (a hash of it) link another direct conversation with this one, for so long."""
        ...

    def link(self, connection: Any, scope: Scope, code: str) -> ConversationKey | None:
        """Make this direct conversation one place with the one in which the code was given, which
        is used up then; that conversation. None if the code is unknown or too old."""
        ...

    def unlink(self, connection: Any, key: ConversationKey) -> bool:
        """Make it a place of its own again; False if it was."""
        ...

    def set_incognito(self, connection: Any, key: ConversationKey, on: bool) -> None: ...

    def set_language(self, connection: Any, key: ConversationKey, language: str) -> None:
        """The language to answer in from now on; "": that of whoever speaks."""
        ...

    def begin_anew(self, connection: Any, key: ConversationKey) -> None:
        """What was said so far is no longer in the window; it is remembered all the same."""
        ...


class MemoryStore(Protocol):
    """The database as memory sees it. Every method is one transaction and raises StoreError.

    What takes a scope gives nothing from outside it: the database itself sees to that.
    """

    @property
    def rights(self) -> Rights: ...

    async def recent(self, scope: Scope, limit: int) -> Recent:
        """The last `limit` turns and what is known of the asker."""
        ...

    async def news(self, scope: Scope, newest: Mapping[int, int], limit: int) -> Mapping[int, News]:
        """The conversations of a scope by their number in the database, each with what recall
        knows of it after the turn that is the `newest` of it, where one is."""
        ...

    async def known_as(self, scope: Scope) -> frozenset[str]:
        """The asker's ids on the platforms that they linked; none where nothing is linked, or where
        others hear the answer."""
        ...

    async def entries(self, conversation: int, after: int, limit: int) -> Entries:
        """What recall knows of a conversation, from the turn after `after` on, oldest first."""
        ...

    async def tokens(self, scope: Scope, ids: Sequence[int]) -> Mapping[int, bytes]:
        """The word vectors of these turns, of those that have any."""
        ...

    async def ended(self, scope: Scope, ids: Sequence[int]) -> Sequence[tuple[int, int, str]]:
        """Of these turns the pairs of which the second ended a fact that the first told, with that
        fact. In a room only facts about the asker."""
        ...

    async def passages(
        self, scope: Scope, ids: Sequence[int], around: int
    ) -> Mapping[int, Sequence[Turn]]:
        """Each of these turns of the scope with `around` neighbours on each side, oldest first."""
        ...

    async def lessons(self, limit: int, without: Collection[int] = ()) -> Sequence[Lesson]:
        """Turns that recall does not know yet, oldest first, `without` those of these ids."""
        ...

    async def learn(self, learned: Sequence[Learned]) -> None:
        """Store what was made of lessons. A turn that was changed or forgotten meanwhile is left
        out; a fact ends the older one with the same attribute, and is not told twice."""
        ...

    async def overflow(self, conversation: int, window: int, step: int) -> Overflow | None:
        """What there is to sum up of the turns before the last `window`, if `step` or more."""
        ...

    async def sum_up(self, overflow: Overflow, summary: str) -> None:
        """Store a summary, unless something in the conversation was forgotten meanwhile."""
        ...

    async def forget_person(self, platform: str, account: str, person: str) -> int:
        """Forget a person on a platform: every message of theirs with our answers to it, and all
        that was made of them. The number of messages."""
        ...

    async def scrub(self) -> None:
        """See to it that what was forgotten can't be read in the database's files any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A turn as an embedder reads it: what was said before and after explains it."""

    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A text as an embedder sees it."""

    vector: NDArray[np.float32]
    """(d,), of unit length."""
    tokens: NDArray[np.float32]
    """(t, w), each of unit length: of the tokens that say anything."""
    words: tuple[str, ...] = ()
    """(t,), the word that each of them is a part of."""


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def id(self) -> str:
        """Names the model and how its vectors are made: others can't be compared with them."""
        ...

    @property
    def for_documents(self) -> "Embedder":
        """The same model for what is written and not said, which may want other vectors."""
        ...

    async def embed(self, passages: Sequence[Passage]) -> Sequence[Embedded | None]:
        """What was said; None where it is in a language that the model doesn't know. Raises
        ConfigError, or EngineUnavailable where that is impossible now."""
        ...

    async def query(self, text: str) -> Embedded | None:
        """What is asked. Likewise."""
        ...
