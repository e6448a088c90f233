"""What somebody had before them on a certain day, to be asked about when it is over. Pure.

From what they said of themselves (`hobnob.memory.facts`, and English as these are), where it names
one day: "You have a job interview on Friday 27 November 2026" becomes "You had a job interview
yesterday". Whoever spoke of it since then, or of something that it was put off, is not asked.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from hobnob.memory.facts.dates import MONTHS
from hobnob.memory.words import fold, terms

LATEST = timedelta(days=3)
"""After its day; then it is no news any more."""
SUREST = 0.7
"""What is less sure, as what a model found, is not asked about."""
_ON = re.compile(
    r"^(?P<what>.+) on (?P<weekday>[A-Z][a-z]+day) (?P<day>\d{1,2}) (?P<month>[A-Z][a-z]+)"
    r" (?P<year>\d{4})(?: at .+)?$"
)
_PAST = (
    (re.compile(r"^(Your .+) (?:is|are)$"), r"\1 was"),
    (re.compile(r"^You have "), "You had "),
    (re.compile(r"^You are "), "You were "),
    (re.compile(r"^You will "), "You wanted to "),
    (re.compile(r"^You plan "), "You planned "),
    (re.compile(r"^You (?=(?:start|leave|fly|move|graduate|travel|go) )"), "You wanted to "),
)
_GRAVE = re.compile(
    r"\b(?:funeral|wake|burial|memorial|cremation|divorce|abortion|miscarriage|hospice|chemo\w*"
    r"|biopsy|sentencing|put (?:\w+ )?(?:down|to sleep))\b",
    re.IGNORECASE,
)
"""Nobody wants to be asked cheerfully how that went."""
_OFF = re.compile(
    r"\b(?:cancel\w*|postpon\w*|resched\w*|put off|call\w* (?:it |that )?off|moved|instead"
    r"|not going|won't|no longer|fell through|didn't happen)\b",
    re.IGNORECASE,
)


def day_of(text: str) -> date | None:
    """The one day that the sentence of a fact names; None if it names none, or what is not to be
    asked about."""
    found = _ON.match(text)
    if found is None or _GRAVE.search(text) or _past(found["what"]) is None:
        return None
    month = MONTHS.get(found["month"].lower())
    return date(int(found["year"]), month, int(found["day"])) if month else None


def is_news(day: date, today: date) -> bool:
    """Whether somebody may be asked today how it went on that day."""
    return day < today <= day + LATEST


def in_the_past(text: str, today: date) -> str:
    """The sentence of such a fact as it is said afterwards."""
    found = _ON.match(text)
    if found is None:
        return text
    day = day_of(text)
    when = "yesterday" if day == today - timedelta(days=1) else f"on {found['weekday']}"
    return f"{_past(found['what'])} {when}"


def is_settled(
    text: str, value: str, day: date, said: Sequence[tuple[str, datetime]], zone: tzinfo
) -> bool:
    """Whether what they `said` since tells of it already, or that it was put off: any word of it
    is enough."""
    about = set(terms(fold(f"{text.partition(' on ')[0]} {value}"))) - set(terms("you have are"))
    for words, at in said:
        later = at.astimezone(zone).date() >= day
        if (later or _OFF.search(words)) and about & set(terms(fold(words))):
            return True
    return False


def _past(what: str) -> str | None:
    for pattern, then in _PAST:
        if pattern.search(what):
            return pattern.sub(then, what)
    return None
