"""From the bytes of a file to its text, with headings as in Markdown."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, urljoin

from hobnob.errors import DocumentFailed
from hobnob.knowledge import office
from hobnob.text import one_line
from hobnob.web.readable import readable

MOST_TEXT = 2_000_000
"""Characters of one document."""
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*$\r?\n?", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"^(title|url):[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^#[ \t]+(\S.*?)[ \t#]*$", re.MULTILINE)
_WEB = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A document that was read."""

    title: str
    url: str
    text: str
    begin: int = 0
    """Where its body begins: after its front matter."""


def read(path: str, data: bytes, links: str) -> Text:
    """`path` is the file's path in the folder; `links`, if not "", is where the folder is on the
    web. Raises DocumentFailed and MissingExtra, naming the file."""
    suffix = PurePosixPath(path).suffix.casefold()
    url = urljoin(links, quote(path)) if links else ""
    if suffix in office.LIBRARIES:
        text = office.text(path, data)
        return _checked(path, Text(title=_named(path, text), url=url, text=text))
    text = _decoded(path, data)
    if suffix in (".html", ".htm"):
        page = readable(text, most=MOST_TEXT, headings=True)
        title = page.title or _named(path, page.text)
        return _checked(path, Text(title=one_line(title), url=url, text=page.text))
    front = _FRONT.match(text)
    keys = {key: value.strip("\"'") for key, value in _KEY.findall(front[1] if front else "")}
    own = keys.get("url", "")
    if own and not _WEB.fullmatch(own):
        raise DocumentFailed(f"{path}: url: {own!r} is no address that begins with https://.")
    begin = front.end() if front else 0
    title = keys.get("title") or _named(path, text[begin:] if suffix != ".txt" else "")
    return _checked(path, Text(title=one_line(title), url=own or url, text=text, begin=begin))


def _checked(path: str, found: Text) -> Text:
    if not found.text[found.begin :].strip():
        raise DocumentFailed(f"{path}: holds no text.")
    if len(found.text) > MOST_TEXT:
        raise DocumentFailed(f"{path}: is longer than {MOST_TEXT} characters. Cut it into parts.")
    return found


def _decoded(path: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentFailed(f"{path}: line {line}: is not UTF-8 text. Save it as UTF-8.") from None
    if "\0" in text:
        raise DocumentFailed(f"{path}: is not text.")
    return text


def _named(path: str, text: str) -> str:
    """Its first heading, or the name of the file in words."""
    title = _TITLE.search(text)
    return title[1] if title else re.sub(r"[-_]+", " ", PurePosixPath(path).stem).strip()
