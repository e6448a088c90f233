"""The bell: it wakes whom something is due for, and outlives a database that is away."""

import asyncio
from collections.abc import Sequence

from hobnob.conversation import ConversationKey
from hobnob.errors import StoreError
from hobnob.schedule import Bell
from hobnob.testing.adapter import key


async def test_a_tick_wakes_whom_something_is_due_for() -> None:
    async def ring() -> Sequence[ConversationKey]:
        return [key("ann"), key("ben")]

    woken: list[ConversationKey] = []
    await Bell(ring, woken.append).tick()
    assert woken == [key("ann"), key("ben")]


async def test_a_database_that_is_away_does_not_stop_the_bell() -> None:
    async def ring() -> Sequence[ConversationKey]:
        raise StoreError("it is away")

    await Bell(ring, lambda key: None).tick()


async def test_it_ticks_by_itself_while_it_is_entered() -> None:
    ticked = asyncio.Event()

    async def ring() -> Sequence[ConversationKey]:
        ticked.set()
        return []

    async with asyncio.timeout(10), Bell(ring, lambda key: None):
        await ticked.wait()
