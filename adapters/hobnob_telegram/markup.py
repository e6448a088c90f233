"""From a model's Markdown to Telegram's text with entities. Pure.

Telegram's own parse modes refuse a message for one mark that has no end. Entities are counted
beside the text and cannot be wrong in this way: https://core.telegram.org/bots/api#messageentity
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from telegram import MessageEntity

MOST_ENTITIES = 100
"""Telegram shows no more of them in a message."""
NOTHING = "…"
"""For a text that has nothing to see, which Telegram would refuse."""

_STYLES = {
    "strong": MessageEntity.BOLD,
    "em": MessageEntity.ITALIC,
    "s": MessageEntity.STRIKETHROUGH,
}
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    text: str
    entities: tuple[MessageEntity, ...] = ()


class _Markdown(MarkdownIt):
    """CommonMark with tables and strikethrough, as models write it: tags are text, an indented
    line is no code, and a line of dashes makes no heading of what is above it. Whatever is in
    it stays in the text, so nothing is nested too deeply, and URLs are as they were written."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False, "maxNesting": 10**6})
        self.enable(["table", "strikethrough"])
        self.disable(["code", "lheading", "reference", "html_block", "html_inline"])

    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


_MARKDOWN = _Markdown()


def units(text: str) -> int:
    """How Telegram counts: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(source: str) -> str:
    """`source` as it is, without what Telegram, or a connection, does not take."""
    whole = source.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    kept = "".join(c for c in whole if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
    return kept if _can_be_seen(kept) else NOTHING


def render(source: str) -> Rendered:
    """Never longer than `source` in UTF-16 units, so what was cut to Telegram's limit fits."""
    source = plain(source)
    writer = _Writer(source.split("\n"))
    try:
        writer.blocks(_MARKDOWN.parse(source))
    except RecursionError:  # hundreds of quotes in each other: no person reads that as Markdown
        return Rendered(text=source)
    rendered = writer.rendered()
    if not _can_be_seen(rendered.text) or units(rendered.text) > units(source):
        return Rendered(text=source)
    return rendered


def _can_be_seen(text: str) -> bool:
    return any(unicodedata.category(c)[0] not in "ZC" and c != "\u2800" for c in text)


