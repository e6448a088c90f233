"""Pictures of posts: from the account's own server and where that keeps its files."""

from collections.abc import AsyncIterator

import pytest

from hobnob.errors import FetchFailed
from hobnob.events import Attachment
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.receiver import RecordingReceiver
from hobnob.web.address import is_public
from hobnob.web.reader import PublicNetwork
from hobnob_mastodon import media
from tests.internet import PUBLIC, Internet, internet, page, redirect
from tests.wire.mastodon_kit import SECONDS, an_adapter, running

CAT = b"\x89PNG\r\n\x1a\n" + b"cat" * 1000


@pytest.fixture
async def net() -> AsyncIterator[Internet]:
    async with internet() as net:
        net.names = {"files.example": [[PUBLIC]], "evil.example": [["10.0.0.1"]]}
        net.pages = {"/cat.png": page(CAT, "image/png")}
        yield net
    assert net.inside == 0
    assert [address for address, _ in net.connected if not is_public(address)] == []


async def fetch(net: Internet, server: FakeMastodon, url: str, most: int = 10_000) -> bytes:
    network = PublicNetwork(net.resolve, net)
    return await media.fetch(url, most, server.base_url, network=network)


async def test_a_picture_is_fetched_from_the_server_without_the_token(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    server.files["cat.png"] = CAT
    picture = {
        "id": "8",
        "type": "image",
        "url": f"{server.base_url}/media/cat.png",
        "remote_url": "https://far.example/cat.png",
        "description": "A cat",
        "meta": {"original": {"width": 640, "height": 480, "size": "640x480"}},
    }
    async with running(server, receiver) as adapter:
        server.say("ann@far.example", "look", attachments=(picture,))
        await receiver.wait_for(1, SECONDS)
        (attachment,) = receiver.events[0].attachments
        assert (attachment.media_type, attachment.alt) == ("image/png", "A cat")
        assert await adapter.fetch(attachment, 10_000) == CAT
        assert await adapter.fetch(attachment, 100) == CAT[:100]


async def test_where_the_server_keeps_its_files_is_asked(
    server: FakeMastodon, net: Internet
) -> None:
    server.files["cat.png"] = "http://files.example/cat.png"

    assert await fetch(net, server, "http://files.example/cat.png") == CAT
    assert await fetch(net, server, f"{server.base_url}/media/cat.png") == CAT
    assert net.connected == [(PUBLIC, 80)] * 2
    assert all("Authorization" not in request.headers for request in net.requests)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/cat.png",
        "http://127.0.0.1/cat.png",
        "http://127.0.0.1:1/cat.png",
        "http://169.254.169.254/latest",
        "http://[::1]/cat.png",
        "http://localhost/cat.png",
        "http://files.example:8080/cat.png",
        "http://a:b@files.example/cat.png",
        "ftp://files.example/cat.png",
        "file:///etc/passwd",
        "http://nowhere.example/cat.png",
    ],
)
async def test_nothing_inside_our_network_is_asked(
    server: FakeMastodon, net: Internet, url: str
) -> None:
    server.files["on"] = url
    net.pages["/on"] = redirect(url.encode("ascii", "replace").decode())

    for first in (url, "http://files.example/on"):
        with pytest.raises(FetchFailed) as failed:
            await fetch(net, server, first)
        assert "cat.png" not in str(failed.value)


async def test_files_that_are_not_there_or_go_in_circles(
    server: FakeMastodon, net: Internet
) -> None:
    net.pages["/round"] = redirect("http://files.example/round")

    with pytest.raises(FetchFailed, match="answers 404"):
        await fetch(net, server, f"{server.base_url}/media/dog.png")
    with pytest.raises(FetchFailed, match="leads on more than 3 times"):
        await fetch(net, server, "http://files.example/round")


async def test_what_the_server_has_no_copy_of_is_not_fetched(server: FakeMastodon) -> None:
    with pytest.raises(FetchFailed, match="keeps no copy"):
        await an_adapter(server).fetch(Attachment(media_type="image/png"), 10)
