"""The two ways to write a rule, an RRULE and a line of cron, made a `Rule`."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from hobnob.recurrence.rule import EPOCH, UNITS, Rule

LONGEST = 1000
"""Characters of a rule."""
MOST = 10_000
"""COUNT and INTERVAL."""
RRULE = re.compile(r"(?:DTSTART:(?P<start>\S+)\s+)?RRULE:(?P<parts>\S+)", re.I)
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
LISTS = {
    "BYMONTH": ("months", 1, 12),
    "BYMONTHDAY": ("month_days", -31, 31),
    "BYYEARDAY": ("year_days", -366, 366),
    "BYWEEKNO": ("weeks", 1, 53),
    "BYHOUR": ("hours", 0, 23),
    "BYMINUTE": ("minutes", 0, 59),
    "BYSETPOS": ("positions", -366, 366),
}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
CRON = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)


def parse(rule: str) -> Rule:
    """Raises ValueError with words for people."""
    rule = rule.strip()
    if len(rule) > LONGEST:
        raise ValueError(f"a rule has at most {LONGEST} characters")
    if found := RRULE.fullmatch(rule):
        return _rrule(found["parts"].upper(), found["start"])
    fields = rule.split()
    if len(fields) == len(CRON):
        return _cron(fields)
    raise ValueError(
        f'"{rule[:80]}" is no rule: write five fields of cron ("0 9 * * 1-5") or'
        ' "RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"'
    )


def _rrule(text: str, start: str | None) -> Rule:
    pairs = [pair.partition("=") for pair in text.rstrip(";").split(";")]
    given = {key: value for key, _, value in pairs}
    if len(given) < len(pairs):
        raise ValueError("the rule says something twice")
    freq = given.pop("FREQ", "")
    if freq not in FREQUENCIES:
        raise ValueError(f"the rule needs FREQ, one of {', '.join(FREQUENCIES)}")
    rule = Rule(freq=freq, start=_wall("DTSTART", start) if start else EPOCH)
    for key, value in given.items():
        rule = _with(rule, key, value)
    if any(nth for nth, _ in rule.weekdays) and freq not in ("YEARLY", "MONTHLY"):
        raise ValueError("a day like 2MO goes with FREQ=MONTHLY or FREQ=YEARLY")
    if rule.weeks and (freq != "YEARLY" or rule.week_start):
        raise ValueError("BYWEEKNO goes with FREQ=YEARLY and weeks that start on Monday")
    rule = _from_start(rule)
    if rule.positions and (freq in UNITS or len(rule.hours) * len(rule.minutes) > 24):
        raise ValueError("BYSETPOS goes with FREQ=DAILY or longer, and at most 24 times a day")
    return rule


def _from_start(rule: Rule) -> Rule:
    """With what RFC 5545 takes from DTSTART where the rule does not say it."""
    start = rule.start
    if not (rule.weeks or rule.year_days or rule.month_days or rule.weekdays):
        if rule.freq == "WEEKLY":
            rule = replace(rule, weekdays=frozenset({(0, start.weekday())}))
        elif rule.freq in ("MONTHLY", "YEARLY"):
            rule = replace(rule, month_days=frozenset({start.day}))
            if rule.freq == "YEARLY" and not rule.months:
                rule = replace(rule, months=frozenset({start.month}))
    hours = frozenset(range(24)) if rule.freq in UNITS else frozenset({start.hour})
    minutes = frozenset(range(60)) if rule.freq == "MINUTELY" else frozenset({start.minute})
    return replace(rule, hours=rule.hours or hours, minutes=rule.minutes or minutes)


def _with(rule: Rule, key: str, value: str) -> Rule:
    """One `KEY=VALUE` of an RRULE."""
    match key:
        case "INTERVAL":
            return replace(rule, interval=_number(key, value, 1, MOST))
        case "COUNT":
            return replace(rule, count=_number(key, value, 1, MOST))
        case "UNTIL":
            return replace(rule, until=_wall(key, value))
        case "WKST" if value in WEEKDAYS:
            return replace(rule, week_start=WEEKDAYS.index(value))
        case "BYDAY":
            return replace(rule, weekdays=frozenset(map(_weekday, value.split(","))))
        case _ if key in LISTS:
            name, low, high = LISTS[key]
            numbers: dict[str, Any] = {
                name: frozenset(_number(key, number, low, high) for number in value.split(","))
            }
            return replace(rule, **numbers)
    raise ValueError(f'the rule can\'t have "{key}={value}"')


def _number(key: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(f'{key} is a number from {low} to {high}, not "{text}"')
    if int(text) == 0 and low < 0:
        raise ValueError(f"{key} can't be 0")
    return int(text)


def _weekday(text: str) -> tuple[int, int]:
    found = re.fullmatch(rf"([+-]?[0-9]{{1,2}})?({'|'.join(WEEKDAYS)})", text)
    if not found or (found[1] and not 1 <= abs(int(found[1])) <= 53):
        raise ValueError(f'BYDAY is made of {", ".join(WEEKDAYS)}, "2MO", "-1FR", not "{text}"')
    return int(found[1] or 0), WEEKDAYS.index(found[2])


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


def _cron(fields: list[str]) -> Rule:
    minutes, hours, month_days, months, weekdays = (
        frozenset(chain(*(_span(span, *field) for span in text.split(","))))
        for text, field in zip(fields, CRON, strict=True)
    )
    return Rule(
        freq="DAILY",
        minutes=minutes,
        hours=hours,
        month_days=month_days,
        months=months,
        weekdays=frozenset((0, (day - 1) % 7) for day in weekdays),  # ours count from Monday
        either=not (fields[2].startswith("*") or fields[4].startswith("*")),
    )


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
