"""The numbers of the desk, as a table and as a picture."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hobnob.errors import HobnobError
from hobnob.support.picture import WIDTH, draw, save
from hobnob.support.stats import Numbers, Question, duration, rows

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC)
EMPTY = Numbers(since=SINCE, until=UNTIL)
MONTH = Numbers(
    since=SINCE,
    until=UNTIL,
    conversations=1284,
    alone=899,
    waits=[timedelta(seconds=seconds) for seconds in (59, 60, 3000, 20, 400_000)],
    ratings={5: 6, 4: 2, 1: 2},
    asked=[
        Question(text="How do I\nreturn it?", times=84),
        Question(text="怎么退货？" * 20, times=3),
    ],
    unanswered=[Question(text='<b>&\x00\x1b[31m\ud800"', times=9)],
)


def seen(picture: str) -> Sequence[str]:
    root = ElementTree.fromstring(picture)
    return [text for each in root.iter() if (text := (each.text or "").strip())]


def test_the_table() -> None:
    assert [tuple(row.values()) for row in rows(MONTH)] == [
        ("conversations", 1284, ""),
        ("solved without a person", 899, "70 %"),
        ("first word of a person, half within", "1 min", "of 5"),
        ("first word of a person, 9 of 10 within", "4 d 15 h", "of 5"),
        ("satisfaction", "4.0", "of 10"),
        ("rated 5", 6, "60 %"),
        ("rated 4", 2, "20 %"),
        ("rated 3", 0, "0 %"),
        ("rated 2", 0, "0 %"),
        ("rated 1", 2, "20 %"),
        ("asked", 84, "How do I return it?"),
        ("asked", 3, "怎么退货？" * 20),
        ("not answered", 9, '<b>&\x00\x1b[31m\ud800"'),
    ]


def test_the_table_of_nothing_divides_by_nothing() -> None:
    assert {(row["number"], row["more"]) for row in rows(EMPTY)} == {
        (0, ""),
        ("", "of 0"),
    }


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (7380, "2 h 3 min"),
        (86_399, "1 d"),
        (190_000, "2 d 4 h"),
    ],
)
def test_a_time_in_two_units_at_most(seconds: float, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


def test_who_waited_how_long() -> None:
    assert dict(MONTH.buckets()) == {
        "under a minute": 2,
        "1 to 5 minutes": 1,
        "5 to 15 minutes": 0,
        "15 to 60 minutes": 1,
        "1 to 4 hours": 0,
        "4 to 24 hours": 0,
        "more than a day": 1,
    }


def test_the_picture_says_what_the_table_says() -> None:
    said = seen(draw(MONTH, "Robin & friends"))
    assert said[0] == "Robin & friends, 2026-11-01 to 2026-11-26"
    assert said[3:11] == [
        *("1,284", "conversations", "70 %", "solved without a person"),
        *("1 min", "to a person's first word (median)", "4.0", "of 5, from 10 ratings"),
    ]
    assert said[said.index("Most asked") + 1 :][:2] == ["How do I return it?", "84"]
    assert said[-2:] == ['<b>&[31m"', "9"]
    assert any(text.endswith("…") and len(text) < 30 for text in said)
    assert "nothing yet" not in said


def test_the_picture_of_nothing() -> None:
    assert seen(draw(EMPTY, "Robin")).count("nothing yet") == 4


def test_no_bar_leaves_the_picture() -> None:
    chance = random.Random(1)
    for _ in range(50):
        numbers = Numbers(
            since=SINCE,
            until=UNTIL,
            waits=[timedelta(seconds=chance.lognormvariate(6, 3)) for _ in range(200)],
            ratings={n: chance.randrange(10 ** chance.randrange(6)) for n in range(1, 6)},
            asked=[Question(text="x" * 99, times=chance.randrange(9)) for _ in range(20)],
        )
        root = ElementTree.fromstring(draw(numbers, "Robin"))
        height = int(root.attrib["height"])
        for each in root:
            x, y = int(each.get("x", 0)), int(each.get("y", 0))
            assert 0 <= x + int(each.get("width", 0)) <= WIDTH
            assert 0 <= y + int(each.get("height", 0)) <= height


def test_the_picture_in_a_file(tmp_path: Path) -> None:
    save(MONTH, "Robin", tmp_path / "desk.svg")
    assert (tmp_path / "desk.svg").read_text(encoding="utf-8") == draw(MONTH, "Robin")
    with pytest.raises(HobnobError, match=r"desk\.png: the picture is an SVG\."):
        save(MONTH, "Robin", tmp_path / "desk.png")
    with pytest.raises(HobnobError, match=r"desk\.svg: cannot be written: No such file"):
        save(MONTH, "Robin", tmp_path / "no" / "desk.svg")
