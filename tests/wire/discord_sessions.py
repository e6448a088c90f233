"""The gateway of the fake Discord: sessions that are told things, and can be resumed.

https://docs.discord.com/developers/events/gateway
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, web

from tests.wire.discord_payloads import Json


@dataclass(slots=True)
class Session:
    """What is told, in order."""

    id: str
    events: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: str, data: Json) -> None:
        # As text: what happens to `data` later is another event.
        event = {"op": 0, "s": len(self.events) + 1, "t": name, "d": data}
        self.events.append(json.dumps(event))
        self.more.set()

    async def send(self, socket: web.WebSocketResponse, after: int) -> None:
        """Send every event after number `after`, and wait for more, until cancelled or cut off."""
        try:
            while True:
                self.more.clear()
                while after < len(self.events):
                    await socket.send_str(self.events[after])
                    after += 1
                await self.more.wait()
        except ConnectionError:
            return


class Sessions:
    """One session at a time. `refuse` looks at an IDENTIFY and gives a close code, or 0; `begin`
    gives what a session of that name is told first."""

    def __init__(
        self,
        refuse: Callable[[Json], int],
        begin: Callable[[str], Iterable[tuple[str, Json]]],
    ) -> None:
        self.identified = 0
        self.resumed = 0
        self._refuse = refuse
        self._begin = begin
        self._session: Session | None = None
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}

    @property
    def connected(self) -> bool:
        return bool(self._sockets) and self._session is not None

    def tell(self, name: str, data: Json) -> None:
        """Tell the session, whether or not somebody listens just now."""
        if self._session is not None:
            self._session.tell(name, data)

    def drop(self, *, forget: bool) -> None:
        if forget:
            self._session = None
        for request in self._sockets.values():
            if request.transport:
                request.transport.abort()

    async def close(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = request
        telling: asyncio.Task[None] | None = None
        try:
            await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}})
            async for frame in socket:
                asked = frame.json()
                if asked["op"] == 1:
                    await socket.send_json({"op": 11})
                elif asked["op"] == 2 and (code := self._refuse(asked["d"])):
                    await socket.close(code=code)
                elif asked["op"] == 2:
                    telling = asyncio.create_task(self._new().send(socket, 0))
                elif asked["op"] == 6 and (session := self._known(asked["d"]["session_id"])):
                    session.tell("RESUMED", {})
                    telling = asyncio.create_task(session.send(socket, asked["d"]["seq"]))
                elif asked["op"] == 6:
                    await socket.send_json({"op": 9, "d": False})
        except ConnectionError:
            pass  # they left without a word
        finally:
            del self._sockets[socket]
            if telling:
                telling.cancel()
        return socket

    def _new(self) -> Session:
        self.identified += 1
        self._session = Session(id=f"session-{self.identified}")
        for name, data in self._begin(self._session.id):
            self._session.tell(name, data)
        return self._session

    def _known(self, number: str) -> Session | None:
        if self._session is None or self._session.id != number:
            return None
        self.resumed += 1
        return self._session
