"""The server, asked from asyncio: Mastodon.py knows no asyncio, so that all calls run in one
thread of their own. Knows what the library's errors mean, and how often one may ask."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import requests
from mastodon import Mastodon
from mastodon.errors import (
    MastodonAPIError,
    MastodonError,
    MastodonNetworkError,
    MastodonRatelimitError,
)
from pydantic import SecretStr
from urllib3.exceptions import NewConnectionError

from hobnob.errors import AdapterStopped
from hobnob.health import Pulse
from hobnob.text import one_line
from hobnob_mastodon.markup import clean

log = logging.getLogger(__name__)

REQUEST_SECONDS = 20.0
"""How long the server may take to answer."""
WINDOW_SECONDS = 300.0
MOST_REQUESTS = 280
"""In such a window. Servers take 300 of an account."""
SPARE_REQUESTS = 300 - MOST_REQUESTS
"""With so few left, by the server's account, we wait: others may use the same account."""
LIMIT_SECONDS = 60.0
"""How long to wait where a server limits us and does not say for how long."""
HOW_TO_SIGN_IN = (
    "Make an application on that server under Preferences, Development, with the scopes read and "
    "write, and put its access token into bot.toml, as access_token under [platforms.mastodon]."
)
LONGEST_REASON = 200
T = TypeVar("T")


class Limited(MastodonRatelimitError):
    """The server takes nothing more for so many seconds, by its own account."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Hit rate limit.")
        self.seconds = seconds


class Pace:
    """How many requests may still be made: at most so many in any stretch of so many seconds."""

    def __init__(self, most: int = MOST_REQUESTS, seconds: float = WINDOW_SECONDS) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._seconds = seconds

    def wait(self, now: float) -> float:
        """Seconds until there is room for another; 0 if there is."""
        if len(self._times) < (self._times.maxlen or 0):
            return 0.0
        return max(0.0, self._times[0] + self._seconds - now)

    def take(self, now: float) -> float:
        """Have one's turn; the seconds to wait for it."""
        wait = self.wait(now)
        self._times.append(now + wait)
        return wait


def library(base_url: str, access_token: SecretStr) -> Mastodon:
    """The library's client, which never waits by itself. Not to be shared between threads."""
    return Mastodon(
        api_base_url=base_url,
        access_token=access_token.get_secret_value(),
        ratelimit_method="throw",
        version_check_mode="none",
        request_timeout=REQUEST_SECONDS,
        user_agent="hobnob",
    )


