"""`[support]` of bot.toml, with the errors for what may not stand there."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from hobnob.hours import Span
from hobnob.support import closed
from hobnob.support.closed import Closed
from hobnob.support.opening import Opening, public_holidays
from hobnob.tables import Conversation, OwnZone, People, Table, Text
from hobnob.validate import read

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Hours = tuple[str, ...] | None


class OpeningTable(Table):
    """`[support.opening]`: when somebody is there. Without any hours: always."""

    weekdays: Hours = Field(default=None, strict=False)
    """Spans of time, like "09:00-12:00"; Monday to Friday, where a day has none of its own."""
    weekend: Hours = Field(default=None, strict=False)
    """Saturday and Sunday."""
    monday: Hours = Field(default=None, strict=False)
    tuesday: Hours = Field(default=None, strict=False)
    wednesday: Hours = Field(default=None, strict=False)
    thursday: Hours = Field(default=None, strict=False)
    friday: Hours = Field(default=None, strict=False)
    saturday: Hours = Field(default=None, strict=False)
    sunday: Hours = Field(default=None, strict=False)
    timezone: OwnZone = ""
    """Whose clock that is."""
    holidays: str = ""
    """Of a country or a part of it, by its codes: "DE" or "DE-BE"."""
    calendar: str = ""
    """A file with what else nobody is there for (iCalendar), relative to the bot's folder."""
    message: str = ""
    """What is said when nobody is there; {back} stands for when somebody is again."""

    @field_validator("weekdays", "weekend", *DAYS)
    @classmethod
    def _spans(cls, spans: Hours) -> Hours:
        for span in spans or ():
            Span.parse(span)
        return spans

    @field_validator("holidays")
    @classmethod
    def _known_holidays(cls, code: str) -> str:
        if code:
            public_holidays(code)
        return code

    def opening(self, zone: str, folder: Path) -> Opening:
        """`zone` is that of `[bot]`, `folder` the bot's. Raises ConfigError where the calendar
        cannot be read."""
        zone = self.timezone or zone
        return Opening(
            week=tuple(map(self._day, DAYS)),
            zone=zone,
            holidays=self.holidays,
            closed=self._closed(folder / self.calendar, zone) if self.calendar else Closed(),
            message=self.message,
        )

    def _day(self, name: str) -> tuple[Span, ...]:
        others = self.weekend if name in DAYS[5:] else self.weekdays
        own: Hours = getattr(self, name)
        spans = others if own is None else own
        if spans is None:
            hours = (self.weekdays, self.weekend, *(getattr(self, day) for day in DAYS))
            spans = () if any(each is not None for each in hours) else ("00:00-24:00",)
        return tuple(map(Span.parse, spans))

    def _closed(self, file: Path, zone: str) -> Closed:
        return closed.read(read(file, most=closed.MAX_BYTES), str(file), zone)


class SupportTable(Table):
    """`[support]`: the desk, where people answer what the bot cannot."""

    enabled: bool = False
    where: Conversation = ""
    """Where the staff is told."""
    staff: People = ()
    answers: Mapping[str, Text] = {}
    """Canned answers, by name."""
    opening: OpeningTable = OpeningTable()

    @field_validator("answers")
    @classmethod
    def _names_of_one_word(cls, answers: Mapping[str, str]) -> Mapping[str, str]:
        for name in answers:
            if not re.fullmatch(r"\w[\w-]*", name):
                raise ValueError(
                    "has a name that is more than one word. Use letters, digits, - and _."
                )
        return answers
