"""Which of the waiting events make the next turn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hobnob.events import Kind
from hobnob.ports import Waiting

MOST_BURSTS = 4
"""Somebody who never stops typing is answered after this many burst windows all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to do next in a conversation."""

    rows: tuple[Waiting, ...] = ()
    """One author's messages that are answered together, oldest first."""
    wait: float = 0.0
    """Seconds until the burst can be taken to be over; 0: now."""


def next_batch(waiting: Sequence[Waiting], burst_seconds: float, now: datetime) -> Batch:
    """The oldest message and those that belong to the same burst.

    A burst is one author's messages without another's between, each at most `burst_seconds` after
    the one before by the platform's clock (so that what was missed while away is merged just as it
    would have been live). `waiting` holds no edits or deletions any more.
    """
    if not waiting:
        return Batch()
    first = waiting[0]
    if burst_seconds <= 0 or first.attempts or first.event.kind is not Kind.MESSAGE:
        # What crashed before is tried alone, so that one message cannot take others down with it.
        return Batch(rows=(first,))

    gap = timedelta(seconds=burst_seconds)
    rows = [first]
    for row in waiting[1:]:
        before = rows[-1].event
        same = row.event.author.id == before.author.id and row.event.kind is Kind.MESSAGE
        if not same or row.event.at - before.at > gap:
            return Batch(rows=tuple(rows))
        rows.append(row)

    quiet = rows[-1].received + gap
    latest = first.received + MOST_BURSTS * gap
    return Batch(rows=tuple(rows), wait=max(0.0, (min(quiet, latest) - now).total_seconds()))
