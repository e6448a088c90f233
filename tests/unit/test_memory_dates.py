"""The times that a question speaks of."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.memory.dates import A_DAY, LONGER, spans

NOW = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)
FIRST = datetime(2025, 2, 1, tzinfo=UTC)


def spoken_of(text: str, now: datetime = NOW, first: datetime = FIRST) -> list[tuple[str, str]]:
    """First day and first day after, of each."""
    return [
        (f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}", f"{datetime.fromtimestamp(end, UTC):%F}")
        for start, end, _ in spans(text, now, first)
    ]


def days(text: str) -> set[str]:
    """The single days that are meant, which weigh most."""
    return {
        f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}"
        for start, end, weight in spans(text, NOW, FIRST)
        if weight == A_DAY and end - start == 86400
    }


@pytest.mark.parametrize(
    "text",
    [
        "What did I say on 3 May 2026?",
        "what about may 3, 2026",
        "on May 3rd 2026",
        "the 3rd of May 2026",
        "3 MAY 2026",
        "我2026年5月3日说了什么",
        "2026年5月3号",
    ],
)
def test_a_day_is_that_day_and_less_so_its_month(text: str) -> None:
    found = list(spans(text, NOW, FIRST))
    assert [weight for *_, weight in found] == [A_DAY, LONGER]
    assert spoken_of(text) == [("2026-05-03", "2026-05-04"), ("2026-05-01", "2026-06-01")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in March", [("2025-03-01", "2025-04-01"), ("2026-03-01", "2026-04-01")]),
        ("in sept 2025", [("2025-09-01", "2025-10-01")]),
        ("in Sep. 2025", [("2025-09-01", "2025-10-01")]),
        ("in December 2025", [("2025-12-01", "2026-01-01")]),
        ("你2026年5月去了哪里", [("2026-05-01", "2026-06-01")]),
        ("in 2025", [("2025-01-01", "2026-01-01")]),
        ("在3月", [("2025-03-01", "2025-04-01"), ("2026-03-01", "2026-04-01")]),
        ("at March 3:30", [("2025-03-01", "2025-04-01"), ("2026-03-01", "2026-04-01")]),
        ("yesterday", [("2026-06-14", "2026-06-15")]),
        ("昨天", [("2026-06-14", "2026-06-15")]),
        ("today", [("2026-06-15", "2026-06-16")]),
        ("last week", [("2026-06-01", "2026-06-15")]),
        ("last month", [("2026-04-14", "2026-06-15")]),
    ],
)
def test_months_years_and_days_back_are_understood(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert spoken_of(text) == expected


def test_a_day_without_a_year_is_that_of_every_year() -> None:
    assert days("on 3 March") == {"2025-03-03", "2026-03-03"}


def test_two_days_are_both_meant() -> None:
    assert days("between 12 March 2025 and 1 April 2025") == {"2025-03-12", "2025-04-01"}


@pytest.mark.parametrize(
    ("text", "is_month"),
    [
        ("May I ask you something?", False),
        ("you may be right", False),
        ("in May", True),
        ("since may", True),
        ("May 2026", True),
        ("may 3", True),
    ],
)
def test_the_verb_may_is_no_month(text: str, is_month: bool) -> None:
    assert bool(spoken_of(text)) is is_month


@pytest.mark.parametrize(
    "text",
    ["", "👍", "marching decently", "the 31st of February 2026", "30 February", "1234", "12月34"],
)
def test_what_is_no_date_means_nothing_or_the_month_at_most(text: str) -> None:
    assert not days(text)


def test_yesterday_is_that_of_the_moment_that_it_was_said() -> None:
    east = timezone(timedelta(hours=10))
    just_after_midnight = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    assert spoken_of("yesterday", just_after_midnight) == [("2025-12-31", "2026-01-01")]
    assert spoken_of("yesterday", just_after_midnight.astimezone(east)) == [
        ("2025-12-31", "2026-01-01")
    ]


def test_what_was_first_said_after_now_gives_no_years() -> None:
    assert spoken_of("in March", NOW, datetime(2030, 1, 1, tzinfo=UTC)) == []


_WORDS = ("yesterday", "last year", "may", "March", "feb", "st", "of", "年", "月", "日", "👍")
_NUMBERS = ("31", "0", "99", "12", "29", "2026", "1900", "2099", ",", ":", " ")
_PIECES = st.sampled_from((*_WORDS, *_NUMBERS))


@given(st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=100)))
def test_any_text_gives_spans_that_end_after_they_begin(text: str) -> None:
    for start, end, weight in spans(text, NOW, FIRST):
        assert start < end
        assert weight in (A_DAY, LONGER)
