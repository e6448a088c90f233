"""A rule as values, and the wall times that it means (RFC 5545, section 3.3.10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count, groupby

HORIZON_YEARS = 10
"""A rule that is not due for so long is over."""
DAY = timedelta(days=1)
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 - wall time, and a Monday
UNITS = {"HOURLY": 60, "MINUTELY": 1}

Numbers = frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a rule says. An empty set says nothing of its kind."""

    freq: str
    interval: int = 1
    start: datetime = EPOCH
    until: datetime | None = None
    count: int = 0
    week_start: int = 0
    months: Numbers = frozenset()
    month_days: Numbers = frozenset()
    year_days: Numbers = frozenset()
    weeks: Numbers = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    """Which one of the month or year (0: each; from the end below 0), and Monday as 0."""
    either: bool = False
    """A day of the month or a day of the week is enough."""
    hours: Numbers = frozenset()
    minutes: Numbers = frozenset()
    positions: Numbers = frozenset()


def walls(rule: Rule, begin: datetime) -> Iterator[datetime]:
    """The wall times in order, from the day of `begin` on, for ten years; those of a rule with
    COUNT from its start."""
    begin = max(rule.start, begin)
    over = begin.date() + 366 * HORIZON_YEARS * DAY
    first = (rule.start if rule.count else begin).date()
    while rule.positions and _period(rule, first - DAY) == _period(rule, first):
        first -= DAY
    days = (first + n * DAY for n in count())
    origin = _period(rule, rule.start.date())
    last = _period(rule, over)
    left = rule.count or -1
    for period, group in groupby(days, lambda day: _period(rule, day)):
        if period > last:
            return
        if rule.freq not in UNITS and (period - origin) % rule.interval:
            continue
        found = (wall for day in group if _fits(rule, day) for wall in _times(rule, day))
        for wall in _picked(found, rule.positions) if rule.positions else found:
            if wall < rule.start:
                continue
            if left == 0 or (rule.until and wall > rule.until):
                return
            left -= 1
            yield wall


def _picked(found: Iterator[datetime], positions: Numbers) -> list[datetime]:
    """The first, the second, the last of a period."""
    every = list(found)
    places = {n - 1 if n > 0 else len(every) + n for n in positions}
    return [every[place] for place in sorted(places) if 0 <= place < len(every)]


def _period(rule: Rule, day: date) -> int:
    """The number of the year, month, week or day that INTERVAL counts."""
    match rule.freq:
        case "YEARLY":
            return day.year
        case "MONTHLY":
            return day.year * 12 + day.month
        case "WEEKLY":
            return (day.toordinal() - 1 - rule.week_start) // 7  # 1 January of year 1 was a Monday
        case _:
            return day.toordinal()


def _fits(rule: Rule, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    of_month = not rule.month_days or not rule.month_days.isdisjoint(_places(day, "month"))
    of_week = not rule.weekdays or _weekday_fits(rule, day)
    if not (of_month or of_week if rule.either else of_month and of_week):
        return False
    if rule.weeks and day.isocalendar().week not in rule.weeks:
        return False
    return not rule.year_days or not rule.year_days.isdisjoint(_places(day, "year"))


def _places(day: date, of: str) -> tuple[int, int]:
    """Which day of the month or year it is, from its beginning and, below 0, from its end."""
    if of == "month":
        begin = day.replace(day=1)
        end = (begin + 31 * DAY).replace(day=1)
    else:
        begin, end = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return (day - begin).days + 1, (day - end).days


def _weekday_fits(rule: Rule, day: date) -> bool:
    weekday = day.weekday()
    if (0, weekday) in rule.weekdays:
        return True
    in_year = rule.freq == "YEARLY" and not rule.months
    from_begin, from_end = _places(day, "year" if in_year else "month")
    which = ((from_begin - 1) // 7 + 1, -((-from_end - 1) // 7 + 1))
    return any((nth, weekday) in rule.weekdays for nth in which)


def _times(rule: Rule, day: date) -> Iterator[datetime]:
    midnight = datetime.combine(day, time(second=rule.start.second))
    unit = UNITS.get(rule.freq)
    if unit is None:
        for hour in sorted(rule.hours):
            for minute in sorted(rule.minutes):
                yield midnight + timedelta(hours=hour, minutes=minute)
        return
    start = rule.start.replace(minute=0) if unit == 60 else rule.start
    step = unit * rule.interval
    first = (start - midnight) // timedelta(minutes=1)
    for hour in sorted(rule.hours):
        begin = hour * 60
        for at in range(begin + (first - begin) % step, begin + 60, step):
            for wanted in sorted(rule.minutes) if unit == 60 else {at - begin} & rule.minutes:
                yield midnight + timedelta(hours=hour, minutes=wanted)
