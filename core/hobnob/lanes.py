"""One lane per conversation: strict order inside, parallel between, gone when idle."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hobnob.conversation import ConversationKey

log = logging.getLogger(__name__)


class Lanes:
    """Runs `work(key)` whenever `key` was woken, never twice at once for the same key.

    `work` does everything there is to do and returns. A wake-up during the work makes it run once
    more, so that nothing that was stored before the wake-up is overlooked.
    """

    def __init__(self, work: Callable[[ConversationKey], Awaitable[None]]) -> None:
        self._work = work
        self._tasks: dict[ConversationKey, asyncio.Task[None]] = {}
        self._woken: set[ConversationKey] = set()
        self._closed = False

    def __len__(self) -> int:
        """Lanes at work now."""
        return len(self._tasks)

    def wake(self, key: ConversationKey) -> None:
        if self._closed:
            return  # what is stored is found again at the next start
        self._woken.add(key)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._run(key), name=f"lane {key}")

    async def settled(self, key: ConversationKey) -> None:
        """Return when the lane is idle. Once closed, never: nobody knows what it left undone."""
        while task := self._tasks.get(key):
            await asyncio.wait([task])
        if self._closed:
            await asyncio.Event().wait()

    async def close(self) -> None:
        """Cancel all work; nobody can be woken any more."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, key: ConversationKey) -> None:
        try:
            while key in self._woken:
                self._woken.discard(key)
                await self._work(key)
        except Exception:
            log.exception("a bug: the lane of %s died; its next message starts it again", key)
        finally:
            del self._tasks[key]
