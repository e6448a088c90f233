"""The world of the owner's own web site: browsers of visitors, without their screens.

A browser here keeps what widget.html keeps (its secret, what was said, what is not yet confirmed)
and speaks as it does, by aiohttp's client. The page itself is tested in test_web_page.py.
"""

import asyncio
import contextlib
import itertools
import json
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

from hobnob.ports import Receiver
from hobnob_web.adapter import WebAdapter, WebOptions
from tests.contract.world import Place, Shown

Json = dict[str, Any]
PAUSE = 0.02


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@asynccontextmanager
async def serving(adapter: WebAdapter, receiver: Receiver, port: int) -> AsyncIterator[None]:
    """The adapter at work, until left."""
    task = asyncio.create_task(adapter.run(receiver))
    try:
        async with asyncio.timeout(10):
            while True:
                assert not task.done(), task.exception()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    break
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


class Browser:
    """A visitor's, which is on the site as long as it is entered, and comes back by itself."""

    def __init__(self, port: int) -> None:
        self.visitor = secrets.token_urlsafe(32)
        self.shown: dict[str, Json] = {}
        """What we said, as it is now, by its id."""
        self.draft: str | None = None
        self.queue: list[Json] = []
        self.last: Json = {}
        self.heard: list[Json] = []
        self.away_until = 0.0
        self._site = f"http://127.0.0.1:{port}"
        self._numbers = itertools.count()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def do(self, **frame: Any) -> str:
        self.last = {**frame, "id": f"{next(self._numbers):012}"}
        self.queue.append(self.last)
        await self.send(self.last)
        return str(self.last["id"])

    async def send(self, frame: Json) -> None:
        if self._socket is not None and not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_json(frame)

    def cut(self) -> None:
        if self._socket is not None and (transport := self._socket._response.connection):
            assert transport.transport is not None
            transport.transport.abort()

    async def _stay(self) -> None:
        loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                    headers = {"Origin": self._site}
                    url = f"{self._site}/socket"
                    async with session.ws_connect(url, headers=headers) as self._socket:
                        await self._socket.send_json({"type": "hello", "visitor": self.visitor})
                        async for message in self._socket:
                            await self._hear(json.loads(message.data))
                self._socket = self.draft = None
                await asyncio.sleep(max(PAUSE, self.away_until - loop.time()))

    async def _hear(self, frame: Json) -> None:
        self.heard.append(frame)
        if frame["type"] == "welcome":
            for each in list(self.queue):
                await self.send(each)
        elif frame["type"] == "stored":
            self.queue = [each for each in self.queue if each["id"] != frame["id"]]
        elif frame["type"] in ("draft", "idle"):
            self.draft = frame.get("text")
        else:
            self.draft = None
            if frame["type"] == "gone":
                self.shown.pop(frame["id"], None)
            else:
                self.shown[frame["id"]] = frame
            await self.send({"type": "got", "number": frame["number"]})


class WebWorld:
    """Implements `tests.contract.world.World`."""

    places = frozenset({Place.DIRECT})
    can = frozenset({"edit", "delete", "grow", "command", "media"})

    def __init__(self) -> None:
        self._port = free_port()
        self._browsers: dict[str, Browser] = {}
        self._opened = contextlib.AsyncExitStack()
        self._last: Browser | None = None
        self._make()

    def _make(self) -> None:
        self.adapter = WebAdapter(WebOptions(listen=f"127.0.0.1:{self._port}"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._opened.aclose()

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[WebAdapter]:
        self._make()
        async with serving(self.adapter, receiver, self._port):
            yield self.adapter

    async def say(
        self,
        text: str,
        *,
        by: str = "ann",
        place: Place = Place.DIRECT,
        to_us: bool = True,
        reply_to: str = "",
        picture: str = "",
    ) -> str:
        self._last = await self._browser(by)
        return await self._last.do(type="say", text=text)

    async def edit(self, message: str, text: str) -> None:
        assert self._last is not None
        await self._last.do(type="edit", message=message, text=text)

    async def delete(self, message: str) -> None:
        assert self._last is not None
        await self._last.do(type="delete", message=message)

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        raise NotImplementedError

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        await self.say(text, by=by)

    async def tell_again(self) -> None:
        assert self._last is not None
        await self._last.send(self._last.last)

    async def cut(self) -> None:
        for browser in self._browsers.values():
            browser.cut()

    async def limit(self, seconds: float) -> None:
        """Here nothing is refused but while the visitor is away: everybody goes, for so long."""
        for browser in self._browsers.values():
            browser.away_until = asyncio.get_running_loop().time() + seconds
            browser.cut()

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        browser = self._browsers.get(by)
        if browser is None:
            return []
        shown = [
            Shown(id=id_, text=frame["text"], alts=tuple(file["alt"] for file in frame["media"]))
            for id_, frame in browser.shown.items()
        ]
        return [*shown, *([Shown(id="", text=browser.draft)] if browser.draft else [])]

    def complaints(self) -> Sequence[str]:
        return []

    async def _browser(self, by: str) -> Browser:
        if by not in self._browsers:
            self._browsers[by] = await self._opened.enter_async_context(Browser(self._port))
        return self._browsers[by]
