"""A platform in memory: say something as a person, look at what was answered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from hobnob import media
from hobnob.conversation import ConversationKey
from hobnob.errors import FetchFailed
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver

ACCOUNT = "bot"
_EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)


def key(room: str = "ann", *, platform: str = "fake", thread: str = "") -> ConversationKey:
    return ConversationKey(platform=platform, account=ACCOUNT, room=room, thread=thread)


class FakeAdapter:
    """Implements `hobnob.ports.Adapter`. `failures` are raised by the next sends, one each; with
    `delivers_before_failing` the message has arrived all the same.
    `files` holds what can be fetched, by the attachments' ids; an exception there is raised."""

    def __init__(self, name: str = "fake", limits: Limits | None = None) -> None:
        self.name = name
        self.limits = limits or Limits(max_length=2000)
        self.sent: list[Reply] = []
        """Every message, as it left first."""
        self.shown: dict[str, Reply] = {}
        """What people see of them now, by its id."""
        self.drafts: list[str] = []
        self.failures: list[Exception] = []
        self.delivers_before_failing = False
        self.composing_for: list[str] = []
        self.files: dict[str, bytes | Exception] = {}
        self.fetched: list[str] = []
        self._receiver: asyncio.Future[Receiver] | None = None
        self._pulse = Pulse()
        self._count = 0

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        self._connected().set_result(receiver)
        self._pulse.turned(State.CONNECTED)
        try:
            await asyncio.Event().wait()
        finally:
            self._receiver = None
            self._pulse.turned(State.STOPPED)

    async def send(self, reply: Reply) -> str:
        media.check(reply.media, self.limits)
        failure = self.failures.pop(0) if self.failures else None
        id_ = reply.replaces if reply.replaces in self.shown else f"sent-{reply.nonce}"
        if failure is None or self.delivers_before_failing:
            self._show(id_, reply)
        if failure is not None:
            raise failure
        return id_

    def _show(self, id_: str, reply: Reply) -> None:
        if reply.replaces and not reply.text:
            self.shown.pop(id_, None)
        elif id_ not in self.shown:
            self.sent.append(reply)
            self.shown[id_] = reply
        elif reply.replaces:
            self.shown[id_] = reply

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        self.composing_for.append(event.id)
        yield self.drafts.append

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        self.fetched.append(attachment.id)
        file = self.files.get(attachment.id, FetchFailed("there is no such file"))
        if isinstance(file, Exception):
            raise file
        return file[:most]

    async def check(self) -> Sequence[Finding]:
        return [Finding(ok=True, what=f"{self.name} is always there")]

    @property
    def texts(self) -> list[str]:
        return [reply.text for reply in self.sent]

    async def say(self, text: str, **changes: Any) -> Event:
        """Hand in a message; see `event` for what may be changed."""
        event = self.event(text, **changes)
        await self.put(event)
        return event

    async def put(self, event: Event) -> bool:
        receiver = await self._connected()
        return await receiver.put(event)

    async def settled(self, key: ConversationKey) -> None:
        await (await self._connected()).settled(key)

    def event(
        self,
        text: str = "",
        *,
        by: str = "Ann",
        author: Author | None = None,
        room: str = "ann",
        kind: Kind = Kind.MESSAGE,
        addressed: Addressed = Addressed.DIRECT,
        **fields: Any,
    ) -> Event:
        """A message as a person would write it: in order, a second apart, directly to us."""
        self._count += 1
        values: dict[str, Any] = {
            "id": f"event-{self._count}",
            "message": f"message-{self._count}",
            "kind": kind,
            "key": key(room, platform=self.name),
            "author": author or Author(id=f"id-{by.casefold()}", name=by),
            "at": _EPOCH + timedelta(seconds=self._count),
            "text": text,
            "addressed": addressed,
        }
        return Event(**(values | fields))

    def _connected(self) -> asyncio.Future[Receiver]:
        if self._receiver is None:
            self._receiver = asyncio.get_running_loop().create_future()
        return self._receiver
