"""Between Mastodon's HTML and plain text, in both directions. Pure.

A post comes as HTML that another server made, or forged. It is cut into tags and text by one
pattern that takes linear time whatever it is given: `html.parser` needs half a minute for 60 kB
of "<a <a <a" and raises on "<![x]>". A post leaves as plain text: Mastodon shows no Markdown.
"""

import html
import re
import unicodedata
from collections.abc import Mapping

from mastodon import Mastodon

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


class _Writer:
    """Takes tags and texts in turn and writes them down."""

    def __init__(self, mentions: Mapping[str, str]) -> None:
        self._mentions = mentions
        self._parts: list[str] = []
        self._link: tuple[str, str, int] | None = None
        """Target, classes, and where its text begins in `_parts`."""
        self._verbatim = False
        self._quote = False
        """A quotation has begun, and nothing of it is written yet."""
        self._silent = ""
        """The tag whose end is waited for, where what is inside is not for people."""

    def tag(self, name: str, end: bool, attributes: Mapping[str, str]) -> None:
        if self._silent or name in _SILENT:
            self._silent = "" if end and name == self._silent else self._silent or name
        elif name == "a":
            self._end_link()
            if not end:
                target, classes = attributes.get("href", ""), attributes.get("class", "")
                self._link = (clean(target).strip(), classes, len(self._parts))
        elif name == "br":
            self._parts.append("\n")
        elif name == "li":
            self._parts.append("" if end else "\n- ")
        elif name == "pre":
            self._verbatim = not end
            self._parts.append("\n```\n\n" if end else "\n\n```\n")
        elif name in _BLOCKS:
            self._quote = not end and (self._quote or name == "blockquote")
            self._parts.append("\n\n")
        elif name in _MARKS and not self._verbatim:
            self._parts.append(_MARKS[name])

    def text(self, text: str) -> None:
        if self._silent:
            return
        if not self._verbatim:
            text = re.sub(r"\s+", " ", text)
            if "".join(self._parts[-1:]).endswith("\n"):
                text = text.lstrip()
        if self._quote and text.strip():
            self._parts.append("> ")
            self._quote = False
        self._parts.append(text)

    def result(self) -> str:
        self._end_link()
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

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


# ------------------------------------------------------------------------------------ what leaves

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_PLAINER = (
    (re.compile(r"!?\[([^\[\]\n]+)\]\((https?://[^\s()]+)\)"), r"\1 (\2)"),
    (re.compile(r"^#{1,6}[ \t]+", re.MULTILINE), ""),
    (re.compile(r"\*\*(\S|\S[^\n]*?\S)\*\*"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?![\s*])([^*\n]*[^\s*])\*(?![\w*])"), r"\1"),
)
# Where Mastodon would see a mention: not in an address of mail, nor in a link.
_MENTION = re.compile(r"(?<![=/\w])@(?=\w)(\w+(?:[.-]+\w+)*(?:@\w+(?:[.-]+\w+)*)?)")


def to_post(text: str, keep: str = "") -> str:
    """Markdown as the plain text to post. A mention in it would notify somebody who did not ask:
    it is broken by a zero-width space, except `keep`, the handle of who asked."""
    parts = _CODE.split(text)
    parts[::2] = [_plain(part) for part in parts[::2]]

    def broken(match: re.Match[str]) -> str:
        same = match[0].casefold() == keep.casefold()
        return match[0] if same else f"@\u200b{match[1]}"

    return _MENTION.sub(broken, "".join(parts))


def length(text: str) -> int:
    """How much of the limit `text` takes once it is posted: links count as 23 characters, and a
    character is what a reader sees as one. Never too little: other people's mentions count in
    full. https://docs.joinmastodon.org/user/posting/#text"""
    return Mastodon.get_status_length(to_post(text))


def _plain(text: str) -> str:
    for pattern, plainer in _PLAINER:
        text = pattern.sub(plainer, text)
    return text
