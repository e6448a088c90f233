"""When a rule is due, against two oracles: dateutil for wall times, zoneinfo for the zones."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import process_time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dateutil.rrule import rrulestr

from hobnob.recurrence import check, next_due
from hobnob.recurrence.parse import parse
from hobnob.recurrence.rule import walls


def wall(*shown: int) -> datetime:
    return datetime(*shown)  # type: ignore[arg-type]  # noqa: DTZ001


def at(zone: str, *shown: int, fold: int = 0) -> datetime:
    return datetime(*shown, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[misc,arg-type]


ZONES = {  # with the days around which the clock is set
    "Europe/Berlin": (wall(2026, 3, 29), wall(2026, 10, 25)),
    "America/New_York": (wall(2026, 3, 8), wall(2026, 11, 1)),
    "Australia/Lord_Howe": (wall(2026, 4, 5), wall(2026, 10, 4)),  # by half an hour
}


# ------------------------------------------------------------------ what is promised, by example


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("0 9 * * 1-5", (2026, 11, 27, 9, 0)),  # after Thursday 10:00 comes Friday
        ("0 9 * * 0", (2026, 11, 29, 9, 0)),
        ("0 9 * * 7", (2026, 11, 29, 9, 0)),
        ("0 9 * * sun", (2026, 11, 29, 9, 0)),
        ("0 9 * * 1", (2026, 11, 30, 9, 0)),
        ("0 9 13 * 5", (2026, 11, 27, 9, 0)),  # the 13th, or a Friday
        ("0 9 */2 * 1", (2026, 12, 7, 9, 0)),  # an odd day that is a Monday
        ("*/15 8-18/5 * DEC *", (2026, 12, 1, 8, 0)),
        ("0 0 29 2 *", (2028, 2, 29, 0, 0)),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9", (2026, 11, 30, 9, 0)),
        ("rrule:freq=daily;byhour=11", (2026, 11, 26, 11, 0)),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=30", (2026, 11, 27, 17, 30)),
        ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", (2026, 11, 30, 0, 0)),
        ("DTSTART:20261101T083015 RRULE:FREQ=DAILY;INTERVAL=20", (2026, 12, 11, 8, 30, 15)),
        ("DTSTART:20260131T080000\nRRULE:FREQ=MONTHLY", (2026, 12, 31, 8, 0)),
        ("DTSTART:20261126T093000 RRULE:FREQ=HOURLY;COUNT=2", (2026, 11, 26, 10, 30)),
        ("DTSTART:20101224T180000 RRULE:FREQ=YEARLY;COUNT=30", (2026, 12, 24, 18, 0)),
    ],
)
def test_a_rule_is_due(rule: str, due: tuple[int, ...]) -> None:
    thursday = at("Europe/Berlin", 2026, 11, 26, 10, 0)
    check(rule)
    assert next_due(rule, "Europe/Berlin", thursday) == at("Europe/Berlin", *due)


@pytest.mark.parametrize(
    "rule",
    [
        "0 0 30 2 *",
        "RRULE:FREQ=DAILY;UNTIL=20261126T100000",
        "DTSTART:20261120T090000 RRULE:FREQ=DAILY;COUNT=6",
        "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "RRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=5MO;BYSETPOS=2",
    ],
)
def test_a_rule_that_is_over_or_never_fits_is_never_due(rule: str) -> None:
    assert next_due(rule, "Europe/Berlin", at("Europe/Berlin", 2026, 11, 26, 10, 0)) is None


def test_what_the_clock_jumps_over_is_moved_on_by_the_jump() -> None:
    before = at("Europe/Berlin", 2026, 3, 29, 1, 0)
    due = next_due("30 2 * * *", "Europe/Berlin", before)
    assert due == at("Europe/Berlin", 2026, 3, 29, 3, 30)
    assert due is not None
    assert next_due("30 2 * * *", "Europe/Berlin", due) == at("Europe/Berlin", 2026, 3, 30, 2, 30)


def test_what_comes_twice_counts_the_first_time() -> None:
    zone = "America/New_York"
    first = next_due("30 1 * * *", zone, at(zone, 2026, 11, 1, 0, 0))
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert first is not None
    assert next_due("30 1 * * *", zone, first) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_a_day_that_a_country_left_out_is_done_on_the_next() -> None:
    rule = "DTSTART:20110101T090000 RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30"
    due = next_due(rule, "Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC))  # no 30th in Samoa
    assert due == at("Pacific/Apia", 2011, 12, 31, 9, 0)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("every day", "is no rule"),
        ("", "is no rule"),
        ("60 9 * * *", "minute"),
        ("0 9 * * 8", "day of the week"),
        ("5/10 * * * *", "step"),
        ("*/0 * * * *", "step"),
        ("0 9 * * fri-mon", "day of the week"),
        ("0 9 * foo *", "month"),
        ("² 9 * * *", "minute"),
        ("RRULE:FREQ=SECONDLY", "FREQ"),
        ("RRULE:BYDAY=MO", "FREQ"),
        ("RRULE:FREQ=DAILY;FREQ=DAILY", "twice"),
        ("RRULE:FREQ=DAILY;BYSECOND=1", "BYSECOND"),
        ("RRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("RRULE:FREQ=DAILY;COUNT=99999999", "COUNT"),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=0", "can't be 0"),
        ("RRULE:FREQ=WEEKLY;BYDAY=2MO", "2MO"),
        ("RRULE:FREQ=DAILY;UNTIL=20261201T000000Z", "without"),
        ("RRULE:FREQ=HOURLY;BYSETPOS=1", "BYSETPOS"),
        ("DTSTART:00010101T000000 RRULE:FREQ=DAILY", "DTSTART"),
        ("RRULE:FREQ=DAILY;BYHOUR=" + ",".join(["1"] * 1000), "characters"),
    ],
)
def test_what_is_no_rule_is_refused_with_words(rule: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "0 0 30 2 *",
        "RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=23",
        "DTSTART:19700101T000000 RRULE:FREQ=MINUTELY;BYHOUR=0;BYMINUTE=0;COUNT=10000",
        "DTSTART:20240101T000100 RRULE:FREQ=MINUTELY;INTERVAL=2;BYMINUTE=0,2,4",
        "DTSTART:90000101 RRULE:FREQ=MINUTELY",
        f"RRULE:FREQ=YEARLY;BYHOUR={','.join(map(str, range(24)))};BYDAY=MO,TU,WE;BYSETPOS=366",
    ],
)
def test_no_rule_costs_more_than_a_moment(rule: str) -> None:
    began = process_time()
    next_due(rule, "Europe/Berlin", datetime(2026, 11, 26, tzinfo=UTC))
    assert process_time() - began < 2.0


# ------------------------------------------------------------------ against the oracles


def some(rng: random.Random, low: int, high: int, most: int = 4) -> str:
    return ",".join(str(rng.randint(low, high)) for _ in range(rng.randint(1, most)))


def random_rrule(rng: random.Random) -> str:
    freq = rng.choice(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"])
    parts = [f"FREQ={freq}"]
    if rng.random() < 0.5:
        parts.append(f"INTERVAL={rng.randint(1, 7 if freq in ('YEARLY', 'MONTHLY') else 40)}")
    if rng.random() < 0.3:
        parts.append("BYMONTH=" + some(rng, 1, 12, 8))
    if rng.random() < 0.2:
        parts.append("BYMONTHDAY=" + some(rng, 1, 31, 8))
    elif rng.random() < 0.1:
        parts.append("BYMONTHDAY=" + some(rng, -31, -1, 8))
    if rng.random() < 0.4:
        nth = [-1, 1, 2, 3] if freq in ("YEARLY", "MONTHLY") and rng.random() < 0.5 else [""]
        days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        parts.append("BYDAY=" + ",".join(f"{rng.choice(nth)}{d}" for d in rng.sample(days, 3)))
    if freq == "YEARLY" and rng.random() < 0.2:
        parts.append("BYYEARDAY=" + some(rng, -300, -1, 9))
    if rng.random() < 0.5:
        parts.append("BYHOUR=" + some(rng, 0, 23))
    if rng.random() < 0.5:
        parts.append("BYMINUTE=" + some(rng, 0, 59, 2))
    if freq in ("MONTHLY", "YEARLY", "DAILY") and rng.random() < 0.2:
        parts.append("BYSETPOS=" + rng.choice(["1", "-1", "2,-1", "3"]))
    if freq == "WEEKLY" and rng.random() < 0.3:
        parts.append("WKST=SU")
    if rng.random() < 0.2:
        parts.append(f"COUNT={rng.randint(1, 30)}")
    start = wall(2024, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 30)
    return f"DTSTART:{start:%Y%m%dT%H%M%S} RRULE:{';'.join(parts)}"


def test_the_wall_times_of_1000_random_rules_are_those_of_dateutil() -> None:
    rng = random.Random(5545)
    seen = 0
    for _ in range(1000):
        rule = random_rrule(rng)
        ours = list(islice(walls(parse(rule), wall(2024, 1, 1)), 12))
        try:
            oracle = iter(rrulestr(rule.replace(" ", "\n")))
            # dateutil goes on to the year 9999 where nothing fits; ours says so after ten years
            theirs = list(islice(oracle, len(ours))) if ours else []
        except ValueError:  # it sees that nothing ever fits
            theirs = []
        assert ours == theirs, rule
        seen += len(ours)
    assert seen > 5_000


class Window:
    """A few days of a zone, minute by minute: each moment with what is done then."""

    def __init__(self, zone: str, middle: datetime) -> None:
        tz = ZoneInfo(zone)
        begin = middle.replace(tzinfo=UTC) - timedelta(days=2)
        moments: list[datetime] = []
        shown: list[datetime] = []
        done: set[datetime] = set()
        before: datetime | None = None
        for n in range(4 * 24 * 60):
            moment = begin + timedelta(minutes=n)
            seen = moment.astimezone(tz).replace(tzinfo=None)
            gap = (seen - before) // timedelta(minutes=1) - 1 if before else 0
            for jumped in range(max(0, gap)):  # what was jumped over is done by the jump later
                moments.append(moment + timedelta(minutes=jumped))
                shown.append(seen + timedelta(minutes=jumped - gap))
            if seen not in done:
                done.add(seen)
                moments.append(moment)
                shown.append(seen)
            before = seen
        self.begin, self.zone = begin, zone
        self.moments = np.array([m.timestamp() for m in moments])
        self.minutes = np.array([w.minute for w in shown])
        self.hours = np.array([w.hour for w in shown])
        self.days = np.array([w.day for w in shown])
        self.months = np.array([w.month for w in shown])
        self.weekdays = np.array([w.isoweekday() % 7 for w in shown])  # cron's: Sunday is 0

    def first(self, fits: np.ndarray, after: datetime) -> datetime | None:
        due = self.moments[fits & (self.moments > after.timestamp())]
        return datetime.fromtimestamp(due.min(), UTC) if len(due) else None


def test_10000_random_rules_are_due_when_zoneinfo_says() -> None:
    rng = random.Random(2026)
    windows = [Window(zone, middle) for zone, days in ZONES.items() for middle in days]
    found = 0
    for _ in range(10_000):
        window = rng.choice(windows)
        minutes = rng.sample(range(60), rng.randint(1, 5))
        hours = [*rng.sample(range(24), rng.randint(1, 5)), rng.choice([1, 2, 3])]
        weekdays = rng.sample(range(7), rng.randint(2, 7))
        days = rng.sample(range(1, 32), rng.randint(5, 25))
        month = int(window.months[2000])
        fits = np.isin(window.minutes, minutes) & np.isin(window.hours, hours)
        at_minutes, at_hours = ",".join(map(str, minutes)), ",".join(map(str, hours))
        on_week, on_day = np.isin(window.weekdays, weekdays), np.isin(window.days, days)
        match rng.randrange(4):
            case 0:
                rule = f"{at_minutes} {at_hours} * * {','.join(map(str, weekdays))}"
                fits &= on_week
            case 1:  # either day
                rule = (
                    f"{at_minutes} {at_hours} {','.join(map(str, days))} {month}"
                    f" {','.join(map(str, weekdays))}"
                )
                fits &= (on_week | on_day) & (window.months == month)
            case 2:
                names = [("SU", "MO", "TU", "WE", "TH", "FR", "SA")[day] for day in weekdays]
                rule = (
                    f"RRULE:FREQ=WEEKLY;BYDAY={','.join(names)};BYHOUR={at_hours}"
                    f";BYMINUTE={at_minutes}"
                )
                fits &= on_week
            case _:
                rule = (
                    f"RRULE:FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, days))};BYHOUR={at_hours}"
                    f";BYMINUTE={at_minutes}"
                )
                fits &= on_day
        after = window.begin + timedelta(hours=rng.uniform(24, 60))
        expected = window.first(fits, after)
        if expected is None:
            continue
        assert next_due(rule, window.zone, after) == expected, (rule, window.zone, after)
        found += 1
    assert found > 8_000
