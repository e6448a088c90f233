"""Feeds, RSS and Atom: which entry is to be posted next."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from io import BytesIO

import feedparser

from hobnob.errors import PageFailed
from hobnob.text import one_line
from hobnob.web.readable import readable

KINDS = (
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "text/xml",
    "application/rdf+xml",
)
MOST_ENTRIES = 100
LONGEST_TITLE = 300

Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a feed. Raises PageFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    id: str
    """A hash: feeds make ids of any length."""
    title: str
    link: str
    text: str = ""

    @property
    def post(self) -> str:
        """What is posted where no model writes about it."""
        return "\n".join(part for part in (self.title, self.link) if part)


async def read(fetch: Fetch, url: str) -> Sequence[Entry]:
    """The entries of a feed, the newest first, as feeds are. Raises PageFailed."""
    body = await fetch(url)
    return await asyncio.to_thread(parse, body)


def parse(body: bytes) -> Sequence[Entry]:
    """Raises PageFailed."""
    found = feedparser.parse(BytesIO(body))
    if not found.get("version"):
        raise PageFailed("it is no feed (RSS or Atom)")
    entries = []
    for each in found.entries[:MOST_ENTRIES]:
        link = str(each.get("link", ""))
        link = link if link.startswith(("https://", "http://")) else ""
        title = one_line(readable(str(each.get("title", ""))).text)[:LONGEST_TITLE]
        name = str(each.get("id", "")) or link or title
        if name:
            entries.append(
                Entry(
                    id=hashlib.sha256(name.encode(errors="replace")).hexdigest(),
                    title=title,
                    link=link,
                    text=one_line(readable(str(each.get("summary", ""))).text),
                )
            )
    return entries


def next_entry(entries: Sequence[Entry], seen: Collection[str]) -> Entry | None:
    """The oldest that nobody has seen; of a feed that is read for the first time, the newest."""
    new = [entry for entry in entries if entry.id not in seen and entry.post]
    if not new:
        return None
    return new[-1] if seen else new[0]
