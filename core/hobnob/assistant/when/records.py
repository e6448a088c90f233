"""What a reading of a time comes to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Doubt(StrEnum):
    """Why somebody has to be asked."""

    WHEN = "when"  # no time was said
    WHICH = "which"  # it may mean each of these
    PAST = "past"
    UNCLEAR = "unclear"  # more was said than was understood


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    due: datetime
    """On the clock of whoever asked."""
    rule: str = ""
    """When again, as `hobnob.recurrence` reads it; "": never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    language: str
    task: str
    """What is to be done, in their words."""
    whens: tuple[When, ...] = ()
    """One, where there is no doubt; else what it may mean."""
    doubt: Doubt | None = None
    dayless: bool = False
    """The day was not said: it is the next on which the hour comes."""
    assumed: bool = False
    """The hour was not said."""
    other: When | None = None
    """What it may mean besides, though few people would mean it."""
