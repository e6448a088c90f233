"""How the desk does, in numbers: for a table and for a picture. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from hobnob.text import one_line

RATINGS = (5, 4, 3, 2, 1)
BUCKETS = (
    ("under a minute", timedelta(minutes=1)),
    ("1 to 5 minutes", timedelta(minutes=5)),
    ("5 to 15 minutes", timedelta(minutes=15)),
    ("15 to 60 minutes", timedelta(hours=1)),
    ("1 to 4 hours", timedelta(hours=4)),
    ("4 to 24 hours", timedelta(days=1)),
    ("more than a day", timedelta.max),
)
"""How long somebody waited, up to and without this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What was counted between two moments."""

    since: datetime
    until: datetime
    conversations: int = 0
    alone: int = 0
    """Of these, how many were answered, and nobody was called or came."""
    waits: Sequence[timedelta] = ()
    """How long each who called a person waited for the first word of one, in any order."""
    ratings: Mapping[int, int] = field(default_factory=dict)
    """How many gave each of 1 to 5."""
    asked: Sequence[Question] = ()
    """What was asked most, most first."""
    unanswered: Sequence[Question] = ()
    """What had no answer, most first."""

    @property
    def rated(self) -> int:
        return sum(self.ratings.values())

    @property
    def satisfaction(self) -> float | None:
        """The mean of the ratings; None if there are none."""
        total = sum(rating * times for rating, times in self.ratings.items())
        return total / self.rated if self.rated else None

    def waited(self, share: float) -> timedelta | None:
        """So long at most waited this share of all (0.5: the median); None if nobody did."""
        ordered = sorted(self.waits)
        return ordered[ceil(share * len(ordered)) - 1] if ordered else None

    def buckets(self) -> Sequence[tuple[str, int]]:
        """How many waited how long."""
        counts = dict.fromkeys((name for name, _ in BUCKETS), 0)
        for wait in self.waits:
            counts[next(name for name, limit in BUCKETS if wait < limit)] += 1
        return list(counts.items())


def rows(numbers: Numbers) -> list[dict[str, Any]]:
    """As `hobnob.terminal.show` takes them."""
    waits = len(numbers.waits)
    satisfied = numbers.satisfaction
    lines: list[tuple[str, object, str]] = [
        ("conversations", numbers.conversations, ""),
        ("solved without a person", numbers.alone, percent(numbers.alone, numbers.conversations)),
        ("first word of a person, half within", duration(numbers.waited(0.5)), f"of {waits}"),
        ("first word of a person, 9 of 10 within", duration(numbers.waited(0.9)), f"of {waits}"),
        ("satisfaction", "" if satisfied is None else f"{satisfied:.1f}", f"of {numbers.rated}"),
    ]
    for rating in RATINGS:
        times = numbers.ratings.get(rating, 0)
        lines.append((f"rated {rating}", times, percent(times, numbers.rated)))
    lines += [("asked", each.times, one_line(each.text)) for each in numbers.asked]
    lines += [("not answered", each.times, one_line(each.text)) for each in numbers.unanswered]
    return [{"what": what, "number": number, "more": more} for what, number, more in lines]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


def duration(time: timedelta | None) -> str:
    """Two of its units at most: "42 s", "6 min", "3 h 20 min", "2 d 4 h"."""
    if time is None:
        return ""
    seconds = round(time.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
