"""Dates as people write them in English, resolved against the day on which they were written.

Pure. The day is the one of the `at` that is handed in, in its own time zone: somebody who writes
"tomorrow" shortly after midnight far from that zone may be a day off.
"""

import re
from calendar import monthrange
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hobnob import daynames
from hobnob.daynames import WEEKDAYS

MONTHS = {
    form: number
    for number, name in enumerate(daynames.MONTHS, start=1)
    for form in (name.lower(), name[:3].lower())
} | {"sept": 9}
_DAYS = {
    form: number
    for number, name in enumerate(WEEKDAYS)
    for form in (name.lower(), name[:3].lower())
} | {"tues": 1, "thur": 3, "thurs": 3}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
LEAP_YEARS = 8
"""The most between two of them, as from 1896 to 1904."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True)).replace(" ", r"\s")


_WEEKDAY = _any(_DAYS)
_MONTH = _any(MONTHS)
_WHEN = re.compile(
    rf"""(?<!\w)(?:(?:about|around|almost|nearly|over|exactly|early|late|back)\s)?
    (?:(?:on|in|at|since)\s(?:early\s|late\s|mid-?)?)?(?:
      (?P<near>today|tonight|this\s(?:morning|afternoon|evening)|tomorrow|yesterday|last\snight
        |the\sday\safter\stomorrow|the\sday\sbefore\syesterday)
        (?:\s(?:morning|afternoon|evening|night))?
    | (?P<iso>(?:19|20)\d\d-\d\d-\d\d)
    | (?:(?:{_WEEKDAY}),?\s)?(?:the\s)?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s(?:of\s)?
        (?P<month>{_MONTH})\.?(?:,?\s(?P<year>(?:19|20)\d\d))?
    | (?:(?:{_WEEKDAY}),?\s)?(?P<month2>{_MONTH})\.?\s(?:the\s)?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?
        (?!\d|:)(?:,?\s(?P<year2>(?:19|20)\d\d))?
    | (?P<which>this\scoming|this|next|last|coming)?\s?(?P<weekday>{_WEEKDAY})
        (?:\s(?:morning|afternoon|evening|night))?
    | (?P<span>this|next|last)\s(?P<unit>week(?:end)?|month|year|{_any(_SEASONS)}|{_MONTH})
    | (?P<count>\d{{1,3}}|{_any(_NUMBERS)})\s(?P<units>day|week|month|year)s?(?P<ago>\sago)?
    | (?P<inmonth>{_MONTH})(?:\s(?P<inmonthyear>(?:19|20)\d\d))?
    | (?P<inyear>(?:19|20)\d\d)
    )(?!\w)
    (?:,?\sat\s(?P<clock>noon|midnight|\d{{1,2}}(?:[:.]\d\d)?(?:\s?(?:[ap]\.?m\b\.?|o'clock))?))?
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A day or a stretch of days that a text names."""

    first: date
    last: date
    words: str
    """In a sentence: "on Friday 27 November 2026", "in the week of 30 November 2026"."""
    start: int
    """Where in the text it is written; `end` is behind it."""
    end: int


def find(text: str, at: datetime, *, past: bool = False) -> When | None:
    """The first date in `text`; None if there is none that can be resolved.

    `past` says which way "on Friday" and "in May" look.
    """
    for match in _WHEN.finditer(text):
        if found := _resolve(match, at.date(), past):
            first, last, words = found
            if clock := match["clock"]:
                words = f"{words} at {clock}"
            return When(first=first, last=last, words=words, start=match.start(), end=match.end())
    return None


def in_words(day: date) -> str:
    """ "Friday 27 November 2026"."""
    return f"{WEEKDAYS[day.weekday()]} {_day_month(day)} {day.year}"


def month_of(at: datetime) -> str:
    """ "November 2026"."""
    return f"{daynames.MONTHS[at.month - 1]} {at.year}"


def _day_month(day: date) -> str:
    return f"{day.day} {daynames.MONTHS[day.month - 1]}"


def birthday(text: str, at: datetime) -> str:
    """The day of the year that `text` begins with: "3 May", "3 May 1990" where the year is given
    and lies behind; "" if there is none."""
    when = find(text, at)
    if when is None or text[: when.start].strip() or when.first != when.last:
        return ""
    year = str(when.first.year)
    born = f" {year}" if year in text[: when.end] and when.first < at.date() else ""
    return f"{_day_month(when.first)}{born}"


def _resolve(match: re.Match[str], today: date, past: bool) -> tuple[date, date, str] | None:
    """First day, last day and words; None for what only looks like a date."""
    got = {name: part.lower() for name, part in match.groupdict().items() if part}
    preposition = (
        "in"
        if re.match(r"(?:\w+ )?(?:in|since)\s", match[0], re.I)
        else match[0].split()[0].lower()
    )
    try:
        if near := got.get("near"):
            return _one(today + timedelta(days=_offset(near)))
        if iso := got.get("iso"):
            return _one(date.fromisoformat(iso))
        if day := got.get("day") or got.get("day2"):
            month = MONTHS[got.get("month") or got["month2"]]
            year = got.get("year") or got.get("year2")
            if year:
                return _one(date(int(year), month, int(day)))
            return _one(_nearest(today, month, int(day), past))
        if weekday := got.get("weekday"):
            if len(weekday) < 6 and not (got.get("which") or preposition == "on"):
                return None  # "sat" and "sun" are words too
            return _one(_weekday(today, _DAYS[weekday], got.get("which", ""), past))
        if unit := got.get("unit"):
            return _span(today, got["span"], unit)
        if units := got.get("units"):
            if ("ago" in got) == (preposition == "in"):
                return None  # "for two weeks" is no date
            count = got["count"]
            number = int(count) if count.isdigit() else _NUMBERS[count]
            return _counted(today, -number if "ago" in got else number, units)
        if preposition != "in":
            return None  # "may" and "march" are verbs, and 2019 is a number
        if name := got.get("inmonth"):
            month = MONTHS[name]
            year = got.get("inmonthyear")
            number = int(year) if year else _nearest(today, month, 28, past).year
            return _month(number, month)
        return _year(int(got["inyear"]))
    except (ValueError, OverflowError):
        return None  # 31 February


def _offset(near: str) -> int:
    if near in ("yesterday", "last night"):
        return -1
    return {"tomorrow": 1, "the day after tomorrow": 2, "the day before yesterday": -2}.get(near, 0)


def _nearest(today: date, month: int, day: int, past: bool) -> date:
    """The next such day, or the last one: of 29 February, years away. Raises ValueError where
    there never is one."""
    for years in range(LEAP_YEARS + 1):
        with suppress(ValueError):
            found = date(today.year + (-years if past else years), month, day)
            if found == today or (found < today) == past:
                return found
    raise ValueError


def _weekday(today: date, weekday: int, which: str, past: bool) -> date:
    """ "next Friday" is the one of the next week (weeks begin on Monday), "last Friday" the latest
    that is over."""
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + weekday)
    if which == "last" or (past and not which):
        return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _span(today: date, which: str, unit: str) -> tuple[date, date, str]:
    step = {"last": -1, "this": 0, "next": 1}[which]
    if unit in ("week", "weekend"):
        monday = today + timedelta(days=7 * step - today.weekday())
        if unit == "week":
            return _week(monday)
        saturday = monday + timedelta(days=5)
        words = f"on the weekend of {_day_month(saturday)} {saturday.year}"
        return saturday, saturday + timedelta(days=1), words
    if unit == "month":
        return _month_from(today, step)
    if unit == "year":
        return _year(today.year + step)
    month = MONTHS.get(unit) or _SEASONS[unit]
    begins = [date(today.year + n, month, 1) for n in range(-2, 3)]
    spans = [(begin, begin + timedelta(days=27 if unit in MONTHS else 90)) for begin in begins]
    if step < 0:
        first, last = [span for span in spans if span[1] < today][-1]
    else:
        first, last = next(span for span in spans if span[step == 0] > today)
    if unit in MONTHS:
        return _month(first.year, month)
    return first, last, f"in {unit} {first.year}"


def _counted(today: date, number: int, unit: str) -> tuple[date, date, str]:
    if unit == "day":
        return _one(today + timedelta(days=number))
    if unit == "week":
        day = today + timedelta(days=7 * number)
        return _week(day - timedelta(days=day.weekday()))
    return _month_from(today, number) if unit == "month" else _year(today.year + number)


def _one(day: date) -> tuple[date, date, str]:
    return day, day, f"on {in_words(day)}"


def _week(monday: date) -> tuple[date, date, str]:
    words = f"in the week of {_day_month(monday)} {monday.year}"
    return monday, monday + timedelta(days=6), words


def _month_from(today: date, step: int) -> tuple[date, date, str]:
    years, month = divmod(today.month - 1 + step, 12)
    return _month(today.year + years, month + 1)


def _month(year: int, month: int) -> tuple[date, date, str]:
    first = date(year, month, 1)
    return (
        first,
        date(year, month, monthrange(year, month)[1]),
        f"in {daynames.MONTHS[month - 1]} {year}",
    )


def _year(year: int) -> tuple[date, date, str]:
    return date(year, 1, 1), date(year, 12, 31), f"in {year}"
