"""Facts found by rules: what they find, what they leave alone, and how the sentences read."""

import re
import time
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hobnob.events import Author, Role, Turn
from hobnob.memory.facts import MOST, FactKind, Found, about, dates, extract
from hobnob.memory.facts.extract import RULES
from hobnob.memory.facts.found import THIRD

MONDAY = datetime(2026, 11, 23, 20, tzinfo=UTC)
ANN = Author(id="1", name="Ann")
TABLE = tomllib.loads(Path(__file__).with_name("facts.toml").read_text(encoding="utf-8"))
NOTHING = [text for texts in TABLE["nothing"].values() for text in texts]


def turn(text: str, *, at: datetime = MONDAY, role: Role = Role.USER, author: Author = ANN) -> Turn:
    return Turn(role=role, author=author, text=text, at=at)


def found(text: str) -> list[str]:
    return [
        f"{'-' if fact.ends else ''}{fact.attribute}: {fact.text}" for fact in extract(turn(text))
    ]


def one(text: str) -> Found:
    (fact,) = extract(turn(text))
    return fact


@pytest.mark.parametrize(("text", "expected"), TABLE["said"].items())
def test_what_is_said_outright_is_found(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_not_stated_of_oneself_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", [text for text in TABLE["said"] if not re.search(r"[.!?] ", text)])
@pytest.mark.parametrize(
    "frame",
    [
        "> {}",
        "She said {}",
        "If {}, then what?",
        "```\n{}\n```",
        "Let's roleplay. {}",
        "What if {}?",
        "Bob: {}",
        "Translate: {}",
    ],
)
def test_nothing_is_found_in_a_frame_that_makes_it_somebody_elses(frame: str, text: str) -> None:
    framed = frame.format(text.partition("\n")[0].rstrip("?!."))
    kept = [fact for fact in extract(turn(framed)) if fact.kind is not FactKind.RELATIONSHIP]
    assert kept == []


def test_no_turn_of_a_bot_gives_facts() -> None:
    bot = Author(id="2", name="Robin", is_bot=True)
    assert extract(turn("I live in Rome", role=Role.ASSISTANT)) == ()
    assert extract(turn("I live in Rome", author=bot)) == ()


def test_each_kind_is_told_apart() -> None:
    kinds = {
        "I'm 34 years old": FactKind.IDENTITY,
        "I hate olives": FactKind.PREFERENCE,
        "My sister is called Mia": FactKind.RELATIONSHIP,
        "I got a puppy yesterday": FactKind.EVENT,
        "I'm flying to Rome on Friday": FactKind.PLAN,
        "I'm so sad": FactKind.FEELING,
        "Always answer me in French": FactKind.INSTRUCTION,
    }
    assert {text: one(text).kind for text in kinds} == kinds


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I live in Rome", "I moved to Oslo"),
        ("I like coffee", "I hate coffee"),
        ("I like coffee", "I don't like coffee any more"),
        ("My name is Annabel", "Actually my name is spelt Anabel"),
        ("My favourite colour is green", "my favourite colour is blue now"),
        ("I smoke", "I quit smoking"),
        ("I'm vegetarian", "I'm not vegetarian any more"),
        ("My exam is on Friday", "My exam is next Tuesday"),
        ("Always answer me in French", "please answer in English from now on"),
        ("I'm married", "I'm divorced"),
        ("I have two kids", "I have three children"),
        ("I work as a barista", "I quit my job"),
    ],
)
def test_a_later_statement_of_the_same_sort_takes_the_slot_of_the_earlier(
    earlier: str, later: str
) -> None:
    assert extract(turn(earlier))[0].attribute == extract(turn(later))[0].attribute


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I like coffee", "I hate tea"),
        ("My sister is called Mia", "My sister is called Zoe"),
        ("I went hiking yesterday", "I went hiking last Monday"),
        ("I'm allergic to nuts", "I'm allergic to cats"),
    ],
)
def test_what_can_be_true_at_once_has_slots_of_its_own(earlier: str, later: str) -> None:
    assert one(earlier).attribute != one(later).attribute


