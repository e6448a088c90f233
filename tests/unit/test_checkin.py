"""When and what a bot writes first: pure."""

import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hobnob import hours
from hobnob.assistant.speech import speech
from hobnob.assistant.when.grammar import LANGUAGES
from hobnob.checkin import birthday, opening, plans, promises
from hobnob.checkin.asking import Asked, by_command, in_words
from hobnob.checkin.manners import Manners, rule
from hobnob.events import Role, Turn
from hobnob.hours import Span
from hobnob.memory.facts import extract
from hobnob.recurrence import next_due
from hobnob.store.checkins import Said
from hobnob.testing.adapter import FakeAdapter

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday


# ------------------------------------------------------------------------------ when


@pytest.mark.parametrize(
    ("spans", "at", "end"),
    [
        ([], "09:15", "09:15"),
        (["22:00-08:00"], "21:59", "21:59"),
        (["22:00-08:00"], "22:00", "08:00"),
        (["22:00-02:00", "01:30-08:00"], "23:00", "08:00"),
        (["13:00-24:00"], "13:00", "00:00"),
        (["00:00-24:00"], "12:00", None),
        (["00:00-12:00", "12:00-24:00"], "12:00", None),
    ],
)
def test_quiet_hours_end(spans: list[str], at: str, end: str | None) -> None:
    found = Manners(quiet=[Span.parse(span) for span in spans]).hour(time.fromisoformat(at))
    assert found == (time.fromisoformat(end) if end else None)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_once_a_day_never_in_quiet_hours_whatever_the_clocks_do(zone: str) -> None:
    """Through a year, with hours and quiet hours by chance, against the clock on the wall."""
    chance, tz = random.Random(zone), ZoneInfo(zone)
    for _ in range(12):
        first, last = (f"{chance.randrange(24):02}:{chance.choice((0, 30)):02}" for _ in "ab")
        quiet = [Span.parse(f"{first}-{last}")] if first != last else []
        wanted = time(chance.randrange(24), chance.randrange(60))
        hour = Manners(quiet=quiet).hour(wanted)
        assert hour is not None
        said: list[datetime] = []
        moment: datetime | None = NOW
        for _ in range(370):
            moment = next_due(rule(hour), zone, moment or NOW)
            assert moment is not None
            end = hours.end(quiet, moment.astimezone(tz))
            assert end is not None
            assert (
                moment <= end <= moment + timedelta(hours=1)
            )  # moved by a clock that jumps, at most
            said.append(end.astimezone(tz))
        assert not any(hours.within(quiet, each.time()) for each in said)
        assert all(
            opening.APART < after - before < timedelta(hours=26) for before, after in pairwise(said)
        )
        days = [each.date() for each in said]
        assert days == [days[0] + timedelta(days=n) for n in range(len(days))]


@pytest.mark.parametrize(
    ("born", "day", "on"),
    [
        ("3 May", date(2026, 5, 3), True),
        ("3 May 1990", date(2026, 5, 3), True),
        ("3 May", date(2026, 5, 4), False),
        ("3 May", date(2026, 3, 5), False),
        ("29 February 1992", date(2028, 2, 29), True),
        ("29 February", date(2028, 3, 1), False),
        ("29 February", date(2026, 3, 1), True),
        ("29 February", date(2026, 2, 28), False),
        ("in spring", date(2026, 3, 1), False),
    ],
)
def test_birthdays(born: str, day: date, on: bool) -> None:
    assert birthday.is_on(born, day) is on


# ------------------------------------------------------------------------------ asking for it


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("/checkin", Asked(wanted=None)),
        ("/checkin on", Asked(wanted=True)),
        ("/checkin OFF", Asked(wanted=False)),
        ("/checkin 9:00", Asked(wanted=True, hour=time(9))),
        ("/checkin 7 pm", Asked(wanted=True, hour=time(19))),
        ("/checkin um 18 Uhr", Asked(wanted=True, hour=time(18))),
        ("/checkin every day at 9", Asked(wanted=True, hour=time(9))),
        ("/checkin 9:00 berlin", Asked(wanted=True, hour=time(9), zone="Europe/Berlin")),
        ("/checkin on Asia/Tokyo", Asked(wanted=True, zone="Asia/Tokyo")),
        ("/checkin tomorrow at 9", Asked(wanted=None, clear=False)),
        ("/checkin every Monday at 9", Asked(wanted=None, clear=False)),
        ("/checkin in 5 minutes", Asked(wanted=None, clear=False)),
        ("/checkin please", Asked(wanted=None, clear=False)),
        ("/help", None),
    ],
)
def test_the_command(text: str, asked: Asked | None) -> None:
    assert by_command(FakeAdapter().event(text), NOW, "UTC") == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Ask me something every day at 9", (True, time(9), "en")),
        ("could you ask me how I'm doing every evening at 8?", (True, time(20), "en")),
        ("You can write to me first!", (True, None, "en")),
        ("check in with me every day at 8 pm", (True, time(20), "en")),
        ("Please stop writing to me first.", (False, None, "en")),
        ("Frag mich jeden Tag um 9 Uhr etwas", (True, time(9), "de")),
        ("Frag mich etwas jeden Abend um 20 Uhr", (True, time(20), "de")),
        ("Du kannst mir ruhig von dir aus schreiben", (True, None, "de")),
        ("Schreib mir nicht mehr von dir aus", (False, None, "de")),
        ("Pregúntame algo todos los días a las 9:00", (True, time(9), "es")),
        ("Puedes escribirme primero", (True, None, "es")),
        ("Deja de escribirme primero", (False, None, "es")),
        ("Pose-moi une question tous les jours à 9h", (True, time(9), "fr")),
        ("Tu peux m'écrire de toi-même", (True, None, "fr")),
        ("Ne m'écris plus de toi-même", (False, None, "fr")),
        ("每天早上9点问我一个问题", (True, time(9), "zh")),
        ("你可以主动找我", (True, None, "zh")),
        ("不要再主动给我写信了", (False, None, "zh")),
        ("ask me something", None),
        ("ask me something tomorrow at 9", None),
        ("ask me something every Monday at 9", None),
        ("ask me something every day at 9, and my sister too", None),
        ("why did you write to me first?", None),
        ("She said: you can write to me first, and then left", None),
        ("I never write first", None),
    ],
)
def test_in_words(text: str, asked: tuple[bool, time | None, str] | None) -> None:
    found = in_words(text, NOW, "UTC", ["en"])
    assert (found and (found.wanted, found.hour, found.language)) == asked


