"""How the desk does, as a picture: SVG, which every browser shows with its own fonts. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from hobnob.errors import HobnobError
from hobnob.support.stats import RATINGS, Numbers, Question, duration, percent
from hobnob.text import one_line

WIDTH = 960
MARGIN = 40
GAP = 40
COLUMN = (WIDTH - 2 * MARGIN - GAP) // 2
HEAD = 190
"""The height of the title and the four numbers."""
LINE = 28
MOST_QUESTIONS = 8
LETTERS = 52
"""Of a question, as wide as Latin ones."""

Bars = Sequence[tuple[str, int]]


def save(numbers: Numbers, title: str, file: Path) -> None:
    """Draw the picture into a file. Raises HobnobError where that cannot be."""
    if file.suffix.lower() != ".svg":
        raise HobnobError(f"{file}: the picture is an SVG. Give a name that ends in .svg.")
    try:
        file.write_text(draw(numbers, title), encoding="utf-8")
    except OSError as error:
        raise HobnobError(f"{file}: cannot be written: {error.strerror}.") from error


def draw(numbers: Numbers, title: str) -> str:
    """The picture as the text of an SVG file."""
    waits: Bars = numbers.buckets()
    ratings: Bars = [(f"{rating}", numbers.ratings.get(rating, 0)) for rating in RATINGS]
    asked, unanswered = _shown(numbers.asked), _shown(numbers.unanswered)
    below = HEAD + LINE * (len(waits) + 2)
    height = below + 2 * LINE * max(len(asked), len(unanswered), 1) + MARGIN
    left, right = MARGIN, MARGIN + COLUMN + GAP
    period = f"{numbers.since:%Y-%m-%d} to {numbers.until:%Y-%m-%d}"
    lines = chain(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" '
            'font-size="14" fill="#1f2430" role="img">',
            f"<title>{_safe(title)}, {period}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            _text(left, 56, title, size=24, bold=True),
            _text(WIDTH - MARGIN, 56, period, end=True, grey=True),
        ],
        _figures(numbers),
        _bars(left, HEAD, "First word of a person", waits, 130),
        _bars(right, HEAD, "Satisfaction", ratings, 24),
        _bars(left, below, "Most asked", asked),
        _bars(right, below, "Not answered", unanswered),
        ["</svg>", ""],
    )
    return "\n".join(lines)


def _figures(numbers: Numbers) -> Iterator[str]:
    satisfied = numbers.satisfaction
    figures = (
        (f"{numbers.conversations:,}", "conversations"),
        (percent(numbers.alone, numbers.conversations), "solved without a person"),
        (duration(numbers.waited(0.5)), "to a person's first word (median)"),
        ("" if satisfied is None else f"{satisfied:.1f}", f"of 5, from {numbers.rated:,} ratings"),
    )
    step = (WIDTH - 2 * MARGIN) // len(figures)
    for place, (figure, what) in enumerate(figures):
        x = MARGIN + place * step
        yield _text(x, 116, figure or "–", size=30, bold=True)
        yield _text(x, 140, what, size=13, grey=True)


def _bars(x: int, y: int, title: str, bars: Bars, label: int = 0) -> Iterator[str]:
    """Bars with what they count beside them, `label` wide; or above, where that is 0."""
    yield _text(x, y, title, size=16, bold=True)
    if not any(count for _, count in bars):
        yield _text(x, y + LINE, "nothing yet", grey=True)
        return
    most = max(count for _, count in bars)
    room = COLUMN - label - 60  # for the number at its end
    for name, count in bars:
        y += LINE
        yield _text(x, y, name)
        y += 0 if label else LINE - 10
        width = max(room * count // most, 1 if count else 0)
        yield f'<rect x="{x + label}" y="{y - 13}" width="{width}" height="16" fill="#3b6fb6"/>'
        yield _text(x + label + width + 8, y, f"{count:,}", size=13, grey=True)
        y += 0 if label else 10


def _shown(questions: Sequence[Question]) -> Bars:
    return [(_cut(one_line(each.text)), each.times) for each in questions[:MOST_QUESTIONS]]


def _cut(text: str) -> str:
    return text if cell_len(text) <= LETTERS else f"{set_cell_size(text, LETTERS - 1).rstrip()}…"


def _text(
    x: int,
    y: int,
    text: str,
    *,
    size: int = 14,
    bold: bool = False,
    grey: bool = False,
    end: bool = False,
) -> str:
    more = ' font-weight="600"' if bold else ""
    more += ' fill="#5c6370"' if grey else ""
    more += ' text-anchor="end"' if end else ""
    return f'<text x="{x}" y="{y}" font-size="{size}"{more}>{_safe(text)}</text>'


def _safe(text: str) -> str:
    """XML has no place for most characters that can't be seen."""
    return escape("".join(each for each in text if each.isprintable()))
