"""When nobody is there, from a calendar file. Pure.

Of an event this reads when it is and how it comes again. Whether it is marked as busy or free says
nothing: in calendars of holidays all are free. What cannot be understood is an error, for of a
closed day that was left out the first to know would be the customer who waits.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hobnob import zones
from hobnob.errors import ConfigError
from hobnob.recurrence.parse import parse
from hobnob.recurrence.rule import DAY, UNITS, Rule, walls
from hobnob.support.ics import Properties, Property, Wrong, events

MAX_BYTES = 1024 * 1024
MOST_EVENTS = 1000
LONGEST = 366 * DAY

_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
_UNTIL = re.compile(r"(?<=UNTIL=)\d{8}T\d{6}Z", re.ASCII)
_AGAIN = "Export the calendar again."

Moment = date | datetime
"""A whole day, which is no datetime then, or a time in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    start: Moment
    zone: ZoneInfo
    """On whose clock it comes again."""
    length: timedelta
    rule: Rule | None = None
    more: frozenset[Moment] = frozenset()
    """When it begins besides."""
    without: frozenset[Moment] = frozenset()
    """When it does not begin."""

    def starts(self, begin: date, end: date) -> Iterator[Moment]:
        """When it begins on these days."""
        yield from {*self._regular(begin, end), *self.more} - self.without

    def _regular(self, begin: date, end: date) -> Iterator[Moment]:
        if self.rule is None:
            yield self.start
            return
        for wall in walls(self.rule, datetime.combine(begin, time())):
            if wall.date() > end:
                return
            if wall.date() >= begin:
                yield self._moment(wall)

    def _moment(self, wall: datetime) -> Moment:
        if isinstance(self.start, datetime):
            return wall.replace(tzinfo=self.zone).astimezone(UTC)
        return wall.date()

    def end(self, start: datetime) -> datetime:
        """By the clock on the wall."""
        return (start.astimezone(self.zone) + self.length).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What is closed in a year, and on the two days before and after."""

    days: frozenset[date]
    begins: Sequence[datetime]
    """Of times, none of which touches another."""
    ends: Sequence[datetime]

    def at(self, moment: datetime) -> bool:
        """Whether it is in one of the times."""
        place = bisect_right(self.begins, moment) - 1
        return place >= 0 and moment < self.ends[place]

    def ending(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """The ends of those that end then."""
        return self.ends[bisect_right(self.ends, after) : bisect_right(self.ends, until)]


class Closed:
    """What the events of a calendar close."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._events = events
        self._years: dict[int, Year] = {}

    def year(self, year: int) -> Year:
        if year not in self._years:
            self._years[year] = self._worked_out(year)
        return self._years[year]

    def _worked_out(self, year: int) -> Year:
        begin, end = date(year, 1, 1) - 3 * DAY, date(year, 12, 31) + 3 * DAY
        days: set[date] = set()
        times: list[tuple[datetime, datetime]] = []
        for event in self._events:
            for start in event.starts(begin - event.length, end):
                if isinstance(start, datetime):
                    times.append((start, event.end(start)))
                else:
                    days |= {start + n * DAY for n in range(event.length.days)}
        joined: list[tuple[datetime, datetime]] = []
        for start, until in sorted(times):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
            elif start < until:
                joined.append((start, until))
        return Year(
            days=frozenset(days),
            begins=[begin for begin, _ in joined],
            ends=[end for _, end in joined],
        )


def read(text: str, name: str, zone: str) -> Closed:
    """The calendar file `name`, with `zone` where it names none. Raises ConfigError."""
    found: dict[str, list[Event]] = {}
    moved: dict[str, set[Moment]] = {}
    for count, (begun, properties) in enumerate(events(text, name), 1):
        if count > MOST_EVENTS:
            raise ConfigError(
                f"{name}: has more than {MOST_EVENTS} events. Export a calendar that has nothing "
                "but the closed days."
            )
        uid = properties["UID"][0].value if "UID" in properties else f"line {begun}"
        try:
            if "RECURRENCE-ID" in properties:  # in place of one of the times of another event
                moved.setdefault(uid, set()).update(_moments(properties["RECURRENCE-ID"], zone))
            if not any(each.value.upper() == "CANCELLED" for each in properties.get("STATUS", ())):
                found.setdefault(uid, []).append(_event(properties, zone))
        except Wrong as error:
            raise ConfigError(f"{name}: line {error.line or begun}: {error}") from None
    return Closed(
        [
            replace(event, without=event.without | moved.get(uid, set())) if event.rule else event
            for uid, same in found.items()
            for event in same
        ]
    )


