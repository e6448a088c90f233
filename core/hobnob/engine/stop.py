"""Stop strings in a text that comes in pieces. Knows nothing of models."""

from collections.abc import Sequence


class StopCutter:
    """Cuts a growing text at the first stop string.

    An end that could be the beginning of a stop string is held back until it is clear.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(filter(None, stop))
        self.held = ""
        """What may be the beginning of a stop string."""
        self.stopped = False
        """A stop string was met: nothing that comes later counts."""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be shown now, perhaps ""."""
        self.held += piece
        found = [at for stop in self._stop if (at := self.held.find(stop)) >= 0]
        if found:
            self.stopped = True
            cut = min(found)
        else:
            cut = len(self.held) - self._doubtful()
        shown = self.held[:cut]
        self.held = "" if self.stopped else self.held[cut:]
        return shown

    def rest(self) -> str:
        """What was held back, when the text has ended."""
        held, self.held = self.held, ""
        return held

    def _doubtful(self) -> int:
        """Characters at the end that may be the beginning of a stop string."""
        return max(
            (
                length
                for stop in self._stop
                for length in range(1, len(stop))
                if self.held.endswith(stop[:length])
            ),
            default=0,
        )
