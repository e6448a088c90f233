"""Reads the pages that people link to, and nothing that is not for all the world.

Whoever can write to the bot chooses what is asked for here, so everything is bounded, and nothing
inside our own network is ever reached: each name is looked up by ourselves, every address that it
has must be public, and exactly those are connected to. There is no second look-up that could say
something else. No cookies, no passwords, no proxies from the environment, nothing kept.
"""

import asyncio
import codecs
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import httpcore2
import httpx2

from hobnob import __version__
from hobnob.errors import PageFailed
from hobnob.events import Quote
from hobnob.web.address import PORTS, checked, is_public
from hobnob.web.readable import one_line, plain, readable

SECONDS = 8.0
"""For a page, from the first look-up to the last byte."""
CONNECT_SECONDS = 3.0
"""For one address."""
MOST_BYTES = 512 * 1024
"""Of a page that are read, unpacked: what comes after is left."""
MOST_REDIRECTS = 3
MOST_ADDRESSES = 2
"""Of one name that are tried."""
AT_ONCE = 8
"""Pages being read; the others wait, within their time."""
LONGEST_TITLE = 200

_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": f"hobnob/{__version__} (a chatbot that reads a link for the person who wrote it)",
    "Accept-Encoding": "gzip",
}
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE | re.ASCII)
_CHARSETS = re.compile(
    r"utf-?8|(us-)?ascii|latin-?1|iso-?8859-\d+|windows-\d+|koi8-[ru]|gb2312|gbk|gb18030|big5"
    r"|euc-(jp|kr)|shift_jis|utf-16(le|be)?",
    re.IGNORECASE,
)
"""Of pages; what else Python knows by such names (punycode, rot13) is not for strangers' bytes."""

PAGES = ("text/html", "text/plain")
Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name. Raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a server gave."""

    site: str
    kind: str
    """Its media type."""
    content_type: str
    """As the server put it, perhaps with a charset."""
    body: bytes
    """At most `MOST_BYTES` of it."""


class PageReader:
    """Fetches pages (`hobnob.links.Fetch`). Enter it before use."""

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        network: httpcore2.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """The first three are for tests. No address is exempt from being checked for them."""
        # Look-ups that hang fill up these threads, and nobody else's.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="hobnob-names")
        real: Any = httpcore2.AnyIOBackend()  # to type checkers also what stands for it if missing
        self._network = PublicNetwork(resolve or self._addresses, network or real)
        self._tls = tls
        self._seconds = seconds
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        if self._tls is None:  # takes a while, as it reads all the authorities that are trusted
            self._tls = httpcore2.default_ssl_context()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, url: str) -> Quote:
        """The page's title and text, by the name of its site. Raises PageFailed."""
        found = await self.load(url, PAGES)
        text = _decoded(found.body, found.content_type)
        return _quote(found.site, text, is_html=found.kind == "text/html")

    async def load_body(self, url: str, kinds: Sequence[str]) -> bytes:
        """The bytes of what is there. Raises PageFailed."""
        return (await self.load(url, kinds)).body

    async def load(self, url: str, kinds: Sequence[str]) -> "Found":
        """What is there, if it is of one of these media types. Raises PageFailed."""
        try:
            async with asyncio.timeout(self._seconds), self._room:
                return await self._follow(checked(url), kinds)
        except TimeoutError as error:
            raise PageFailed(f"it took longer than {self._seconds:.0f} s") from error
        except (
            httpcore2.NetworkError,
            httpcore2.TimeoutException,
            httpcore2.ProtocolError,
            OSError,
            zlib.error,
        ) as error:
            raise PageFailed(f"its server failed ({type(error).__name__})") from error

    async def _follow(self, url: httpx2.URL, kinds: Sequence[str]) -> "Found":
        for _ in range(1 + MOST_REDIRECTS):
            found = await self._ask(url, kinds)
            if isinstance(found, Found):
                return found
            url = found
        raise PageFailed(f"it leads on more than {MOST_REDIRECTS} times")

    async def _ask(self, url: httpx2.URL, kinds: Sequence[str]) -> "Found | httpx2.URL":
        """The page, or where it is instead. A connection serves one request only."""
        async with (
            httpcore2.AsyncConnectionPool(
                ssl_context=self._tls, network_backend=self._network
            ) as connections,
            connections.stream(
                "GET",
                httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, target=url.raw_path),
                headers={**_HEADERS, "Accept": ", ".join(kinds)},
            ) as response,
        ):
            headers = {
                name.lower().decode("latin-1"): value.decode(errors="replace")
                for name, value in reversed(response.headers)
            }
            if response.status in _REDIRECTS:
                return _redirected(url, headers.get("location", ""))
            if response.status != 200:
                raise PageFailed(f"its server answers with status {response.status}")
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind not in kinds:
                pages = "neither HTML nor plain text"
                raise PageFailed(f"it is {pages if kinds is PAGES else 'of another kind'}")
            body = await _body(response.aiter_stream(), headers.get("content-encoding", ""))
        return Found(
            site=url.raw_host.decode(), kind=kind, content_type=headers["content-type"], body=body
        )

    async def _addresses(self, name: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        # The dot at the end: else the machine's search domains are tried as well.
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]


class PublicNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses only: the one place where a name becomes an address. Raises
    PageFailed where it leads anywhere else."""

    def __init__(self, resolve: Resolve, network: httpcore2.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = list(dict.fromkeys(await self._resolve(host)))
        # One that is not public among others that are is a trick too.
        if port not in PORTS.values() or not all(map(is_public, addresses)):
            raise PageFailed("the link leads to an address that is not public")
        failed: Exception = httpcore2.ConnectError("the name has no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                stream = await self._network.connect_tcp(address, port, timeout=CONNECT_SECONDS)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
                continue
            ours = stream.get_extra_info("client_addr")
            if ours and ours[0] == address:  # what stands beside us may trust us more than others
                await stream.aclose()
                raise PageFailed("the link leads to this machine")
            return stream
        raise failed

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _redirected(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return checked(url.join(location))
    except (httpx2.InvalidURL, ValueError) as error:
        raise PageFailed("it leads on to no link") from error


async def _body(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """The first `MOST_BYTES`, unpacked no further than that."""
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise PageFailed(
            f"it is packed in a way that was not asked for ({one_line(encoding)[:20]})"
        )
    gzip = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
    body, came = bytearray(), 0
    async for chunk in chunks:
        came += len(chunk)
        body += gzip.decompress(chunk, MOST_BYTES - len(body)) if gzip else chunk
        if max(came, len(body)) >= MOST_BYTES or (gzip and gzip.eof):
            break
    return bytes(body[:MOST_BYTES])


def _decoded(body: bytes, content_type: str) -> str:
    """By the charset that the server names, else the page, else UTF-8."""
    if body.startswith(codecs.BOM_UTF8):
        return body.decode("utf-8-sig", "replace")
    named = _CHARSET.search(content_type) or _CHARSET.search(body[:1024].decode("latin-1"))
    charset = named[1] if named and _CHARSETS.fullmatch(named[1]) else "utf-8"
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _quote(site: str, text: str, *, is_html: bool) -> Quote:
    if not is_html:
        return _with_text(site, plain(text))
    page = readable(text)
    return _with_text(
        site, "\n".join(part for part in (page.title[:LONGEST_TITLE], page.text) if part)
    )


def _with_text(site: str, text: str) -> Quote:
    if not text:
        raise PageFailed("it has no text that could be read")
    return Quote(author=site, text=text)
