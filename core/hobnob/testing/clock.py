"""A clock that moves only when told to, or when somebody sleeps on it."""

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Sleeping takes no real time: it moves the clock on at once (`hobnob.ports.Clock`)."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
