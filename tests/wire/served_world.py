"""What the worlds of platforms that have a server have in common: the server outlives the bot."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Generic, Protocol, Self, TypeVar

from hobnob.health import State
from hobnob.ports import Adapter, Receiver
from hobnob.testing.live import until
from tests.contract.world import Unable


class _Server(AbstractAsyncContextManager[Any], Protocol):
    @property
    def complaints(self) -> list[str]: ...

    def limit(self, seconds: float) -> None: ...


S = TypeVar("S", bound=_Server)
A = TypeVar("A", bound=Adapter)


class ServedWorld(Unable, ABC, Generic[S, A]):
    """A part of `tests.contract.world.World`."""

    def __init__(self, server: S) -> None:
        self.server = server
        self._adapter: A | None = None

    @abstractmethod
    def _new_adapter(self) -> A:
        """An adapter for this server."""

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self._adapter = self._new_adapter()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self.server.__aexit__(*exc)

    @property
    def adapter(self) -> A:
        assert self._adapter is not None
        return self._adapter

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[A]:
        adapter = self._adapter = self._new_adapter()
        task = asyncio.create_task(adapter.run(receiver))
        try:
            await until(lambda: adapter.health.state is State.CONNECTED or task.done())
            yield adapter
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert task.cancelled(), task

    async def limit(self, seconds: float) -> None:
        self.server.limit(seconds)

    def complaints(self) -> Sequence[str]:
        return self.server.complaints
