"""What a model thinks is not part of what it says."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.thinking import without_thinking


async def stream(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


async def shown(*pieces: str) -> str:
    result = [piece async for piece in without_thinking(stream(*pieces))]
    assert all(result)
    return "".join(result)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello.", "Hello."),
        ("<think>Hm.</think>\n\nHello.", "Hello."),
        ("\n<THINK>Hm.</Think>Hello.", "Hello."),
        ("<thinking>a</thinking>b<thought>c</thought>d<reasoning>e</reasoning>f", "bdf"),
        ("One <think>x</think> two", "One two"),
        ("One<think>x</think> two", "One two"),
        ("Hello.<think>and now for", "Hello."),
        ("<think></think></think>Hello.", "Hello."),
        ("</think>\nHello.", "Hello."),
        ("Too late</think>, seen.", "Too late, seen."),
        ("<think>a <think> b </thought> c</think>d", "d"),
        ("a < b and <thin", "a < b and <thin"),
        ("<b>bold</b> <thinks> <think/>", "<b>bold</b> <thinks> <think/>"),
        ("<think>only", ""),
        ("", ""),
    ],
)
async def test_only_what_is_said_is_shown(text: str, said: str) -> None:
    assert await shown(text) == said
    assert await shown(*text) == said


PARTS = ["<think>", "</think>", "<", "</", "<thi", "nk>", "thought>", "<reasoning>", " ", "\n"]
TEXTS = st.lists(st.sampled_from([*PARTS, "a", "İ", "b>"]) | st.text(max_size=3), max_size=12)


@given(parts=TEXTS, sizes=st.lists(st.integers(1, 4), min_size=1))
async def test_how_a_text_is_cut_into_pieces_changes_nothing(
    parts: list[str], sizes: list[int]
) -> None:
    text = "".join(parts)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[start : start + size])
        start += size
    assert await shown(*pieces) == await shown(text)


async def test_what_is_certain_is_shown_at_once() -> None:
    result = without_thinking(stream("Hello, ", "wor", "ld", "<", "3"))
    assert [piece async for piece in result] == ["Hello, ", "wor", "ld", "<3"]


async def test_closing_it_closes_the_stream_inside() -> None:
    closed = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "text"
        finally:
            closed.append(True)

    async with aclosing(without_thinking(endless())) as outer:
        await anext(outer)
        assert not closed
    assert closed
