"""The seam between the engine, which serves people, and what runs a model's steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hobnob.events import Sampling

if TYPE_CHECKING:
    from hobnob.engine.grammar import Grammar


@dataclass(eq=False, slots=True, kw_only=True)
class Request:
    """An answer to be written. `prompt` and `most` new tokens fit the model's context."""

    prompt: tuple[int, ...]
    sampling: Sampling
    most: int
    written: list[int] = field(default_factory=list)
    """The answer so far. A writer that gets a request with some of it written goes on there."""
    reused: int = 0
    """Tokens of the prompt that had not to be computed: set when it begins."""
    grammar: "Grammar | None" = None
    """What may be written, for a writer that follows schemas by itself."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """All that the model has read or written of it."""
        return (*self.prompt, *self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one step wrote of one answer."""

    request: Request
    tokens: tuple[int, ...]
    """Shown ones: without the token that ends an answer."""
    ended: bool = False


class Writer(Protocol):
    """A loaded model that writes many answers at once. All of it is called in one thread.

    Requests join and leave between any two steps. Each gets its own sampling, and what one gets
    depends on no other: a greedy answer is the one that the model gives when it is asked alone.
    """

    @property
    def what(self) -> str:
        """For the owner: library, device and type, as in "torch on cpu in bfloat16"."""
        ...

    def add(self, request: Request) -> None:
        """Queue a request; it begins at a next step, first come first served, as soon as there is
        memory for it. Raises EngineError where there never will be, and for a schema that can't
        be followed."""
        ...

    def drop(self, request: Request) -> None:
        """Stop a request, wherever it is, and free its place. Fine if it has ended."""
        ...

    def step(self) -> Sequence[Written]:
        """Do the next piece of work for all requests, and append to each what it wrote.

        Takes a bounded time, so that dropping takes effect soon. Empty where nothing was written
        yet (a long prompt). If it raises, `reset` is called before anything else.
        """
        ...

    def reset(self) -> None:
        """Forget all requests, and all that is kept for reuse."""
        ...
