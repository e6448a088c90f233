"""From the Markdown of an answer to the plain text of a post, and how much of the limit that takes.
Pure.

Mastodon shows no Markdown. What reads well as it stands is kept (code with its backticks, *a word*,
lists, quotations); what only stands in the way is taken out.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from grapheme import length as graphemes
from mastodon import Mastodon

from hobnob_mastodon.markup import clean

DEFAULT_LENGTH = 500
LINK_LENGTH = 23
_LONGEST_LINK = 2000
"""Beyond 4096 characters the server takes a link for text."""
_SHORTEST_LINK = len("ssb://a.co")

# ----------------------------------------------------------------------------------- what it says

_FENCE = re.compile(r"(^ {0,3}```.*?(?:^ {0,3}```[^\n]*$|\Z))", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(``[^\n]+?``|`[^`\n]+`)")
_LABELLED = re.compile(
    r"!?\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]"
    r"\(<?((?:https?|mailto):(?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:\s+\"[^\"\n]*\")?\)"
)
_PLAINER = (
    (re.compile(r"<((?:https?|mailto):[^\s<>]+)>"), r"\1"),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), "\n"),
    (re.compile(r"^ {0,3}#{1,6}[ \t]+(?=\S)", re.MULTILINE), ""),  # a heading
    (re.compile(r"(?<=\S\n)={3,}[ \t]*$", re.MULTILINE), ""),  # the line under one
    (re.compile(r"^([ \t]*)[*+][ \t]+(?=[^\s*])", re.MULTILINE), r"\1- "),
    (
        re.compile(r"(?<![\\A-Za-z0-9])\*\*\*?(?=\S)((?>[^\n*]+|\*[^\n*]+\*)+)(?<=\S)\*\*\*?"),
        r"\1",
    ),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
_RULE = re.compile(r":?-+:?")

# Where any server sees a mention: not in an address of mail, nor in the path of a link. Some take
# letters before the @ for part of an address of mail, others only those of ASCII.
_AT = re.compile(r"(?<![/A-Za-z0-9_])@(?=\w)")
_MENTION = re.compile(_AT.pattern + r"\w+(?:[.-]+\w+)*(?:@\w+(?:[.-]+\w+)*)?")
_HANDLE = re.compile(r"\s*(@\w[\w.-]*)@[\w.-]+(\s*)")


def to_post(text: str, keep: str = "") -> str:
    """Markdown as the plain text to post; never empty. A mention in it would notify somebody who
    did not ask: it is broken by a zero-width space, except `keep`, the handle of who asked."""
    parts = _FENCE.split(clean(text))
    parts[::2] = [_plain(part) for part in parts[::2]]
    said = "".join(parts).strip() or clean(text).strip() or "…"

    def broken(match: re.Match[str]) -> str:
        same = match[0].casefold() == keep.casefold()
        return match[0] if same else _AT.sub("@\u200b", match[0])

    return _MENTION.sub(broken, said)


def _plain(text: str) -> str:
    parts = _CODE.split(_LABELLED.sub(_labelled, text))
    parts[::2] = [_plainer(part) for part in parts[::2]]
    return _table("".join(parts))


def _plainer(text: str) -> str:
    for pattern, plainer in _PLAINER:
        text = pattern.sub(plainer, text)
    return text


def _labelled(match: re.Match[str]) -> str:
    label, target = match[1].strip(), match[2].removeprefix("mailto:")
    return target if label in ("", target) else f"{label} ({target})"


def _table(text: str) -> str:
    """Rows of a table without the lines around them: columns can't be aligned in a post."""
    lines = text.split("\n")
    rules = [n for n, line in enumerate(lines) if n and "|" in line and _is_rule(line)]
    for rule in reversed(rules):
        end = rule + 1
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = [lines[rule - 1], *lines[rule + 1 : end]]
        lines[rule - 1 : end] = [" | ".join(_cells(row)) for row in rows]
    return "\n".join(lines)


def _is_rule(line: str) -> bool:
    return all(_RULE.fullmatch(cell) for cell in _cells(line))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]


# ---------------------------------------------------------------------------------- how long it is

# What servers take for a link, at the least: more than this may count as one, or as text.
_LINK = re.compile(
    r"https?://((?:[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?\.)+[a-z]{2,20})"
    r"(?=/|[.,;:!?)\]]*(?:\s|\Z))"
    r"(?:/(?:[\w./%+-]*[a-z0-9/])?(?:\?[\w./%+&=-]*[a-z0-9=&])?)?",
    re.IGNORECASE | re.ASCII,
)
_SCHEME = re.compile(r"(?=(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://)", re.IGNORECASE)
_CUT_SHORT = re.compile("//t.co(?:/|$)", re.IGNORECASE)
"""Of such a link the server counts the rest as text, with whatever is joined to it."""
_BEFORE_LINK = re.compile(r"""(?:\A|[\s(\["'“„«])\Z""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a server counts. Never less than it does: what is too long is refused."""

    most: int = DEFAULT_LENGTH
    """The longest post, content warning included."""
    link: int = LINK_LENGTH
    """What a link counts as, however long."""
    plainly: bool = False
    """Every code point counts, links and mentions in full, on servers that only speak
    Mastodon's API."""

    def length(self, text: str) -> int:
        """How much of the limit `text`, Markdown, takes once it is posted."""
        handle = _HANDLE.fullmatch(text)
        if handle and not self.plainly:  # what an answer begins with, which is kept as it is
            return self.posted(handle[1] + handle[2])
        return self.posted(to_post(text))

    def posted(self, text: str) -> int:
        """How much of the limit a post takes.
        https://docs.joinmastodon.org/user/posting/#text"""
        if self.plainly:
            return len(text)
        before, *links = _SCHEME.split(text)
        length = _characters(before)
        longest = max(map(len, text.split()), default=0)  # links hold no white space
        plain = longest <= _LONGEST_LINK and not _CUT_SHORT.search(text)
        for link in links:
            length += self._from_link(link, alone=plain and bool(_BEFORE_LINK.search(before)))
            before = link
        return length

    def _from_link(self, text: str, *, alone: bool) -> int:
        """Of a text that begins with a link, perhaps."""
        found = _LINK.match(text)
        if found and alone and _is_known(found[1].lower()):
            return self.link + _characters(text[found.end() :])
        return _characters(text) + max(0, self.link - _SHORTEST_LINK)


def _characters(text: str) -> int:
    # Since Unicode 15.1 a conjunct of Indic letters is one character, to newer servers only.
    conjuncts = sum(unicodedata.combining(c) == 9 for c in text) if not text.isascii() else 0
    return int(graphemes(text)) + conjuncts


@lru_cache(maxsize=1000)
def _is_known(host: str) -> bool:
    """Whether servers know the end of this name. Elsewhere they see no link."""
    return Mastodon.get_status_length(f"https://{host}/{'x' * LINK_LENGTH}") == LINK_LENGTH
