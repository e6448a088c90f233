"""What Discord would refuse a bot for, and what it would ban it for: counted, and complained of."""

import json
import re
import time
from dataclasses import dataclass, field
from enum import Enum

from hobnob.testing.discord.payloads import Json
from hobnob.testing.wire import web

EVERYWHERE = ""
"""The scope of the global limit."""
TOLERANCE = 0.03
UNDER_WAY = 0.1
"""Seconds after the first 429 in which a request may come that had left before."""
MOST_INVALID = 100
"""Of the 10,000 in 10 minutes for which Discord bans an address, in a test of seconds."""
MOST_IDENTIFIES = 25
_UNSEEN = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0]"
)


class Fault(Enum):
    """What happens to the next post, or to the next change of a message."""

    LIMITED = "429, for longer than the library waits"
    BROKEN = "503"
    DROPPED = "it is done, and the connection closed without an answer"
    LOST = "it is not done, and the connection closed without an answer"
    OLD = "429, for the message is too old to be edited so often"
    BANNED = "429 by whoever stands before Discord, in HTML"


@dataclass(slots=True)
class Ledger:
    token: str
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    invalid: int = 0
    """Requests answered with 401, 403 or 429, as Discord counts them."""
    complaints: list[str] = field(default_factory=list)
    _until: dict[str, float] = field(default_factory=dict)
    _told: dict[str, float] = field(default_factory=dict)

    def limit(self, seconds: float, scope: str) -> None:
        """Refuse what is asked for under this scope ("POST /channels/31/messages") for so long."""
        self._until[scope] = time.monotonic() + seconds
        self._told.pop(scope, None)

    def note(self, request: web.Request, path: str, body: str) -> web.Response | None:
        """Write it down; a 429 where a limit holds."""
        self.asked.append(f"{request.method} {request.path}")
        if self.token in request.path_qs or self.token in body:
            self.complaints.append(f"the token is in {request.method} {path}")
        asked = f"{request.method} {path}"
        for scope in (EVERYWHERE, asked):
            now = time.monotonic()
            left = self._until.get(scope, 0.0) - now
            if left > 0:
                if now - self._told.setdefault(scope, now) > UNDER_WAY and left > TOLERANCE:
                    self.complaints.append(f"{asked} came {left:.2f} s too early")
                return limited(left, everywhere=scope == EVERYWHERE)
        return None

    def found(self, identifies: int) -> list[str]:
        """All that there is to complain of."""
        more = []
        if self.invalid > MOST_INVALID:
            more.append(f"{self.invalid} invalid requests")
        if identifies > MOST_IDENTIFIES:
            more.append(f"{identifies} sessions were begun")
        return [*self.complaints, *more]


def trouble(payload: Json) -> web.Response | None:
    """What Discord says to the payload of a message; None if it takes it."""
    content = payload.get("content")
    if not isinstance(content, str) or not _UNSEEN.sub("", content):
        return refusal(400, "Cannot send an empty message", code=50006)
    try:
        content.encode()
    except UnicodeEncodeError:
        return refusal(400, "The request body contains invalid JSON.", code=50109)
    components = [each for row in payload.get("components") or () for each in row["components"]]
    keys = [each["custom_id"] for each in components]
    fits = (
        len(content.strip()) <= 2000
        and "\0" not in content
        and len(payload.get("nonce") or "") <= 25
        and len(components) <= 25
        and all(0 < len(row["components"]) <= 5 for row in payload.get("components") or ())
        and len(set(keys)) == len(keys)
        and all(0 < len(key) <= 100 for key in keys)
        and all(0 < len(each["label"]) <= 80 for each in components)
    )
    return None if fits else refusal(400, "Invalid Form Body", code=50035)


def answer(
    data: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """The library minds even a charset behind the content type."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def refusal(
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    *,
    code: int = 0,
    **more: object,
) -> web.Response:
    data = {"message": message, "code": code, **more}
    return answer(data, status=status, headers=headers)


def limited(seconds: float, *, everywhere: bool = False, code: int = 0) -> web.Response:
    headers = {"Via": "1.1 fake", "Retry-After": f"{seconds:.3f}"}
    return refusal(
        429,
        "You are being rate limited.",
        headers,
        code=code,
        retry_after=round(seconds, 3),
        **{"global": everywhere},
    )


def banned() -> web.Response:
    return web.Response(text="<html>1015</html>", status=429, headers={"Retry-After": "600"})
