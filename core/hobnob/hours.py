"""Times of the day: "22:00-07:30", several of them, past midnight too. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self

_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?[-–] ?([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a time of the day to another, which may be the next day's. The end is not in it."""

    start: time
    end: time
    """Midnight at the end of the day is 00:00."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError with what is wrong."""
        match = _SPAN.fullmatch(text.strip())
        if not match or (match[3] == "24" and match[4] != "00"):
            raise ValueError(f'{text!r} is no span of time. Write it like "22:00-07:30".')
        start, end = time(int(match[1]), int(match[2])), time(int(match[3]) % 24, int(match[4]))
        if start == end and match[3] != "24":
            raise ValueError(f"{text!r} begins when it ends. A whole day is 00:00-24:00.")
        return cls(start=start, end=end)

    def __contains__(self, moment: time) -> bool:
        return self.begun(moment) or self.left(moment)

    def begun(self, moment: time) -> bool:
        """Whether a moment of the day on which it begins is in it."""
        return self.start <= moment and (moment < self.end or self.end <= self.start)

    def left(self, moment: time) -> bool:
        """Whether a moment of the day after that is."""
        return self.end <= self.start and moment < self.end


def within(spans: Sequence[Span], moment: time) -> bool:
    """Whether it is in one of them."""
    return any(moment in span for span in spans)


def end(spans: Sequence[Span], at: datetime) -> datetime | None:
    """The first minute from `at` on that is in none of them, on the clock of `at`; None where they
    leave none. Minute by minute, so that nothing need be known of what clocks do."""
    moment = at.astimezone(UTC)
    for _ in range(2 * 24 * 60):
        if not within(spans, moment.astimezone(at.tzinfo).time()):
            return moment
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return None
