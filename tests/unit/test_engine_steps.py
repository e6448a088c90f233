"""A model that fails or hangs: who is told what, and how the engine comes back."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hobnob.engine import load as loading
from hobnob.engine import local
from hobnob.engine.local import TransformersEngine
from hobnob.engine.writer import Request, Written
from hobnob.errors import EngineError, EngineUnavailable
from hobnob.events import ChatMessage, Sampling, Speaker
from hobnob.ports import ModelOptions
from tests import tiny_model

Fault = Callable[[Sequence[Request]], None]


class FaultyWriter:
    """A real writer whose steps first ask `fault` about the requests that are under way."""

    def __init__(self, real: Any, fault: Fault) -> None:
        self._real = real
        self._fault = fault
        self._active: list[Request] = []
        self.what = "faulty"

    def add(self, request: Request) -> None:
        self._active.append(request)
        self._real.add(request)

    def drop(self, request: Request) -> None:
        self._active.remove(request)
        self._real.drop(request)

    def step(self) -> Sequence[Written]:
        self._fault(self._active)
        written: Sequence[Written] = self._real.step()
        for each in written:
            if each.ended:
                self._active.remove(each.request)
        return written

    def reset(self) -> None:
        self._active.clear()
        self._real.reset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with tiny_model.one_thread():
        yield tiny_model.make(tmp_path_factory.mktemp("tiny"), says="abcdefgh")


@asynccontextmanager
async def faulty(folder: Path, fault: Fault) -> AsyncIterator[TransformersEngine]:
    def load(options: ModelOptions) -> loading.Loaded:
        loaded = loading.load(options)
        return replace(loaded, writer=FaultyWriter(loaded.writer, fault))

    engine = TransformersEngine(ModelOptions(name=str(folder), device="cpu", dtype="float32"))
    engine.load = load
    async with engine:
        yield engine


async def answer(engine: TransformersEngine, text: str, most: int = 24) -> str:
    messages = [ChatMessage(role=Speaker.USER, content=text)]
    sampling = Sampling(temperature=0.0, max_new_tokens=most)
    async with asyncio.timeout(60):
        return "".join([piece async for piece in engine.stream(messages, sampling)])


async def test_one_poisonous_prompt_fails_alone_and_nobody_loses_a_word(folder: Path) -> None:
    def fault(active: Sequence[Request]) -> None:
        if any(len(request.prompt) > 60 and len(request.written) == 5 for request in active):
            raise RuntimeError("poison")

    async with faulty(folder, fault) as engine:
        expected = await answer(engine, "hi")
        tasks = [answer(engine, "hi"), answer(engine, "poison" * 30), answer(engine, "hi")]
        first, poisoned, last = await asyncio.gather(*tasks, return_exceptions=True)
        assert first == last == expected
        assert isinstance(poisoned, EngineError)
        assert not isinstance(poisoned, EngineUnavailable)
        assert "RuntimeError: poison" in str(poisoned)
        for _ in range(4):  # asked again and again, it is still the prompt's fault
            with pytest.raises(EngineError, match="poison"):
                await answer(engine, "poison" * 30)
        assert await answer(engine, "hi") == expected


async def test_a_model_that_fails_for_all_is_loaded_again(folder: Path) -> None:
    broken = True

    def fault(_: Sequence[Request]) -> None:
        if broken:
            raise RuntimeError("the card fell off the bus")

    async with faulty(folder, fault) as engine:
        failed = engine._life
        tasks = [answer(engine, f"number {number}") for number in range(6)]
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        unavailable = [error for error in errors if isinstance(error, EngineUnavailable)]
        assert len(unavailable) == 3  # three failed alone, then it was clear whose fault it was
        broken = False
        real, tries = engine.load, iter([MemoryError("no room for it yet")])

        def load(options: ModelOptions) -> loading.Loaded:
            for trouble in tries:
                raise trouble
            return real(options)

        engine.load = load
        async with asyncio.timeout(30):
            # The old one says so only once it has failed, a moment after its last request did.
            while engine._life in (None, failed):
                await asyncio.sleep(0.05)
        assert await answer(engine, "hi")


async def test_a_stuck_model_fails_its_requests_and_is_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "STUCK_SECONDS", 0.5)
    free = threading.Event()
    hang = True

    def fault(active: Sequence[Request]) -> None:
        if hang and len(active[0].written) == 3:
            free.wait(60)

    async with faulty(folder, fault) as engine:
        with pytest.raises(EngineUnavailable, match="stuck"):
            await answer(engine, "hi")
        assert "loaded again" in engine.busy or engine.busy == ""
        hang = False
        async with asyncio.timeout(30):
            while engine.busy:
                await asyncio.sleep(0.05)
        assert await answer(engine, "hi")
        free.set()  # the old thread comes back, and finds that it is not wanted any more
        assert await answer(engine, "hi")


async def test_without_room_it_says_so_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_ANSWERS", 2)
    go_on = threading.Event()

    def fault(_: Sequence[Request]) -> None:
        go_on.wait(60)

    async with faulty(folder, fault) as engine:
        assert engine.busy == ""
        tasks = [asyncio.create_task(answer(engine, "hi")) for _ in range(2)]
        await asyncio.sleep(0)
        assert "2 answers" in engine.busy
        with pytest.raises(EngineUnavailable, match="busy: 2 answers"):
            await answer(engine, "hi")
        go_on.set()
        await asyncio.gather(*tasks)
        assert engine.busy == ""
        assert await answer(engine, "hi")


async def test_the_owner_is_told_how_much_was_reused(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "hobnob.engine.local"):
        async with faulty(folder, lambda _: None) as engine:
            await answer(engine, "hello, this is a rather long beginning", 4)
            await answer(engine, "hello, this is a rather long beginning", 4)
    assert "4 tokens in" in caplog.text
    assert "0 of the prompt's" in caplog.text
    assert "2 answers of 8 tokens" in caplog.text
    assert "% were reused" in caplog.text
