"""How a connection to a platform is doing, as its adapter notes it and `hobnob platforms` shows."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

REMEMBERED = timedelta(hours=1)
"""How long an error counts."""


class State(StrEnum):
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several connections to the same platform."""

    number: int
    state: State
    latency: float | None = None
    """Seconds there and back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A connection at one moment."""

    state: State
    since: datetime
    """When this state began."""
    last_event: datetime | None = None
    """When something came in."""
    lag: float | None = None
    """Seconds between the saying, by the platform's clock, and the coming in of the last event."""
    limited_until: datetime | None = None
    """The platform takes nothing before then."""
    errors: int = 0
    """Within the last hour."""
    last_error: str = ""
    """Without secrets."""
    shards: tuple[Shard, ...] = ()


class Pulse:
    """Takes note, for one adapter."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._state = State.CONNECTING
        self._since = now()
        self._last_event: datetime | None = None
        self._lag: float | None = None
        self._limited_until: datetime | None = None
        self._errors: deque[datetime] = deque(maxlen=1000)
        self._last_error = ""
        self._shards: dict[int, Shard] = {}

    def turned(self, state: State) -> None:
        """The connection as a whole is now in this state."""
        if state is not self._state:
            self._state, self._since = state, self._now()

    def came(self, at: datetime) -> None:
        """Something said at `at` came in."""
        self._last_event = self._now()
        self._lag = max(0.0, (self._last_event - at).total_seconds())

    def limited(self, seconds: float) -> None:
        """The platform wants us to wait."""
        self._limited_until = self._now() + timedelta(seconds=seconds)

    def failed(self, error: str) -> None:
        """Something went wrong; `error` is shown to the owner, so no secret may be in it."""
        self._errors.append(self._now())
        self._last_error = error

    def shard(self, shard: Shard) -> None:
        self._shards[shard.number] = shard

    @property
    def health(self) -> Health:
        now = self._now()
        while self._errors and now - self._errors[0] > REMEMBERED:
            self._errors.popleft()
        limited = self._limited_until
        return Health(
            state=self._state,
            since=self._since,
            last_event=self._last_event,
            lag=self._lag,
            limited_until=limited if limited and limited > now else None,
            errors=len(self._errors),
            last_error=self._last_error if self._errors else "",
            shards=tuple(self._shards[number] for number in sorted(self._shards)),
        )
