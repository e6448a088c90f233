"""In rooms: what is overheard, and when the bot speaks unasked."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from hobnob.events import Addressed, Author, Event, Kind
from hobnob.hours import Span, within
from hobnob.policy import Action, Rules, decide
from hobnob.ports import Usage
from hobnob.rooms import Rooms, Speak, unasked
from hobnob.testing.adapter import FakeAdapter

people = FakeAdapter()
GARDEN = Rooms(speak=Speak.TOPICS, topics=("garden", "C++", "猫"))
AMBIENT = Rooms(speak=Speak.AMBIENT, one_in=4)


def heard(text: str, **fields: Any) -> Event:
    return people.event(text, **({"addressed": Addressed.NONE, "room": "room"} | fields))


@pytest.mark.parametrize(
    ("text", "comes_up"),
    [
        ("my garden is dry", True),
        ("all those Gardens!", True),
        ("the gardener came", False),
        ("I write C++ all day", True),
        ("我的猫很可爱", True),
        ("hello", False),
    ],
)
def test_a_topic_is_a_word_of_its_own(text: str, comes_up: bool) -> None:
    assert unasked([heard(text)], GARDEN)[0] is comes_up


def test_by_default_nothing_is_said_unasked_or_overheard() -> None:
    decision = decide([heard("my garden is dry")], Rules(), Usage())
    assert (decision.action, decision.heard) == (Action.SILENT, False)


def test_when_a_topic_comes_up_it_speaks_within_its_budget() -> None:
    rules = Rules(rooms=replace(GARDEN, per_hour=2))
    decision = decide([heard("my garden is dry")], rules, Usage(chimes=1))
    assert (decision.action, decision.reason) == (Action.CHIME, "my topic garden comes up")
    decision = decide([heard("my garden is dry")], rules, Usage(chimes=2))
    assert (decision.action, "enough unasked" in decision.reason) == (Action.SILENT, True)


def test_a_limit_keeps_it_from_speaking_without_a_notice() -> None:
    rules = Rules(rooms=GARDEN, per_chat_per_minute=5)
    decision = decide([heard("my garden is dry")], rules, Usage(by_chat=5))
    assert (decision.action, "per_chat" in decision.reason) == (Action.SILENT, True)


def test_commands_that_are_for_others_are_nothing_to_join() -> None:
    decision = decide([heard("/garden", kind=Kind.COMMAND)], Rules(rooms=GARDEN), Usage())
    assert decision.action is Action.SILENT


def test_ambient_joins_about_one_in_so_many_and_decides_alike_each_time() -> None:
    said = [heard("hm", id=f"event {number}") for number in range(1000)]
    joined = [unasked([event], AMBIENT)[0] for event in said]
    assert 200 < sum(joined) < 300
    assert joined == [unasked([event], AMBIENT)[0] for event in said]


def test_in_quiet_hours_nothing_is_said_unasked() -> None:
    rooms = replace(GARDEN, quiet=(Span.parse("22:00-07:00"),), zone="Europe/Berlin")
    night = datetime(2026, 7, 1, 20, 30, tzinfo=UTC)  # half past ten in the evening in Berlin
    assert not unasked([heard("my garden", at=night)], rooms)[0]
    assert unasked([heard("my garden", at=night.replace(hour=19))], rooms)[0]


def test_who_speaks_to_the_bot_is_answered_as_ever() -> None:
    rules = Rules(names=("Robin",), rooms=replace(AMBIENT, remember_all=True, per_hour=0))
    assert decide([heard("Robin?")], rules, Usage()).action is Action.ANSWER


def test_what_is_overheard_is_remembered_where_the_owner_wants_that() -> None:
    rules = Rules(rooms=Rooms(remember_all=True))
    assert decide([heard("hello all")], rules, Usage()).heard
    bot = Author(id="9", name="Beep", is_bot=True)
    assert not decide([heard("beep", author=bot)], rules, Usage()).heard


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        ("09:00-17:30", ["09:00", "17:29"], ["08:59", "17:30"]),
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "21:59"]),
        ("8:00 - 24:00", ["08:00", "23:59"], ["07:59", "00:00"]),
        ("00:00-24:00", ["00:00", "23:59"], []),
    ],
)
def test_spans_of_the_day(span: str, inside: list[str], outside: list[str]) -> None:
    spans = [Span.parse(span)]
    assert all(within(spans, time.fromisoformat(moment)) for moment in inside)
    assert not any(within(spans, time.fromisoformat(moment)) for moment in outside)


@pytest.mark.parametrize("text", ["", "9-17", "25:00-26:00", "08:00-08:00", "10:00-24:30"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"Write it like|begins when it ends"):
        Span.parse(text)