class _Writer:
    """Writes blocks one below the other, as far apart as they were written."""

    def __init__(self, source: Sequence[str]) -> None:
        self._source = source
        self._parts: list[str] = []
        self._at = 0
        self._entities: list[MessageEntity] = []
        self._open: list[tuple[str, int, str | None]] = []
        """Styles: kind, where it began, URL; with "" as kind, one that is not shown."""
        self._links: list[tuple[str, int]] = []
        self._lists = 0
        self._quotes = 0
        self._quoted_from: int | None = None
        self._line = 0
        """The line of the source behind what was written last."""
        self._fresh = True
        """Nothing was written on this line but the mark of a list."""

    # ------------------------------------------------------------------------------- blocks

    def blocks(self, tokens: Sequence[Token]) -> None:
        in_table = False
        for token in tokens:
            first, last = token.map or (self._line, self._line)
            if in_table:  # whose rows are written as they are
                in_table = token.type != "table_close"
                continue
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    self._lists += 1
                case "bullet_list_close" | "ordered_list_close":
                    self._lists -= 1
                case "list_item_open":
                    self._begin(first, indent=2 * (self._lists - 1))
                    self._write(f"{token.info}{token.markup} " if token.info else "• ")
                    self._line, self._fresh = first + 1, True
                case "list_item_close":
                    self._fresh = False
                case "blockquote_open":
                    self._quotes += 1
                case "blockquote_close":
                    self._end_of_quote()
                case "heading_open":
                    self._begin(first, indent=2 * self._lists)
                    self._start(MessageEntity.BOLD)
                case "heading_close":
                    self._end()
                case "inline":
                    self._begin(first, indent=2 * self._lists)
                    self._inline(token.children or ())
                    self._done(last)
                case "fence":
                    self._fence(token, first)
                    self._done(last)
                case "hr":
                    self._begin(first)
                    self._write("———")
                    self._done(last)
                case "table_open":
                    in_table = True
                    self._begin(first)
                    rows = [line.lstrip(" \t>") for line in self._source[first:last]]
                    self._code("\n".join(rows).rstrip(), MessageEntity.PRE)
                    self._done(last)
                case _:
                    pass

    def _begin(self, line: int, indent: int = 0) -> None:
        """Go on in a line of its own, unless the mark of a list began one."""
        if not self._fresh:
            self._write("\n\n" if line > self._line else "\n")
            self._write(" " * indent)
        self._fresh = True
        if self._quotes and self._quoted_from is None:
            self._quoted_from = self._at

    def _done(self, line: int) -> None:
        self._line, self._fresh = line, False

    def _end_of_quote(self) -> None:
        self._quotes -= 1
        if not self._quotes and self._quoted_from is not None:
            self._add(MessageEntity.BLOCKQUOTE, self._quoted_from)
            self._quoted_from = None

    def _fence(self, token: Token, line: int) -> None:
        info = token.info.strip()
        language = info if _LANGUAGE.fullmatch(info) else None
        code = token.content.removesuffix("\n")
        self._begin(line)
        self._code(code if language or not info else f"{info}\n{code}", MessageEntity.PRE, language)

    # ------------------------------------------------------------------------------- inline

    def _inline(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            kind = token.type
            if kind in ("softbreak", "hardbreak"):
                self._write("\n")
            elif kind == "code_inline":
                self._code(token.content, MessageEntity.CODE)
            elif kind == "image":
                self._start_link(str(token.attrs.get("src", "")))
                self._inline(token.children or ())
                self._end_link()
            elif kind == "link_open":
                self._start_link(str(token.attrs.get("href", "")), shown=token.markup == "autolink")
            elif kind == "link_close":
                self._end_link()
            elif kind.endswith("_open"):
                self._start(_STYLES[kind.removesuffix("_open")])
            elif kind.endswith("_close"):
                self._end()
            else:
                self._write(token.content)

    def _start(self, kind: str, url: str | None = None) -> None:
        shown = "" if any(kind == other for other, *_ in self._open) else kind
        self._open.append((shown, self._at, url))

    def _end(self) -> None:
        kind, start, url = self._open.pop()
        if kind:
            self._add(kind, start, url=url)

    def _start_link(self, url: str, *, shown: bool = False) -> None:
        """`shown`: the text is the address, which Telegram makes a link by itself."""
        self._links.append(("" if shown else url, self._at))
        self._start(MessageEntity.TEXT_LINK if _is_web(url) and not shown else "", url)

    def _end_link(self) -> None:
        url, start = self._links.pop()
        if self._at == start:
            self._write(url)
        elif url and not self._open[-1][0]:
            self._write(f" ({url})")
        self._end()

    def _code(self, text: str, kind: str, language: str | None = None) -> None:
        """Nothing may be in code, and code is in nothing but a quote: styles pause for it."""
        if any(other == MessageEntity.TEXT_LINK for other, *_ in self._open):
            self._write(text)
            return
        for other, start, url in reversed(self._open):
            if other:
                self._add(other, start, url=url)
        start = self._at
        self._write(text)
        self._add(kind, start, language=language)
        self._open = [(other, self._at, url) for other, _, url in self._open]

    # ------------------------------------------------------------------------------- output

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._at += units(text)

    def _add(
        self, kind: str, start: int, *, url: str | None = None, language: str | None = None
    ) -> None:
        if self._at > start:
            self._entities.append(
                MessageEntity(kind, start, self._at - start, url=url, language=language)
            )

    def rendered(self) -> Rendered:
        """Without white space around it, which Telegram takes away too."""
        whole = "".join(self._parts)
        text = whole.strip()
        before, length = units(whole[: len(whole) - len(whole.lstrip())]), units(text)
        kept = []
        for entity in self._entities:
            start = max(0, entity.offset - before)
            end = min(length, entity.offset - before + entity.length)
            if end > start:
                kept.append(
                    MessageEntity(
                        entity.type, start, end - start, url=entity.url, language=entity.language
                    )
                )
        kept.reverse()  # the outer of two was added last
        kept.sort(key=lambda entity: (entity.offset, -entity.length))
        return Rendered(text=text, entities=tuple(kept[:MOST_ENTITIES]))


def _is_web(url: str) -> bool:
    """Whether Telegram takes it for a link: it leaves out those that it does not understand."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in parts.netloc and " " not in url
