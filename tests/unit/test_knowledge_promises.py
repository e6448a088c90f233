"""What an answer promises, and whether the excerpts say it: a table of answers."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hobnob.knowledge.promises import unsupported
from hobnob.knowledge.quantities import quantities

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("promises.toml").read_text())
ANSWERS = [
    pytest.param(TABLE["excerpts"][case["shown"]], case.get("asked", ""), text, words, id=text)
    for case in TABLE["cases"]
    for text, words in case["answers"]
]

LEAST_PRECISION, LEAST_RECALL = 0.8, 0.7


@pytest.mark.parametrize(("shown", "asked", "text", "words"), ANSWERS)
def test_a_promise_is_held_if_and_only_if_no_excerpt_supports_it(
    shown: str, asked: str, text: str, words: list[str]
) -> None:
    found = [promise.words for promise in unsupported(text, [shown], asked)]
    assert bool(found) == bool(words), found
    assert set(words) <= set(found)


def test_answers_that_it_was_not_made_for_are_mostly_told_apart() -> None:
    """What docs/discussion/knowledge.md says of it."""
    found = [
        (bool(unsupported(text, [TABLE["excerpts"][case["shown"]]])), bool(words))
        for case in TABLE["unseen"]
        for text, words in case["answers"]
    ]
    right = found.count((True, True))
    assert right / (right + found.count((True, False))) >= LEAST_PRECISION
    assert right / (right + found.count((False, True))) >= LEAST_RECALL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("two weeks", "14 days"),
        ("6.30 pm", "18:30"),
        ("£3.90", "3.9 pounds"),
        ("1,500 km", "1500km"),
        ("十六英镑", "£16"),
        ("一百二十天", "120 days"),
        ("20 per cent", "20%"),
        ("a year", "12 months"),
    ],
)
def test_quantities_are_alike_however_they_are_written(one: str, other: str) -> None:
    assert next(quantities(one)).is_like(next(quantities(other)))


@pytest.mark.parametrize(("one", "other"), [("£30", "30 days"), ("30 days", "30 weeks")])
def test_quantities_of_different_kinds_are_not_alike(one: str, other: str) -> None:
    assert not next(quantities(one)).is_like(next(quantities(other)))
