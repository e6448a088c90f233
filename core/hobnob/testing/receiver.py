"""A receiver that keeps what an adapter hands in."""

import asyncio
from collections.abc import Mapping

from hobnob.commands import COMMANDS
from hobnob.conversation import ConversationKey
from hobnob.events import Event
from hobnob.ports import Cursor


class RecordingReceiver:
    """Implements `hobnob.ports.Receiver` over lists, for one account."""

    commands = COMMANDS

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.cursor_values: dict[str, str] = {}
        self._changed = asyncio.Condition()

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        async with self._changed:
            new = all(known.id != event.id for known in self.events)
            if new:
                self.events.append(event)
            if cursor is not None:
                self.cursor_values[cursor.name] = cursor.value
            self._changed.notify_all()
        return new

    async def move(self, account: str, cursor: Cursor) -> None:
        self.cursor_values[cursor.name] = cursor.value

    async def cursors(self, account: str) -> Mapping[str, str]:
        return dict(self.cursor_values)

    async def settled(self, key: ConversationKey) -> None:
        return

    async def wait_for(self, count: int, timeout: float = 10.0) -> None:
        """Return when `count` events came in; TimeoutError if they don't."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: len(self.events) >= count)
