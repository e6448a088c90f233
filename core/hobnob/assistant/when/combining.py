"""What the parts of a text that say when mean together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hobnob.assistant.when import calendar, repeating
from hobnob.assistant.when.calendar import Unclear
from hobnob.assistant.when.grammar import Language, Part
from hobnob.assistant.when.records import Doubt, Reading, When
from hobnob.recurrence import next_due

MOST_OPTIONS = 4
HOURS = {"hour", "hour2", "min", "add", "sub", "ampm", "exact"}
OF_DAY = {*HOURS, "part"}


def combine(
    said: Sequence[Part], now: datetime, zone: str, spoken: Language, base: datetime | None
) -> Reading:
    """When it is, without what is to be done. With `base`, a day without an hour has that of
    `base`, and an hour without a day its day. Raises Unclear."""
    spans = [part.found for part in said if part.kind == "span"]
    everies = [part.found for part in said if part.kind == "every"]
    whens = [part.found for part in said if part.kind == "when"]
    hours = [*whens, *everies]
    timed = _merged([_only(found, OF_DAY) for found in hours if OF_DAY & found.keys()])
    everies = [_without(found, OF_DAY) for found in everies]
    dated = [_without(found, OF_DAY) for found in whens if found.keys() - OF_DAY]
    if len(spans) > 1 or (spans and (dated or everies)):
        raise Unclear
    time = calendar.clock(timed, spoken)
    if base is not None and not spans and not everies:
        wall = base.astimezone(ZoneInfo(zone))
        if not timed:
            time = calendar.Clock(options=(wall.hour * 60 + wall.minute,))
        elif not dated:
            return _chosen([wall.date()], time, now, spoken)
    if everies:
        return _again(_merged(everies), dated, time, now, zone, spoken)
    if spans:
        span = _span(spans[0])
        if isinstance(span, timedelta):
            if timed:
                raise Unclear
            due = (now.astimezone(UTC) + span).astimezone(now.tzinfo).replace(microsecond=0)
            return _one(spoken, When(due=due))
        day = calendar.after_months(now.date() + timedelta(days=span[0]), span[1])
        if not timed:
            return _one(spoken, When(due=_moment(day, now.hour * 60 + now.minute, now)))
        return _chosen([day], time, now, spoken)
    if dated:
        midnight = timed.get("part") == "midnight" and "hour" not in timed
        choices = _days(dated, now.date(), spoken)
        if midnight and choices != [now.date()]:
            whens_ = [When(due=_moment(day, at, now)) for day in choices for at in (0, 24 * 60)]
            return _several(whens_, spoken)
        return _chosen(choices, time, now, spoken)
    return replace(_next(time, now, spoken), dayless=True)


def _days(dated: Sequence[Mapping[str, Any]], today: date, spoken: Language) -> Sequence[date]:
    """The days that all parts agree on."""
    named = [found for found in dated if "weekday" in found and len(found) == 1]
    rest = [found for found in dated if found not in named]
    if not rest or len(named) > 1:
        rest, named = [*rest, *named], []
    choices = list(calendar.days(rest[0], today, spoken))
    for found in rest[1:]:
        choices = [day for day in calendar.days(found, today, spoken) if day in choices]
    choices = [day for day in choices if all(day.weekday() == each["weekday"] for each in named)]
    if not choices:
        raise Unclear
    return choices


def _chosen(
    choices: Sequence[date], time: calendar.Clock, now: datetime, spoken: Language
) -> Reading:
    """On one of these days."""
    coming = [
        (at, When(due=_moment(day, at, now)))
        for day in choices
        for at in time.options
        if _moment(day, at, now) > now
    ]
    if not coming:
        unsaid = time.assumed and choices[0] == now.date()  # "today", and no hour
        return Reading(language=spoken.code, task="", doubt=Doubt.WHEN if unsaid else Doubt.PAST)
    whens = [when for _, when in coming]
    if len(choices) == 1 and time.likely is not None and len(time.options) > 1:
        likely = [when for at, when in coming if at == time.likely]
        others = [when for at, when in coming if at != time.likely]
        if not likely:
            return Reading(language=spoken.code, task="", doubt=Doubt.PAST, whens=tuple(others))
        return _one(spoken, likely[0], other=others[0] if others else None)
    if len(whens) == 1:
        return _one(spoken, whens[0], assumed=time.assumed)
    return _several(whens, spoken, assumed=time.assumed)


def _next(time: calendar.Clock, now: datetime, spoken: Language) -> Reading:
    """At the next of these times, today or tomorrow."""
    today = now.date()
    moments = {
        at: next(
            moment
            for day in (today - timedelta(days=1), today, today + timedelta(days=1))
            if (moment := _moment(day, at, now)) > now
        )
        for at in time.options
    }
    whens = [When(due=due) for due in sorted(moments.values())]
    if len(whens) == 1:
        return _one(spoken, whens[0], assumed=time.assumed)
    if time.likely is not None and moments[time.likely].date() == today:
        other = next(when for when in whens if when.due != moments[time.likely])
        return _one(spoken, When(due=moments[time.likely]), other=other)
    return _several(whens, spoken)


def _again(
    found: Mapping[str, Any],
    dated: Sequence[Mapping[str, Any]],
    time: calendar.Clock,
    now: datetime,
    zone: str,
    spoken: Language,
) -> Reading:
    day = None
    for part in dated:
        if part.keys() - {"weekday"}:
            day = calendar.days(part, now.date(), spoken)[0]
            part = {"dd": day.day}
        found = _merged([found, part])
    if "mm" in found or "month" in found:
        day = calendar.days(found, now.date(), spoken)[0]
        found = {**_without(found, {"mm", "month"}), "dd": day.day}
    rule = repeating.rule(found)
    if "YEARLY" in rule and day is None:
        raise Unclear
    if "HOURLY" in rule or "MINUTELY" in rule:
        unit = "hours" if "HOURLY" in rule else "minutes"
        first = now + timedelta(**{unit: found.get("other", found.get("n", 1))})
        return _one(spoken, _rule(first.replace(second=0, microsecond=0), rule))
    if day is not None and "YEARLY" not in rule and "MONTHLY" not in rule:
        raise Unclear
    options = [_first(rule, day, at, now, zone) for at in time.options]
    if len(options) == 1:
        return _one(spoken, options[0], assumed=time.assumed)
    if time.likely is None:
        return _several(options, spoken)
    likely = time.options.index(time.likely)
    return _one(spoken, options[likely], other=options[1 - likely])


def _first(rule: str, day: date | None, at: int, now: datetime, zone: str) -> When:
    """The rule from the first time on that it means, which is not yet over."""
    start = _wall(day or now.date(), at % calendar.DAY)
    once = ";".join(part for part in rule.split(";") if not part.startswith("INTERVAL="))
    due = next_due(f"DTSTART:{start:%Y%m%dT%H%M%S} RRULE:{once}", zone, now)
    if due is None:
        raise Unclear
    return _rule(due.astimezone(now.tzinfo), rule)


def _rule(first: datetime, rule: str) -> When:
    return When(due=first, rule=f"DTSTART:{first:%Y%m%dT%H%M%S} RRULE:{rule}")


def _span(found: Mapping[str, Any]) -> timedelta | tuple[int, int]:
    """How long: exactly, or in days and months."""
    if "minutes" in found:
        return timedelta(minutes=found["minutes"])
    if "unit" not in found:
        return timedelta(hours=found["n"], minutes=found["min"])
    amounts = [(found["n"], found["unit"])]
    if "unit2" in found:
        amounts.append((found["n2"], found["unit2"]))
    exact, days, months = timedelta(), 0, 0
    for count, unit in amounts:
        match unit:
            case "minute" | "hour":
                exact += timedelta(**{f"{unit}s": count})
            case "day" | "week":
                days += count * (7 if unit == "week" else 1)
            case _:
                months += count * (12 if unit == "year" else 1)
    if "half" in found:
        if found["unit"] != "hour":
            raise Unclear
        exact += timedelta(minutes=30)
    if exact and (days or months):
        raise Unclear
    return exact or (days, months)


def _moment(day: date, at: int, now: datetime) -> datetime:
    """So many minutes after the day's beginning, on the clock of `now`. A time that the clock
    jumps over in spring is moved on by the jump."""
    wall = _wall(day, at).replace(tzinfo=now.tzinfo)
    return wall.astimezone(UTC).astimezone(now.tzinfo)


def _wall(day: date, at: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=at)  # noqa: DTZ001 - wall time


def _one(
    spoken: Language, when: When, *, assumed: bool = False, other: When | None = None
) -> Reading:
    return Reading(language=spoken.code, task="", whens=(when,), assumed=assumed, other=other)


def _several(whens: Sequence[When], spoken: Language, *, assumed: bool = False) -> Reading:
    some = tuple(sorted(whens, key=lambda when: when.due)[:MOST_OPTIONS])
    return Reading(language=spoken.code, task="", whens=some, doubt=Doubt.WHICH, assumed=assumed)


def _merged(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """All of them as one. Raises Unclear where two say different things of the same."""
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if merged.setdefault(name, value) != value:
                raise Unclear
    return merged


def _only(found: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    return {name: value for name, value in found.items() if name in names}


def _without(found: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    return {name: value for name, value in found.items() if name not in names}
