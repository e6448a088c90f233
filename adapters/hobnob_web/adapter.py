"""The owner's own web site: a chat page to put into it, over a WebSocket, by aiohttp.

Nobody stands between the visitor and us, so what a platform's server does is done here and in the
visitor's browser. What people say is acknowledged when it is stored. What we say is sent when the
browser confirms that it keeps it; until then it stays in the outbox, however long the visitor is
away. Each side knows what comes twice by its id.
"""

import asyncio
import errno
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hobnob import media
from hobnob.errors import AdapterStopped, FetchFailed, SendLater, SendRefused
from hobnob.events import Attachment, Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_web import check, page
from hobnob_web.gate import MOST, Full, Gate
from hobnob_web.translate import (
    LONGEST,
    MEDIA,
    PLATFORM,
    BadFrame,
    Got,
    Hello,
    Said,
    read,
    shown_as,
    to_event,
    to_frame,
)
from hobnob_web.visitor import Visitor

log = logging.getLogger(__name__)

LARGEST_FRAME = 32 * 1024
"""Bytes: a message of nothing but escaped characters fits."""
HELLO_SECONDS = 10.0
HEARTBEAT = 30.0
"""Between pings; whoever does not answer one in half of that is gone."""
CLOSE_SECONDS = 1.0
DRAFT_SECONDS = 0.2
AGAIN_SECONDS = 1.0
KEPT_SECONDS = 24 * 3600.0
"""How long an answer waits for a visitor who went away."""
LONGEST_PAUSE = 60.0


def _listen(text: str) -> str:
    if (
        not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}", text)
        or int(text.rpartition(":")[2]) > 65535
    ):
        raise ValueError('must be an address and a port, like "127.0.0.1:8086".')
    return text


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?", origin):
            raise ValueError(
                'holds what is no site. Write each as "https://www.example.org", without a path.'
            )
    return tuple(origin.lower() for origin in origins)


