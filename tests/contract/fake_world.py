"""The world of `hobnob.testing.FakeAdapter`: a platform in memory that can misbehave."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self

from hobnob.conversation import ConversationKey
from hobnob.errors import SendLater
from hobnob.events import Addressed, Attachment, Event, Kind, Reply
from hobnob.media import MOST
from hobnob.ports import Limits, Receiver
from hobnob.testing.adapter import FakeAdapter, key
from tests.contract.world import Place, Shown, Unable

LIMITS = Limits(max_length=300, edit_seconds=0.02, media=MOST)


class _Platform(FakeAdapter):
    """Reads its world's log of events, and is held to its world's limit."""

    def __init__(self, world: "FakeWorld") -> None:
        super().__init__(limits=LIMITS)
        self.world = world
        self.shown = world.messages

    async def run(self, receiver: Receiver) -> None:
        self.world.connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run(receiver))
            tasks.create_task(self._read(receiver))

    async def _read(self, receiver: Receiver) -> None:
        """What was not confirmed is told again, as after any broken connection."""
        world = self.world
        while True:
            while world.confirmed < len(world.log):
                await receiver.put(world.log[world.confirmed])
                world.confirmed += 1
            world.more.clear()
            await world.more.wait()

    async def send(self, reply: Reply) -> str:
        left = self.world.limited_until - time.monotonic()
        if left > 0:
            if self.world.told_to_wait:
                self.world.faults.append(f"sent {left:.2f} s too early")
            self.world.told_to_wait = True
            raise SendLater("the world is limited", retry_after=left)
        return await super().send(reply)


class FakeWorld(Unable):
    """Implements `tests.contract.world.World`."""

    places = frozenset(Place)
    can = frozenset(
        {"online", "edit", "delete", "react", "attach", "reply", "grow", "command", "media"}
    )

    def __init__(self) -> None:
        self.messages: dict[str, Reply] = {}
        self.log: list[Event] = []
        self.confirmed = 0
        self.more = asyncio.Event()
        self.connected = asyncio.Event()
        self.limited_until = 0.0
        self.told_to_wait = False
        self.faults: list[str] = []
        self._people = FakeAdapter()  # who only makes events
        self._adapter = _Platform(self)
        self._receiver: Receiver | None = None
        self._run: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    @property
    def adapter(self) -> FakeAdapter:
        return self._adapter

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[FakeAdapter]:
        self._adapter, self._receiver = _Platform(self), receiver
        self._connect()
        try:
            await self.connected.wait()
            yield self._adapter
        finally:
            await self._disconnect()

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
        addressed = Addressed.DIRECT
        if place is not Place.DIRECT:
            addressed = Addressed.MENTION if to_us else Addressed.NONE
            addressed = Addressed.REPLY if reply_to in self.messages else addressed
        image = Attachment(media_type="image/png", alt=picture)
        event = self._event(
            text,
            by,
            place,
            addressed=addressed,
            reply_to=reply_to or None,
            attachments=(image,) if picture else (),
        )
        return event.message

    async def edit(self, message: str, text: str) -> None:
        said = self._said(message)
        self._tell(replace(said, id=f"edit-{len(self.log)}", kind=Kind.EDIT, text=text))

    async def delete(self, message: str) -> None:
        said = self._said(message)
        self._tell(replace(said, id=f"delete-{len(self.log)}", kind=Kind.DELETE, text=""))

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        where = self.messages[message].key
        reaction = self._people.event(emoji, by=by, kind=Kind.REACTION, addressed=Addressed.NONE)
        self._tell(replace(reaction, key=where, message=message))

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        addressed = Addressed.DIRECT if place is Place.DIRECT else Addressed.MENTION
        self._event(text, by, place, addressed=addressed, kind=Kind.COMMAND)

    async def tell_again(self) -> None:
        self._tell(self.log[-1])

    async def cut(self) -> None:
        await self._disconnect()
        self._connect()

    async def limit(self, seconds: float) -> None:
        self.limited_until, self.told_to_wait = time.monotonic() + seconds, False

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        where = key(**_where(place, by))
        return [
            Shown(
                id=id_,
                text=reply.text,
                reply_to=reply.in_reply_to,
                alts=tuple(file.alt for file in reply.media),
            )
            for id_, reply in self.messages.items()
            if where == (self._alone(reply) if reply.private else reply.key)
        ]

    def complaints(self) -> Sequence[str]:
        return self.faults

    def _event(self, text: str, by: str, place: Place, **fields: Any) -> Event:
        event = self._people.event(text, by=by.capitalize(), key=key(**_where(place, by)), **fields)
        self._tell(event)
        return event

    def _alone(self, reply: Reply) -> ConversationKey:
        """Where one person alone sees it."""
        return key(**_where(Place.DIRECT, self._said(reply.in_reply_to).author.name.casefold()))

    def _said(self, message: str) -> Event:
        return next(event for event in self.log if event.message == message)

    def _tell(self, event: Event) -> None:
        self.log.append(event)
        self.more.set()

    def _connect(self) -> None:
        assert self._receiver is not None
        self.connected.clear()
        self._run = asyncio.create_task(self._adapter.run(self._receiver))

    async def _disconnect(self) -> None:
        assert self._run is not None
        self._run.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._run


def _where(place: Place, by: str) -> dict[str, str]:
    if place is Place.DIRECT:
        return {"room": by}
    return {"room": "lobby", "thread": "tea" if place is Place.THREAD else ""}
