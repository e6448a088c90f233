"""Who the bot is. Knows nothing but the standard library."""

from dataclasses import dataclass, field

from hobnob.events import Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sample exchange that shows the voice."""

    user: str
    assistant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A character: the stable text that comes first in every prompt."""

    name: str
    text: str
    """The system text."""
    style: str = ""
    """How it writes; appended to the system text."""
    greeting: str = ""
    """Said when somebody opens a conversation without a question (/start)."""
    examples: tuple[Example, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