class WebOptions(BaseModel):
    """`[platforms.web]` of bot.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8086"
    """Where the chat page is served."""
    origins: Annotated[tuple[str, ...], AfterValidator(_origins)] = Field(default=(), strict=False)
    """Other sites that may show it, as browsers name them; its own host always may."""
    title: Annotated[str, Field(min_length=1, max_length=80)] = "Chat"
    """Shown above the conversation."""
    behind_proxy: bool = False
    """A proxy before us says who calls, in X-Forwarded-For."""

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass
class _Away:
    """A visitor for whom something waits."""

    since: float
    back: asyncio.Event = field(default_factory=asyncio.Event)


class WebAdapter:
    """The owner's web site as a platform. See `hobnob.ports.Adapter`."""

    Options = WebOptions
    name = PLATFORM
    limits = Limits(max_length=LONGEST, buttons=True, parallel_sends=MOST, media=MEDIA)

    def __init__(self, options: WebOptions) -> None:
        self._options = options
        self._visitors: dict[str, Visitor] = {}
        self._away: dict[str, _Away] = {}
        self._gate = Gate()
        self._pulse = Pulse()

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        pause = 1.0
        while True:
            try:
                async with self._serving(receiver):
                    self._pulse.turned(State.CONNECTED)
                    await asyncio.Event().wait()
            except OSError as error:
                why = f"can't listen at {self._options.listen}: {error.strerror}"
                self._pulse.failed(why)
                if error.errno != errno.EADDRINUSE:
                    raise AdapterStopped(f"{why}. Change platforms.web.listen.") from error
                log.warning("web: %s; again in %.0f s", why, pause)
            finally:
                self._pulse.turned(State.STOPPED)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def send(self, reply: Reply) -> str:
        # `reply.attempted` needs no care: the browser knows each message by its id.
        media.check(reply.media, self.limits)
        room = reply.key.room
        visitor = self._visitors.get(room)
        if visitor is not None and await visitor.deliver(to_frame(reply)):
            return shown_as(reply)
        if room in self._visitors:
            raise SendLater("the browser did not confirm it", retry_after=AGAIN_SECONDS)
        now = asyncio.get_running_loop().time()
        away = self._away.setdefault(room, _Away(since=now))
        left = away.since + KEPT_SECONDS - now
        if left <= 0:
            del self._away[room]
            raise SendRefused("the visitor did not come back within a day")
        raise SendLater("the visitor is away", retry_after=left, ready=away.back)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        room, latest, more = event.key.room, "", asyncio.Event()
        more.set()  # an empty draft says that something is being written

        def show(text: str) -> None:
            nonlocal latest
            latest = text[:LONGEST]
            more.set()

        async def showing() -> None:
            while True:
                await more.wait()
                more.clear()
                await self._tell(room, {"type": "draft", "text": latest})
                await asyncio.sleep(DRAFT_SECONDS)

        task = asyncio.create_task(showing())
        try:
            yield show
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._tell(room, {"type": "idle"})

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        raise FetchFailed("the chat page takes no files")

    async def check(self) -> Sequence[Finding]:
        return await check.examine(*self._options.address, self._options.origins)

    async def _tell(self, room: str, frame: dict[str, str]) -> None:
        if (visitor := self._visitors.get(room)) is not None:
            await visitor.tell(frame)

    # --------------------------------------------------------------------------------- serving

    @asynccontextmanager
    async def _serving(self, receiver: Receiver) -> AsyncIterator[None]:
        async def socket(request: web.Request) -> web.StreamResponse:
            return await self._socket(request, receiver)

        headers = page.headers(self._options.origins)

        async def widget(request: web.Request) -> web.StreamResponse:
            return web.Response(text=page.HTML, content_type="text/html", headers=headers)

        app = web.Application()
        app.add_routes([web.get("/", widget), web.get("/socket", socket)])
        app.on_shutdown.append(self._close_all)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, *self._options.address).start()
            yield
        finally:
            await runner.cleanup()

    async def _close_all(self, app: web.Application) -> None:
        await asyncio.gather(*(visitor.close() for visitor in self._visitors.values()))

    async def _socket(self, request: web.Request, receiver: Receiver) -> web.StreamResponse:
        """One window of a visitor's, from its first frame to its last."""
        if not self._is_welcome(request):
            raise web.HTTPForbidden(text="This site may not show the chat: platforms.web.origins.")
        address = self._address(request)
        try:
            with self._gate.entered(address):
                window = web.WebSocketResponse(
                    heartbeat=HEARTBEAT,
                    max_msg_size=LARGEST_FRAME,
                    compress=False,
                    timeout=CLOSE_SECONDS,
                )
                await window.prepare(request)
                await self._listen_to(window, address, receiver)
                return window
        except Full:
            raise web.HTTPServiceUnavailable(text="Too many are here.") from None

    async def _listen_to(
        self, window: web.WebSocketResponse, address: str, receiver: Receiver
    ) -> None:
        try:
            await self._gate.pace(address)
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await _next(window)
            if not isinstance(hello, Hello):
                raise BadFrame("the first frame must be a hello")
            commands = [{"name": c.name, "description": c.description} for c in receiver.commands]
            await window.send_json(
                {"type": "welcome", "title": self._options.title, "commands": commands}
            )
            async with self._here(hello.room, window) as visitor:
                while (frame := await _next(window)) is not None:
                    if isinstance(frame, Got) and visitor.confirm(frame.number):
                        continue
                    await self._gate.pace(address)
                    if isinstance(frame, Said):
                        await self._take(frame, hello.room, receiver)
                        await window.send_json({"type": "stored", "id": frame.id})
        except BadFrame as bad:
            await window.close(code=1008, message=str(bad).encode()[:120])
        except (TimeoutError, ConnectionError):
            await window.close()

    @asynccontextmanager
    async def _here(self, room: str, window: web.WebSocketResponse) -> AsyncIterator[Visitor]:
        visitor = self._visitors.setdefault(room, Visitor())
        try:
            await visitor.join(window)
            if (away := self._away.pop(room, None)) is not None:
                away.back.set()
            yield visitor
        finally:
            visitor.leave(window)
            if not visitor.windows:
                self._visitors.pop(room, None)

    async def _take(self, frame: Said, room: str, receiver: Receiver) -> None:
        """Return when it is stored, or has been."""
        event = to_event(frame, room, datetime.now(UTC))
        if await receiver.put(event):
            self._pulse.came(event.at)

    def _is_welcome(self, request: web.Request) -> bool:
        """Browsers say truly which site's page asks; another site's page must not speak for its
        visitors. Programs can claim anything, and gain nothing by it."""
        origin = request.headers.get("Origin", "").lower()
        own = urlsplit(origin).netloc == request.host.lower() if origin else False
        return own or origin in self._options.origins

    def _address(self, request: web.Request) -> str:
        if self._options.behind_proxy:  # the last is the one that our own proxy has seen
            lines = request.headers.getall("X-Forwarded-For", [""])
            return lines[-1].rpartition(",")[2].strip()
        return request.remote or ""


async def _next(window: web.WebSocketResponse) -> Hello | Got | Said | None:
    """The next frame; None if the window is closed. Raises BadFrame."""
    message = await window.receive()
    if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
        return None
    if message.type is not WSMsgType.TEXT:
        raise BadFrame("frames are text")
    return read(message.data)
