"""When somebody is there to help: opening hours, holidays and closed days. Pure.

What the clock on the wall shows counts, as on a sign at a door: 02:00-03:00 is not at all in the
night when the clock skips that hour, and twice in the one that repeats it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from hobnob.assistant.speech import speech
from hobnob.assistant.when.grammar import LANGUAGES
from hobnob.hours import Span
from hobnob.recurrence.rule import DAY
from hobnob.support import closed
from hobnob.support.closed import Closed
from hobnob.support.holidays import public_holidays
from hobnob.support.table import DAYS, Hours, OpeningTable
from hobnob.validate import read

AHEAD_DAYS = 366
"""Who is closed for longer does not come back."""
BACK = {
    "en": "We are back on {time} ({zone}).",
    "de": "Wir sind wieder da: {time} ({zone}).",
    "es": "Volvemos el {time} ({zone}).",
    "fr": "Nous serons de retour le {time} ({zone}).",
    "zh": "我们回来的时间：{time}（{zone}）。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    week: tuple[tuple[Span, ...], ...]
    """The hours of each day, Monday first. Those past midnight are of the day when they begin."""
    zone: str
    holidays: str = ""
    """As `public_holidays` takes it; "": none."""
    closed: Closed = field(default_factory=Closed)
    message: str = ""
    """What is said when nobody is there, with {back} for when somebody is again."""

    @classmethod
    def of(cls, table: OpeningTable, zone: str, folder: Path) -> Self:
        """As bot.toml says: `zone` is that of `[bot]`, `folder` the bot's. Raises ConfigError
        where the calendar cannot be read."""
        zone = table.timezone or zone
        file = folder / table.calendar
        return cls(
            week=tuple(_day(table, name) for name in DAYS),
            zone=zone,
            holidays=table.holidays,
            closed=closed.read(read(file, most=closed.MAX_BYTES), str(file), zone)
            if table.calendar
            else Closed(),
            message=table.message,
        )

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(ZoneInfo(self.zone))
        day, moment = wall.date(), wall.time()
        if self._is_off(day) or self.closed.year(day.year).at(at):
            return False
        if any(span.begun(moment) for span in self.week[day.weekday()]):
            return True
        before = day - DAY
        left = any(span.left(moment) for span in self.week[before.weekday()])
        return left and not self._is_off(before)

    def next_open(self, at: datetime) -> datetime | None:
        """`at`, if it is open then, or else the first moment after it; None if there is none
        within a year. In UTC: what an hour that comes twice equals in another zone is nothing."""
        if self.is_open(at):
            return at.astimezone(UTC)
        tz = ZoneInfo(self.zone)
        first = at.astimezone(tz).date() - DAY  # whose hours may be repeated by the clock
        for n in range(AHEAD_DAYS + 2):
            for moment in sorted(self._turns(first + n * DAY)):
                if moment > at and self.is_open(moment):
                    return moment
        return None

    def back(self, at: datetime, language: str = "en") -> str:
        """A sentence that says when somebody is there again; "" if that is never."""
        then = self.next_open(at)
        if then is None:
            return ""
        code = language.partition("-")[0].casefold()
        code = code if code in LANGUAGES else "en"
        shown = speech(code).time(then.astimezone(ZoneInfo(self.zone)))
        return BACK[code].format(time=shown, zone=self.zone)

    def away(self, at: datetime, language: str = "en") -> str:
        """What is said when nobody is there: the owner's words, or `back`."""
        back = self.back(at, language)
        return self.message.replace("{back}", back).strip() if self.message else back

    def _is_off(self, day: date) -> bool:
        if day in self.closed.year(day.year).days:
            return True
        return bool(self.holidays) and day in public_holidays(self.holidays)

    def _turns(self, day: date) -> Iterator[datetime]:
        """Every moment of the day at which it may open."""
        tz = ZoneInfo(self.zone)
        begin, end = (
            datetime.combine(each, time(), tzinfo=tz).astimezone(UTC) for each in (day, day + DAY)
        )
        for span in self.week[day.weekday()]:
            for fold in (0, 1):
                yield datetime.combine(day, span.start.replace(fold=fold), tz).astimezone(UTC)
        yield from self.closed.year(day.year).ending(begin, end)
        if begin.astimezone(tz).utcoffset() != end.astimezone(tz).utcoffset():
            yield _change(begin, end, tz)


def _change(begin: datetime, end: datetime, tz: ZoneInfo) -> datetime:
    """The second between these at which the clock is set."""
    before = begin.astimezone(tz).utcoffset()
    while end - begin > timedelta(seconds=1):
        middle = begin + (end - begin) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(tz).utcoffset() == before:
            begin = middle
        else:
            end = middle
    return end


def _day(table: OpeningTable, name: str) -> tuple[Span, ...]:
    own: Hours = getattr(table, name)
    spans = own if own is not None else table.weekend if name in DAYS[5:] else table.weekdays
    if spans is None:
        others = (table.weekdays, table.weekend, *(getattr(table, day) for day in DAYS))
        spans = () if any(each is not None for each in others) else ("00:00-24:00",)
    return tuple(map(Span.parse, spans))
