"""From the words for "again and again" to a rule of RFC 5545, without its beginning. Pure."""

from collections.abc import Mapping
from typing import Any

from hobnob.assistant.when.calendar import Unclear

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = {
    "minute": "MINUTELY",
    "hour": "HOURLY",
    "day": "DAILY",
    "week": "WEEKLY",
    "month": "MONTHLY",
    "year": "YEARLY",
}
FEWEST_MINUTES = 5
"""Between two: a reminder is no alarm bell."""


def rule(found: Mapping[str, Any]) -> str:
    """What all parts together say, as `FREQ=...`. A yearly rule has its day (`dd`) from its start.
    Raises Unclear."""
    interval = found.get("other", found.get("n", 1))
    unit = found.get("often", found.get("unit"))
    weekdays = _weekdays(found)
    day = found.get("dd", found.get("dd2"))
    if unit is None:
        unit = "week" if weekdays else None
    by = ""
    if "ordinal" in found:
        by = _ordinal(found, unit)
    elif weekdays:
        if unit != "week":
            raise Unclear
        by = f";BYDAY={','.join(DAYS[weekday] for weekday in weekdays)}"
    elif day is not None and unit == "month":
        by = f";BYMONTHDAY={day}"
    elif unit in ("week", "month") or (day is None) == (unit == "year"):
        raise Unclear  # on which day?
    if unit is None or not 1 <= interval <= 1000:
        raise Unclear
    if unit == "minute" and interval < FEWEST_MINUTES:
        raise Unclear
    every = f";INTERVAL={interval}" if interval > 1 else ""
    return f"FREQ={FREQUENCIES[unit]}{every}{by}"


def _weekdays(found: Mapping[str, Any]) -> list[int]:
    if "set" in found:
        return [int(day) for day in str(found["set"]).split(",")]
    days = found.get("weekdays", [])
    if isinstance(days, str):
        days = [int(day) for day in days.split(",")]
    days = [days] if isinstance(days, int) else list(days)
    days += [found[name] for name in ("more", "weekday") if name in found]
    return sorted(set(days))


def _ordinal(found: Mapping[str, Any], unit: str | None) -> str:
    if unit != "month":
        raise Unclear
    if "weekday" in found:
        return f";BYDAY={found['ordinal']}{DAYS[found['weekday']]}"
    return f";BYMONTHDAY={found['ordinal']}"
