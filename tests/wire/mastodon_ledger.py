"""What a server would hold against a client: asked too often, again too early, in a wrong place."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field

from aiohttp import web

WINDOW_SECONDS = 300.0
MOST_REQUESTS = 300


@dataclass
class Ledger:
    token: str
    requests: Counter[str] = field(default_factory=Counter)
    """How often each route was asked for."""
    complaints: list[str] = field(default_factory=list)
    most: int = 0
    """The most requests in any five minutes."""
    closed_until: float = 0.0
    """Nothing may be written before then, as was said in an answer."""
    _times: deque[float] = field(default_factory=deque)

    def note(self, request: web.Request) -> None:
        """A request of the account's came in."""
        now = time.monotonic()
        what = f"{request.method} {request.path}"
        self.requests[what] += 1
        self._times.append(now)
        while now - self._times[0] > WINDOW_SECONDS:
            self._times.popleft()
        self.most = max(self.most, len(self._times))
        if len(self._times) > MOST_REQUESTS:
            self.complaints.append(f"{len(self._times)} requests in five minutes")
        if request.match_info.http_exception is not None:
            self.complaints.append(f"there is no {what}")
        if self.token in request.path_qs:
            self.complaints.append(f"the token is in the address of {what}")
        if request.path.startswith("/media") and "Authorization" in request.headers:
            self.complaints.append("the token is told to the keeper of pictures")
        if is_write(request) and now < self.closed_until - 0.05:
            self.complaints.append(f"{what}, {self.closed_until - now:.1f} s too early")

    def closes(self, until: float) -> None:
        """A client was told to write nothing before then."""
        self.closed_until = max(self.closed_until, until)


def is_write(request: web.Request) -> bool:
    return request.method in ("POST", "PUT", "DELETE")
