"""Stop strings: never shown, wherever the text is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from hobnob.engine.stop import StopCutter


def cut(pieces: list[str], *stop: str) -> tuple[list[str], bool]:
    cutter = StopCutter(stop)
    shown = []
    for piece in pieces:
        shown.append(cutter.feed(piece))
        if cutter.stopped:
            break
    return [*shown, cutter.rest()], cutter.stopped


def test_a_stop_string_over_several_pieces_is_never_shown() -> None:
    assert cut(["Hello\nU", "ser", ": me"], "\nUser:") == (["Hello", "", "", ""], True)


def test_a_false_beginning_is_shown_as_soon_as_it_is_one() -> None:
    assert cut(["Hello\nU", "nder"], "\nUser:") == (["Hello", "\nUnder", ""], False)


def test_a_beginning_at_the_very_end_is_shown() -> None:
    assert cut(["Hello\nU"], "\nUser:") == (["Hello", "\nU"], False)


def test_the_first_of_several_ends_the_text() -> None:
    assert cut(["one two three"], "three", "two") == (["one ", ""], True)


def test_an_empty_stop_string_stops_nothing() -> None:
    assert cut(["Hello"], "") == (["Hello", ""], False)


@given(pieces=st.lists(st.text("ab", max_size=4)), stop=st.text("ab", min_size=1, max_size=4))
def test_any_cutting_ends_at_the_first_stop_string(pieces: list[str], stop: str) -> None:
    text = "".join(pieces)
    shown, stopped = cut(pieces, stop)
    assert "".join(shown) == text.partition(stop)[0]
    assert stopped == (stop in text)