def _event(properties: Properties, zone: str) -> Event:
    for once in ("DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID"):
        if len(given := properties.get(once, [])) > 1:
            raise Wrong(f"the event has {once} twice. {_AGAIN}", given[1].line)
        if given and "THISANDFUTURE" in given[0].parameters.upper():
            raise Wrong("RANGE=THISANDFUTURE is not understood: make two events.", given[0].line)
    if "DTSTART" not in properties:
        raise Wrong(f"the event has no DTSTART, so that it never begins. {_AGAIN}")
    start, tz = _one(properties["DTSTART"][0], zone)
    return Event(
        start=start,
        zone=tz,
        length=_length(properties, start, tz, zone),
        rule=_rule(properties["RRULE"][0], start, tz) if "RRULE" in properties else None,
        more=frozenset(_moments(properties.get("RDATE", ()), zone)),
        without=frozenset(_moments(properties.get("EXDATE", ()), zone)),
    )


def _length(properties: Properties, start: Moment, tz: ZoneInfo, zone: str) -> timedelta:
    """By the clock on the wall."""
    timed = isinstance(start, datetime)
    if "DTEND" in properties:
        given = properties["DTEND"][0]
        end, _ = _one(given, zone)
        if isinstance(end, datetime) is not timed:
            raise Wrong("DTSTART and DTEND are not both days or both times.", given.line)
        length = _wall(end, tz) - _wall(start, tz)
        length = length if timed else length or DAY  # some programs write the last day itself
    elif "DURATION" in properties:
        given = properties["DURATION"][0]
        match = _DURATION.fullmatch(given.value.upper())
        if not match:
            raise Wrong(f'"{given.value[:40]}" is no DURATION, like P1D or PT2H.', given.line)
        length = timedelta(**{unit: int(n) for unit, n in match.groupdict().items() if n})
    else:
        return timedelta() if timed else DAY
    if length < timedelta():
        raise Wrong("the event ends before it begins.", given.line)
    if length > LONGEST:
        raise Wrong("the event lasts for more than a year.", given.line)
    return length


def _rule(given: Property, start: Moment, tz: ZoneInfo) -> Rule:
    def until(match: re.Match[str]) -> str:
        """As the other times of a rule are: without a zone."""
        moment = _read(match[0], ZoneInfo("UTC"), given.line)
        return f"{_wall(moment, tz if isinstance(start, datetime) else UTC):%Y%m%dT%H%M%S}"

    value = _UNTIL.sub(until, given.value.upper())
    try:
        rule = parse(f"DTSTART:{_wall(start, tz):%Y%m%dT%H%M%S} RRULE:{value}")
    except ValueError as error:
        raise Wrong(f"RRULE: {error}.", given.line) from None
    if rule.freq in UNITS or len(rule.hours) * len(rule.minutes) > 1:
        raise Wrong("RRULE: the event comes more than once a day.", given.line)
    return rule


def _one(given: Property, zone: str) -> tuple[Moment, ZoneInfo]:
    """A time, and the time zone in which it is given."""
    tz = ZoneInfo("UTC" if given.value.upper().endswith("Z") else _zone(given) or zone)
    return _read(given.value.upper(), tz, given.line), tz


def _moments(given: Sequence[Property], zone: str) -> Iterator[Moment]:
    for each in given:
        for value in each.value.split(","):
            yield _one(replace(each, value=value.strip()), zone)[0]


def _zone(given: Property) -> str | None:
    found = re.search(r';TZID="?/?([^";:,]+)', given.parameters, re.IGNORECASE)
    if not found:
        return None
    from tzlocal.windows_tz import win_tz  # takes a moment, and most calendars don't need it

    name = found[1].strip()
    # Outlook writes Windows' names, others their own before it: /example.org/2026/Europe/Berlin
    for each in (name, win_tz.get(name, ""), "/".join(name.split("/")[-2:])):
        if zone := zones.find(each):
            return zone
    raise Wrong(
        f'the time zone "{name[:40]}" is not known. Write it like "Europe/Berlin", or make it '
        "an event of whole days.",
        given.line,
    )


def _read(value: str, tz: ZoneInfo, line: int) -> Moment:
    for shape in ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ"):
        try:
            wall = datetime.strptime(value, shape)  # noqa: DTZ007 - wall time
        except ValueError:
            continue
        if not 1970 <= wall.year <= 9000:
            raise Wrong(f"{value} is not between the years 1970 and 9000.", line)
        return wall.date() if shape == "%Y%m%d" else wall.replace(tzinfo=tz).astimezone(UTC)
    raise Wrong(f'"{value[:40]}" is no time, like 20261224 or 20261224T090000.', line)


def _wall(moment: Moment, tz: tzinfo) -> datetime:
    """What a clock shows then."""
    if isinstance(moment, datetime):
        return moment.astimezone(tz).replace(tzinfo=None, fold=0)
    return datetime.combine(moment, time())
