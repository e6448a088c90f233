"""Reading the pages of strangers: over real connections, on an internet of our own.

Whatever a test does, nothing inside the owner's network may hear from us: `net` sees to that.
"""

import asyncio
import gzip
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hobnob.errors import PageFailed
from hobnob.web.address import is_public
from hobnob.web.reader import MOST_BYTES, PageReader
from tests.internet import PUBLIC, Internet, internet, page, redirect

SITE = "http://good.example/"


@pytest.fixture
async def net() -> AsyncIterator[Internet]:
    async with internet() as net:
        net.names = {"good.example": [[PUBLIC]], "other.example": [[PUBLIC]]}
        yield net
    assert net.inside == 0
    assert [address for address, _ in net.connected if not is_public(address)] == []
    assert {port for _, port in net.connected} <= {80, 443}


async def read(net: Internet, url: str = SITE, **options: Any) -> str:
    async with PageReader(resolve=net.resolve, network=net, **options) as reader:
        async with asyncio.timeout(20):
            quote = await reader(url)
    return f"{quote.author}: {quote.text}"


async def refused(net: Internet, url: str = SITE, **options: Any) -> str:
    with pytest.raises(PageFailed) as caught:
        await read(net, url, **options)
    return str(caught.value)


async def test_a_page_is_its_title_and_its_text(net: Internet) -> None:
    net.pages["/a"] = page("<title>Foxes</title><p>They are <b>red</b>.<script>no()</script>")
    assert await read(net, SITE + "a?b=c#d") == "good.example: Foxes\nThey are red."
    (request,) = net.requests
    assert request.path_qs == "/a?b=c"
    assert request.headers["Host"] == "good.example"
    assert net.connected == [(PUBLIC, 80)]
    told = {"Host", "Accept", "Accept-Encoding", "User-Agent"}
    assert set(request.headers) == told  # no cookie, no referrer, no password


