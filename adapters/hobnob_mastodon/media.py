"""Fetches the files that came with posts: from the account's own server, and from where that keeps
its files. Mastodon's library has no call for this.

Our server keeps copies of what other servers' people attach, so that nobody else need be asked, and
no stranger learns when we look. The copies lie on the server itself or on a host that it names;
that is somewhere in the world, so nothing inside our own network is ever asked for.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import httpcore2
import httpx2

from hobnob import __version__
from hobnob.errors import FetchFailed, PageFailed
from hobnob.web.address import checked
from hobnob.web.reader import PublicNetwork

SECONDS = 15.0
MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": f"hobnob/{__version__}",
    "Accept-Encoding": "identity",
}


async def fetch(
    url: str, most: int, base_url: str, *, network: httpcore2.AsyncNetworkBackend | None = None
) -> bytes:
    """The first `most` bytes of a file of the server at `base_url`. Raises FetchFailed, and never
    says the URL, which is the key to a private post's picture. `network` is for tests."""
    try:
        own = httpx2.URL(base_url)
        async with asyncio.timeout(SECONDS):
            where: httpx2.URL = httpx2.URL(url)
            for _ in range(1 + MOST_REDIRECTS):
                found = await _ask(where, most, own, network or PublicNetwork(_addresses, _real()))
                if isinstance(found, bytes):
                    return found
                where = found
    except TimeoutError as error:
        raise FetchFailed(f"it took longer than {SECONDS:.0f} s") from error
    except PageFailed as failed:
        raise FetchFailed(f"{failed}") from None
    except (
        httpx2.InvalidURL,
        httpcore2.NetworkError,
        httpcore2.TimeoutException,
        httpcore2.ProtocolError,
        OSError,
        ValueError,
    ) as error:
        raise FetchFailed(f"fetching it failed ({type(error).__name__})") from None
    raise FetchFailed(f"it leads on more than {MOST_REDIRECTS} times")


async def _ask(
    url: httpx2.URL, most: int, own: httpx2.URL, public: httpcore2.AsyncNetworkBackend
) -> bytes | httpx2.URL:
    """The bytes, or where they are instead. Our own server may be anywhere, its owner chose it."""
    is_own = (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port)
    if not is_own:
        url = checked(url)
        if url.scheme not in ("https", own.scheme):
            raise FetchFailed("its connection is not encrypted, and our server's is")
    async with (
        httpcore2.AsyncConnectionPool(network_backend=_real() if is_own else public) as connections,
        connections.stream(
            "GET",
            httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=_HEADERS,
        ) as response,
    ):
        if response.status in _REDIRECTS:
            location = {name.lower(): value for name, value in response.headers}.get(
                b"location", b""
            )
            return url.join(location.decode("ascii", "replace"))
        if response.status != 200:
            raise FetchFailed(f"the server answers {response.status}")
        body = bytearray()
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) >= most:
                break
        return bytes(body[:most])


def _real() -> Any:  # to type checkers also what stands for it if missing
    return httpcore2.AnyIOBackend()


async def _addresses(name: str) -> Sequence[str]:
    # The dot at the end: else the machine's search domains are tried as well.
    found = await asyncio.get_running_loop().getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
