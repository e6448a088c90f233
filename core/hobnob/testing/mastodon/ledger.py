"""What a server would hold against a client: asked too often, again too early, in a wrong place."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hobnob.testing.wire import web

MOST_REQUESTS = 300


@dataclass
class Ledger:
    token: str
    requests: Counter[str] = field(default_factory=Counter)
    """How often each route was asked for."""
    complaints: list[str] = field(default_factory=list)
    window: float = 300.0
    """Seconds in which there may be so many requests."""
    most: int = 0
    """The most requests in any such stretch."""
    closed_until: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    """Nothing may be written, or nothing read, before then, as was said in an answer."""
    _times: deque[float] = field(default_factory=deque)

    def note(self, request: web.Request) -> None:
        """A request of the account's came in."""
        now = time.monotonic()
        what = f"{request.method} {request.path}"
        self.requests[what] += 1
        self._times.append(now)
        self.most = max(self.most, self._lately(now))
        if self._lately(now) > MOST_REQUESTS:
            self.complaints.append(f"{self._lately(now)} requests in {self.window:.0f} s")
        if request.match_info.http_exception is not None:
            self.complaints.append(f"there is no {what}")
        if self.token in request.path_qs:
            self.complaints.append(f"the token is in the address of {what}")
        if request.path.startswith("/media") and "Authorization" in request.headers:
            self.complaints.append("the token is told to the keeper of pictures")
        early = self.closed_until[is_write(request)] - now
        if early > 0.05 and "/streaming" not in request.path:
            self.complaints.append(f"{what}, {early:.1f} s too early")

    def spend(self, count: int) -> None:
        """Somebody else with the same token made requests."""
        self._times.extend([time.monotonic()] * count)

    def headers(self) -> dict[str, str]:
        """What a server tells with every answer."""
        now = time.monotonic()
        left = MOST_REQUESTS - self._lately(now)
        reset = time.time() + (self._times[0] + self.window - now if self._times else 0)
        return {
            "X-RateLimit-Limit": f"{MOST_REQUESTS}",
            "X-RateLimit-Remaining": f"{max(0, left)}",
            "X-RateLimit-Reset": datetime.fromtimestamp(reset, UTC).isoformat(),
        }

    def _lately(self, now: float) -> int:
        while self._times and now - self._times[0] > self.window:
            self._times.popleft()
        return len(self._times)

    def closes(self, until: float, *, write: bool) -> None:
        """A client was told to write, or to read, nothing before then."""
        self.closed_until[write] = max(self.closed_until[write], until)


def is_write(request: web.Request) -> bool:
    return request.method in ("POST", "PUT", "DELETE")
