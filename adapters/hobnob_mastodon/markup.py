"""From Mastodon's HTML to Markdown. Pure.

A post comes as HTML that another server made, or forged. It is cut into tags and text by one
pattern that takes linear time whatever it is given: `html.parser` needs half a minute for 60 kB
of "<a <a <a" and raises on "<![x]>".
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 50_000
"""Characters of HTML that are read; ten times the longest post that servers commonly allow."""

_PIECE = re.compile(
    r"""<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>(?>"[^"<]*"|'[^'<]*'|[^<>"'])*+)>"""
    r"|(?P<broken><[!?/]?[^<>]*>?)"
    r"|(?P<text>[^<]+)"
)
_ATTRIBUTE = re.compile(r"""\b(href|class)\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_BLOCKS = {"p", "div", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "del": "~~", "s": "~~"}
_SILENT = {"script", "style", "template"}
_DEEPEST = 4
"""Quotations and lists inside each other; what is deeper reads as if it were not."""


def clean(text: object) -> str:
    """`text` without what no database and no terminal should be given: control characters and
    halves of surrogate pairs. "" for None."""
    return "".join(
        c
        for c in ("" if text is None else str(text))
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")
    )


def to_text(content: str, mentions: Mapping[str, str]) -> str:
    """HTML as Markdown-ish text; never raises, and no tag is left.

    `mentions` says how to write the link of a mention: by its target, "@ann@example.social".
    """
    writer = _Writer(mentions)
    for piece in _PIECE.finditer(content[:LONGEST]):
        if tag := piece["tag"]:
            attributes = dict(_attributes(piece["attributes"]))
            writer.tag(tag.lower(), bool(piece["end"]), attributes)
        elif text := piece["text"]:
            writer.text(clean(html.unescape(text)))
    return writer.result()


def _attributes(source: str) -> list[tuple[str, str]]:
    return [
        (match[1].lower(), html.unescape(match[2][1:-1])) for match in _ATTRIBUTE.finditer(source)
    ]


@dataclass(slots=True)
class _Frame:
    """A quotation, or the whole."""

    parts: list[str] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    """The lists we are in: the number of the last point, or -1 where they are not numbered."""


class _Writer:
    """Takes tags and texts in turn and writes them down."""

    def __init__(self, mentions: Mapping[str, str]) -> None:
        self._mentions = mentions
        self._frames = [_Frame()]
        self._link: tuple[str, str, int] | None = None
        """Target, classes, and where its text begins in the parts."""
        self._verbatim = False
        self._silent = ""
        """The tag whose end is waited for, where what is inside is not for people."""
        self._left_out = ""
        """The same, of what only says again what the platform tells by itself."""

    @property
    def _parts(self) -> list[str]:
        return self._frames[-1].parts

    def tag(self, name: str, end: bool, attributes: Mapping[str, str]) -> None:
        if self._silent or name in _SILENT:
            self._silent = "" if end and name == self._silent else self._silent or name
        elif self._left_out or "quote-inline" in attributes.get("class", "").split():
            self._left_out = "" if end and name == self._left_out else self._left_out or name
        elif name == "a":
            self._end_link()
            if not end:
                target, classes = attributes.get("href", ""), attributes.get("class", "")
                self._link = (clean(target).strip(), classes, len(self._parts))
        elif name == "br":
            self._parts.append("\n")
        elif name == "pre":
            self._verbatim = not end
            self._parts.append("\n```\n\n" if end else "\n\n```\n")
        elif name in _BLOCKS or name == "li":
            self._block(name, end)
        elif name in _MARKS and not self._verbatim:
            self._parts.append(_MARKS[name])

    def text(self, text: str) -> None:
        if self._silent or self._left_out:
            return
        if not self._verbatim:
            text = re.sub(r"\s+", " ", text)
            if "".join(self._parts[-1:]).endswith(("\n", "- ", ". ")):
                text = text.lstrip()
        self._parts.append(text)

    def result(self) -> str:
        while len(self._frames) > 1:
            self._end_quotation()
        return self._joined()[:LONGEST]

    def _block(self, name: str, end: bool) -> None:
        self._end_link()
        lists = self._frames[-1].lists
        if name == "blockquote":
            if not end and len(self._frames) <= _DEEPEST:
                self._frames.append(_Frame())
            elif end and len(self._frames) > 1:
                self._end_quotation()
        elif name == "li":
            self._parts.append("" if end else self._point(lists))
        elif name in ("ul", "ol"):
            self._parts.append("" if len(lists) > end else "\n\n")
            if end and lists:
                lists.pop()
            elif not end and len(lists) < _DEEPEST:
                lists.append(0 if name == "ol" else -1)
        elif not lists:
            self._parts.append("\n\n")
        elif end:  # a paragraph of a point
            self._parts.append("\n" + "  " * len(lists))

    def _point(self, lists: list[int]) -> str:
        indent = "\n" + "  " * (len(lists) - 1)
        if not lists or lists[-1] < 0:
            return f"{indent}- "
        lists[-1] += 1
        return f"{indent}{lists[-1]}. "

    def _end_quotation(self) -> None:
        self._end_link()
        said = self._joined()
        self._frames.pop()
        if said:
            quoted = "\n".join(f"> {line}".rstrip() for line in said.split("\n"))
            self._parts.append(f"\n\n{quoted}\n\n")

    def _joined(self) -> str:
        self._end_link()
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        lines = [line for n, line in enumerate(lines) if line or n == 0 or lines[n - 1]]
        return "\n".join(lines).strip()

    def _end_link(self) -> None:
        if self._link is None:
            return
        target, classes, begin = self._link
        self._link = None
        said = "".join(self._parts[begin:]).strip()
        del self._parts[begin:]
        shown = said.removesuffix("…").removesuffix("...")
        if target in self._mentions:
            said = self._mentions[target]
        elif "mention" in classes or "hashtag" in classes or said.startswith(("#", "@")):
            pass
        elif not re.match(r"https?://[^\s()]", target, re.IGNORECASE):
            pass  # javascript: and the like are no place to go
        elif not shown or (" " not in shown and shown in target):
            said = target  # shown shortened
        else:
            said = f"[{said}]({target})"
        self._parts.append(said)
