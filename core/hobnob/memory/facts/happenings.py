"""Values of what happens: something with its date, and how somebody feels. Pure; see `values`."""

import re
from datetime import datetime, timedelta

from hobnob.memory.facts import dates, words
from hobnob.memory.facts.reading import Clause
from hobnob.memory.facts.values import Reading, ends, phrase, place, upto

_NOW = re.compile(
    r" (?:today|tonight|lately|these days|this (?:week|morning|evening)|about my)\b", re.IGNORECASE
)
_DANGLING = re.compile(
    r"\b(?:for|of|by|until|till|from|before|after|to|since|than)$", re.IGNORECASE
)
"""Before a date: it is not the day of what was said."""
_GOOD_TIME = re.compile(
    r"(?:an?|some|such|so) (?:\w+ )*(?:time|blast|fun|days?|moment|feeling|experience|game)\b"
    r"|(?:\w+ )?news\b",
    re.I,
)
_REACTIONS = words.word_set(
    # What people say to be kind, or of the moment: a state only with a time.
    """confused excited grateful happy hopeful hurt lost proud relieved thrilled"""
)


def moved(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A place to stay at, and since when."""
    found = place(rest, clause, at)
    if found is None or re.search(r"\b(?:when|for (?:an?|two|three|\d+)|then|back)\b", found.tail):
        return None
    when = dates.find(found.tail, at, past=True)
    return Reading(values=found.values, tail=found.tail, when=when.words if when else "")


def dated(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said what; how and when may follow."""
    when = dates.find(upto(rest), at, past=True)
    if when is None:
        return Reading() if ends(rest) else None
    return Reading(when=when.words)


def since(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said what; only a date may follow."""
    when = dates.find(rest, at, past=True)
    return dated(rest, clause, at) if ends(rest) or (when and when.start < 2) else None


def date(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A date, at once."""
    when = dates.find(rest, at)
    if when is None or rest[: when.start].strip():
        return None
    value = when.words.removeprefix("on ").removeprefix("in ")
    return Reading(values=(value,), when=when.words, until=_over(when, at))


def planned(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A few words, and a day to come: "to Rome on Friday"."""
    body = upto(rest)
    when = dates.find(body, at)
    if when is None or when.last < at.date() or not _ends_or_goes_on(body[when.end :]):
        return None
    before = body[: when.start].strip(" ,")
    value = phrase(before, most=7)
    if value is None or "," in before or _DANGLING.search(value):
        return None
    return Reading(values=(value,), when=when.words, until=_over(when, at))


def plan(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A few words, with or without a day to come."""
    if found := planned(rest, clause, at):
        return found
    value = phrase(rest, most=7)
    return Reading(values=(value,)) if value and len(value.split()) > 1 else None


def happened(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """What came of it, in a few words, and when, if that is said."""
    body = upto(rest).split(",")[0]
    when = dates.find(body, at, past=True)
    before = (body[: when.start] if when else body).strip(" .!")
    value = phrase(before, most=7) if before else ""
    if value is None or (when and (when.first > at.date() or _DANGLING.search(value))):
        return None
    if when is None:
        return Reading(values=(value,))
    return Reading(values=(value,), when=when.words, day=when.first.isoformat())


def did(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """As `happened`, but it must be said what."""
    found = happened(rest, clause, at)
    return found if found and found.values[0] else None


def job_over(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Which job, and when, if that is said: "at the bank last week"."""
    found = happened(rest, clause, at)
    which = found is None or re.match(r"(?:(?:at|as|from|with|by)\b|$)", found.values[0])
    return found if which else None


def took_place(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """As `did`, but it must be said when as well, and be more than a good time."""
    found = did(rest, clause, at)
    return found if found and found.when and not _GOOD_TIME.match(found.values[0]) else None


def _ends_or_goes_on(tail: str) -> bool:
    return ends(tail) or bool(re.match(r" (?:to|with|for|at|in|from)\b", tail))


def feeling(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A feeling, and nothing behind it but when or why: "happy for you" is about somebody else."""
    match = re.match(r"[a-z]+(?:[- ]out)?", rest, re.IGNORECASE)
    if match is None or "-".join(match[0].casefold().split()) not in words.FEELINGS:
        return None
    value, tail = match[0].lower(), rest[match.end() :]
    fleeting = value in _REACTIONS or tail.startswith(" too") or not ends(tail)
    return None if fleeting and not _NOW.match(tail) else Reading(values=(value,), tail=tail)


def _over(when: dates.When, at: datetime) -> datetime:
    """The end of its last day."""
    day = datetime.combine(when.last + timedelta(days=1), datetime.min.time())
    return day.replace(tzinfo=at.tzinfo)
