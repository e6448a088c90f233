"""The links in what somebody wrote, and what the pages say. Off unless the owner wants it.

Who fetches is not known here (`hobnob.web.reader` does), nor what becomes of the text
(`hobnob.prompt`).
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from hobnob.errors import PageFailed
from hobnob.events import Event, Quote

log = logging.getLogger(__name__)

MOST = 2
"""Links of a message that are read."""

Fetch = Callable[[str], Awaitable[Quote]]
"""What the page at a link says: a quote whose author is the site. Raises PageFailed."""

_LINK = re.compile(r"""(?<![\w@/:.])https?://[^\s<>"'`{}|\\^\[\]]{1,4096}""", re.IGNORECASE)
_AFTER = ".,;:!?…*_~"
"""What ends a sentence and not a link."""


async def read(events: Sequence[Event], fetch: Fetch) -> tuple[Quote, ...]:
    """What the pages say that these messages link to. Of a page that can't be read a quote without
    text: whoever answers should know that they have not seen it. Never raises for a page's sake."""
    links = find("\n".join(event.text for event in events))
    return tuple(await asyncio.gather(*(_read(link, fetch, events[-1]) for link in links)))


def find(text: str) -> list[str]:
    """The first links in a text, each once, without what belongs to the sentence around it."""
    found: dict[str, None] = {}
    for match in _LINK.finditer(text):
        found[_trimmed(match[0])] = None
        if len(found) == MOST:
            break
    return list(found)


def _trimmed(link: str) -> str:
    while True:
        shorter = link.rstrip(_AFTER)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == link:
            return link
        link = shorter


async def _read(link: str, fetch: Fetch, event: Event) -> Quote:
    try:
        return await fetch(link)
    except PageFailed as error:
        log.info("%s: a link of %s was not read: %s", event.key, event.id, error)
    except Exception:  # a stranger's page must not cost an answer
        log.exception("%s: reading a link of %s crashed", event.key, event.id)
    return Quote(author=_site(link), text="")


def _site(link: str) -> str:
    try:
        return urlsplit(link).hostname or "a link"
    except ValueError:
        return "a link"
