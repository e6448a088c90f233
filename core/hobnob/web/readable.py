"""The text that a reader sees on a page of HTML: its title and what it says. Pure.

Takes time in proportion to the length of the page, whatever the page is: the standard library's
parser does not (CVE-2025-6069), and people choose what we read. Knows no CSS but what hides.
"""

import html
import re
import unicodedata
from dataclasses import dataclass

MOST = 8000
"""Characters of a text that are looked at."""
MOST_TAGS = 20_000
"""What comes after so many is left: reading must not hold up everybody else."""
LEAST_MAIN = 200
"""Characters: a <main> or <article> with less is not what the page is about."""

_TAG = re.compile(r"""</?([a-zA-Z][^\s/>]*+)((?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|))*+)>""")
_MARK = re.compile(r"<(?=[a-zA-Z/!?])")
_HIDDEN = re.compile(
    r"""(?ix) (?:^|\s) (?:hidden (?=\s|=|/|$)
    | aria-hidden \s*=\s* ["']?true
    | style \s*=\s* ["'][^"'>]*? (?:display\s*:\s*none|visibility\s*:\s*hidden)
    )"""
)
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp")
}
"""What holds no tags but its own end."""
_SKIPPED = re.compile(
    r"head|nav|footer|aside|button|select|datalist|template|noscript|svg|math|object|audio|"
    r"video|canvas|dialog|menu"
)
_DRAWN = ("svg", "math")
"""What may end where it begins: <svg/>."""
_VOID = re.compile(r"area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr")
_BLOCKS = re.compile(
    r"address|article|blockquote|body|br|caption|dd|details|div|dl|dt|fieldset|figcaption|"
    r"figure|h1|h2|h3|h4|h5|h6|header|hr|li|main|ol|p|pre|section|summary|table|td|th|tr|"
    r"ul"
)
_HEADING = re.compile(r"h[1-6]")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_MAIN = ("main", "article")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    title: str
    text: str
    """Lines, none of them empty; without control characters."""


def readable(source: str, *, most: int = MOST, headings: bool = False) -> Page:
    """What can be read on a page, at most `most` characters; with `headings`, these are marked as
    in Markdown. Never raises."""
    reader = _Reader(most, headings)
    reader.read(source)
    main = next(
        (text for name in _MAIN if len(text := _tidy(reader.parts[name])) >= LEAST_MAIN), ""
    )
    return Page(title=one_line(reader.title), text=main or _tidy(reader.parts[""]))


def plain(text: str) -> str:
    """A page of plain text, as lines, none of them empty."""
    return _tidy([text[:MOST]])


def one_line(text: str) -> str:
    return " ".join(_tidy([text]).split())


class _Reader:
    """Goes over a page once, from tag to tag."""

    def __init__(self, most: int, headings: bool) -> None:
        self.title = ""
        self.parts: dict[str, list[str]] = {"": [], **{name: [] for name in _MAIN}}
        self._most = most
        self._headings = headings
        self._room = dict.fromkeys(self.parts, most)
        self._inside: dict[str, int] = dict.fromkeys(_MAIN, 0)
        self._skipping = ""
        self._depth = 0

    def read(self, source: str) -> None:
        at = 0
        for _ in range(MOST_TAGS * max(1, self._most // MOST)):
            mark = _MARK.search(source, at)
            if mark is None:
                self._text(source[at:])
                return
            self._text(source[at : mark.start()])
            at = self._tag(source, mark.start())

    def _text(self, text: str) -> None:
        """Take text, in which a line's end is as good as a space."""
        if text and not self._skipping:
            self._add(_unescaped(_SPACES.sub(" ", text)[: self._most]))

    def _add(self, text: str) -> None:
        for name in ("", *(name for name in _MAIN if self._inside[name])):
            if self._room[name] > 0:
                self._room[name] -= len(text)
                self.parts[name].append(text)

    def _line(self) -> None:
        if not self._skipping:
            self._add("\n")

    def _tag(self, source: str, at: int) -> int:
        """Take the tag or comment at `at`; where it ends. One that never ends takes all."""
        if source.startswith("<!--", at):
            end = source.find("-->", at + 2)  # "<!-->" is a whole comment
            return end + 3 if end >= 0 else len(source)
        tag = _TAG.match(source, at)
        if tag is None:
            letter = source[at + 1 : at + 3].removeprefix("/")[:1]
            end = -1 if letter.isalpha() else source.find(">", at)
            return end + 1 if end >= 0 else len(source)
        name = tag[1].lower()
        if source.startswith("</", at):
            self._close(name)
            return tag.end()
        end = tag.end()
        if name in _RAW:
            closing = _RAW[name].search(source, end)
            stop = closing.start() if closing else len(source)
            if name == "title" and not self.title and self._skipping in ("", "head"):
                self.title = _unescaped(source[end:stop][:MOST])
            return stop
        self._open(name, tag[2])
        return end

    def _open(self, name: str, attributes: str) -> None:
        if self._skipping:
            if name == "body" and self._skipping == "head":  # whose end need not be written
                self._skipping = ""
            elif name == self._skipping:
                self._depth += 1
        elif name in _DRAWN and attributes.endswith("/"):
            pass
        elif _SKIPPED.fullmatch(name) or (not _VOID.fullmatch(name) and _HIDDEN.search(attributes)):
            self._skipping, self._depth = name, 1
        elif name in self._inside:
            self._inside[name] += 1
        if _BLOCKS.fullmatch(name):
            self._line()
        if self._headings and _HEADING.fullmatch(name) and not self._skipping:
            self._add(f"{'#' * int(name[1])} ")

    def _close(self, name: str) -> None:
        if name == self._skipping:
            self._depth -= 1
            if self._depth == 0:
                self._skipping = ""
        elif not self._skipping and self._inside.get(name):
            self._inside[name] -= 1
        if _BLOCKS.fullmatch(name):
            self._line()


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # the number of a character, with thousands of digits
        return text


def _tidy(parts: list[str]) -> str:
    text = "".join(parts).replace("\r", "\n")
    shown = "".join(c if c == "\n" else _shown(c) for c in text)
    lines = (" ".join(line.split()) for line in shown.split("\n"))
    return "\n".join(line for line in lines if line)


def _shown(character: str) -> str:
    """White space for what is none, nothing for what steers (control, direction, tags, halves)."""
    if character.isascii() and character.isprintable():
        return character
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp", "Cc"):
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") and character != "\u200d" else character
