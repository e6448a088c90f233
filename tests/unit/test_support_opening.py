"""When the desk is open, against a walk from minute to minute; holidays, calendars, mistakes."""

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from hobnob.errors import ConfigError
from hobnob.hours import Span
from hobnob.support.closed import MAX_BYTES, MOST_EVENTS, read
from hobnob.support.holidays import public_holidays
from hobnob.support.opening import Opening
from hobnob.support.table import OpeningTable, SupportTable
from hobnob.validate import check

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = {  # with the days on which the clock is set
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),  # by half an hour
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),  # at midnight
}


def at(*shown: int, fold: int = 0) -> datetime:
    return datetime(*shown, tzinfo=BERLIN, fold=fold)  # type: ignore[misc,arg-type]


def opening(folder: Path = Path(), **keys: object) -> Opening:
    return Opening.of(check(OpeningTable, keys), "Europe/Berlin", folder)


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


def closing(*events: str) -> Opening:
    """All day long, but for these events."""
    return Opening(
        week=((Span.parse("00:00-24:00"),),) * 7,
        zone="Europe/Berlin",
        closed=read(calendar(*events), "closed.ics", "Europe/Berlin"),
    )


# --------------------------------------------------------------------------- by example


def test_without_any_hours_it_is_always_open() -> None:
    assert opening().is_open(at(2026, 11, 29, 3, 0))
    assert opening().next_open(at(2026, 11, 29, 3, 0)) == at(2026, 11, 29, 3, 0)


def test_several_hours_a_day_and_days_of_their_own() -> None:
    desk = opening(
        weekdays=["09:00-12:00", "13:00-18:00"], friday=["09:00-12:00"], saturday=["10:00-11:00"]
    )
    friday = at(2026, 11, 27, 9, 0)
    assert desk.is_open(friday)
    assert not desk.is_open(friday + timedelta(hours=3))  # the end is not in it
    assert desk.next_open(friday + timedelta(hours=3)) == at(2026, 11, 28, 10, 0)
    assert desk.next_open(at(2026, 11, 28, 11, 0)) == at(2026, 11, 30, 9, 0)
    assert desk.next_open(at(2026, 11, 30, 12, 30)) == at(2026, 11, 30, 13, 0)
    assert not opening(weekend=["09:00-12:00"]).is_open(friday)


def test_hours_past_midnight_are_of_the_day_when_they_begin() -> None:
    desk = opening(friday=["22:00-02:00"])
    assert desk.is_open(at(2026, 11, 28, 1, 59))
    assert not desk.is_open(at(2026, 11, 28, 2, 0))
    assert not desk.is_open(at(2026, 11, 27, 1, 0))
    assert desk.next_open(at(2026, 11, 28, 2, 0)) == at(2026, 12, 4, 22, 0)


def test_who_is_never_there_is_not_back() -> None:
    desk = opening(monday=[])
    assert desk.next_open(at(2026, 11, 26, 9, 0)) is None
    assert desk.back(at(2026, 11, 26, 9, 0)) == ""


def test_the_next_opening_is_looked_for_a_year_ahead() -> None:
    away = event("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20271126")
    assert closing(away).next_open(at(2026, 12, 1)) == at(2027, 11, 26)
    again = event("DTSTART;VALUE=DATE:20271126", "DTEND;VALUE=DATE:20280601")
    assert closing(away, again).next_open(at(2026, 12, 1)) is None


# ----------------------------------------------------------- against the clock on the wall

MINUTE = timedelta(minutes=1)


@cache
def shown(zone: str, set_on: date) -> list[tuple[datetime, int]]:
    """Each minute of five days around this one, with what the clock shows: minutes since year 1."""
    begin = datetime(set_on.year, set_on.month, set_on.day, tzinfo=UTC) - timedelta(days=2)
    minutes = [begin + n * MINUTE for n in range(5 * 24 * 60)]
    walls = [moment.astimezone(ZoneInfo(zone)) for moment in minutes]
    return [
        (moment, wall.toordinal() * 1440 + wall.hour * 60 + wall.minute)
        for moment, wall in zip(minutes, walls, strict=True)
    ]