def test_an_end_says_what_ended() -> None:
    fact = one("I no longer live in Rome")
    assert (fact.ends, fact.attribute, fact.value) == (True, "home", "Rome")


def test_a_feeling_is_unsure_and_passes() -> None:
    fact = one("I'm so sad today")
    assert fact.confidence <= 0.5
    assert fact.until == MONDAY + timedelta(days=1)


def test_a_plan_is_no_news_after_its_day() -> None:
    assert one("I'm flying to Rome on Friday").until == datetime(2026, 11, 28, tzinfo=UTC)
    assert one("I live in Rome").until is None


# --------------------------------------------------------------------------------- the sentences


@pytest.mark.parametrize(
    ("text", "of_ann"),
    [
        ("I'm allergic to nuts", "Ann is allergic to nuts"),
        ("my sister Mia", "Ann's sister is called Mia"),
        ("I like tea", "Ann likes tea"),
        ("I have two kids", "Ann has two kids"),
        ("I don't like coffee", "Ann doesn't like coffee"),
        ("I can't stand horror movies", "Ann can't stand horror movies"),
        ("I love my garden", "Ann loves their garden"),
        ("I study physics", "Ann studies physics"),
        ("I'm 34", "Ann was 34 years old in November 2026"),
        ("I'm visiting my aunt on Friday", "Ann is visiting their aunt on Friday 27 November 2026"),
        ("always answer me in French", "Ann asked: “always answer me in French”"),
        ("remember that my car is blue", "Ann asked: “remember that my car is blue”"),
    ],
)
def test_a_sentence_reads_well_behind_a_name(text: str, of_ann: str) -> None:
    assert about(extract(turn(text))[0].text, "Ann") == of_ann


def test_every_verb_of_a_rule_has_a_third_person() -> None:
    same = re.compile(r"(?:\w+ed|felt|gave|got|grew|will|can't|and)$")  # "You and your partner"
    verbs = {
        text.replace("{not}", "").split()[1]
        for rule in RULES
        for text in (rule.text, rule.gone)
        if text.startswith("You ")
    }
    assert {verb for verb in verbs if verb[0] != "{" and not same.match(verb)} <= set(THIRD)


def test_a_sentence_about_somebody_stays_as_it_is_where_it_names_nobody() -> None:
    assert about("Likes tea", "Ann") == "Likes tea"


# ------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("text", "first", "words"),
    [
        ("tomorrow", date(2026, 11, 24), "on Tuesday 24 November 2026"),
        ("on Friday", date(2026, 11, 27), "on Friday 27 November 2026"),
        ("on Monday", date(2026, 11, 30), "on Monday 30 November 2026"),
        ("next Friday", date(2026, 12, 4), "on Friday 4 December 2026"),
        ("tomorrow at 3pm", date(2026, 11, 24), "on Tuesday 24 November 2026 at 3pm"),
        ("next week", date(2026, 11, 30), "in the week of 30 November 2026"),
        ("this weekend", date(2026, 11, 28), "on the weekend of 28 November 2026"),
        ("in two weeks", date(2026, 12, 7), "in the week of 7 December 2026"),
        ("in 3 days", date(2026, 11, 26), "on Thursday 26 November 2026"),
        ("in May", date(2027, 5, 1), "in May 2027"),
        ("next summer", date(2027, 6, 1), "in summer 2027"),
        ("on 5 December", date(2026, 12, 5), "on Saturday 5 December 2026"),
        ("December 5th, 2027", date(2027, 12, 5), "on Sunday 5 December 2027"),
        ("2027-02-03", date(2027, 2, 3), "on Wednesday 3 February 2027"),
        ("next year", date(2027, 1, 1), "in 2027"),
    ],
)
def test_a_day_to_come_is_resolved(text: str, first: date, words: str) -> None:
    when = dates.find(f"so {text}", MONDAY)
    assert when is not None
    assert (when.first, when.words) == (first, words)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("yesterday", date(2026, 11, 22)),
        ("last Friday", date(2026, 11, 20)),
        ("on Friday", date(2026, 11, 20)),
        ("last week", date(2026, 11, 16)),
        ("two months ago", date(2026, 9, 1)),
        ("about five years ago", date(2021, 1, 1)),
        ("last summer", date(2026, 6, 1)),
        ("last winter", date(2025, 12, 1)),
        ("last June", date(2026, 6, 1)),
        ("in 2019", date(2019, 1, 1)),
    ],
)
def test_a_day_that_is_over_is_resolved(text: str, first: date) -> None:
    when = dates.find(text, MONDAY, past=True)
    assert when is not None
    assert when.first == first


