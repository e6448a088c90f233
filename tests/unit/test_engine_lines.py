"""Lines out of another process, as they come."""

import os
from collections.abc import Iterator
from typing import IO

import pytest

from hobnob.engine.openvino_process import Lines


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], int]]:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as reader:
        yield reader, into


def test_two_that_came_at_once_are_two(pipe: tuple[IO[bytes], int]) -> None:
    """The second was waited for in vain, since it was here already: an answer never ended."""
    reader, into = pipe
    os.write(into, b"one\ntwo\nthr")
    lines = Lines(reader)
    assert lines.next(0) == b"one\n"
    assert lines.next(0) == b"two\n"
    assert lines.next(0) is None
    os.write(into, b"ee\n")
    assert lines.next(0) == b"three\n"
    os.close(into)
    assert lines.next(0) == b""


def test_a_long_line_comes_whole(pipe: tuple[IO[bytes], int]) -> None:
    reader, into = pipe
    os.write(into, b"x" * 60_000)
    os.close(into)
    lines = Lines(reader)
    assert lines.next(0) == b""
    assert lines.next(0) == b""
