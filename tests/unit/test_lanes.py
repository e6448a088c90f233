"""Strict order inside a conversation, parallel between, gone when idle."""

import asyncio

from hobnob.conversation import ConversationKey
from hobnob.lanes import Lanes
from hobnob.testing.adapter import key

ANN, BEN = key("ann"), key("ben")


async def test_one_conversation_is_never_worked_on_twice_at_once() -> None:
    running, most = 0, 0

    async def work(_: ConversationKey) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    lanes = Lanes(work)
    for _ in range(50):
        lanes.wake(ANN)
        await asyncio.sleep(0)
    await lanes.settled(ANN)
    assert most == 1


async def test_conversations_run_side_by_side() -> None:
    together = asyncio.Barrier(2)

    async def work(_: ConversationKey) -> None:
        await together.wait()

    lanes = Lanes(work)
    lanes.wake(ANN)
    lanes.wake(BEN)
    async with asyncio.timeout(5):
        await lanes.settled(ANN)
        await lanes.settled(BEN)


async def test_a_wake_up_during_the_work_is_not_overlooked() -> None:
    runs = 0

    async def work(where: ConversationKey) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            lanes.wake(where)

    lanes = Lanes(work)
    lanes.wake(ANN)
    await lanes.settled(ANN)
    assert runs == 2


async def test_idle_lanes_are_freed() -> None:
    async def work(_: ConversationKey) -> None: ...

    lanes = Lanes(work)
    for number in range(100):
        lanes.wake(key(str(number)))
    assert len(lanes) == 100
    await asyncio.gather(*(lanes.settled(key(str(number))) for number in range(100)))
    assert len(lanes) == 0


async def test_a_lane_that_dies_can_be_woken_again() -> None:
    runs = 0

    async def work(_: ConversationKey) -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("boom")

    lanes = Lanes(work)
    for _ in range(2):
        lanes.wake(ANN)
        await lanes.settled(ANN)
    assert runs == 2


async def test_closing_cancels_and_nothing_wakes_afterwards() -> None:
    stopped = asyncio.Event()

    async def work(_: ConversationKey) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    lanes = Lanes(work)
    lanes.wake(ANN)
    await asyncio.sleep(0)
    await lanes.close()
    assert stopped.is_set()
    lanes.wake(BEN)
    assert len(lanes) == 0


async def test_a_lane_that_was_cancelled_is_not_settled() -> None:
    async def work(_: ConversationKey) -> None:
        await asyncio.Event().wait()

    lanes = Lanes(work)
    lanes.wake(ANN)
    waits = asyncio.create_task(lanes.settled(ANN))
    await asyncio.sleep(0)
    await lanes.close()
    await asyncio.sleep(0)
    assert not waits.done()
    waits.cancel()