async def test_plain_text_is_read_too(net: Internet) -> None:
    net.pages["/a"] = page("one <two>\nthree", "text/plain")
    assert await read(net, SITE + "a") == "good.example: one <two>\nthree"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<p>Füchse".encode(), "text/html"),
        ("<p>Füchse".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("<meta charset='windows-1252'><p>Füchse".encode("cp1252"), "text/html"),
        ("\ufeff<p>Füchse".encode(), "text/html; charset=latin-1"),
        ("<p>Füchse".encode("utf-16"), "text/html; charset=utf-16"),
        ("<p>Füchse".encode(), "text/html; charset=rot13"),
        ("<p>Füchse".encode(), "text/html; charset=punycode"),
        ("<p>Füchse".encode(), "text/html; charset=iso-8859-99"),
    ],
)
async def test_a_page_says_how_its_letters_are_written(
    net: Internet, body: bytes, kind: str
) -> None:
    net.pages["/"] = page(body, kind)
    assert await read(net) == "good.example: Füchse"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "http://localhost/",
        "http://good.example:8080/",
        "http://user:password@good.example/",
        "file:///etc/passwd",
        "gopher://good.example/",
    ],
)
async def test_a_hostile_link_is_refused_before_anybody_is_asked(net: Internet, url: str) -> None:
    assert "the link" in await refused(net, url)
    assert (net.looked_up, net.connected) == ([], [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["100.100.100.200"],
        ["0.0.0.0"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%1"],
        ["fd00::1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["224.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["nonsense"],
    ],
)
async def test_a_name_of_an_inner_address_is_not_connected_to(
    net: Internet, addresses: list[str]
) -> None:
    net.names["evil.example"] = [addresses]
    assert "not public" in await refused(net, "http://evil.example/")
    assert net.connected == []


async def test_a_name_that_changes_its_mind_is_looked_up_once(net: Internet) -> None:
    net.names["evil.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert await read(net, "http://evil.example/") == "evil.example: This is evil.example"
    assert net.looked_up == ["evil.example"]
    assert net.connected == [(PUBLIC, 80)]


async def test_a_name_that_changes_its_mind_between_two_requests_is_refused(net: Internet) -> None:
    net.names["evil.example"] = [[PUBLIC], ["127.0.0.1"]]
    net.pages["/"] = redirect("http://evil.example/again")
    assert "not public" in await refused(net, "http://evil.example/")
    assert net.connected == [(PUBLIC, 80)]


async def test_the_machine_itself_is_not_read_by_its_public_address(net: Internet) -> None:
    net.ours = "8.8.8.8"
    net.names["good.example"] = [["8.8.8.8"]]
    assert "this machine" in await refused(net)
    assert net.requests == []


async def test_the_second_address_is_tried_if_the_first_is_down(net: Internet) -> None:
    net.names["good.example"] = [["8.8.8.8", PUBLIC]]
    net.down = {"8.8.8.8"}
    assert await read(net) == "good.example: This is good.example"


async def test_a_name_that_nobody_knows_is_told(net: Internet) -> None:
    assert "its server failed" in await refused(net, "http://nobody.example/")
    net.names["empty.example"] = [[]]
    assert "its server failed" in await refused(net, "http://empty.example/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "where", ["http://other.example/b", "//other.example/b", "/b", r"\\127.0.0.1\b"]
)
async def test_a_redirect_is_followed(net: Internet, where: str, status: int) -> None:
    net.pages["/"] = redirect(where, status)
    host = "other.example" if "other" in where else "good.example"
    assert await read(net) == f"{host}: This is {host}"


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://2130706433/",
        "http://localhost/",
        "//127.0.0.1/",
        "http://inner.example/",
        "https://inner.example/",
        "http://good.example:22/",
        "http://a:b@good.example/",
        "file:///etc/passwd",
        "gopher://other.example/",
        "http://",
        "http://[",
        "",
    ],
)
async def test_a_redirect_is_checked_like_a_link(net: Internet, where: str) -> None:
    net.names["inner.example"] = [["192.168.0.1"]]
    net.pages["/"] = redirect(where)
    assert await refused(net)
    assert set(net.connected) == {(PUBLIC, 80)}


async def test_redirects_without_an_end_are_given_up(net: Internet) -> None:
    net.pages["/"] = redirect("/")
    assert "leads on" in await refused(net)
    assert len(net.requests) == 4


@pytest.mark.parametrize("status", [201, 204, 206, 304, 401, 403, 404, 500, 503])
async def test_only_a_page_that_is_there_is_read(net: Internet, status: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    net.pages["/"] = answer
    assert f"status {status}" in await refused(net)


@pytest.mark.parametrize(
    "kind",
    ["image/png", "application/octet-stream", "text/javascript", "application/json", "", ";"],
)
async def test_what_is_no_text_for_people_is_not_read(net: Internet, kind: str) -> None:
    net.pages["/"] = page(b"\x00" * 100, kind)
    assert "neither HTML nor plain" in await refused(net)


async def test_a_page_without_text_is_none(net: Internet) -> None:
    net.pages["/"] = page("<div id=root></div><script>render()</script>")
    assert "no text" in await refused(net)


# ------------------------------------------------------------------------ servers that misbehave


async def test_a_page_that_never_ends_is_read_to_the_limit(net: Internet) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            await response.write(b"and on " * 4096)
            sent += 7 * 4096

    net.pages["/"] = endless
    assert (await read(net)).startswith("good.example: and on and on")
    assert sent < 20 * MOST_BYTES  # what was under way when we left


@pytest.mark.parametrize("times", [1, 2])
async def test_a_packed_page_is_unpacked_no_further_than_the_limit(
    net: Internet, times: int
) -> None:
    bomb = b"boom " * (20 * MOST_BYTES)
    for _ in range(times):
        bomb = gzip.compress(bomb)
    net.pages["/"] = page(bomb, "text/plain", **{"Content-Encoding": "gzip"})
    assert len(await read(net)) < MOST_BYTES


async def test_packing_that_never_becomes_text_ends(net: Internet) -> None:
    empty = zlib.compressobj(wbits=31)
    head = empty.compress(b"") + empty.flush(zlib.Z_SYNC_FLUSH)

    async def endless(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(head)
        while True:
            await response.write(b"\x00\x00\x00\xff\xff" * 4096)

    net.pages["/"] = endless
    assert "no text" in await refused(net)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "compress", "x\u202e"])
async def test_packing_that_was_not_asked_for_is_refused(net: Internet, encoding: str) -> None:
    net.pages["/"] = page(b"x", "text/plain", **{"Content-Encoding": encoding})
    assert "packed" in await refused(net)


async def test_a_page_that_was_packed_wrongly_is_told(net: Internet) -> None:
    net.pages["/"] = page(b"this is not gzip", "text/plain", **{"Content-Encoding": "gzip"})
    assert "its server failed" in await refused(net)


async def test_a_packed_page_is_read(net: Internet) -> None:
    net.pages["/"] = page(gzip.compress(b"hello"), "text/plain", **{"Content-Encoding": "gzip"})
    assert await read(net) == "good.example: hello"


async def test_a_server_that_takes_its_time_is_given_up(net: Internet) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:  # something always comes: no pause is long
            await response.write(b".")
            await asyncio.sleep(0.01)

    net.pages["/"] = slow
    assert "longer than" in await refused(net, seconds=0.3)


async def test_a_look_up_that_hangs_is_given_up(net: Internet) -> None:
    async def hang(name: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with PageReader(resolve=hang, network=net, seconds=0.1) as reader:
        with pytest.raises(PageFailed, match="longer than"):
            await reader(SITE)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 1_000_000,
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01" * 10,
    ],
)
async def test_what_is_no_http_is_told(net: Internet, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        net.ports = (server.sockets[0].getsockname()[1], net.ports[1])
        assert await refused(net)


async def test_pages_read_at_once_wait_for_each_other_within_their_time(net: Internet) -> None:
    async with PageReader(resolve=net.resolve, network=net) as reader:
        quotes = await asyncio.gather(*(reader(SITE) for _ in range(30)))
    assert {quote.text for quote in quotes} == {"This is good.example"}


async def test_a_name_that_the_system_does_not_know_is_told() -> None:
    async with PageReader() as reader:
        with pytest.raises(PageFailed):
            await reader("http://nobody.invalid/")


async def test_no_proxy_of_the_environment_is_asked(
    net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{net.ports[1]}")
    assert await read(net) == "good.example: This is good.example"


# ------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For good.example, signed by itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=good.example", "-addext", "subjectAltName=DNS:good.example"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.parametrize(
    ("host", "trusted", "read_"),
    [("good.example", True, True), ("other.example", True, False), ("good.example", False, False)],
)
async def test_a_server_must_prove_its_name(
    net: Internet, certificate: Path, host: str, trusted: bool, read_: bool
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ours = ssl.create_default_context(cafile=certificate / "cert.pem") if trusted else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        net.ports = (server.sockets[0].getsockname()[1], net.ports[1])
        url = f"https://{host}/"
        if read_:
            assert await read(net, url, tls=ours) == f"{host}: hi"
        else:
            assert "its server failed" in await refused(net, url, tls=ours)
    assert net.connected == [(PUBLIC, 443)]
