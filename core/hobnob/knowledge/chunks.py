"""A document cut into excerpts: each a part of one section, with the headings above it. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from semantic_text_splitter import MarkdownSplitter

from hobnob.knowledge.reading import Text
from hobnob.text import one_line

LONGEST = 400
"""Characters of an excerpt. The embedder keeps 48 words of one: memory/embedder.py."""

_HEADING = re.compile(
    r"^(?P<marks>#{1,6})[ \t]+(?P<text>\S[^\n]*?)[ \t#]*$"
    r"|^(?P<under>[^\s#>|`~+*-][^\n]*)\n(?P<line>=+|-+)[ \t]*$"
    r"|^(?P<fence>```|~~~)[^\n]*\n.*?(?:^(?P=fence)[^\n]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    heading: str
    start: int
    """Characters into the text of the document."""
    text: str


def cut(document: Text) -> Iterator[Chunk]:
    splitter = MarkdownSplitter(LONGEST)
    for heading, start, end in _sections(document):
        for at, text in splitter.chunk_indices(document.text[start:end]):
            if text.strip():
                yield Chunk(heading=heading, start=start + at, text=text.strip())


def _sections(document: Text) -> Iterator[tuple[str, int, int]]:
    """The headings above each section, and where it begins and ends."""
    text = document.text
    marks = [mark for mark in _HEADING.finditer(text, document.begin) if not mark["fence"]]
    above: dict[int, str] = {}
    first, *ends = [*(mark.start() for mark in marks), len(text)]
    yield "", document.begin, first
    for mark, end in zip(marks, ends, strict=True):
        level = len(mark["marks"]) if mark["marks"] else 1 + (mark["line"][0] == "-")
        above = {each: name for each, name in above.items() if each < level}
        above[level] = one_line(mark["text"] or mark["under"])
        names = [name for name in above.values() if name != document.title]
        yield " / ".join(names), mark.end(), end
