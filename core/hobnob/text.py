"""Text for people: splitting to a platform's limit, and names that cannot lie. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from hobnob.ports import Limits

# Where a text may be cut, best first: paragraph, line, sentence, word.
_CUTS = tuple(
    re.compile(pattern)
    for pattern in (r"\n[ \t]*\n+", r"\n", r"(?<=[.!?…])\s+|(?<=[。！？])", r"\s+")
)
_FENCE = re.compile(r"^ {0,3}(`{3,8}|~{3,8})(.*)$", re.MULTILINE)
_LEAST_ROOM = 64
_MOST_TO_CLOSE = 10
"""A line with the marker of a fence, or one of each of the marks."""
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_MARK = re.compile(r"(?<![\\*_~`])(?:\*\*|\*|(?<!\w)__?|__?(?!\w)|~~|``?)(?![*_~`])")
_LONGEST_LINK = 512
_LINK = re.compile(r"\[[^\[\]\n]{1,256}\]\([^()\s]{1,256}\)")


def split(text: str, limits: Limits, *, reserve: int = 0) -> list[str]:
    """Cut `text` into parts that the platform takes, at the best place near the limit.

    `reserve` is kept free in every part (for a mention). A code fence that is cut is closed, and
    opened again in the next part, and so are bold and italic text, strikethrough and code. Links
    stay whole where they can. Nothing but white space at the cuts is lost. No part is empty, and a
    text of white space alone gives none. Raises ValueError if there is no room for text.
    """
    room = limits.max_length - reserve
    if room < _LEAST_ROOM:
        raise ValueError(f"a limit of {limits.max_length} less {reserve} leaves no room for text")
    parts: list[str] = []
    opening, rest = "", text.strip()
    while rest.strip():
        whole = opening + rest
        if limits.length(whole) <= room:
            parts.append(whole.rstrip())
            break
        size = _fitting(whole, limits, room - _MOST_TO_CLOSE)
        cut = _best_cut(whole, len(opening), size)
        head, rest = whole[:cut].rstrip(), whole[cut:]
        fence = _open_fence(head)
        if fence is None:
            marks = _open_marks(whole, len(head)) if rest.strip() else []
            head += "".join(reversed(marks))
            opening, rest = "".join(marks), rest.lstrip()
        else:
            marker, info = fence
            head = f"{head}\n{marker}"
            # A fence's language comes along, unless it is so long that no code would fit.
            opening = f"{marker}{info if len(info) < 24 else ''}\n"
            rest = rest.removeprefix("\n")
        parts.append(head)
    return [part for part in parts if part.strip()]


def _fitting(text: str, limits: Limits, room: int) -> int:
    """The length of the longest beginning of `text` that takes at most `room`; at least 1."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if limits.length(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _best_cut(text: str, after: int, size: int) -> int:
    """Where to cut `text` at or before `size`, and certainly behind `after`."""
    earliest = max(after + 1, size // 2)
    links = [match.span() for match in _LINK.finditer(text, 0, size + _LONGEST_LINK)]
    torn: list[int] = []
    for pattern in _CUTS:
        ends = [m.end() for m in pattern.finditer(text, earliest, size)]
        whole = [at for at in ends if not any(start < at < end for start, end in links)]
        if whole:
            return whole[-1]
        torn = torn or ends
    if torn:
        return torn[-1]
    cut = size
    for _ in range(32):  # do not tear an accent or an emoji's parts off
        if cut <= earliest or not _joined(text[cut - 1], text[cut]):
            return cut
        cut -= 1
    return size


def _joined(left: str, right: str) -> bool:
    """Whether a reader sees the two characters as one."""
    joiner = "\u200d"
    return (
        joiner in (left, right)
        or unicodedata.combining(right) > 0
        or right in "\ufe0e\ufe0f"
        or "\U0001f3fb" <= right <= "\U0001f3ff"
    )


def _open_marks(text: str, cut: int) -> list[str]:
    """The marks of inline Markdown that are open at `cut` and closed behind it, outermost first.
    They never reach over an empty line."""
    start = max((m.end() for m in _EMPTY_LINE.finditer(text, 0, cut)), default=0)
    end = m.start() if (m := _EMPTY_LINE.search(text, cut)) else len(text)
    began: list[tuple[str, int]] = []
    open_there: list[tuple[str, int]] = []
    for match in _MARK.finditer(text, start, end):
        mark, inside = match[0], [known for known, _ in began]
        code = bool(inside) and inside[-1].startswith("`")
        closes = mark in inside and not text[match.start() - 1].isspace()
        if closes and (not code or mark == inside[-1]):
            at = began[inside.index(mark)][1]
            del began[inside.index(mark) :]
            if at < cut <= match.start():
                open_there.append((mark, at))
        elif not code and not text[match.end() : match.end() + 1].isspace():
            began.append((mark, match.start()))
    return [mark for mark, _ in sorted(open_there, key=lambda each: each[1])]


def _open_fence(text: str) -> tuple[str, str] | None:
    """The marker and the info string of the code fence that `text` leaves open."""
    fence: tuple[str, str] | None = None
    for match in _FENCE.finditer(text):
        marker, info = match[1], match[2].strip()
        if fence is None:
            fence = (marker, info)
        elif marker.startswith(fence[0]) and not info:
            fence = None
    return fence


def clean_name(name: str) -> str:
    """A display name as it may stand in a prompt: one line, no more than 32 characters, nothing
    that could look like the end of a name, and never empty."""
    if _PLAIN_NAME.fullmatch(name):
        return name  # nearly all: the rest takes fifty times as long, for each line of a prompt
    kept = "".join(
        " " if unicodedata.category(c)[0] in "CZ" else c
        for c in unicodedata.normalize("NFKC", name)
    )
    kept = re.sub(r"[:#\[\]<>|`*]", "", kept)
    return " ".join(kept.split())[:32].strip() or "Somebody"


_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.]+(?: [A-Za-z0-9_.]+){,3}(?<!.{33})")


def one_speaker(text: str) -> str:
    """Lines after the first, indented: what somebody said can't look like another's line."""
    return "\n  ".join(text.strip().splitlines())


def one_line(text: str) -> str:
    return " ".join(text.split())


def unaddressed(text: str) -> str:
    """`text` without the mentions that it begins with: whom it speaks to is not what it says."""
    return _MENTIONS.sub("", text)


def uncalled(text: str, names: Sequence[str]) -> str:
    """`unaddressed`, and without the first of `names` that stands in it."""
    called = "|".join(map(re.escape, names)) or "(?!)"
    return re.sub(
        rf"\s*(?:{called})\b[\s,:!.]*", "", unaddressed(text), count=1, flags=re.IGNORECASE
    )


_MENTIONS = re.compile(r"^(?:\s*@[\w.@-]+[,:]?)+(?:\s+|$)")


def mark(body: str) -> str:
    """A short sign of the text that a button is under."""
    return hashlib.sha256(body.encode()).hexdigest()[:8]
