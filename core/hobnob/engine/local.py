"""The model in this process: many answers at once, each streamed to whoever asked for it.

torch and transformers are imported only when an engine is entered: they take seconds.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Self

from hobnob.engine import openvino
from hobnob.engine.calls import CallCutter
from hobnob.engine.load import Loaded, load
from hobnob.engine.steps import Failed, News, Steps
from hobnob.engine.stop import StopCutter
from hobnob.engine.tokens import THINKING, Decoder
from hobnob.engine.worker import Worker
from hobnob.engine.writer import Request
from hobnob.errors import EngineError, EngineUnavailable, HobnobError
from hobnob.events import ChatMessage, Sampling, Tool, ToolCall
from hobnob.ports import ModelOptions

log = logging.getLogger(__name__)

PROMPT_TOKENS = 3072
"""Longer prompts make small models worse and every answer slower."""
MOST_ANSWERS = 256
"""Being written or waiting for it. Further ones would wait too long for their first word."""
PATIENCE = 10.0
"""Seconds that leaving waits for the step under way."""
STUCK_SECONDS = 120.0
"""A step that takes so long, and much longer than all before it, will never end."""
LONGEST_PAUSE = 300.0
"""Seconds between attempts to load a model again."""
GRAPHICS_CARDS = ("/dev/nvidia0", "/dev/kfd", "/dev/dxg")
"""Looked for without torch, whose import takes seconds that OpenVINO does not need."""
NOT_LOADED = "the model is not loaded: enter the engine first"


def load_best(options: ModelOptions) -> Loaded:
    """Load with OpenVINO where it is installed, takes the model, and nothing else is asked for by
    device or dtype; else with torch. Raises ConfigError or EngineUnavailable."""
    on_processor = options.device == "cpu" or (
        options.device == "auto" and not any(Path(card).exists() for card in GRAPHICS_CARDS)
    )
    if on_processor and options.dtype == "auto" and not openvino.fits(options):
        try:
            return openvino.load_openvino(options)
        except HobnobError as error:
            log.warning("OpenVINO can't load the model, torch does: %s", error)
    return load(options)


class TransformersEngine:
    """Any chat model of the hub, in a folder, or in a GGUF file (`hobnob.ports.Engine`)."""

    load: Callable[[ModelOptions], Loaded] = staticmethod(load_best)

    def __init__(self, options: ModelOptions) -> None:
        self._options = options
        self._life: _Life | None = None
        self._why = NOT_LOADED
        self._totals = _Totals()
        self._watching: asyncio.Task[None] | None = None

    @property
    def what(self) -> str:
        return self._alive().loaded.writer.what

    @property
    def context_tokens(self) -> int:
        return self._alive().loaded.context_tokens

    @property
    def prompt_tokens(self) -> int:
        return min(PROMPT_TOKENS, self.context_tokens)

    sees = False
    """Chat models that take text alone are loaded."""

    @property
    def calls_tools(self) -> bool:
        """Whether the model's chat template has a place for tools, and for calls in the way of
        Hermes and Qwen."""
        return self._alive().loaded.template.calls_tools

    @property
    def busy(self) -> str:
        if self._life is None:
            return self._why
        waiting = len(self._life.answers)
        return f"{waiting} answers are being written or wait" if waiting >= MOST_ANSWERS else ""

    async def __aenter__(self) -> Self:
        self._life = await _Life.begin(self.load, self._options)
        self._watching = asyncio.create_task(self._watch(), name="model watchdog")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        life, self._life = self._life, None
        self._why = NOT_LOADED
        if life is not None:
            life.fail("the model is being closed")
            await life.end()
            log.info("model: %s", self._totals)

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return len(self._alive().loaded.template.tokens(tuple(messages)))

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """`hobnob.ports.Engine.stream`. Requests begin in the order in which they came."""
        async with aclosing(self._stream(messages, sampling, ())) as pieces:
            async for piece in pieces:
                yield piece

    async def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """`hobnob.ports.Engine.stream_with_tools`."""
        offered = tuple(tools) if self.calls_tools else ()
        cutter = CallCutter()
        async with aclosing(self._stream(messages, sampling, offered)) as pieces:
            async for piece in pieces:
                if shown := cutter.feed(piece) if offered else piece:
                    yield shown
        if shown := cutter.rest():
            yield shown
        for call in cutter.calls:
            yield call

    async def _stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: tuple[Tool, ...]
    ) -> AsyncGenerator[str, None]:
        life = self._alive()
        if self.busy:
            raise EngineUnavailable(f"the model is busy: {self.busy}")
        loaded = life.loaded
        # As it was counted, where there are no tools: then it is not rendered again.
        prompt = loaded.template.tokens(tuple(messages), *([tools] if tools else []))
        room = loaded.context_tokens - len(prompt)
        if room < 1:
            raise EngineError(
                f"the prompt has {len(prompt)} tokens; {self._options.name!r} takes "
                f"{loaded.context_tokens} together with the answer"
            )
        most = min(room, sampling.max_new_tokens)
        request = Request(prompt=prompt, sampling=sampling, most=most)
        decoder = Decoder(loaded.tokenizer)
        cutter = StopCutter(sampling.stop)
        began = time.perf_counter()
        first = 0.0
        answer = life.ask(request)
        try:
            if loaded.template.opens_thinking(prompt) and not sampling.schema:
                yield THINKING[0]
            while (tokens := await answer.get()) is not None:
                if isinstance(tokens, EngineError):
                    raise tokens
                first = first or time.perf_counter() - began
                if shown := cutter.feed("".join(map(decoder.feed, tokens))):
                    yield shown
                if cutter.stopped:
                    return
            if shown := cutter.feed(decoder.rest()) + cutter.rest():
                yield shown
        finally:
            life.forget(request)
            self._totals.add(request, first=first, took=time.perf_counter() - began)

    # ------------------------------------------------------------------ a model that fails

    async def _watch(self) -> None:
        """Notice a model that is stuck or broken, and load it again."""
        while True:
            await asyncio.sleep(1)
            if self._life is not None and (trouble := self._life.trouble()):
                log.error("%s; it is loaded again", trouble)
                life, self._life = self._life, None
                self._why = f"{trouble}; it is being loaded again"
                life.fail(self._why)
                life.abandon()
                del life  # and with it the model's memory, if its thread lets go of it
                await self._load_again()

    async def _load_again(self) -> None:
        pause = 1.0
        while self._life is None:
            try:
                self._life = await _Life.begin(self.load, self._options)
            except Exception as error:  # whatever it was, there has to be a next time
                log.error("the model can't be loaded; again in %.0f s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _alive(self) -> "_Life":
        if self._life is None:
            raise EngineUnavailable(self._why)
        return self._life


class OpenVinoEngine(TransformersEngine):
    """A GGUF file, or a folder in OpenVINO's own format, on an x86 processor."""

    load = staticmethod(openvino.load_openvino)


