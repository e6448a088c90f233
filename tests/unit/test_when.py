"""Reading times. What people write, and what it means, is in the tables in when/."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hobnob.assistant.when import Doubt, read, request
from hobnob.assistant.when.grammar import LANGUAGES

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from when import Phrase, outcome, phrases

NOW = datetime(2026, 11, 25, 10, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    "phrase", list(phrases()), ids=lambda phrase: f"{phrase.language}:{phrase.text}"
)
def test_a_time_is_read_as_it_was_meant_or_asked_back(phrase: Phrase) -> None:
    result, got = outcome(phrase)
    assert result == "right", got


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_has_sixty_phrases(code: str) -> None:
    assert sum(phrase.language == code for phrase in phrases()) >= 60


def test_the_language_is_known_by_the_words_not_by_the_bot() -> None:
    reading = request("erinnere mich morgen um 17 Uhr an Bob", NOW, "Europe/Berlin", ["en"])
    assert reading is not None
    assert (reading.language, reading.task) == ("de", "Bob")


def test_two_languages_in_one_sentence_lose_no_time() -> None:
    reading = request("remind me mañana a las 17:00", NOW, "Europe/Berlin", ["en"])
    assert reading is not None
    assert f"{reading.whens[0].due:%d %H:%M}" == "26 17:00"


def test_a_command_needs_no_words_that_ask() -> None:
    reading = read("tomorrow at 9am call Bob", NOW, "Europe/Berlin", ["en"])
    assert (reading.task, reading.doubt) == ("call Bob", None)


@pytest.mark.parametrize(
    ("now", "text", "due"),
    [
        # the clock jumps from 2:00 to 3:00 on 28 March 2027
        ("2027-03-27T10:00", "remind me tomorrow at 2:30am", "2027-03-28T03:30+02:00"),
        ("2027-03-28T01:30", "remind me in an hour", "2027-03-28T03:30+02:00"),
        ("2027-03-27T10:00", "remind me in a day", "2027-03-28T10:00+02:00"),
        # and from 3:00 to 2:00 on 25 October 2026
        ("2026-10-24T10:00", "remind me tomorrow at 2:30am", "2026-10-25T02:30+02:00"),
        ("2026-10-25T01:30", "remind me in 2 hours", "2026-10-25T02:30+01:00"),
        # days have no February to fall into
        ("2027-01-31T10:00", "remind me in a month", "2027-02-28T10:00+01:00"),
    ],
)
def test_clocks_that_change(now: str, text: str, due: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    reading = request(text, at, "Europe/Berlin", ["en"])
    assert reading is not None
    assert reading.whens[0].due.isoformat(timespec="minutes") == due


def test_now_is_on_the_clock_of_whoever_asks() -> None:
    late = datetime(2026, 11, 25, 20, tzinfo=UTC)  # already the 26th in Tokyo
    reading = request("remind me tomorrow at 9am", late, "Asia/Tokyo", ["en"])
    assert reading is not None
    assert reading.whens[0].due.isoformat() == "2026-11-27T09:00:00+09:00"


WORDS = st.sampled_from((Path(__file__).parent / "when" / "words.txt").read_text().split())


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=12), st.sampled_from(LANGUAGES))
def test_whatever_is_said_gives_a_time_to_come_or_a_doubt(words: list[str], code: str) -> None:
    for reading in (
        request("remind me " + " ".join(words), NOW, "Europe/Berlin", [code]),
        read(" ".join(words), NOW, "Europe/Berlin", [code]),
    ):
        if reading is not None and reading.doubt is None:
            assert len(reading.whens) == 1
            assert reading.whens[0].due > NOW
        if reading is not None and reading.doubt is Doubt.WHICH:
            assert len(reading.whens) > 1
