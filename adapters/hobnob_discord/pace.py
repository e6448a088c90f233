"""How often a new session may be begun.

Discord takes a bot's token away that begins more than 1000 sessions in a day, and wants 5 seconds
between two. https://docs.discord.com/developers/events/gateway#session-start-limit
"""

import time
from collections import deque
from collections.abc import Callable

from discord.backoff import ExponentialBackoff

SPACING = 5.0
MOST_IN_A_ROW = 20
"""For each shard within an hour; it makes 480 a day."""
HOUR = 3600.0
LONGEST_EXPONENT = 6
"""2**6 seconds between two attempts to connect."""


class Identifies:
    """Keeps count, over all connections of a bot."""

    def __init__(
        self, spacing: float = SPACING, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._spacing = spacing
        self._now = now
        self._last: float | None = None
        self._begun: dict[int, deque[float]] = {}

    def wait(self, shard: int) -> float:
        """Seconds until this shard may begin a session."""
        now = self._now()
        begun = self._begun.get(shard, deque())
        full = begun[0] + HOUR - now if len(begun) == MOST_IN_A_ROW else 0.0
        spaced = self._last + self._spacing - now if self._last is not None else 0.0
        return max(full, spaced, 0.0)

    def begin(self, shard: int) -> None:
        self._last = self._now()
        self._begun.setdefault(shard, deque(maxlen=MOST_IN_A_ROW)).append(self._last)


class Backoff(ExponentialBackoff[bool]):
    """The library's pauses between attempts to connect, which grow to 17 minutes: long after
    Discord is back we would still be away."""

    def __init__(self) -> None:
        super().__init__()
        self._max = LONGEST_EXPONENT
        self._reset_time = 600
