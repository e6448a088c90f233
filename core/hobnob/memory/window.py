"""The first layer of memory: the recent window of the conversation, straight from SQL."""

from collections.abc import Sequence

from hobnob.events import Event, Memory
from hobnob.ports import History

TURNS = 96
"""More turns than a prompt has room for; the token budget decides how many are shown."""


class WindowMemory:
    def __init__(self, history: History) -> None:
        self._history = history

    async def snapshot(self, batch: Sequence[Event]) -> Memory:
        return Memory(turns=tuple(await self._history.recent(batch[-1].key, TURNS)))
