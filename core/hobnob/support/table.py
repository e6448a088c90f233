"""`[support]` of bot.toml, with the errors for what may not stand there."""

import re
from collections.abc import Mapping

from pydantic import Field, field_validator

from hobnob.hours import Span
from hobnob.support.holidays import public_holidays
from hobnob.tables import Conversation, OwnZone, People, Table, Text

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
