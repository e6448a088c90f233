"""When something that comes again and again is due next. Pure: no clock, no database.

A rule speaks of wall time, what the clock on the wall shows, and is either of

- `RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9` (RFC 5545), with `DTSTART:20261201T090000` before it
  where it begins at a certain time; else it begins on Monday, 1 January 2024, at midnight;
- five fields of cron, `0 9 * * 1-5`, where 0 and 7 are Sunday, and a day of the month and a day of
  the week, both given, mean either (crontab(5)).

The wall times are counted without a zone and only then become moments (PEP 495). A wall time that
the clock jumps over in spring is moved on by the jump, 02:30 to 03:30; one that comes twice in
autumn counts the first time. APScheduler's own triggers skip the one or do the other twice, and
its cron counts weekdays from Monday.
"""

import heapq
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil

HORIZON_YEARS = 10
"""A rule that is not due for so long is over. It bounds the search of one that never matches."""
LONGEST = 1000
"""Characters of a rule."""
MOST_TIMES = 10_000
"""COUNT, and INTERVAL too is at most ten times as much."""
JUMP = timedelta(days=1)
"""More than any clock was ever set on (Samoa left out 30 December 2011)."""
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 - wall time, and a Monday

RRULE = re.compile(r"(?:DTSTART:(?P<start>\S+)\s+)?RRULE:(?P<parts>\S+)", re.I)
FREQUENCIES = {
    "YEARLY": dateutil.YEARLY,
    "MONTHLY": dateutil.MONTHLY,
    "WEEKLY": dateutil.WEEKLY,
    "DAILY": dateutil.DAILY,
    "HOURLY": dateutil.HOURLY,
    "MINUTELY": dateutil.MINUTELY,
}
UNITS = {
    dateutil.WEEKLY: timedelta(weeks=1),
    dateutil.DAILY: timedelta(days=1),
    dateutil.HOURLY: timedelta(hours=1),
    dateutil.MINUTELY: timedelta(minutes=1),
}
LISTS = {
    "BYMONTH": ("bymonth", 1, 12),
    "BYMONTHDAY": ("bymonthday", -31, 31),
    "BYYEARDAY": ("byyearday", -366, 366),
    "BYWEEKNO": ("byweekno", -53, 53),
    "BYHOUR": ("byhour", 0, 23),
    "BYMINUTE": ("byminute", 0, 59),
    "BYSETPOS": ("bysetpos", -366, 366),
}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
CRON = (
    ("minute", "byminute", 0, 59, ()),
    ("hour", "byhour", 0, 23, ()),
    ("day of the month", "bymonthday", 1, 31, ()),
    (
        "month",
        "bymonth",
        1,
        12,
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    ),
    ("day of the week", "byweekday", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)

Parts = dict[str, Any]
"""What `dateutil.rrule.rrule` takes."""


def check(rule: str) -> None:
    """Raises ValueError, whose message says what is wrong with the rule."""
    for parts in _parse(rule):
        next(_times(parts, EPOCH), None)


def next_due(rule: str, zone: str, after: datetime) -> datetime | None:
    """The first moment later than `after` that the rule means on a clock in `zone`; None where
    there is none in the next ten years. Raises ValueError for what `check` refuses."""
    tz = ZoneInfo(zone)
    begin = after.astimezone(tz).replace(tzinfo=None, fold=0) - 2 * JUMP
    best: datetime | None = None
    last: datetime | None = None
    for wall in heapq.merge(*(_times(parts, begin) for parts in _parse(rule))):
        if last and wall >= last:
            break  # only what the clock jumps over becomes a later moment than what comes after it
        moment = wall.replace(tzinfo=tz).astimezone(UTC)
        if moment > after and (best is None or moment < best):
            best = moment
            last = last or wall + JUMP
    return best


def _times(parts: Parts, begin: datetime) -> Iterator[datetime]:
    """The wall times from about `begin` on, for ten years."""
    parts = dict(parts)
    counted = "count" in parts  # from its start, which can't be moved then
    if not counted:
        _move_up(parts, begin)
    start = parts["dtstart"] if counted else max(parts["dtstart"], begin)
    horizon = start + timedelta(days=366 * HORIZON_YEARS)
    parts["until"] = min(parts.get("until", horizon), horizon)
    try:
        yield from dateutil.rrule(**parts)
    except (ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"the rule can't be: {error}") from error


def _move_up(parts: Parts, begin: datetime) -> None:
    """Let the rule start near `begin`, whole intervals later: the same times from there on, without
    counting through all that was before."""
    freq, interval, start = parts["freq"], parts["interval"], parts["dtstart"]
    if unit := UNITS.get(freq):
        parts["dtstart"] = start + max(0, (begin - start) // (unit * interval)) * unit * interval
        return
    monthly = freq == dateutil.MONTHLY
    months = 12 * (begin.year - start.year) + (begin.month - start.month if monthly else 0)
    step = interval * (1 if monthly else 12)
    jumps = months // step - 1
    if jumps < 1:
        return
    if not parts.keys() & {"bymonthday", "byweekday", "byyearday", "byweekno"}:
        parts["bymonthday"] = start.day  # what RFC 5545 takes from DTSTART, whose day changes now
        if not monthly:
            parts.setdefault("bymonth", start.month)
    month = start.year * 12 + start.month - 1 + jumps * step
    parts["dtstart"] = start.replace(year=month // 12, month=month % 12 + 1, day=1)


def _parse(rule: str) -> list[Parts]:
    """The rule as one or two of dateutil's."""
    rule = rule.strip()
    if len(rule) > LONGEST:
        raise ValueError(f"a rule has at most {LONGEST} characters")
    if found := RRULE.fullmatch(rule):
        return [_rrule(found["parts"].upper(), found["start"])]
    fields = rule.split()
    if len(fields) == 5:
        return _cron(fields)
    raise ValueError(
        f'"{rule[:80]}" is no rule: write five fields of cron ("0 9 * * 1-5") or'
        ' "RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"'
    )


def _rrule(text: str, start: str | None) -> Parts:
    pairs = [pair.partition("=")[::2] for pair in text.rstrip(";").split(";")]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError("the rule says something twice")
    if given.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"the rule needs FREQ, one of {', '.join(FREQUENCIES)}")
    parts: Parts = {"dtstart": _wall("DTSTART", start) if start else EPOCH, "interval": 1}
    for key, value in given.items():
        parts.update(_part(key, value))
    if "bysetpos" in parts and parts["freq"] in (dateutil.HOURLY, dateutil.MINUTELY):
        raise ValueError("BYSETPOS goes with FREQ=DAILY or longer")
    return parts


def _part(key: str, value: str) -> Parts:
    """One `KEY=VALUE` of an RRULE."""
    match key:
        case "FREQ":
            return {"freq": FREQUENCIES[value]}
        case "INTERVAL":
            return {"interval": _number(key, value, 1, 10 * MOST_TIMES)}
        case "COUNT":
            return {"count": _number(key, value, 1, MOST_TIMES)}
        case "UNTIL":
            return {"until": _wall(key, value)}
        case "WKST" if value in WEEKDAYS:
            return {"wkst": WEEKDAYS.index(value)}
        case "BYDAY":
            return {"byweekday": [_weekday(day) for day in value.split(",")]}
        case _ if key in LISTS:
            name, low, high = LISTS[key]
            return {name: [_number(key, number, low, high) for number in value.split(",")]}
    raise ValueError(f'the rule can\'t have "{key}={value}"')


def _number(key: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(f'{key} is a number from {low} to {high}, not "{text}"')
    if int(text) == 0 and low < 0:
        raise ValueError(f"{key} can't be 0")
    return int(text)


def _weekday(text: str) -> Any:
    found = re.fullmatch(rf"([+-]?[0-9]{{1,2}})?({'|'.join(WEEKDAYS)})", text)
    if not found or (found[1] and not 1 <= abs(int(found[1])) <= 53):
        raise ValueError(f'BYDAY is made of {", ".join(WEEKDAYS)}, "2MO", "-1FR", not "{text}"')
    return dateutil.weekday(WEEKDAYS.index(found[2]), int(found[1]) if found[1] else None)


def _wall(key: str, text: str) -> datetime:
    for shape in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d"):
        try:
            wall = datetime.strptime(text.upper(), shape)  # noqa: DTZ007 - wall time
        except ValueError:
            continue
        if key == "UNTIL" and shape == "%Y%m%d":
            wall += timedelta(hours=23, minutes=59)
        if 1970 <= wall.year <= 9000:
            return wall
    raise ValueError(f'{key} is a wall time like 20261201T090000, without "Z", not "{text}"')


def _cron(fields: list[str]) -> list[Parts]:
    parts: Parts = {"freq": dateutil.DAILY, "interval": 1, "dtstart": EPOCH}
    for text, (name, part, low, high, names) in zip(fields, CRON, strict=True):
        spans = (_span(span, name, low, high, names) for span in text.split(","))
        parts[part] = sorted(set(chain(*spans)))
    # ours count from Monday = 0
    parts["byweekday"] = sorted({(day - 1) % 7 for day in parts["byweekday"]})
    if fields[2].startswith("*") or fields[4].startswith("*"):
        return [parts]
    either = dict(parts)
    del either["bymonthday"]
    del parts["byweekday"]
    return [parts, either]


def _span(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> range:
    """`*`, `5`, `MON-FRI`, `*/15` or `8-18/2` of one field."""
    if found := re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,3}))?", text):
        first, last = (
            low + names.index(word.upper())
            if word and word.upper() in names
            else (int(word) if word and re.fullmatch("[0-9]{1,2}", word) else None)
            for word in (found[1], found[2] or found[1])
        )
        step = int(found[3] or 1)
        if found[1] is None:
            first, last = low, high
        elif found[3] and not found[2]:
            step = 0  # "5/15" means one thing here and another there
        if first is not None and last is not None and low <= first <= last <= high and step:
            return range(first, last + 1, step)
    shown = f" or a name like {names[1].title()}" if names else ""
    raise ValueError(
        f'the {name} in cron is "*", a number from {low} to {high}{shown}, a list "1,3", a span'
        f' "1-5" or a step "*/2", not "{text}"'
    )
