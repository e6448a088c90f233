"""How a bot behaves that writes first: `[checkin]` of bot.toml as values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from hobnob import hours
from hobnob.hours import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    at: time = time(10)
    """When it writes to those who named no hour."""
    quiet: Sequence[Span] = ()
    """When it never does, on their own clock."""
    unanswered: int = 3
    """After so many it waits until they write."""
    rooms: bool = False
    """People may ask for it in rooms, to be written to there."""
    questions: Sequence[str] = ()
    """To ask, one a day; none: those that come along."""
    zone: str = "UTC"
    """Where those live whose time zone is not known."""
    language: str = "en"

    def hour(self, wanted: time) -> time | None:
        """The hour at which it writes to somebody who wants `wanted`; None: never."""
        day = datetime.combine(date(2026, 1, 5), wanted, UTC)  # on which no clock is set
        end = hours.end(self.quiet, day)
        return end.time() if end else None


def rule(hour: time) -> str:
    """Every day at that hour, for `hobnob.recurrence`."""
    return f"RRULE:FREQ=DAILY;BYHOUR={hour.hour};BYMINUTE={hour.minute}"
