"""The gateway of the fake Discord: sessions that are told things, and can be resumed.

https://docs.discord.com/developers/events/gateway
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hobnob.testing.discord.payloads import Json
from hobnob.testing.wire import aiohttp, web


@dataclass(slots=True)
class Session:
    """What is told, in order."""

    id: str
    shard: int
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
    """One session at a time for each shard. `refuse` looks at an IDENTIFY and gives a close code,
    or 0; `begin` gives what a session of that name and shard is told first."""

    def __init__(
        self,
        refuse: Callable[[Json], int],
        begin: Callable[[str, int], Iterable[tuple[str, Json]]],
    ) -> None:
        self.identified = 0
        self.resumed = 0
        self.refused = 0
        """Sessions that were closed instead of begun."""
        self.heartbeat_seconds = 40.0
        self.deaf = False
        """Whether heartbeats go unanswered."""
        self.heard = 0
        """Heartbeats that came."""
        self._refuse = refuse
        self._begin = begin
        self._sessions: dict[int, Session] = {}
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}

    @property
    def connected(self) -> bool:
        return bool(self._sockets) and bool(self._sessions)

    @property
    def shards(self) -> set[int]:
        return set(self._sessions)

    def tell(self, name: str, data: Json, shard: int = 0) -> None:
        """Tell the session, whether or not somebody listens just now."""
        if shard in self._sessions:
            self._sessions[shard].tell(name, data)

    def tell_again(self, name: str) -> None:
        """The last event of this name, once more, under a number of its own."""
        for session in self._sessions.values():
            told = (json.loads(event) for event in reversed(session.events))
            last = next((event["d"] for event in told if event["t"] == name), None)
            if last is not None:
                session.tell(name, last)

    def drop(self, *, forget: bool) -> None:
        if forget:
            self._sessions.clear()
        for request in self._sockets.values():
            if request.transport:
                request.transport.abort()

    async def invalidate(self) -> None:
        """Every session has become invalid, says Discord, and cannot be resumed."""
        self._sessions.clear()
        for socket in list(self._sockets):
            await socket.send_json({"op": 9, "d": False})

    async def close(self, code: int = aiohttp.WSCloseCode.GOING_AWAY) -> None:
        for socket in list(self._sockets):
            await socket.close(code=code)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = request
        telling: asyncio.Task[None] | None = None
        try:
            hello = {"heartbeat_interval": int(1000 * self.heartbeat_seconds)}
            await socket.send_json({"op": 10, "d": hello})
            async for frame in socket:
                asked = frame.json()
                if asked["op"] == 1:
                    self.heard += 1
                    if not self.deaf:
                        await socket.send_json({"op": 11})
                elif asked["op"] == 2 and (code := self._refuse(asked["d"])):
                    self.refused += 1
                    await socket.close(code=code)
                elif asked["op"] == 2:
                    session = self._new(asked["d"].get("shard", [0, 1])[0])
                    telling = asyncio.create_task(session.send(socket, 0))
                elif asked["op"] == 6 and (known := self._known(asked["d"]["session_id"])):
                    known.tell("RESUMED", {})
                    telling = asyncio.create_task(known.send(socket, asked["d"]["seq"]))
                elif asked["op"] == 6:
                    await socket.send_json({"op": 9, "d": False})
        except ConnectionError:
            pass  # they left without a word
        finally:
            del self._sockets[socket]
            if telling:
                telling.cancel()
        return socket

    def _new(self, shard: int) -> Session:
        self.identified += 1
        session = Session(id=f"session-{self.identified}", shard=shard)
        self._sessions[shard] = session
        for name, data in self._begin(session.id, shard):
            session.tell(name, data)
        return session

    def _known(self, number: str) -> Session | None:
        found = [session for session in self._sessions.values() if session.id == number]
        self.resumed += len(found)
        return found[0] if found else None
