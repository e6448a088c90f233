"""What each signal of the ranking promises, on a few turns; and what holds for any."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hobnob.events import Author, Role, Turn
from hobnob.memory.index import FOREGOING, Floats, Index, Vectors, index_terms, passage, sessions
from hobnob.memory.question import Query
from hobnob.memory.ranking import CANDIDATES, WEIGHTS, Ranking

ANN, BEN = Author(id="1", name="Ann"), Author(id="2", name="Ben Smith")
ROBIN = Author(id="bot", name="Robin", is_bot=True)
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 15, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Said = tuple[Author, datetime, str]


def talk(*texts: str, by: Sequence[Author] = (ANN,), every: timedelta = MINUTE) -> list[Said]:
    """Turns one after the other, by these people in turn."""
    return [
        (by[number % len(by)], START + number * every, text) for number, text in enumerate(texts)
    ]


def index(said: Sequence[Said], vectors: Floats | None = None) -> Index:
    found = [index_terms(text) for *_, text in said]
    authors = {author.id: author for author, *_ in said}
    numbers = {id_: number for number, id_ in enumerate(authors)}
    at = np.array([at.timestamp() for _, at, _ in said], np.float64)
    return Index(
        at=at,
        author=np.array([numbers[author.id] for author, *_ in said], np.int32),
        authors=tuple(authors.values()),
        terms=np.concatenate(found) if found else np.empty(0, np.uint32),
        session=sessions(at),
        ends=np.cumsum([len(each) for each in found], dtype=np.int64),
        vectors=None if vectors is None else Vectors.pack(vectors),
    )


def ask(text: str, **more: Any) -> Query:
    values: dict[str, Any] = {"text": text, "askers": {ANN.id}, "at": NOW}
    return Query(**(values | more))


def scores(text: str, said: Sequence[Said], **more: Any) -> list[float]:
    found: list[float] = Ranking(ask(text, **more), index(said)).scores.tolist()
    return found


def best(text: str, said: Sequence[Said], **more: Any) -> str:
    return said[int(np.argmax(scores(text, said, **more)))][2]


# ---------------------------------------------------------------------------------------- words


def test_the_turn_with_the_words_comes_first() -> None:
    said = talk("the sea was cold", "I feed the parrot", "work was dull", every=DAY)
    assert best("who feeds parrots?", said) == "I feed the parrot"


def test_a_rare_word_says_more_than_a_common_one() -> None:
    said = talk(*["the dog barks"] * 8, "a zebra", every=DAY)
    assert best("dog zebra", said) == "a zebra"


def test_the_last_turn_of_many_is_found_as_well_as_the_first() -> None:
    for place in (0, 2500, 4999):
        said = talk(*(f"small talk number {number}" for number in range(5000)), every=DAY / 4)
        said[place] = (ANN, said[place][1], "I hid it under the doormat")
        assert int(np.argmax(scores("under which doormat?", said))) == place


def test_what_stands_beside_the_words_gains_and_less_so_farther_away() -> None:
    said = talk("one", "two", "the parrot", "three", "four", "five")
    found = scores("parrot", said)
    assert found[2] > max(found[:2] + found[3:])
    assert found[1] > found[5]
    assert found[4] > found[5]


def test_neighbours_are_of_the_same_session() -> None:
    said = talk("silence", "the parrot", "noise", every=DAY)
    found = scores("parrot", said)
    assert found[0] == found[2] < found[1]
    near = scores("parrot", talk("silence", "the parrot", "noise"))
    assert near[0] > found[0]


def test_an_answer_is_what_was_said_right_after_a_question_with_the_words() -> None:
    asked = talk("what is the name of your parrot?", "Pepito", by=(ROBIN, ANN))
    told = talk("that is the name of your parrot.", "Pepito", by=(ROBIN, ANN))
    question = "name of the parrot?"
    assert scores(question, asked)[1] > scores(question, told)[1]
    assert scores(question, asked)[0] < scores(question, told)[0]  # a question tells nothing


def test_a_session_that_has_the_words_lifts_its_turns() -> None:
    holiday = talk("the ferry to Crete", "a", "b", "c", "it cost a fortune")
    other = [(who, at + DAY, text) for who, at, text in talk("d", "e", "f", "g", "h")]
    found = scores("the ferry", [*holiday, *other])
    assert found[4] > max(found[5:])


# -------------------------------------------------------------------------------------- who, when


def test_who_is_named_is_meant() -> None:
    said = talk("I like tea", "I like tea", by=(ANN, BEN), every=DAY)
    ann, ben = scores("what does Ben like?", said)
    assert ben - ann == pytest.approx(WEIGHTS["speaker"])
    ann, ben = scores("what does ANN like?", said, askers={BEN.id})
    assert ann - ben == pytest.approx(WEIGHTS["speaker"])


@pytest.mark.parametrize("text", ["Ben's tea", "Ben\u2019s tea", "tea, Ben?", "Is BEN's cold?"])
def test_a_name_is_known_in_any_spelling(text: str) -> None:
    said = talk("I like tea", "I like tea", by=(ANN, BEN), every=DAY)
    ann, ben = scores(text, said)
    assert ben > ann


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("what do I drink?", "Ann"),
        ("where is my tea?", "Ann"),
        ("what do you drink?", "Robin"),
        ("do you remember what I drink?", "Ann"),
        ("Robin, what do I drink?", "Ann"),
        ("Robin, what do you drink?", "Robin"),
        ("what does Robin drink?", "Robin"),
        ("can you tell me what you drink?", "Robin"),
        ("Do you still know our tea?", "Ann"),
        ("我喝什么?", "Ann"),
        ("你喝什么?", "Robin"),
        ("你还记得我喝什么吗?", "Ann"),
        ("who drinks tea?", ""),
    ],
)
def test_i_is_who_asks_and_you_is_the_bot(text: str, whose: str) -> None:
    said = talk("tea", "tea", "tea", by=(ANN, ROBIN, BEN), every=DAY)
    found = scores(text, said, askers={ANN.id})
    highest = [said[place][0].name for place in range(3) if found[place] == max(found)]
    assert highest == ([whose] if whose else ["Ann", "Robin", "Ben Smith"])


def test_i_is_another_where_another_asks() -> None:
    said = talk("tea", "tea", by=(ANN, BEN), every=DAY)
    ann, ben = scores("what do I drink?", said, askers={BEN.id})
    assert ben > ann


@pytest.mark.parametrize(
    "text", ["what has Ann got from Ben?", "Is Ann's tea Ben's?", "Ann, Ben or Ann?"]
)
def test_of_two_who_are_named_the_first_is_meant_and_the_other_half(text: str) -> None:
    said = talk("tea", "tea", "tea", by=(BEN, ANN, ROBIN), every=DAY)
    ben, ann, robin = scores(text, said)
    assert ann - robin == pytest.approx(WEIGHTS["speaker"])
    assert ben - robin == pytest.approx(WEIGHTS["speaker"] / 2)


def test_what_was_said_on_the_day_comes_first_and_then_its_month() -> None:
    said = talk(*["we met"] * 60, every=DAY)
    found = np.array(scores("who did we meet on 20 January 2026?", said))
    days = [at.date().isoformat() for _, at, _ in said]
    assert days[int(found.argmax())] == "2026-01-20"
    january = [number for number, day in enumerate(days) if day.startswith("2026-01")]
    rest = [number for number in range(60) if number not in january]
    assert found[january].min() > found[rest].max()


def test_a_date_is_found_in_whichever_of_linked_conversations_is_older() -> None:
    newer = talk("we met")
    older = [(ANN, START - 20 * DAY, "we met")]
    found = scores("who did we meet in December?", [*newer, *older])
    assert found[1] > found[0]


def test_linked_conversations_have_sessions_of_their_own() -> None:
    newer = talk("silence", "noise")
    older = [(ANN, START - 400 * DAY, "the parrot")]
    silence, noise, parrot = scores("parrot", [*newer, *older])
    assert silence == noise < parrot


def test_yesterday_is_relative_to_when_it_is_asked() -> None:
    said = talk(*["we met"] * 10, every=DAY)
    at = START + 6 * DAY
    assert int(np.argmax(scores("who did we meet yesterday?", said, at=at))) == 5


@pytest.mark.parametrize(
    ("question", "gains"),
    [
        ("when is the wedding?", [0, WEIGHTS["time"], 0, 0]),
        ("how long is the wedding?", [0, WEIGHTS["time"], 0, 0]),
        ("how many are at the wedding?", [0, 0, WEIGHTS["number"], 0]),
        ("who will be at the wedding?", [0, 0, 0, WEIGHTS["name"]]),
        ("which is the wedding?", [0, 0, 0, WEIGHTS["name"]]),
        ("will there be a wedding?", [0, 0, 0, 0]),
    ],
)
def test_a_question_wants_a_time_a_number_or_a_name(question: str, gains: list[float]) -> None:
    said = talk(
        "a nice wedding",
        "the wedding is tomorrow",
        "the wedding has ninety 9",
        "the wedding at Kew",
        every=DAY,
    )
    gained = np.array(scores(question, said)) - scores("is the wedding?", said)
    assert gained.tolist() == pytest.approx(gains, abs=1e-5)


def test_what_is_attached_is_not_said() -> None:
    assert index_terms("[attached image/png cat.png]").tolist() == index_terms("cat png").tolist()
    assert not index_terms("[attached image/png]").size


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Look!\n[attached image/png: a red cat]", "Look!\na red cat"),
        ("[attached image/png cat.png: a red cat]", "cat.png: a red cat"),
        ("[attached image/png a.png] [attached audio/ogg]!", "a.png !"),
        ("[attached image/png]", "[attached image/png]"),  # nothing else is there to be read
        ("[attached image/png]\n[attached image/png]",) * 2,
        ("[attached", "[attached"),
        ("I attached it", "I attached it"),
    ],
)
def test_what_is_attached_is_read_by_its_description(text: str, read: str) -> None:
    turn = Turn(role=Role.USER, author=ANN, text=text, at=START)
    assert passage(turn, None, None).text == read


@pytest.mark.parametrize(
    "text", ["[attached " + "x" * 99_000, "[attached " * 9_000, "[attached [" * 9_000, "[" * 99_000]
)
def test_a_text_made_to_be_slow_is_read_in_bounded_time(text: str) -> None:
    turn = Turn(role=Role.USER, author=ANN, text=text, at=START)
    began = time.process_time()
    passage(turn, turn, turn)
    index_terms(text)
    assert time.process_time() - began < 5


def test_a_bot_that_is_spoken_to_is_not_who_is_meant() -> None:
    said = talk("tea", "tea", "tea", by=(ANN, ROBIN, BEN), every=DAY)
    ann, robin, ben = scores("Robin, what does Ann drink?", said)
    assert ann - ben == pytest.approx(WEIGHTS["speaker"])
    assert robin - ben == pytest.approx(WEIGHTS["speaker"] / 2)
    ann, robin, ben = scores("what does Robin drink?", said)
    assert robin - ann == pytest.approx(WEIGHTS["speaker"])


def test_what_all_turns_are_about_tells_none_from_another() -> None:
    rows = [[1, 0, 0]] * 8 + [[1, 0, 0.5], [0.2, 0.5, 0]]
    said = talk(*["x"] * 10, every=DAY)
    asked = ask("y", vector=unit([1, 0.6, 0])[0])
    cosines = unit(*rows) @ unit([1, 0.6, 0])[0]
    assert cosines[9] < cosines[0]
    ranking = Ranking(asked, index(said, unit(*rows)))
    assert ranking.scores[9] > ranking.scores[0]


def test_what_is_like_the_best_is_found_with_them() -> None:
    vectors = unit(*[[0.5, 0.8, 0]] * 3, [0.5, -0.8, 0], [0, 0.8, 0.5], *[[0, 0, 1]] * 5)
    said = talk(*["x"] * 10, every=DAY)
    east = unit([1, 0])
    asked = ask("y", vector=unit([1, 0.4, 0])[0], tokens=east, token_words=("y",))
    ranking = Ranking(asked, index(said, vectors))
    before = ranking.scores.copy()
    ranking.refine(np.arange(10), [east] * 10)
    gained = ranking.scores - before
    assert gained[0] > gained[4] > max(gained[3], gained[5])


def test_the_best_without_a_vector_say_nothing_of_the_others() -> None:
    said = talk(*["boat"] * 3, *["x"] * 7, every=DAY)
    vectors = np.concatenate([np.zeros((3, 3), np.float32), unit(*[[1, 0.1, 0]] * 6, [0, 0, 1])])
    asked = ask("boat", vector=unit([0, 1, 0])[0], tokens=unit([1, 0]), token_words=("boat",))
    ranking = Ranking(asked, index(said, vectors))
    before = ranking.scores.copy()
    ranking.refine(np.arange(10), [unit([1, 0])] * 10)
    gained = ranking.scores - before
    assert gained.tolist() == pytest.approx([gained[0]] * 10, abs=1e-4)


@pytest.mark.parametrize("count", [1024, 1025, 2048, 2049, 3333, 4000, 9999])
def test_what_all_have_in_common_is_that_of_both_who_talk_in_turn(count: int) -> None:
    both = np.eye(2, dtype=np.float32)[np.arange(count) % 2]
    assert Vectors.pack(both).common() == pytest.approx([0.5, 0.5], abs=0.01)


def test_what_all_have_in_common_is_the_mean_of_a_thousand_of_them() -> None:
    noise = np.random.default_rng(0).standard_normal((5000, 16)).astype(np.float32)
    vectors = unit(*(noise + 1))
    assert Vectors.pack(vectors).common() == pytest.approx(vectors.mean(axis=0), abs=0.02)
    known = np.concatenate([vectors[:3], np.zeros((7, 16), np.float32)])
    assert Vectors.pack(known).common() == pytest.approx(vectors[:3].mean(axis=0), abs=0.01)
    assert not Vectors.pack(np.zeros((4, 16), np.float32)).common().any()
    assert not Vectors.pack(np.zeros((0, 16), np.float32)).common().any()


# --------------------------------------------------------------------------------- what it means


def unit(*rows: Sequence[float]) -> NDArray[np.float32]:
    array = np.array(rows, np.float32)
    array /= np.maximum(np.linalg.norm(array, axis=-1, keepdims=True), 1e-9)
    return array


def test_what_means_the_same_comes_first_without_a_word_in_common() -> None:
    said = talk("sparrow", "carburettor", "noon", every=DAY)
    of_said = index(said, unit([1, 0, 0], [0, 1, 0], [0, 0, 1]))
    asked = ask("motor", vector=unit([0.1, 0.9, 0])[0])
    assert int(Ranking(asked, of_said).scores.argmax()) == 1


def test_without_vectors_words_decide_and_turns_without_one_are_not_lost() -> None:
    said = talk("sparrow", "the motor", "noon", every=DAY)
    asked = ask("motor", vector=unit([1, 0])[0])
    assert int(Ranking(asked, index(said)).scores.argmax()) == 1
    blank = index(said, np.zeros((3, 2), np.float32))
    assert int(Ranking(asked, blank).scores.argmax()) == 1


def test_each_word_of_the_question_finds_its_nearest() -> None:
    said = talk("x", "x", "x", "x", every=DAY)
    east, north, both = unit([1, 0]), unit([0, 1]), unit([1, 0], [0, 1])
    asked = ask("motor boat", tokens=both, token_words=("motor", "boat"))
    ranking = Ranking(asked, index(said))
    none = np.zeros((0, 2), np.float32)
    ranking.refine(ranking.best(), [east, both, north, none])
    assert int(ranking.scores.argmax()) == 1
    assert ranking.relevance[1] == pytest.approx(1)
    assert ranking.relevance[0] == pytest.approx(0.5)
    assert ranking.relevance[3] == 0


def test_names_of_people_are_no_topic() -> None:
    said = talk("hello", "hello", "boat", by=(ANN, BEN), every=DAY)
    asked = ask("Ben boat", tokens=unit([1, 0], [0, 1]), token_words=("Ben", "boat"))
    ranking = Ranking(asked, index(said))
    ranking.refine(np.array([0, 1, 2]), [unit([1, 0]), unit([0, 1]), unit([1, 0])])
    assert ranking.relevance.tolist() == pytest.approx([0, 1, 0])


def test_what_was_compared_word_by_word_stays_before_what_was_not() -> None:
    said = talk(*["parrot"] * 50, *["silence"] * (4 * CANDIDATES), every=DAY)
    asked = ask("parrot", tokens=unit([1, 0]), token_words=("parrot",))
    ranking = Ranking(asked, index(said))
    places = ranking.best()
    assert CANDIDATES <= len(places) <= 3 * CANDIDATES
    assert set(range(50)) <= set(places.tolist())
    assert np.all(np.diff(places) > 0)
    ranking.refine(places, [unit([-1, 0])] * len(places))  # as bad as can be
    rest = np.setdiff1d(np.arange(len(said)), places)
    assert ranking.scores[places].min() > ranking.scores[rest].max()


def test_the_relevance_is_the_share_of_what_was_asked() -> None:
    said = talk("the parrot", "a parrot in Crete", "silence", every=DAY)
    found = Ranking(ask("parrot Crete"), index(said)).relevance
    assert found[1] == pytest.approx(1)
    assert 0 < found[0] < 1
    assert found[2] == 0
    assert Ranking(ask("zebra"), index(said)).relevance.max() == 0


# -------------------------------------------------------------------------------------- the edges


@pytest.mark.parametrize("text", ["", "👍", "what?", "parrot", "on 3 May 2026 did I, Ann?", "我"])
@pytest.mark.parametrize("said", [[], talk(""), talk("👍"), talk("parrot"), talk("", "", "")])
def test_no_turns_one_turn_and_turns_without_words_have_scores(text: str, said: list[Said]) -> None:
    ranking = Ranking(ask(text, tokens=unit([1, 0]), token_words=(text,)), index(said))
    assert ranking.scores.shape == ranking.relevance.shape == (len(said),)
    assert np.isfinite(ranking.scores).all()
    places = ranking.best()
    assert places.tolist() == list(range(len(said)))
    ranking.refine(places, [unit([1, 0])] * len(places))
    assert np.isfinite(ranking.scores).all()
    assert np.isfinite(ranking.relevance).all()


def test_a_huge_question_takes_bounded_time() -> None:
    said = talk(*(f"word{number} parrot" for number in range(2000)))
    text = " ".join(f"word{number}" for number in range(200_000))
    began = time.process_time()
    Ranking(ask(text), index(said))
    assert time.process_time() - began < 5


def test_a_passage_is_read_with_the_end_of_what_was_before_and_the_beginning_of_what_came() -> None:
    def turn(text: str, author: Author) -> Turn:
        return Turn(role=Role.USER, author=author, text=text, at=START)

    asked, yes = turn("Shall we meet on Friday?", BEN), turn("yes", ANN)
    alone = passage(yes, None, None)
    assert (alone.before, alone.text, alone.after) == ("Ann: ", "yes", "")
    between = passage(yes, asked, turn("Fine.", BEN))
    assert between.before == "Ben Smith: Shall we meet on Friday? Ann: "
    assert between.after == " Ben Smith: Fine."
    long = passage(yes, turn("x" * 1000 + "end", BEN), turn("begin" + "y" * 1000, BEN))
    assert "end Ann: " in long.before
    assert "Ben Smith: begin" in long.after
    assert max(len(long.before), len(long.after)) <= FOREGOING + len(" Ann: ")


_TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["parrot", "Ann", "Ben", "when", "I", "?", "3 May", "yesterday", "北京"]),
        max_size=8,
    ).map(" ".join),
)
_SAID = st.lists(
    st.tuples(
        st.sampled_from([ANN, BEN, ROBIN]),
        st.integers(0, 400).map(lambda hours: START + timedelta(hours=hours)),
        _TEXTS,
    ),
    max_size=25,
)


@given(_SAID, _TEXTS, st.integers(0, 2**32 - 1))
def test_any_talk_and_question_have_finite_scores_that_stay_the_same(
    said: list[Said], text: str, seed: int
) -> None:
    random = np.random.default_rng(seed)

    def noise(*shape: int) -> NDArray[np.float32]:
        return unit(*random.standard_normal(shape)) if shape[0] else np.zeros(shape, np.float32)

    vectors = noise(len(said), 4) * (random.random((len(said), 1)) < 0.8)
    words = tuple(text.split())
    asked = ask(text, vector=noise(1, 4)[0], tokens=noise(len(words), 3), token_words=words)
    tokens = [noise(int(count), 3) for count in random.integers(0, 4, len(said))]

    def outcome() -> tuple[list[float], list[float]]:
        ranking = Ranking(asked, index(said, vectors.astype(np.float32)))
        places = ranking.best()
        ranking.refine(places, [tokens[place] for place in places])
        assert ranking.scores.shape == ranking.relevance.shape == (len(said),)
        assert np.isfinite(ranking.scores).all()
        assert (np.abs(ranking.relevance) <= 1 + 1e-5).all()
        return ranking.scores.tolist(), ranking.relevance.tolist()

    assert outcome() == outcome()
