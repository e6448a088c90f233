"""A text's words, and the times it speaks of."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.memory.dates import spans
from hobnob.memory.words import (
    LONGEST,
    NUMBER,
    QUESTION,
    TIME,
    hashes,
    is_latin,
    is_named,
    kinds,
    term,
    terms,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She was painting the walls", ["paint", "wall"]),
        ("Caroline\u2019s PAINTED wall", ["carolin", "paint", "wall"]),
        ("the of and is", []),
        ("", []),
        ("🙂🙂", []),
        ("Käse und Brötchen", ["käse", "und", "brötchen"]),
        ("养猫", ["养", "猫", "养猫"]),
        ("ｆｕｌｌ　ｗｉｄｔｈ", ["full", "width"]),
    ],
)
def test_what_is_counted_of_a_text(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_one_word() -> None:
    assert (term("Painting's"), term("the"), term("猫")) == ("paint", "", "")


def test_the_same_word_has_the_same_number_in_every_process() -> None:
    assert hashes(["paint", "wall", "paint"]).tolist() == [1467646999, 334884854, 1467646999]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Are you there?", [QUESTION]),
        ("We met yesterday", [TIME]),
        ("I have three cats", [NUMBER]),
        ("Since 2019? ", [QUESTION, TIME, NUMBER]),
        ("hello", []),
    ],
)
def test_kinds_of_text(text: str, found: list[str]) -> None:
    assert kinds(text) == found


@given(st.text(max_size=300))
def test_any_text_has_countable_words(text: str) -> None:
    assert hashes(terms(text)).dtype == np.uint32
    assert all(terms(text))


def test_a_huge_text_is_not_read_to_its_end() -> None:
    assert len(terms("word " * LONGEST)) == LONGEST // 5


def test_names() -> None:
    assert is_named("Ann Smith", "what is ann's cat called?")
    assert not is_named("Ann", "what is Annika's cat called?")
    assert is_named("林静", "林静养了什么宠物？")
    assert not is_named("", "anything")


def test_scripts() -> None:
    assert is_latin("Où est-ce ? Größe!")
    assert is_latin("")
    assert not is_latin("Где ты был?")
    assert not is_latin("林静 the cat 养了什么宠物呢你知道吗")


def days(text: str) -> list[tuple[str, str, float]]:
    def day(seconds: float) -> str:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"

    return [(day(start), day(end), weight) for start, end, weight in spans(text, NOW, FIRST)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "what happened on 3 May 2026?",
            [("2026-05-03", "2026-05-04", 1.0), ("2026-05-01", "2026-06-01", 0.5)],
        ),
        ("in March 2026", [("2026-03-01", "2026-04-01", 0.5)]),
        ("in december", [("2025-12-01", "2026-01-01", 0.5), ("2026-12-01", "2027-01-01", 0.5)]),
        ("in 2025", [("2025-01-01", "2026-01-01", 0.5)]),
        ("yesterday", [("2026-11-22", "2026-11-23", 1.0)]),
        ("你2026年5月去了哪里", [("2026-05-01", "2026-06-01", 0.5)]),
        ("may I ask?", []),
        ("on 31 February 2026", []),
        ("nothing", []),
    ],
)
def test_times_that_a_question_speaks_of(text: str, found: list[tuple[str, str, float]]) -> None:
    assert days(text) == found


@given(st.text(max_size=200))
def test_any_text_speaks_of_possible_times(text: str) -> None:
    assert all(start < end for start, end, _ in spans(text, NOW, FIRST))