def written(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def span(minutes: tuple[int, int]) -> Span:
    start, end = (f"{each // 60 % 24:02}:{each % 60:02}" for each in minutes)
    return Span.parse(f"{start}-{end}" if end != "00:00" else f"{start}-24:00")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("which", [0, 1])
def test_random_hours_are_those_of_a_walk_from_minute_to_minute(zone: str, which: int) -> None:
    set_on = ZONES[zone][which]
    clock = shown(zone, set_on)
    chance = random.Random(f"{zone} {which}")
    ends = ("START", "END")
    opened = 0
    for _ in range(60):
        week, text = [], []
        for _ in range(7):
            spans = []
            for _ in range(chance.choice([0, 1, 1, 2, 3])):
                start = chance.randrange(0, 1440, 15)
                spans.append((start, start + chance.choice([15, 60, 240, 1425, 1440 - start])))
            week.append(spans)
            text.append(tuple(map(span, spans)))
        off = {set_on + timedelta(days=n) for n in (-2, -1, 0, 1) if chance.random() < 0.15}
        away = sorted(chance.sample(range(len(clock)), 2))
        events = [
            *(event(f"DTSTART;VALUE=DATE:{day:%Y%m%d}") for day in off),
            event(
                *(f"DT{what}:{written(clock[n][0])}" for what, n in zip(ends, away, strict=True))
            ),
        ]
        desk = Opening(
            week=tuple(text), zone=zone, closed=read(calendar(*events), "closed.ics", zone)
        )
        walls: set[int] = set()
        for ordinal in range(set_on.toordinal() - 4, set_on.toordinal() + 5):
            day = date.fromordinal(ordinal)
            for start, end in () if day in off else week[day.weekday()]:
                walls.update(range(ordinal * 1440 + start, ordinal * 1440 + end))
        flags = [
            wall in walls
            and date.fromordinal(wall // 1440) not in off
            and not away[0] <= place < away[1]
            for place, (_, wall) in enumerate(clock)
        ]
        opened += sum(flags)
        edges = [place for place, (one, two) in enumerate(pairwise(flags), 1) if one != two]
        for place in {*chance.sample(range(len(clock)), 20), *edges}:
            moment = clock[place][0]
            assert desk.is_open(moment) is flags[place], (moment, week, off)
            if True in flags[place:]:
                then = clock[flags.index(True, place)][0]
                assert desk.next_open(moment) == then, (moment, week, off)
    assert opened > 10_000


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice() -> None:
    night = opening(sunday=["02:30-05:00"])
    assert night.next_open(at(2026, 3, 29, 1, 0)) == at(2026, 3, 29, 3, 0)
    skipped = opening(sunday=["02:00-03:00"])
    assert skipped.next_open(at(2026, 3, 28, 12, 0)) == at(2026, 4, 5, 2, 0)
    twice = opening(sunday=["02:00-02:30"])
    first, second = at(2026, 10, 25, 2, 0), at(2026, 10, 25, 2, 0, fold=1)
    assert twice.next_open(at(2026, 10, 25, 1, 0)) == first.astimezone(UTC)
    assert twice.next_open(at(2026, 10, 25, 2, 45)) == second.astimezone(UTC)


# ------------------------------------------------------------------------------- holidays


def test_nobody_is_there_on_a_holiday_nor_for_hours_that_begin_on_it() -> None:
    desk = opening(weekdays=["22:00-02:00"], holidays="DE")
    assert desk.is_open(at(2026, 12, 24, 23, 0))
    assert not desk.is_open(at(2026, 12, 25, 1, 0))  # a Friday
    assert not desk.is_open(at(2026, 12, 26, 1, 0))
    assert desk.next_open(at(2026, 12, 25, 0, 0)) == at(2026, 12, 28, 22, 0)


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    women = date(2027, 3, 8)
    assert women in public_holidays("DE-BE")
    assert women not in public_holidays("DE-BY")
    assert women not in public_holidays("DE")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("GERMANY", 'holidays: "GERMANY" is no country whose holidays are known'),
        ("de", 'write its code, like "DE" or "DE-BE".'),
        ("DE-BX", '"BX" is no part of DE with holidays of its own. Known: BB,'),
        ("DE-Bayern", "Known: BB, BE, BW,"),
    ],
)
def test_holidays_that_are_not_known(code: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opening(holidays=code)
    assert told in str(caught.value)


# ------------------------------------------------------------------------ a calendar that is good


def test_whole_days_are_closed_like_holidays() -> None:
    desk = closing(
        event("UID:1", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"),
        event("UID:2", "DTSTART;VALUE=DATE:20270105"),
        event("UID:3", "DTSTART;VALUE=DATE:20270110", "DURATION:P1W", "TRANSP:TRANSPARENT"),
        event("UID:4", "DTSTART;VALUE=DATE:20270120", "DTEND;VALUE=DATE:20270120"),
        event("UID:5", "DTSTART;VALUE=DATE:20270125", "STATUS:CANCELLED"),
    )
    assert desk.next_open(at(2026, 12, 24)) == at(2026, 12, 27)
    assert desk.next_open(at(2027, 1, 5, 23, 59)) == at(2027, 1, 6)
    assert desk.next_open(at(2027, 1, 10, 12, 0)) == at(2027, 1, 17)
    assert desk.next_open(at(2027, 1, 20, 12, 0)) == at(2027, 1, 21)
    assert desk.is_open(at(2027, 1, 25, 12, 0))


def test_times_are_closed_to_the_second_in_their_own_zone() -> None:
    desk = closing(
        event("DTSTART;TZID=America/New_York:20261130T080000", "DURATION:PT1H30M"),
        event("DTSTART:20261201T080000", "DTEND:20261201T083015"),
        event("DTSTART:20261202T080000Z", "DTEND;TZID=Europe/Berlin:20261202T100000"),
        event(
            'DTSTART;TZID="/example.org/2026/Europe/Berlin":20261203T0900\r\n 00', "DURATION:PT1H"
        ),
        event("DTSTART:20261204T090000"),  # no time at all
        event("DTSTART;TZID=Eastern Standard Time:20261205T080000", "DURATION:PT1H"),
    )
    assert desk.next_open(at(2026, 11, 30, 14, 0)) == at(2026, 11, 30, 15, 30)
    assert desk.is_open(at(2026, 11, 30, 13, 59))
    assert desk.next_open(at(2026, 12, 1, 8, 0)) == at(2026, 12, 1, 8, 30, 15)
    assert desk.next_open(at(2026, 12, 2, 9, 0)) == at(2026, 12, 2, 10, 0)
    assert desk.next_open(at(2026, 12, 3, 9, 0)) == at(2026, 12, 3, 10, 0)
    assert desk.is_open(at(2026, 12, 4, 9, 0))
    assert desk.next_open(at(2026, 12, 5, 14, 0)) == at(2026, 12, 5, 15, 0)


def test_events_that_come_again() -> None:
    desk = closing(
        event("UID:1", "DTSTART;VALUE=DATE:20101224", "RRULE:FREQ=YEARLY;COUNT=30"),
        event(
            "UID:2",
            "DTSTART;TZID=Europe/Berlin:20260601T120000",
            "DTEND;TZID=Europe/Berlin:20260601T130000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261222T110000Z",
            "EXDATE;TZID=Europe/Berlin:20261130T120000,20261201T120000",
            "RDATE;TZID=Europe/Berlin:20261202T120000",
        ),
        event(
            "UID:2",
            "RECURRENCE-ID;TZID=Europe/Berlin:20261207T120000",
            "DTSTART;TZID=Europe/Berlin:20261207T150000",
            "DTEND;TZID=Europe/Berlin:20261207T160000",
        ),
        event("UID:2", "RECURRENCE-ID:20261208T110000Z", "DTSTART:20261208", "STATUS:CANCELLED"),
    )
    assert [day for day in (2010, 2026, 2039, 2040) if not desk.is_open(at(day, 12, 24))] == [
        2010,
        2026,
        2039,
    ]
    noons = [at(2026, 11, 23, 12, 30) + timedelta(days=n) for n in range(40)]
    assert [noon.day for noon in noons if not desk.is_open(noon)] == [
        *(23, 24, 2, 14, 15, 21, 22, 24)
    ]
    assert not desk.is_open(at(2026, 12, 7, 15, 0))


def test_an_event_over_new_year_is_of_both_years() -> None:
    desk = closing(
        event("DTSTART;VALUE=DATE:20251201", "DTEND;VALUE=DATE:20260110", "RRULE:FREQ=YEARLY"),
        event("DTSTART:20271230T120000", "DTEND:20280120T120000"),
    )
    assert desk.next_open(at(2027, 1, 1)) == at(2027, 1, 10)
    assert desk.next_open(at(2028, 1, 10)) == at(2028, 1, 20, 12, 0)


def test_what_is_not_an_event_is_passed_over() -> None:
    alarm = ("BEGIN:VALARM", "TRIGGER:-PT15M", "DTSTART:nonsense", "END:VALARM")
    desk = closing(
        'X-WR-CALNAME;X="a:b;c":closed',
        "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16011028T030000\nEND:STANDARD\n"
        "END:VTIMEZONE",
        "BEGIN:VTODO\nDTSTART:20261127T000000\nEND:VTODO",
        event('ATTENDEE;CN=Jo"e:x', "DTSTART;VALUE=DATE:20261128", *alarm, "SUMMARY:Ñandú\\, 假期"),
    )
    assert desk.next_open(at(2026, 11, 28)) == at(2026, 11, 29)
    assert desk.is_open(at(2026, 11, 27))


# ----------------------------------------------------------------------- a calendar that is bad

HOURLY = "RRULE:FREQ=HOURLY"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": is empty."),
        ("\n \n", ": is empty."),
        ("<!doctype html>", ": line 1: is no iCalendar, which begins with BEGIN:VCALENDAR."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224", ": line 2: VEVENT has no end."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", ": line 3: ends VCALENDAR, but VEVENT"),
        ("END:VCALENDAR", ": line 1: is no iCalendar"),
        (calendar(event("DTSTART 20261224")), ": line 4: is no line of an event, like NAME:VALUE."),
        (calendar(event("SUMMARY:x")), ": line 3: the event has no DTSTART"),
        (calendar(event("DTSTART:20261324")), ': line 4: "20261324" is no time, like 20261224'),
        (calendar(event('DTSTART;X=":20261224')), ': line 4: ";X=":20261224" is no time'),
        (calendar(event("DTSTART:")), ': line 4: "" is no time'),
        (calendar(event("DTSTART:00010101")), ": line 4: 00010101 is not between the years"),
        (calendar(event("DTSTART:99991231T235959Z")), "is not between the years 1970 and 9000."),
        (
            calendar(event("DTSTART:20261224", "DTSTART:20261225")),
            ": line 5: the event has DTSTART",
        ),
        (
            calendar(event("DTSTART;TZID=Home Time:20261224T090000")),
            ': line 4: the time zone "Home Time" is not known. Write it like "Europe/',
        ),
        (calendar(event("DTSTART:20261224", "DTEND:20261224T1")), ': line 5: "20261224T1" is no'),
        (calendar(event("DTSTART:20261224", "DTEND:20261224T100000")), "not both days or both"),
        (calendar(event("DTSTART:20261224", "DTEND:20261223")), ": line 5: the event ends before"),
        (calendar(event("DTSTART:20261224", "DTEND:20280101")), "lasts for more than a year."),
        (calendar(event("DTSTART:20261224", "DURATION:P9999W")), "lasts for more than a year."),
        (calendar(event("DTSTART:20261224", "DURATION:soon")), '"soon" is no DURATION, like P1D'),
        (
            calendar(event("DTSTART:20261224", "RRULE:FREQ=OFTEN")),
            ": line 5: RRULE: the rule needs",
        ),
        (calendar(event("DTSTART:20261224T000000", HOURLY)), "comes more than once a day."),
        (calendar(event("DTSTART:20261224", "RRULE:FREQ=DAILY;BYHOUR=1,2")), "than once a day."),
        (calendar(event("DTSTART:20261224", "RDATE;VALUE=PERIOD:20261224/P1D")), "is no time"),
        (
            calendar(event("DTSTART:20261224", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261223")),
            ": line 5: RANGE=THISANDFUTURE is not understood: make two events.",
        ),
        (
            calendar(*[event("DTSTART:20261224")] * (MOST_EVENTS + 1)),
            f": has more than {MOST_EVENTS} events.",
        ),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, "closed.ics", "Europe/Berlin")
    assert str(caught.value).startswith("closed.ics: ")
    assert told in str(caught.value)


def test_any_text_is_read_or_refused() -> None:
    chance = random.Random(1)
    good = calendar(
        event(
            "UID:1", "DTSTART;TZID=Europe/Berlin:20260601T120000", "DURATION:P1DT2H", "SUMMARY:x"
        ),
        event("UID:2", "DTSTART;VALUE=DATE:20101224", "RRULE:FREQ=YEARLY;UNTIL=20301224T000000Z"),
    )
    refused = 0
    for _ in range(1000):
        text = list(good)
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(text))
            text[place : place + chance.randrange(3)] = chance.choice('\n\r :;=,"-0T9Zé\0 \u2028٣P')
        try:
            read("".join(text), "closed.ics", "Europe/Berlin").year(2026)
        except ConfigError:
            refused += 1
    assert 100 < refused < 1000


def test_hostile_calendars_cost_little() -> None:
    begun = process_time()
    with pytest.raises(ConfigError):
        read(calendar(event("X" + ';A="b"' * 100_000)), "closed.ics", "UTC")
    read(calendar(event("DTSTART:20261224", "X;A=" + "," * 500_000 + ":")), "closed.ics", "UTC")
    with pytest.raises(ConfigError):
        read("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 50_000, "closed.ics", "UTC")
    endless = "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU"
    never = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    many = [event("DTSTART:19700101T000000", "DURATION:PT1H", rule) for rule in [endless, never]]
    desk = closing(*many * 50)
    assert desk.next_open(at(2026, 11, 26)) == at(2026, 11, 26, 1, 0)
    assert process_time() - begun < 10


# ------------------------------------------------------------------------------- bot.toml


def test_the_calendar_stands_in_the_folder_of_the_bot(tmp_path: Path) -> None:
    (tmp_path / "closed.ics").write_text(calendar(event("DTSTART:20261130")))
    desk = opening(tmp_path, weekdays=["09:00-17:00"], calendar="closed.ics", timezone="Asia/Tokyo")
    assert desk.next_open(at(2026, 11, 28)) == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_calendar_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"closed\.ics: there is no such file\."):
        opening(tmp_path, calendar="closed.ics")
    (tmp_path / "closed.ics").write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=r"closed\.ics: is larger than 1024 kB"):
        opening(tmp_path, calendar="closed.ics")
    (tmp_path / "closed.ics").write_bytes(b"BEGIN:VCALENDAR\n\xff")
    with pytest.raises(ConfigError, match=r"closed\.ics: line 2: is not UTF-8 text\."):
        opening(tmp_path, calendar="closed.ics")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"opening": {"monday": ["9-5"]}}, "opening.monday: '9-5' is no span of time."),
        ({"opening": {"mondays": []}}, "opening.mondays: unknown key. Did you mean monday?"),
        ({"opening": {"monday": "09:00-17:00"}}, "opening.monday: must be a list"),
        ({"opening": {"timezone": "Berlin"}}, "opening.timezone: is not a time zone."),
        ({"staff": ["olga"]}, "staff: holds something that is no person."),
        ({"where": "lobby"}, "where: "),
        ({"answers": {"two words": "x"}}, "answers: has a name that is more than one word."),
        ({"answers": {"hours": ""}}, "answers.hours: must not be empty."),
    ],
)
def test_mistakes_in_the_table(table: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(SupportTable, table, at="support")
    assert f"bot.toml: support.{told}" in str(caught.value)


# ------------------------------------------------------------------------------ in words


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "We are back on Monday 30 November 2026, 09:00 (Europe/Berlin)."),
        ("de-AT", "Wir sind wieder da: Montag, 30. November 2026, 09:00 Uhr (Europe/Berlin)."),
        ("es", "Volvemos el lunes 30 de noviembre de 2026, 09:00 (Europe/Berlin)."),
        ("fr", "Nous serons de retour le lundi 30 novembre 2026, 09:00 (Europe/Berlin)."),
        ("zh", "我们回来的时间：2026年11月30日星期一 09:00（Europe/Berlin）。"),
        ("tlh", "We are back on Monday 30 November 2026, 09:00 (Europe/Berlin)."),
    ],
)
def test_when_somebody_is_back(language: str, said: str) -> None:
    desk = opening(weekdays=["09:00-17:00"])
    assert desk.back(at(2026, 11, 28, 12, 0), language) == said
    assert desk.away(at(2026, 11, 28, 12, 0), language) == said


def test_the_owners_own_words() -> None:
    desk = opening(weekdays=["09:00-17:00"], message="Closed {now}! {back}")
    assert desk.away(at(2026, 11, 28, 12, 0)) == (
        "Closed {now}! We are back on Monday 30 November 2026, 09:00 (Europe/Berlin)."
    )
    assert opening(monday=[], message="Gone. {back}").away(at(2026, 11, 28)) == "Gone."
