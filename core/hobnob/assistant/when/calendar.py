"""From the words for a day and an hour to days and hours. Every reading that the words allow is
given: who asks decides. Pure."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hobnob.assistant.when.grammar import Language

DAY = 24 * 60
MORNING = 9 * 60
"""When a day begins for who named no hour, in minutes."""
PARTS = {
    "morning": MORNING,
    "forenoon": 10 * 60,
    "noon": 12 * 60,
    "afternoon": 15 * 60,
    "evening": 19 * 60,
    "night": 21 * 60,
    "midnight": DAY,
}
"""When a part of the day is meant to be, if no hour is named."""
HOURS_OF = {
    "dawn": range(7),
    "morning": range(1, 12),
    "forenoon": range(6, 13),
    "noon": range(10, 15),
    "afternoon": range(12, 21),
    "evening": range(16, 25),
    "night": range(18, 25),
    "midnight": range(24, 25),
}
"""Which hours can be said to be in a part of the day."""
LATEST_YEAR = 2200


class Unclear(Exception):
    """The words say nothing that can be, or more than one thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The times of day that words can mean, in minutes from its beginning."""

    options: tuple[int, ...]
    likely: int | None = None
    """Of several, the one that people usually mean."""
    assumed: bool = False
    """No hour was said."""


def clock(found: Mapping[str, Any], language: Language) -> Clock:
    """What is said of the time of day."""
    part = found.get("part")
    hour = found.get("hour", found.get("hour2"))
    if hour is None:
        if part is None:
            return Clock(options=(MORNING,), assumed=True)
        if part not in PARTS:
            raise Unclear
        usual = language.hours.get(part)
        begins = PARTS[part] if usual is None else usual * 60
        return Clock(options=(begins,), assumed=part not in ("noon", "midnight"))
    past = found.get("min", 0) + found.get("add", 0) - found.get("sub", 0)
    whole = _whole(hour, found)
    if whole is not None:
        return Clock(options=(whole * 60 + past,))
    words = bool({"add", "sub"} & found.keys())  # "half past five", on whatever clock
    if language.hours_in_words == 24 and not words and ("min" in found or hour >= 7):
        return Clock(options=(hour * 60 + past,))
    early = (hour % 12 * 60 + past) % (DAY // 2)
    late = early + DAY // 2
    likely = None
    if language.hours_in_words == 12 or words:
        likely = late if early < 6 * 60 else early if early >= 9 * 60 else None
    return Clock(options=(early, late), likely=likely)


def _whole(hour: int, found: Mapping[str, Any]) -> int | None:
    """The hour from 0 to 24; None if it may be either half of the day."""
    if hour > 24:
        raise Unclear
    ampm, part = found.get("ampm"), found.get("part")
    if part and 1 <= hour <= 12 and not ampm:
        return _in_part(hour, part)
    if hour == 0 or hour > 12:
        if ampm == "am":
            raise Unclear
    elif ampm:
        hour = hour % 12 + (12 if ampm == "pm" else 0)
    elif "exact" not in found:
        return None
    if part and hour not in HOURS_OF[part]:
        raise Unclear  # "in the morning at 23:00"
    return hour


def _in_part(hour: int, part: str) -> int:
    """The hour from 1 to 12 that is in a part of the day."""
    for each in (hour % 12, hour % 12 + 12, 24):
        if each in HOURS_OF[part] and each % 12 == hour % 12:
            return each
    raise Unclear


def days(found: Mapping[str, Any], today: date, language: Language) -> Sequence[date]:
    """The days that one part can mean, the next first."""
    if "day" in found:
        return [today + timedelta(days=found["day"])]
    if "monthend" in found:
        year, month = _month(today, found["monthend"])
        return [date(year, month, calendar.monthrange(year, month)[1])]
    if "weekday" in found and not {"dd", "dd2", "a"} & found.keys():
        return _weekday(found, today)
    try:
        dates = sorted(set(_dates(found, today, language)))
    except (ValueError, OverflowError):
        raise Unclear from None  # no such day
    weekday = found.get("weekday")
    return [day for day in dates if weekday in (None, day.weekday())] or _impossible()


def _weekday(found: Mapping[str, Any], today: date) -> Sequence[date]:
    weekday = found["weekday"]
    monday = today - timedelta(days=today.weekday())
    if "weekof" in found:
        return [monday + timedelta(days=weekday, weeks=found["weekof"])]
    coming = today + timedelta(days=(weekday - today.weekday()) % 7)
    week = timedelta(days=7)
    match found.get("which"):
        case "this" if coming - monday >= week:
            raise Unclear  # the one that is over, or the one that comes?
        case "this":
            return [coming]
        case "coming":
            return [coming if coming > today else coming + week]
        case "week":
            return [coming + week]
        case "next":
            first = coming if coming > today else coming + week
            return sorted({first, monday + week + timedelta(days=weekday)})
    return [coming] if coming > today else [coming, coming + week]


def _dates(found: Mapping[str, Any], today: date, language: Language) -> Sequence[date]:
    year = found.get("year", found.get("yy"))
    year = year + 2000 if year is not None and year < 100 else year
    if "a" in found:
        a, b = found["a"], found["b"]
        orders = [(a, b)] if language.month_first else [(b, a)]
        if language.either_first:
            orders = [(m, d) for m, d in ((a, b), (b, a)) if 1 <= m <= 12 and 1 <= d <= 31]
        return [_in_year(month, day, year, today) for month, day in orders] or _impossible()
    day = found.get("dd", found.get("dd2"))
    if day is None:
        return _impossible()
    if "monthof" in found:
        return [date(*_month(today, found["monthof"]), day)]
    month = found.get("month", found.get("mm"))
    if month is not None:
        return [_in_year(month, day, year, today)]
    for ahead in range(3):
        year, month = _month(today, ahead)
        if (ahead or day >= today.day) and day <= calendar.monthrange(year, month)[1]:
            return [date(year, month, day)]
    return _impossible()


def _in_year(month: int, day: int, year: int | None, today: date) -> date:
    if year is not None:
        return date(year, month, day)
    for year in range(today.year, today.year + 9):  # 29 February
        if day <= calendar.monthrange(year, month)[1] and date(year, month, day) >= today:
            return date(year, month, day)
    raise Unclear


def _month(today: date, ahead: int) -> tuple[int, int]:
    months = today.year * 12 + today.month - 1 + ahead
    return months // 12, months % 12 + 1


def after_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = _month(day, months)
    if year > LATEST_YEAR:
        raise Unclear
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _impossible() -> Sequence[date]:
    raise Unclear
