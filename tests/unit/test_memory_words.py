"""A text's words as recall counts them."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.memory.words import (
    LONGEST,
    NAME,
    NUMBER,
    QUESTION,
    TIME,
    hashes,
    is_latin,
    kinds,
    named_at,
    term,
    terms,
    words,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("She was running", "she runs"),
        ("my sister's dog", "MY SISTER DOG"),
        ("shoes", "shoe"),
        ("Café", "cafe\u0301"),  # one accent, composed or not
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
        ("ﬁsh", "fish"),
        ("STRASSE", "straße"),
        ("Anna\u2019s", "anna's"),
        ("snake_case", "snake case"),
        ("Käse und Brötchen", "KÄSE UND BRÖTCHEN"),
    ],
)
def test_what_means_the_same_is_counted_the_same(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t",
        "👍",
        "👩‍👩‍👧‍👦🎉🏳️‍🌈",
        "?!...",
        "\x00\u200b",
        "what did you say?",
        "我 的 什么",
    ],
)
def test_what_says_nothing_has_no_terms(text: str) -> None:
    assert terms(text) == []
    assert hashes(terms(text)).shape == (0,)


def test_words_keep_their_order_and_double_ones_count_twice() -> None:
    assert terms("Tea, then coffee; then TEA!") == ["tea", "coffe", "tea"]


def test_numbers_are_words() -> None:
    assert terms("room 42, at 7pm") == ["room", "42", "7pm"]


def test_chinese_is_counted_by_characters_and_by_pairs_of_neighbours() -> None:
    assert terms("北京大学") == ["北", "京", "大", "学", "北京", "京大", "大学"]
    assert terms("猫") == ["猫"]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("我们什么时候去北京?", "我明天坐火车去北京"),
        ("東京タワーはどこ", "昨日東京タワーを見た"),
        ("서울은 어때?", "저는 서울에서 살아요"),
    ],
)
def test_a_word_inside_a_sentence_without_spaces_is_found(question: str, told: str) -> None:
    shared = set(terms(question)) & set(terms(told))
    assert any(len(each) == 2 for each in shared)


def test_words_of_two_alphabets_side_by_side_are_apart() -> None:
    assert terms("iPhone手机pro") == ["iphon", "手", "机", "手机", "pro"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Running", "run"), ("Painting's", "paint"), ("THE", ""), ("", ""), ("北京", "")],
)
def test_one_word_is_one_term_or_none(word: str, expected: str) -> None:
    assert term(word) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is it?", [QUESTION]),
        ("在哪里？", [QUESTION]),
        ("Where is it? I don't see it.", []),
        ("See you on Friday", [TIME, NAME]),
        ("We went to Oslo", [NAME]),
        ('I read "the wall"', [NAME]),
        ("Oslo? Oslo! Oslo.\nOslo", []),  # a capital may be there for the sentence
        ("I know what I like", []),
        ("我明天去", [TIME]),
        ("I have two cats", [NUMBER]),
        ("It was 17 degrees yesterday", [TIME, NUMBER]),
        ("Did you see it 3 days ago? ", [QUESTION, TIME, NUMBER]),
        ("somewhat tonight-ish mayonnaise", [TIME]),
        ("mayonnaise", []),
        ("", []),
    ],
)
def test_kinds_tell_questions_times_numbers_and_names(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_the_same_word_has_the_same_number_in_every_process() -> None:
    assert hashes(["paint", "wall", "paint"]).tolist() == [1467646999, 334884854, 1467646999]


@pytest.mark.parametrize(
    ("name", "text", "at"),
    [
        ("Ann Smith", "what is ann's cat called?", 8),
        ("Ann", "what is Ann\u2019s cat called?", 8),
        ("Ann", "what is Annika's cat called?", None),
        ("Ann Smith", "Mr Smith has a cat", None),
        ("Ann", "Annika and Ann, or Ann", 11),
        ("林静", "我问林静养了什么宠物？", 2),
        ("林静", "林养了什么宠物？", None),
        ("", "anything", None),
        ("👍", "👍", None),
    ],
)
def test_a_person_is_named_by_the_first_word_of_their_name(
    name: str, text: str, at: int | None
) -> None:
    assert named_at(name, text) == at


def test_a_text_is_latin_by_most_of_its_letters() -> None:
    assert is_latin("Où est-ce ? Größe!")
    assert is_latin("Xin chào, tôi tên là Nguyễn")
    assert is_latin("my sister says 你好")
    assert is_latin("")
    assert is_latin("👍 42 ?!")
    assert not is_latin("Где ты был?")
    assert not is_latin("Ann养了什么宠物呢你知道吗")


def test_a_lone_surrogate_does_no_harm() -> None:
    assert hashes(terms("bad \ud800 text \udfff")).dtype == np.uint32


@pytest.mark.parametrize("text", ["a" * 2_000_000, "北" * 2_000_000, "tea " * 500_000, "'" * 10**6])
def test_the_work_on_a_huge_text_is_bounded(text: str) -> None:
    began = time.process_time()
    found = terms(text)
    kinds(text)
    assert time.process_time() - began < 2
    assert len(found) <= 2 * LONGEST
    assert sum(map(len, words(text))) <= LONGEST


@given(st.text(max_size=300))
def test_any_text_has_terms_that_say_something_always_the_same(text: str) -> None:
    found = terms(text)
    assert all(found)
    assert found == terms(text)
    assert hashes(found).shape == (len(found),)
    assert set(kinds(text)) <= {QUESTION, TIME, NUMBER, NAME}


@given(st.lists(st.sampled_from(["tea", "Rome", "北京", "the", "👍", "42"]), max_size=20))
def test_the_terms_of_words_are_those_of_each(some: list[str]) -> None:
    assert terms(" ".join(some)) == [each for word in some for each in terms(word)]
