"""What hobnob asks of a model, and of memory. Contracts only."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from hobnob.events import (
    ChatMessage,
    Event,
    Memory,
    Recalled,
    Sampling,
    Tool,
    ToolCall,
    Turn,
)


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
    calls_tools: bool = False
    """The model on the server can call tools."""
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
    def calls_tools(self) -> bool:
        """The model knows what to do with tools. May change, as `sees` may."""
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
        one. Tools are not in it (`hobnob.calling` sees to them)."""
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

    def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Like `stream`, and the model may have any of `tools` done: the calls come last, each
        whole, and no part of one is ever text. They are what the model wrote: it may call what
        there is not, with what is no JSON. Whoever asks adds the answer's message with its calls
        and a message for each result, and asks again.

        Where `calls_tools` is False it is `stream`.
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

    def command(self, event: Event) -> Callable[[Any], str]:
        """What does what somebody asks of their memory (/memory, /forget, /incognito), and says
        what to answer: a part of the transaction that ends `event`, given its connection. It may
        run more than once, where what it wrote before was undone."""
        ...

    async def done(self, event: Event) -> None:
        """That transaction is over: nothing of what was forgotten stays in memory, nor in the
        database's files. May be called again. Raises StoreError."""
        ...

    def said(self, turns: Sequence[Turn], event: Event, *, incognito: bool) -> None:
        """`event` was answered, and these turns were stored, unless they are incognito. Returns at
        once."""
        ...
