"""An answer that people see while it is written: one message, changed as the text grows."""

import asyncio
import logging
from dataclasses import replace
from typing import Self

from hobnob import replies
from hobnob.errors import Changed, SendLater, SendRefused, SendUnknown, StoreError
from hobnob.events import Addressed, Event, Reply
from hobnob.ports import Adapter, Clock, Outbox, Permit
from hobnob.ports import Growing as Shown

log = logging.getLogger(__name__)

LAST_SECONDS = 30.0
"""How long the end of an answer waits for what is just being shown of it."""


class Growing:
    """Shows an answer to `event` as it grows, while it is entered. What is shown at the end is not
    yet the answer: that goes through the outbox, and takes this message's place.

    The message is on record before the first byte of it leaves, and takes one of the `places` that
    the platform has for sends whose outcome a crash would hide. Whatever goes wrong here, the
    answer comes all the same.
    """

    def __init__(
        self,
        event: Event,
        *,
        outbox: Outbox,
        adapter: Adapter,
        clock: Clock,
        places: asyncio.Semaphore,
        permit: Permit,
    ) -> None:
        """`permit` is asked before anything is shown (`hobnob.jobs.Job.permit`)."""
        self._event = event
        self._template = replies.empty(event)
        self._outbox = outbox
        self._adapter = adapter
        self._clock = clock
        self._text = ""
        self._more = asyncio.Event()
        self._places = places
        self._permit = permit
        drafted = adapter.limits.drafts and event.addressed is Addressed.DIRECT
        self._pause = 0.0 if drafted else adapter.limits.edit_seconds
        self._next = self._pause  # seconds until there may be another change
        self._shown: Shown | None = None
        self._step: asyncio.Task[bool] | None = None
        self._loop: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        """`hobnob.ports.Draft`."""
        self._text = text
        self._more.set()

    async def __aenter__(self) -> Self:
        if self._pause > 0:
            self._loop = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """What is being sent is sent to its end: a message nobody knows of could not be changed."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
        if self._step is not None:
            _, stuck = await asyncio.wait([self._step], timeout=LAST_SECONDS)
            for step in stuck:  # the platform is away: what it has got is in doubt, and on record
                step.cancel()

    async def _run(self) -> None:
        going_on = True
        while going_on:
            await self._clock.sleep(self._next)
            self._next = self._pause
            await self._more.wait()
            self._more.clear()
            self._step = asyncio.create_task(self._show())
            going_on = await asyncio.shield(self._step)

    async def _show(self) -> bool:
        """Bring what people see up to date. False if there is no point in trying again."""
        parts = replies.parts(self._event, self._text, self._adapter.limits)
        if not parts:
            return True
        try:
            await self._send(parts[0])
        except SendLater as later:
            self._next = max(self._pause, later.retry_after)
        except (SendRefused, SendUnknown, StoreError, Changed) as error:
            log.info("%s: not shown while it is written: %s", self._template.key, error)
            return False
        except Exception:
            log.exception("%s: not shown while it is written", self._template.key)
            return False
        return len(parts) == 1  # the rest comes in messages of its own

    async def _send(self, part: str) -> None:
        reply = replace(self._template, text=part)
        if self._shown is not None and self._shown.message:
            await self._change(reply, self._shown)
            return
        async with self._places:
            self._shown = await self._outbox.grow(reply, self._clock.now(), self._permit)
            await self._change(reply, self._shown)

    async def _change(self, reply: Reply, shown: Shown) -> None:
        reply = replace(reply, nonce=shown.nonce, replaces=shown.message, attempted=shown.attempted)
        try:
            message = await self._adapter.send(reply)
        except (SendLater, SendRefused):
            if not shown.message and not shown.attempted:
                self._shown = None
                await self._outbox.shrink(shown.row)
            raise
        if message != shown.message:
            await self._outbox.grew(shown.row, message)
            self._shown = replace(shown, message=message)
