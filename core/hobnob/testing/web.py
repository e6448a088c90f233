"""Visitors of the owner's own web site, for the adapter that serves its chat page.

    async with Site() as site, living(FOLDER, site, answers=["Ahoy!"]):
        ann = await site.visitor("ann")
        await ann.say("hello")
        await until(lambda: ann.texts == ["Ahoy!"])

A browser here keeps what widget.html keeps (its secret, what was said, what is not yet confirmed)
and speaks as it does, but has no screen.
"""

import asyncio
import contextlib
import itertools
import json
import secrets
import socket
from collections.abc import Mapping
from typing import Any, Self

from hobnob.testing.wire import aiohttp

Json = dict[str, Any]
PAUSE = 0.02


class Site:
    """Where the page is served, and who looks at it. The adapter itself is the server."""

    platform = "web"

    def __init__(self) -> None:
        self.port = free_port()
        self.browsers: dict[str, Browser] = {}
        self._opened = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._opened.aclose()

    @property
    def table(self) -> Mapping[str, str]:
        """Of bot.toml (`hobnob.testing.live.Server`)."""
        return {"listen": f"127.0.0.1:{self.port}"}

    async def visitor(self, name: str) -> "Browser":
        """The browser of somebody, opened if it was not."""
        if name not in self.browsers:
            self.browsers[name] = await self._opened.enter_async_context(Browser(self.port))
        return self.browsers[name]


class Browser:
    """A visitor's, which is on the site as long as it is entered, and comes back by itself."""

    def __init__(self, port: int) -> None:
        self.visitor = secrets.token_urlsafe(32)
        self.shown: dict[str, Json] = {}
        """What the bot said, as it is now, by its id."""
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
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def texts(self) -> list[str]:
        """What the bot has said here, as it is now."""
        return [frame["text"] for frame in self.shown.values()]

    async def say(self, text: str) -> str:
        """Say something; the id of it."""
        return await self.do(type="say", text=text)

    async def do(self, **frame: Any) -> str:
        """Send a frame of the page's (see `hobnob_web.translate`) until it is confirmed; its id."""
        self.last = {**frame, "id": f"{next(self._numbers):012}"}
        self.queue.append(self.last)
        await self.send(self.last)
        return str(self.last["id"])

    async def send(self, frame: Json) -> None:
        if self._socket is not None and not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_json(frame)

    def cut(self) -> None:
        """The connection breaks."""
        connection = self._socket._response.connection if self._socket else None
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

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


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])