class _Life:
    """A loaded model in its thread, from loading to its end, and who waits for it.

    All but what `Steps` does happens on the event loop.
    """

    def __init__(self, worker: Worker, loaded: Loaded) -> None:
        self.loaded = loaded
        self.answers: dict[Request, asyncio.Queue[tuple[int, ...] | EngineError | None]] = {}
        self._broken = ""
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._steps = Steps(worker, loaded.writer, tell=self._tell, broken=self._break)

    @classmethod
    async def begin(cls, load: Callable[[ModelOptions], Loaded], options: ModelOptions) -> Self:
        worker = Worker("hobnob-model")
        try:
            return cls(worker, await worker.run(lambda: load(options)))
        except BaseException:
            worker.close()
            raise

    def ask(self, request: Request) -> "asyncio.Queue[tuple[int, ...] | EngineError | None]":
        """Where the answer's tokens will be found; None at its end."""
        self.answers[request] = asyncio.Queue()
        self._steps.add(request)
        return self.answers[request]

    def forget(self, request: Request) -> None:
        """Nobody waits for it any more. Its place is free after the step under way."""
        if self.answers.pop(request, None) is not None:
            self._steps.drop(request)

    def trouble(self) -> str:
        """What is wrong with the model; "" if nothing is."""
        since = self._steps.busy_since
        patience = max(STUCK_SECONDS, 10 * self._steps.slowest)
        if since is not None and time.monotonic() - since > patience:
            return f"the model is stuck: it has done nothing for {patience:.0f} s"
        return self._broken

    def fail(self, why: str) -> None:
        """Tell everybody that no more will come."""
        for answer in self.answers.values():
            answer.put_nowait(EngineUnavailable(why))
        self.answers = {}

    def abandon(self) -> None:
        """Leave a thread alone that may never come back."""
        self._steps.close()
        self._worker.close()

    async def end(self) -> None:
        """Release everything, after the step under way."""
        self._steps.close()
        del self.loaded
        del self._steps
        with suppress(TimeoutError):  # the thread is a daemon: nothing waits for it
            await asyncio.wait_for(self._worker.run(_free_memory), PATIENCE)
        self._worker.close()

    def _tell(self, news: News) -> None:
        """Called in the worker's thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._deliver, news)

    def _break(self, why: str) -> None:
        self._broken = why

    def _deliver(self, news: News) -> None:
        for each in news:
            answer = self.answers.get(each.request)
            if answer is None:
                continue
            if isinstance(each, Failed):
                answer.put_nowait(each.error)
                continue
            if each.tokens:
                answer.put_nowait(each.tokens)
            if each.ended:
                answer.put_nowait(None)


class _Totals:
    """What was done so far, for the owner."""

    def __init__(self) -> None:
        self.answers = self.prompt = self.reused = self.written = 0

    def add(self, request: Request, *, first: float, took: float) -> None:
        self.answers += 1
        self.prompt += len(request.prompt)
        self.reused += request.reused
        self.written += len(request.written)
        log.info(
            "model: %d tokens in %.1f s, the first after %.2f s; %d of the prompt's %d were reused",
            len(request.written),
            took,
            first,
            request.reused,
            len(request.prompt),
        )

    def __str__(self) -> str:
        share = self.reused / self.prompt if self.prompt else 0.0
        return (
            f"{self.answers} answers of {self.written} tokens; of {self.prompt} tokens of prompts "
            f"{share:.0%} were reused"
        )


def _free_memory() -> None:
    """Give a graphics card's memory back."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
