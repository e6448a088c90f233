"""What a text means, as far as an embedder can tell: without one, words alone are compared."""

import logging

from hobnob.errors import HobnobError
from hobnob.recollection import Embedded, Embedder

log = logging.getLogger(__name__)


async def meaning(embedder: Embedder | None, text: str) -> Embedded | None:
    """None without an embedder, in a language that it doesn't know, or while it is away."""
    if embedder is None:
        return None
    try:
        return await embedder.query(text)
    except HobnobError as error:
        log.warning("what was meant can't be compared, only words: %s", error)
        return None
