"""Words for the times of a post: "every weekday at 9" becomes a rule. Pure.

A small grammar that is exact: what it does not know it refuses, and guesses nothing.

    every day at 9                    every monday and thursday at 18:30
    every weekday at 9 and 17         every weekend at noon
    every month on the 1st at 9 am    every year on 24 december at 8
    every hour
"""

import re

from hobnob.daynames import MONTHS, WEEKDAYS
from hobnob.recurrence import check

_DAYS = tuple(name.lower() for name in WEEKDAYS)
_CODES: dict[str, str] = {day: day[:2].upper() for day in _DAYS}
_MONTHS = [name.lower() for name in MONTHS]
_SPECIAL = {"noon": (12, 0), "midnight": (0, 0)}
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))? ?(am|pm)?")
_NTH = r"(?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)?"
_EXAMPLES = (
    'Write it like "every weekday at 9", "every monday and thursday at 18:30", "every month on the'
    ' 1st at 9", or as five fields of cron: "0 9 * * 1-5".'
)


def rule(text: str) -> str:
    """The rule (`hobnob.recurrence`) that the text means. Raises ValueError with what is wrong."""
    words = " ".join(text.lower().split())
    if not words.startswith("every "):
        check(text)
        return text.strip()
    if words == "every hour":
        return "RRULE:FREQ=HOURLY"
    what, at, times = words.removeprefix("every ").partition(" at ")
    if not at:
        raise ValueError(f'"{text}" says no time of the day. {_EXAMPLES}')
    made = f"RRULE:{_days(what, text)};{_times(times, text)}"
    check(made)
    return made


def _days(what: str, text: str) -> str:
    if what == "day":
        return "FREQ=DAILY"
    if what == "weekday":
        return "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    if what == "weekend":
        return "FREQ=WEEKLY;BYDAY=SA,SU"
    if found := re.fullmatch(rf"month {_NTH}", what):
        return f"FREQ=MONTHLY;BYMONTHDAY={found[1]}"
    if (found := re.fullmatch(rf"year {_NTH} (?:of )?([a-z]+)", what)) and found[2] in _MONTHS:
        return f"FREQ=YEARLY;BYMONTH={_MONTHS.index(found[2]) + 1};BYMONTHDAY={found[1]}"
    days = _listed(what)
    if all(day in _CODES for day in days):
        return f"FREQ=WEEKLY;BYDAY={','.join(_CODES[day] for day in days)}"
    raise ValueError(f'"{text}" names no days that are known. {_EXAMPLES}')


def _times(times: str, text: str) -> str:
    found = [_time(each, text) for each in _listed(times)]
    minutes = {minute for _, minute in found}
    if len(minutes) > 1:
        raise ValueError(f'"{text}" has times with different minutes: make two rules of it.')
    hours = ",".join(str(hour) for hour, _ in found)
    return f"BYHOUR={hours};BYMINUTE={minutes.pop()}"


def _time(word: str, text: str) -> tuple[int, int]:
    if word in _SPECIAL:
        return _SPECIAL[word]
    found = _TIME.fullmatch(word)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if found and found[3]:
        hour = hour % 12 + (12 if found[3] == "pm" else 0) if 1 <= hour <= 12 else 99
    if hour > 23 or minute > 59:
        raise ValueError(f'"{text}": "{word}" is no time of the day. {_EXAMPLES}')
    return hour, minute


def _listed(text: str) -> list[str]:
    return re.split(r"(?:,? and |, ?)", text)
