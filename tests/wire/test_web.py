"""The web adapter against browsers that behave, and others that don't."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from hobnob.conversation import ConversationKey
from hobnob.errors import AdapterStopped, ConfigError, SendLater, SendRefused
from hobnob.events import Addressed, Button, Event, Kind, Reply
from hobnob.health import State
from hobnob.ports import Cursor
from hobnob.registry import adapter as registered
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.web import Browser, free_port
from hobnob_web import adapter as module
from hobnob_web import gate, visitor
from hobnob_web.adapter import WebAdapter, WebOptions
from hobnob_web.gate import network
from tests.wire.web_world import serving

SAY = {"type": "say", "id": "message-1", "text": "hello"}


class Site:
    """The adapter at work, what it heard, and a client to call it with."""

    def __init__(self, **options: Any) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.adapter = WebAdapter(WebOptions(listen=self.host, **options))
        self.receiver = RecordingReceiver()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Site"]:
        async with (
            serving(self.adapter, self.receiver, self.port),
            aiohttp.ClientSession() as self.client,
        ):
            yield self

    def call(self, origin: str = "", **headers: str) -> Any:
        headers["Origin"] = origin or f"http://{self.host}"
        return self.client.ws_connect(f"http://{self.host}/socket", headers=headers)

    async def reply(self, text: str = "Hi!", **fields: Any) -> Reply:
        """To whoever spoke first."""
        await self.receiver.wait_for(1)
        key, nonce = self.receiver.events[0].key, secrets.token_hex(10)
        return Reply(key=key, text=text, nonce=nonce, **fields)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


async def hello(socket: Any, who: str = "v" * 43) -> None:
    await socket.send_json({"type": "hello", "visitor": who})
    assert (await socket.receive_json(timeout=5))["type"] == "welcome"


async def closed(socket: Any) -> tuple[int | None, str]:
    """How we were shown out."""
    message = await socket.receive(timeout=5)
    assert message.type is WSMsgType.CLOSE, message
    return message.data, message.extra


# ------------------------------------------------------------------------------------- talking


async def test_what_was_said_comes_as_an_event_of_a_visitor_whose_secret_nobody_sees(
    site: Site,
) -> None:
    async with Browser(site.port) as ann:
        await ann.do(type="say", text="hel\x07lo\nthere")
        await ann.do(type="say", text="/help")
        await ann.do(type="press", message="ours-00001", command="/approve 12")
        await site.receiver.wait_for(3)
    said, command, pressed = site.receiver.events
    assert (said.kind, said.text, said.addressed) == (
        Kind.MESSAGE,
        "hello\nthere",
        Addressed.DIRECT,
    )
    assert (command.kind, command.text) == (Kind.COMMAND, "/help")
    assert (pressed.text, pressed.reply_to) == ("/approve 12", "ours-00001")
    assert ann.visitor not in "".join(map(repr, site.receiver.events))
    assert len({event.author.id for event in site.receiver.events}) == 1


class SlowReceiver(RecordingReceiver):
    def __init__(self) -> None:
        super().__init__()
        self.asked, self.allowed = asyncio.Event(), asyncio.Event()

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        self.asked.set()
        await self.allowed.wait()
        return await super().put(event, cursor)


async def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    site = Site()
    site.receiver = slow = SlowReceiver()
    async with site.open(), site.call() as socket:
        await hello(socket)
        await socket.send_json(SAY)
        await slow.asked.wait()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)
        slow.allowed.set()
        assert await socket.receive_json(timeout=5) == {"type": "stored", "id": SAY["id"]}


async def test_two_visitors_ids_may_be_the_same(site: Site) -> None:
    for who in ("a" * 43, "b" * 43):
        async with site.call() as socket:
            await hello(socket, who)
            await socket.send_json(SAY)
            assert (await socket.receive_json(timeout=5))["type"] == "stored"
    assert len({event.id for event in site.receiver.events}) == 2


async def test_an_answer_has_arrived_when_the_browser_says_so(site: Site) -> None:
    async with site.call() as socket:
        await hello(socket)
        await socket.send_json(SAY)
        assert (await socket.receive_json(timeout=5))["type"] == "stored"
        reply = await site.reply(buttons=(Button(label="Yes", command="/yes"),))
        sending = asyncio.create_task(site.adapter.send(reply))
        frame = await socket.receive_json(timeout=5)
        assert (frame["text"], frame["buttons"]) == ("Hi!", [{"label": "Yes", "command": "/yes"}])
        assert not sending.done()
        await socket.send_json({"type": "got", "number": frame["number"]})
        assert await sending == frame["id"] == reply.nonce


async def test_an_answer_cut_off_is_given_again_under_its_id_when_the_visitor_is_back(
    site: Site,
) -> None:
    who = secrets.token_urlsafe(32)
    async with site.call() as socket:
        await hello(socket, who)
        await socket.send_json(SAY)
        reply = await site.reply()
        sending = asyncio.create_task(site.adapter.send(reply))
        while (await socket.receive_json(timeout=5))["type"] != "message":
            pass  # it came, and the window is closed before it could say so
    with pytest.raises(SendLater) as later:
        await sending
    assert later.value.ready is not None
    assert not later.value.ready.is_set()
    async with site.call() as socket:
        await hello(socket, who)
        async with asyncio.timeout(5):
            await later.value.ready.wait()
        sending = asyncio.create_task(site.adapter.send(replace(reply, attempted=None)))
        frame = await socket.receive_json(timeout=5)
        await socket.send_json({"type": "got", "number": frame["number"]})
        assert (await sending, frame["id"]) == (reply.nonce, reply.nonce)


async def test_a_browser_that_confirms_nothing_is_asked_to_come_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "CONFIRM_SECONDS", 0.05)
    async with site.call() as socket:
        await hello(socket)
        await socket.send_json(SAY)
        reply = await site.reply()
        sending = asyncio.create_task(site.adapter.send(reply))
        while (message := await socket.receive(timeout=5)).type is WSMsgType.TEXT:
            pass
        assert message.data == 1001
        with pytest.raises(SendLater):
            await sending


async def test_after_a_day_nobody_is_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ConversationKey(platform="web", account="site", room="gone")
    reply = Reply(key=key, text="Hi!", nonce="n" * 20)
    with pytest.raises(SendLater):
        await site.adapter.send(reply)
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
    with pytest.raises(SendRefused, match="did not come back"):
        await site.adapter.send(reply)


async def test_all_windows_of_a_visitor_see_what_is_written(site: Site) -> None:
    async with site.call() as first, site.call() as second:
        await hello(first)
        await hello(second)
        await first.send_json(SAY)
        await site.receiver.wait_for(1)
        assert (await first.receive_json(timeout=5))["type"] == "stored"
        async with site.adapter.composing(site.receiver.events[0]) as draft:
            draft("Once upon")
            assert await second.receive_json(timeout=5) == {"type": "draft", "text": "Once upon"}
        assert await second.receive_json(timeout=5) == {"type": "idle"}


# ---------------------------------------------------------------------------- hostile visitors


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_sites_page_is_not_let_in(site: Site, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.call(origin)
    assert refused.value.status == 403


async def test_a_call_that_names_no_site_is_not_let_in(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.client.ws_connect(f"http://{site.host}/socket")


async def test_a_site_that_the_owner_named_is_let_in_and_may_frame_the_page() -> None:
    async with Site(origins=("https://shop.example",)).open() as site:
        async with site.call("https://shop.example") as socket:
            await hello(socket)
        async with site.client.get(f"http://{site.host}/") as answer:
            policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("{", "frame: Invalid JSON"),
        ("[" * 10_000, "frame: Invalid JSON"),
        ('{"type": "shout"}', "frame: Input tag 'shout'"),
        (json.dumps({**SAY, "id": "x"}), "say.id"),
        (json.dumps({**SAY, "id": "../../etc"}), "say.id"),
        (json.dumps({**SAY, "text": "x" * 4001}), "say.text"),
        (json.dumps({**SAY, "text": ""}), "say.text"),
        (json.dumps({**SAY, "author": "the owner"}), "say.author"),
        ('{"type": "say", "id": "message-1", "text": "\\ud800"}', "frame: Invalid JSON"),
        (json.dumps({"type": "got", "number": "1"}), "got.number"),
        (json.dumps({"type": "press", "id": "m" * 8, "message": "m" * 8, "command": "x"}), "press"),
    ],
)
async def test_what_is_no_frame_ends_the_connection_with_the_reason(
    site: Site, frame: str, why: str
) -> None:
    async with site.call() as socket:
        await hello(socket)
        await socket.send_str(frame)
        code, reason = await closed(socket)
    assert (code, reason.startswith(why)) == (1008, True), reason
    assert site.receiver.events == []


@pytest.mark.parametrize("secret", ["", "short", "v" * 44, "v" * 42 + "/"])
async def test_an_id_that_could_be_guessed_is_none(site: Site, secret: str) -> None:
    async with site.call() as socket:
        await socket.send_json({"type": "hello", "visitor": secret})
        assert (await closed(socket))[0] == 1008


async def test_who_shows_a_visitors_public_name_is_not_that_visitor(site: Site) -> None:
    async with Browser(site.port) as ann:
        await ann.do(type="say", text="hello")
        await site.receiver.wait_for(1)
        room = site.receiver.events[0].key.room
        async with site.call() as mallory:
            await hello(mallory, (room + "v" * 43)[:43])
            await site.adapter.send(await site.reply())
            with pytest.raises(TimeoutError):
                await mallory.receive(timeout=0.05)
        assert [frame["text"] for frame in ann.shown.values()] == ["Hi!"]


async def test_a_huge_frame_ends_the_connection(site: Site) -> None:
    async with site.call() as socket:
        await hello(socket)
        await socket.send_str("x" * (module.LARGEST_FRAME + 1))
        assert (await closed(socket))[0] == 1009


async def test_bytes_are_no_frame(site: Site) -> None:
    async with site.call() as socket:
        await hello(socket)
        await socket.send_bytes(b"hello")
        assert await closed(socket) == (1008, "frames are text")


async def test_who_says_nothing_is_shown_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.05)
    async with site.call() as socket:
        await closed(socket)


async def test_a_flood_is_taken_at_the_rate_and_disturbs_no_other_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "PER_SECOND", 1.0)
    monkeypatch.setattr(gate, "BURST", 5)
    async with Site(behind_proxy=True).open() as site:
        flood = await site.call(**{"X-Forwarded-For": "10.0.0.1"})
        await hello(flood)
        for number in range(200):
            await flood.send_json({**SAY, "id": f"message-{number}"})
        await site.receiver.wait_for(4)
        async with site.call(**{"X-Forwarded-For": "10.0.0.2"}) as other:
            await hello(other, "o" * 43)
            await other.send_json(SAY)
            assert (await other.receive_json(timeout=5))["type"] == "stored"
        assert len(site.receiver.events) < 10


async def test_a_visitor_cannot_say_for_the_proxy_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "MOST_FROM_ONE", 1)
    async with Site(behind_proxy=True).open() as site:

        def come(claimed: str) -> Any:
            """Some proxies write a line of their own below the visitor's."""
            lines = [("Origin", f"http://{site.host}")]
            lines += [("X-Forwarded-For", address) for address in (claimed, "10.0.0.1")]
            return site.client.ws_connect(f"http://{site.host}/socket", headers=lines)

        async with come("10.9.9.1"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await come("10.9.9.2")
            assert refused.value.status == 503


async def test_one_address_has_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_FROM_ONE", 2)
    async with Site().open() as site:
        async with site.call(), site.call():
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await site.call()
            assert refused.value.status == 503
        async with asyncio.timeout(5):
            while True:  # those that left make room
                try:
                    async with site.call() as socket:
                        await hello(socket)
                    break
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.01)