# ------------------------------------------------------------------------------ what is said


@pytest.mark.parametrize(
    ("said", "afterwards"),
    [
        ("I have a job interview tomorrow", "You had a job interview yesterday"),
        ("My exam is on 2 January at 3 pm", "Your exam was yesterday"),
        ("I'm flying to Rome tomorrow", "You were flying to Rome yesterday"),
        ("I'm going to see my doctor on Friday", "You were going to see your doctor yesterday"),
        ("I have a meeting next week", None),
        ("I'm moving to Oslo in May", None),
        ("My grandma's funeral is tomorrow", None),
        ("I have a job interview", None),
    ],
)
def test_plans_are_asked_about_afterwards(said: str, afterwards: str | None) -> None:
    people = FakeAdapter()
    event = people.event(said)
    turn = Turn(role=Role.USER, author=event.author, text=said, at=NOW)
    found = [fact.text for fact in extract(turn) if plans.day_of(fact.text)]
    today = date(2026, 1, 3)
    if afterwards is None:
        assert found == []
        return
    (text,) = found
    assert plans.day_of(text) == date(2026, 1, 2)
    assert plans.in_the_past(text, today) == afterwards
    assert "on Friday" in plans.in_the_past(text, today + timedelta(days=1))
    near = range(-1, 6)
    news = [n for n in near if plans.is_news(date(2026, 1, 2), date(2026, 1, 2 + n))]
    assert news == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "due", "kept"),
    [
        (
            "Good luck! I'll ask you tomorrow how the interview went.",
            "2026-01-02T09:00",
            "I wanted to ask you how the interview went.",
        ),
        ("Sure, I'll remind you tonight at 9 to call her!", "2026-01-01T21:00", ""),
        ("I'll check in with you on Saturday at 10 am.", "2026-01-03T10:00", ""),
        ("Klar, ich frage dich morgen, wie es war.", "2026-01-02T09:00", ""),
        ("Morgen frage ich dich, wie es war.", "2026-01-02T09:00", ""),
        ("Mañana te pregunto cómo te fue.", "2026-01-02T09:00", ""),
        ("Je te demanderai demain comment c'était.", "2026-01-02T09:00", ""),
        ("我明天会问你面试怎么样。", "2026-01-02T09:00", ""),
    ],
)
def test_promises_are_understood(text: str, due: str, kept: str) -> None:
    found = promises.find(text, NOW, "UTC")
    assert found
    assert f"{found.due:%Y-%m-%dT%H:%M}" == due
    assert found.question == kept


@pytest.mark.parametrize(
    "text",
    [
        "Shall I ask you tomorrow how it went?",
        "I'll ask you tomorrow how it went, okay?",
        "I'll ask you how it went.",
        "I'll ask you again some day.",
        "I'll ask you tomorrow if you haven't told me by then.",
        "I'll remind you tomorrow or on Friday.",
        "I'll ask you every day at 9.",
        "I'll write to you in a minute.",
        "I'll ask you about your exam on Sunday tomorrow.",
        "I'll be here tomorrow.",
        "I won't ask you tomorrow.",
        "You said: I'll ask you tomorrow.",
        "My sister asked me yesterday.",
        "I'll write to you in 2031.",
        "Ich frage mich, was morgen wird.",
        "Ich werde dich morgen vermissen.",
    ],
)
def test_nothing_else_is_a_promise(text: str) -> None:
    assert promises.find(text, NOW, "UTC") is None


def test_no_question_comes_again_until_all_were_asked() -> None:
    said: list[Said] = []
    for day in range(10):
        question = opening.next_question(["a", "b", "c"], said)
        said.append(Said(what="question", about=question, at=NOW + timedelta(days=day)))
    assert "".join(each.about for each in said) == "abcabcabca"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_everything(code: str) -> None:
    english, spoken = (speech(each, "hobnob.checkin") for each in ("en", code))
    assert spoken.keys == english.keys
    assert len(set(spoken.all("questions"))) == len(spoken.all("questions")) >= 14
    for what in ("agreed", "agreed_daily"):
        said = spoken.say(what, clock="09:00", zone="Europe/Berlin")
        assert "09:00" in said
        assert "Europe/Berlin" in said
