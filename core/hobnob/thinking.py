"""Takes a model's thinking out of its answer. Pure: no I/O, nothing but the standard library."""

import re
from collections.abc import AsyncGenerator, AsyncIterator

NAMES = ("think", "thinking", "thought", "reasoning")
TAG = re.compile(rf"<(/?)({'|'.join(NAMES)})>", re.IGNORECASE | re.ASCII)
TAGS = tuple(f"<{slash}{name}>" for slash in ("", "/") for name in NAMES)


async def without_thinking(stream: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """`stream` without `<think>...</think>` (or thinking, thought, reasoning), none of it empty.

    How the text is cut into pieces changes nothing. A block that is never closed is swallowed to
    the end. White space is dropped at the beginning, and after a block where what was shown
    already ends in white space. A closing tag without an opening one is dropped.

    What cannot be undone: text shown before a closing tag whose opening was never seen. An engine
    whose template opens the block in the prompt must yield the opening tag itself.

    Closing this iterator closes `stream`.
    """
    text = _Filter()
    try:
        async for piece in stream:
            if shown := text.feed(piece):
                yield shown
        if shown := text.rest():
            yield shown
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


class _Filter:
    def __init__(self) -> None:
        self._held = ""
        self._inside = ""
        """The name of the block that is open."""
        self._last = " "
        """The last character shown; before the first one white space is superfluous."""
        self._trimming = True

    def feed(self, piece: str) -> str:
        """What can be shown now, perhaps "". Keeps an end that may be the beginning of a tag."""
        self._held += piece
        shown = ""
        while tag := TAG.search(self._held):
            shown += self._show(self._held[: tag.start()])
            self._held = self._held[tag.end() :]
            self._pass(closing=bool(tag[1]), name=tag[2].lower())
        doubtful = self._held.rfind("<")
        if doubtful < 0 or not self._may_be_tag(self._held[doubtful:]):
            doubtful = len(self._held)
        shown += self._show(self._held[:doubtful])
        self._held = self._held[doubtful:]
        return shown

    def rest(self) -> str:
        """What was held back, when the text has ended."""
        held, self._held = self._held, ""
        return self._show(held)

    def _pass(self, *, closing: bool, name: str) -> None:
        if not self._inside and not closing:
            self._inside = name
        elif closing and self._inside in ("", name):
            self._inside = ""
            self._trimming = self._last.isspace()

    def _show(self, text: str) -> str:
        if self._inside:
            return ""
        if self._trimming:
            text = text.lstrip()
        if text:
            self._trimming = False
            self._last = text[-1]
        return text

    def _may_be_tag(self, end: str) -> bool:
        return any(tag.startswith(end.lower()) for tag in TAGS)