def test_whoever_has_one_address_of_ipv6_has_them_all() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("10.0.0.1") != network("10.0.0.2")


# ------------------------------------------------------------------------------------ the owner


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"listen": "8086"}, 'like "127.0.0.1:8086"'),
        ({"listen": "127.0.0.1:99999"}, 'like "127.0.0.1:8086"'),
        ({"origins": ["*"]}, "without a path"),
        ({"origins": ["https://shop.example/chat"]}, "without a path"),
        ({"title": ""}, "platforms.web.title"),
    ],
)
def test_what_is_wrong_in_the_table_is_told(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)):
        registered("web", options)


async def test_a_port_that_another_program_has_is_waited_for_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = Site()
    other = await asyncio.start_server(
        lambda reader, writer: writer.close(), "127.0.0.1", site.port
    )
    task = asyncio.create_task(site.adapter.run(site.receiver))
    async with other:
        async with asyncio.timeout(5):
            while "can't listen" not in caplog.text:
                await asyncio.sleep(0.01)
        findings = await site.adapter.check()
        assert not findings[0].ok
        assert "another program" in findings[0].what
    async with asyncio.timeout(5):
        while site.adapter.health.state is not State.CONNECTED:
            await asyncio.sleep(0.01)
    assert [finding.ok for finding in await site.adapter.check()] == [True, True]
    task.cancel()
    await asyncio.wait([task])


async def test_an_address_that_is_not_ours_stops_it() -> None:
    adapter = WebAdapter(WebOptions(listen="192.0.2.1:8086"))
    with pytest.raises(AdapterStopped, match=r"platforms\.web\.listen"):
        await adapter.run(RecordingReceiver())


async def test_doctor_says_who_reaches_the_page() -> None:
    port = free_port()
    findings = await WebAdapter(WebOptions(listen=f"0.0.0.0:{port}")).check()
    assert "is free" in findings[0].what
    assert "without encryption" in findings[1].what
