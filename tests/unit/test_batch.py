"""Which waiting messages make one turn."""

from datetime import UTC, datetime, timedelta

from hobnob.batch import MOST_BURSTS, next_batch
from hobnob.events import Kind
from hobnob.ports import Waiting
from hobnob.testing.adapter import FakeAdapter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
people = FakeAdapter()


def said(*lines: tuple[float, str, str], attempts: int = 0) -> list[Waiting]:
    """Rows from (seconds after noon, author, text), received when they were said."""
    return [
        Waiting(
            row=number,
            event=people.event(text, by=by, at=NOON + timedelta(seconds=at)),
            received=NOON + timedelta(seconds=at),
            attempts=attempts,
        )
        for number, (at, by, text) in enumerate(lines)
    ]


def texts(rows: list[Waiting], burst: float = 2, now: float = 60) -> list[str]:
    batch = next_batch(rows, burst, NOON + timedelta(seconds=now))
    return [row.event.text for row in batch.rows]


def test_nothing_waits() -> None:
    assert next_batch([], 2, NOON).rows == ()


def test_a_burst_of_one_author_is_one_turn() -> None:
    assert texts(said((0, "Ann", "hey"), (1, "Ann", "you"), (2.5, "Ann", "there?"))) == [
        "hey",
        "you",
        "there?",
    ]


def test_a_pause_ends_a_burst() -> None:
    assert texts(said((0, "Ann", "hey"), (2.1, "Ann", "next topic"))) == ["hey"]


def test_another_author_ends_a_burst() -> None:
    assert texts(said((0, "Ann", "hey"), (1, "Ben", "hi"), (1.5, "Ann", "you"))) == ["hey"]


def test_a_command_ends_a_burst() -> None:
    rows = said((0, "Ann", "hey"), (1, "Ann", "/start"))
    command = people.event("/start", by="Ann", kind=Kind.COMMAND)
    rows[1] = Waiting(row=1, event=command, received=NOON)
    assert texts(rows) == ["hey"]


def test_zero_switches_bursts_off() -> None:
    assert texts(said((0, "Ann", "one"), (0.1, "Ann", "two")), burst=0) == ["one"]


def test_the_end_of_a_burst_is_waited_for() -> None:
    rows = said((0, "Ann", "hey"), (1, "Ann", "you"))
    assert next_batch(rows, 2, NOON + timedelta(seconds=1.5)).wait == 1.5
    assert next_batch(rows, 2, NOON + timedelta(seconds=3)).wait == 0


def test_nothing_is_waited_for_once_another_author_spoke() -> None:
    rows = said((0, "Ann", "hey"), (0.5, "Ben", "hi"))
    assert next_batch(rows, 2, NOON + timedelta(seconds=0.6)).wait == 0


def test_somebody_who_never_stops_is_answered_all_the_same() -> None:
    rows = said(*((float(second), "Ann", "more") for second in range(30)))
    assert next_batch(rows, 2, NOON + timedelta(seconds=MOST_BURSTS * 2)).wait == 0


def test_a_clock_that_runs_ahead_makes_nobody_wait_for_long() -> None:
    rows = said((0, "Ann", "hey"))
    assert next_batch(rows, 2, NOON - timedelta(hours=1)).wait <= 2 + 3600
    assert next_batch(rows, 2, NOON + timedelta(hours=1)).wait == 0


def test_what_crashed_before_is_tried_alone() -> None:
    assert texts(said((0, "Ann", "poison"), (1, "Ann", "fine"), attempts=1)) == ["poison"]
