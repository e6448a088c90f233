"""The times that a question speaks of: "in March", "on 3 May 2026", "yesterday", "last week"."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hobnob.daynames import MONTHS

_MONTHS = tuple(name.lower() for name in MONTHS)
_MONTH = "sept|" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS)
_DAY = r"(?P<day{n}>[0-3]?\d)(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\b(?:{_DAY.format(n=1)}(?: of)? )?(?P<month>{_MONTH})\b\.?(?: {_DAY.format(n=2)}\b(?!:))?"
    r"(?:,? (?P<year>(?:19|20)\d\d))?|\b(?P<only>(?:19|20)\d\d)\b"
    r"|(?:(?P<cyear>(?:19|20)\d\d)年)?(?P<cmonth>1[0-2]|[1-9])月(?:(?P<cday>[1-3]?\d)[日号])?"
)
_IN_MAY = re.compile(r"\b(?:in|since|during|until|by|last|of|early|late|mid) may\b")
_RELATIVE = {
    "today": (0, 1),
    "yesterday": (1, 1),
    "last week": (14, 14),
    "this week": (7, 8),
    "last month": (62, 62),
    "last year": (730, 730),
    "昨天": (1, 1),
    "今天": (0, 1),
    "上周": (14, 14),
    "上个月": (62, 62),
    "去年": (730, 730),
}
"""Days back at which it begins, and how many it may last."""
LONGEST_QUESTION = 2000
"""Characters in which a time is looked for."""
A_DAY, LONGER = 1.0, 0.5
"""How much it says: on a day not much else was said."""


def spans(text: str, now: datetime, first: datetime) -> Iterator[tuple[float, float, float]]:
    """Begin, end (Unix seconds) and weight of each time that `text`, said `now`, speaks of, since
    `first`. A month without a year is that of every year."""
    folded = text[:LONGEST_QUESTION].casefold()
    for words, (back, days) in _RELATIVE.items():
        if words in folded:
            start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            start -= timedelta(days=back)
            end = start + timedelta(days=days)
            yield start.timestamp(), end.timestamp(), A_DAY if days == 1 else LONGER
    for match in _DATE.finditer(folded):
        part = match.groupdict()
        dated = part["day1"] or part["day2"] or part["year"]
        if part["month"] == "may" and not dated and not _IN_MAY.search(folded):
            continue  # the verb
        month = part["cmonth"] or (part["month"] and _number(part["month"]))
        day = int(part["day1"] or part["day2"] or part["cday"] or 0)
        year = part["year"] or part["only"] or part["cyear"]
        years = [int(year)] if year else range(first.year, now.year + 1)
        for each in years:
            span = _span(each, int(month or 0), day)
            if span:
                yield span[0].timestamp(), span[1].timestamp(), A_DAY if day else LONGER
                if day:  # people are a day or two off, and remember the month
                    whole = _span(each, int(month or 0), 0)
                    assert whole is not None  # noqa: S101 - the month of a day
                    yield whole[0].timestamp(), whole[1].timestamp(), LONGER


def _number(month: str) -> int:
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(month[:3]))


def _span(year: int, month: int, day: int) -> tuple[datetime, datetime] | None:
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day:
            return start, start + timedelta(days=1)
        if month:
            return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return start, datetime(year + 1, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):  # no such day
        return None