class Server:
    """One account's server while the `async with` lasts."""

    def __init__(self, base_url: str, access_token: SecretStr, pulse: Pulse) -> None:
        self.base_url = base_url
        self.pulse = pulse
        self._token = access_token
        self._api = library(base_url, access_token)
        self._pace = Pace()
        self._full_until = 0.0
        """By the server's own account."""
        self._closed_until = {True: 0.0, False: 0.0}
        """The server takes nothing that is written, or answers nothing, before then."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mastodon")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        # A call under way ends by itself, at the latest after REQUEST_SECONDS; nobody waits for
        # it. Closing the session closes its connection, too, once it is through.
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._api.session.close()

    def full(self) -> float:
        """Seconds until another request may be made without asking too much; 0 if it may."""
        now = time.monotonic()
        return max(self._pace.wait(now), self._full_until - now, 0.0)

    async def ask(self, call: Callable[[Mastodon], T], *, writes: bool = False) -> T:
        """Make one call, as soon as there is room for it. Raises what the library raises
        (MastodonError), and Limited where the server limits us, or has said that it does."""
        now = time.monotonic()
        if pause := max(self._pace.take(now), self._full_until - now, 0.0):
            await asyncio.sleep(pause)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._make, call, writes)
        except Limited as limited:
            self.pulse.limited(limited.seconds)
            raise
        except MastodonError as error:
            if not 400 <= status_code(error) < 500:
                self.pulse.failed(self.reason(error))
            raise

    async def insist(self, call: Callable[[Mastodon], T]) -> T:
        """Make a call that changes nothing, until it works, with growing pauses.

        Raises AdapterStopped where the server does not accept the token.
        """
        for pause in growing_pauses():
            try:
                return await self.ask(call)
            except Limited as limited:
                pause = limited.seconds
                log.info("%s limits us for %.0f s", self.base_url, pause)
            except MastodonError as error:
                if is_token_refused(error):
                    raise self.stopped(error) from error
                log.warning("%s: %s; again in %.0f s", self.base_url, self.reason(error), pause)
            await asyncio.sleep(pause)
        raise AssertionError("the pauses never end")

    def reason(self, error: MastodonError) -> str:
        """What went wrong, in words for the owner. A server could say our own token."""
        return reason(error).replace(self._token.get_secret_value(), "…")

    def stopped(self, error: MastodonError) -> AdapterStopped:
        return AdapterStopped(
            f"{self.base_url} does not accept the access token ({self.reason(error)}). "
            f"{HOW_TO_SIGN_IN}"
        )

    def _make(self, call: Callable[[Mastodon], T], writes: bool) -> T:
        # Looked at here and not before, as what waits in line may be limited by what goes first.
        if (left := self._closed_until[writes] - time.monotonic()) > 0:
            raise Limited(left)
        try:
            made = call(self._api)
            if not writes:  # what is written has limits of its own
                self._note_what_is_left()
            return made
        except MastodonRatelimitError as error:
            if "Hit rate limit." not in error.args:
                raise  # the library could not read the server's clock
            seconds = self._seconds_to_reset() or LIMIT_SECONDS
            self._closed_until[writes] = time.monotonic() + seconds
            raise Limited(seconds) from error

    def _note_what_is_left(self) -> None:
        left: int = self._api.ratelimit_remaining
        if left <= SPARE_REQUESTS:
            self._full_until = time.monotonic() + self._seconds_to_reset()

    def _seconds_to_reset(self) -> float:
        """0 where the server does not say."""
        reset: float | None = self._api.ratelimit_reset
        return 0.0 if reset is None else max(1.0, reset - time.time())


def growing_pauses(first: float = 1.0, longest: float = 60.0) -> Iterator[float]:
    """Seconds, doubling each time, for ever."""
    pause = first
    while True:
        yield pause
        pause = min(2 * pause, longest)


def status_code(error: MastodonError) -> int:
    """The HTTP status that the server answered with; 0 where it didn't answer."""
    if isinstance(error, MastodonAPIError) and len(error.args) > 1:
        code = error.args[1]
        return code if isinstance(code, int) else 0
    return 0


def never_sent(error: MastodonError) -> bool:
    """Whether the request certainly never reached the server: there was no connection."""
    cause = error.__context__
    if not isinstance(cause, requests.ConnectionError):
        return False
    inner = cause.args[0] if cause.args else None
    refused = isinstance(getattr(inner, "reason", None), NewConnectionError)
    return refused or isinstance(cause, requests.ConnectTimeout)


def is_token_refused(error: MastodonError) -> bool:
    """Whether trying again can't help. A 403 without a word of Mastodon's own is somebody's in
    between, who may change their mind."""
    code = status_code(error)
    return code == 401 or (code == 403 and bool(error.args[-1]))


def reason(error: MastodonError) -> str:
    if isinstance(error, MastodonNetworkError):
        if never_sent(error):
            return "it can't be reached"
        timeout = isinstance(error.__context__, requests.Timeout)
        return "it takes too long to answer" if timeout else "the connection broke"
    if isinstance(error, MastodonRatelimitError):
        return "it limits how much we may ask and post"
    if code := status_code(error):
        said = one_line(clean(error.args[-1] or error.args[-2]))[:LONGEST_REASON]
        return f"it answers {code}: {said}"
    return "it answers something that is not of Mastodon's API"
