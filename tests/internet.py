"""A small internet on loopback: names, public addresses, servers, and who was really connected to.

Nothing about the checks of addresses is relaxed for it. Every name has addresses as in the real
world; a connection to a public one arrives at `server`, one to anything else at `inside`, which
plays what stands in the owner's own network and must never hear from us.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpcore2
from aiohttp import web

PUBLIC = "93.184.216.34"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Ourselves(httpcore2.AsyncNetworkStream):
    """A connection of a machine to itself, by whatever address: nothing may be said over it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, info: str) -> Any:
        return (self._address, 4711) if info == "client_addr" else None

    async def aclose(self) -> None: ...


@dataclass
class Internet(httpcore2.AsyncNetworkBackend):
    """`names` holds what each look-up of a name answers, one after the other; the last for ever."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    pages: dict[str, Answer] = field(default_factory=dict)
    """By path; any other says whom it was asked for."""
    looked_up: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    inside: int = 0
    """Requests that came to what nobody from outside can reach."""
    down: set[str] = field(default_factory=set)
    ours: str = ""
    """The public address of the machine that the bot runs on."""
    ports: tuple[int, int] = (0, 0)

    async def resolve(self, name: str) -> Sequence[str]:
        self.looked_up.append(name)
        answers = self.names.get(name)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self.down:
            raise httpcore2.ConnectError("refused")
        if host == self.ours:
            return Ourselves(host)
        real = self.ports[0] if host == PUBLIC else self.ports[1]
        return await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", real, timeout=timeout)


def page(body: str | bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(body=data, headers={"Content-Type": kind, **headers})

    return answer


def redirect(where: str, status: int = 302) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": where})

    return answer


@asynccontextmanager
async def internet() -> AsyncIterator[Internet]:
    net = Internet()

    async def public(request: web.Request) -> web.StreamResponse:
        net.requests.append(request)
        if answer := net.pages.get(request.path):
            return await answer(request)
        return web.Response(text=f"<p>This is {request.host}</p>", content_type="text/html")

    async def private(request: web.Request) -> web.StreamResponse:
        net.inside += 1
        return web.Response(text="the owner's secrets", content_type="text/plain")

    runners = []
    for handler in (public, private):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    net.ports = (runners[0].addresses[0][1], runners[1].addresses[0][1])
    try:
        yield net
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))
