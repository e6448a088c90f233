"""When something that comes again and again is due next. Pure: no clock, no database.

A rule speaks of wall time, what the clock on the wall shows, and is either of

- `RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9` (RFC 5545), with `DTSTART:20261201T090000` before it
  where it begins at a certain time; else it begins on Monday, 1 January 2024, at midnight;
- five fields of cron, `0 9 * * 1-5`, where 0 and 7 are Sunday, and a day of the month and a day of
  the week, both given, mean either (crontab(5)).

The wall times are found without a zone and only then become moments (PEP 495). A wall time that
the clock jumps over in spring is moved on by the jump, 02:30 to 03:30; one that comes twice in
autumn counts the first time.

Days are looked at one after the other, for ten years at most, so that a rule that never fits costs
milliseconds. The libraries differ here: see docs/decisions.md.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hobnob.recurrence.parse import parse
from hobnob.recurrence.rule import DAY, walls

JUMP = DAY
"""More than any clock was ever set on (Samoa left out 30 December 2011)."""


def check(rule: str) -> None:
    """Raises ValueError, whose message says what is wrong with the rule."""
    parse(rule)


def next_due(rule: str, zone: str, after: datetime) -> datetime | None:
    """The first moment later than `after` that the rule means on a clock in `zone`; None where
    there is none in the next ten years. Raises ValueError for what `check` refuses."""
    tz = ZoneInfo(zone)
    begin = after.astimezone(tz).replace(tzinfo=None, fold=0) - 2 * JUMP
    best: datetime | None = None
    last: datetime | None = None
    for wall in walls(parse(rule), begin):
        if last and wall >= last:
            break  # only what the clock jumps over becomes a later moment than what comes after it
        moment = wall.replace(tzinfo=tz).astimezone(UTC)
        if moment > after and (best is None or moment < best):
            best = moment
            last = last or wall + JUMP
    return best