@pytest.mark.parametrize(
    "text",
    [
        "31 February",
        "I sat down",
        "you may 5x",
        "for two weeks",
        "in 999 years ago",
        "march on",
        "",
    ],
)
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    assert dates.find(text, MONDAY) is None


def test_every_day_of_a_leap_year_can_be_written_and_read() -> None:
    for number in range(366):
        day = date(2028, 1, 1) + timedelta(days=number)
        when = dates.find(dates.in_words(day), MONDAY)
        assert when is not None
        assert when.first == day


# -------------------------------------------------------------------------------- hostile messages

ENDLESS = {
    "words": "a " * 500_000,
    "letters": "a" * 1_000_000,
    "spaces": "I live in" + " " * 1_000_000 + "Rome",
    "new lines": "\n" * 1_000_000 + "I",
    "stops": "." * 1_000_000,
    "stops and spaces": ". " * 500_000,
    "questions": "? ! " * 250_000,
    "quotes": "\"'`“" * 250_000,
    "single quotes": " 'a" * 300_000,
    "code": "```" * 300_000,
    "stars": "\n*a b" * 200_000,
    "brackets": "(" * 1_000_000,
    "commas": "I, " * 300_000,
    "and": "I and " * 200_000,
    "my": "my sister " * 100_000,
    "relations": "my " + "older " * 100_000 + "sister Mia",
    "really": "I " + "really " * 100_000 + "like tea",
    "please": "please " * 100_000 + "answer in French",
    "capitals": "I live in " + "Rome " * 100_000,
    "names": "my name is " + "Ann-" * 100_000,
    "numbers": "I'm " + "3" * 1_000_000,
    "dates": "I'm going on " + "May 3 " * 100_000,
    "haha": "ha" * 500_000,
    "facts": "I like tea. " * 100_000,
    "control": "\x00\u202e\u200b" * 300_000,
    "surrogates": "\ud800" * 1_000_000,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_work_is_bounded_however_long_a_message_is(name: str) -> None:
    start = time.process_time()
    facts = extract(turn(ENDLESS[name]))
    assert time.process_time() - start < 2  # some milliseconds; hours if a pattern explodes
    assert len(facts) <= MOST


@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_kept_is_short_and_on_one_line(name: str) -> None:
    for fact in extract(turn(ENDLESS[name])):
        assert len(fact.value) <= 160
        assert len(fact.text) <= 240
        assert len(fact.attribute) <= 80
        assert all(c.isprintable() for c in fact.value + fact.text + fact.attribute)


def test_control_characters_hide_nothing_and_are_not_kept() -> None:
    assert one("I'm aller\u200bgic to \x07nu\u202ets").text == "You are allergic to nuts"


def test_braces_and_marks_of_a_person_are_only_text() -> None:
    assert one("I love {v} {0} %s tea").text == "You love {v} {0} %s tea"


TEN_FOODS = ["tea", "rice", "soup", "fish", "figs", "kale", "eggs", "milk", "ham", "jam"]


def test_no_more_facts_come_of_a_turn_than_are_worth_it() -> None:
    text = ". ".join(f"I like {food}" for food in TEN_FOODS)
    assert len(extract(turn(text))) == MOST


def test_a_fact_given_back_is_not_taken_for_news() -> None:
    for text in TABLE["said"]:
        for fact in extract(turn(text)):
            if fact.kind is not FactKind.INSTRUCTION:
                assert extract(turn(fact.text)) == (), fact.text
