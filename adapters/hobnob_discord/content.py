"""A text as Discord takes it. Pure.

Discord renders Markdown itself and refuses none. It refuses what is nothing to a reader, what is no
text, and what is longer than 2000 characters, which it counts in code points
(https://github.com/discord/discord-api-docs/issues/1315).
"""

import re
import unicodedata

LONGEST = 2000
NOTHING = "…"
"""Stands for a text in which there is nothing to see."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Zl", "Zp", "Zs"))
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols by their category, and empty on the screen."""


def content(text: str) -> str:
    """`text` without what Discord would refuse it for; never empty, and never longer."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    kept = _CONTROL.sub("", whole.replace("\r\n", "\n")).strip()
    return kept if any(map(_is_seen, kept)) else NOTHING


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN and character not in _BLANK
