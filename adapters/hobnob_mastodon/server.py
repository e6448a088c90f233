"""The server, asked from asyncio: Mastodon.py knows no asyncio, so that all calls run in one
thread of their own. Knows what the library's errors mean."""

import asyncio
import logging
import time
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

log = logging.getLogger(__name__)

REQUEST_SECONDS = 20.0
"""How long the server may take to answer."""
DEFAULT_LENGTH = 500
LIMIT_SECONDS = 60.0
"""How long to wait where a server limits us and does not say for how long."""
HOW_TO_SIGN_IN = (
    "Make an application on that server under Preferences, Development, with the scopes read and "
    "write, and put its access token into bot.toml, as access_token under [platforms.mastodon]."
)
T = TypeVar("T")


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

    def __init__(self, base_url: str, access_token: SecretStr) -> None:
        self.base_url = base_url
        self._api = library(base_url, access_token)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mastodon")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        # A call under way ends by itself, at the latest after REQUEST_SECONDS; nobody waits for
        # it. Closing the session closes its connection, too, once it is through.
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._api.session.close()

    async def ask(self, call: Callable[[Mastodon], T]) -> T:
        """Make one call. Raises what the library raises (MastodonError)."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, self._api)

    async def insist(self, call: Callable[[Mastodon], T]) -> T:
        """Make a call that changes nothing, until it works, with growing pauses.

        Raises AdapterStopped where the server does not accept the token.
        """
        for pause in growing_pauses():
            try:
                return await self.ask(call)
            except MastodonRatelimitError:
                pause = self.seconds_to_reset()
                log.info("%s limits us for %.0f s", self.base_url, pause)
            except MastodonError as error:
                if status_code(error) in (401, 403):
                    raise self.stopped(error) from error
                log.warning("%s: %s; again in %.0f s", self.base_url, reason(error), pause)
            await asyncio.sleep(pause)
        raise AssertionError("the pauses never end")

    def seconds_to_reset(self) -> float:
        """Until when the server limits us, by its own account."""
        reset: float | None = self._api.ratelimit_reset
        return LIMIT_SECONDS if reset is None else max(1.0, reset - time.time())

    def stopped(self, error: MastodonError) -> AdapterStopped:
        return AdapterStopped(f"{self.base_url} {token_refused(error)}. {HOW_TO_SIGN_IN}")


async def most_characters(server: Server) -> int:
    """The longest post, warning included. The usual limit where the server does not say."""
    try:
        instance = await server.ask(lambda api: api.instance_v2())
        return int(instance["configuration"]["statuses"]["max_characters"])
    except (MastodonError, KeyError, TypeError, ValueError):
        return DEFAULT_LENGTH


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


def reason(error: MastodonError) -> str:
    """What went wrong, in words for the owner."""
    if isinstance(error, MastodonNetworkError):
        if never_sent(error):
            return "it can't be reached"
        timeout = isinstance(error.__context__, requests.Timeout)
        return "it takes too long to answer" if timeout else "the connection broke"
    if isinstance(error, MastodonRatelimitError):
        return "it limits how much we may ask and post"
    if code := status_code(error):
        return f"it answers {code}: {error.args[-1] or error.args[-2]}"
    return "it answers something that is not of Mastodon's API"


def token_refused(error: MastodonError) -> str:
    return f"does not accept the access token ({reason(error)})"
