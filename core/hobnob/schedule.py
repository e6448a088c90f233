"""The clock that lets come in what is due: APScheduler ticks, our own table knows what and when."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hobnob.conversation import ConversationKey
from hobnob.errors import StoreError

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
Ring = Callable[[], Awaitable[Sequence[ConversationKey]]]
"""Lets come in what is due; the conversations that it is about. Raises StoreError."""


class Bell:
    """Rings while it is entered."""

    def __init__(self, ring: Ring, wake: Callable[[ConversationKey], None]) -> None:
        self._ring = ring
        self._wake = wake
        # A tick that comes late is as good as one in time, and two at once are one: what is due is
        # in the table. https://apscheduler.readthedocs.io/en/3.x/userguide.html
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_job(self.tick, "interval", seconds=TICK_SECONDS)

    async def __aenter__(self) -> "Bell":
        self._scheduler.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        """Let come in what is due now."""
        try:
            for key in await self._ring():
                self._wake(key)
        except StoreError as error:
            log.warning("what is due can't be looked up: %s", error)
