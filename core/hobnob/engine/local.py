"""The model in this process, through torch and transformers. One answer is written at a time.

torch and transformers are imported only when an engine is entered: they take seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Self

from hobnob.engine.load import Loaded, load
from hobnob.engine.stop import StopCutter
from hobnob.engine.tokens import THINKING, Decoder
from hobnob.engine.worker import Worker
from hobnob.errors import EngineError, EngineUnavailable
from hobnob.events import ChatMessage, Sampling
from hobnob.ports import ModelOptions

if TYPE_CHECKING:
    from torch import Tensor

PROMPT_TOKENS = 3072
"""Longer prompts make small models worse and every answer slower."""
PATIENCE = 10.0
"""Seconds that leaving waits for the model to notice; it looks before every layer."""


class TransformersEngine:
    """Any chat model of the hub, in a folder, or in a GGUF file (`hobnob.ports.Engine`)."""

    def __init__(self, options: ModelOptions) -> None:
        self._options = options
        self._worker: Worker | None = None
        self._ready: Loaded | None = None
        self._writing: set[_Answer] = set()

    @property
    def context_tokens(self) -> int:
        return self._loaded().context_tokens

    @property
    def prompt_tokens(self) -> int:
        return min(PROMPT_TOKENS, self.context_tokens)

    async def __aenter__(self) -> Self:
        worker = Worker("hobnob-model")
        try:
            self._ready = await worker.run(lambda: load(self._options))
        except BaseException:
            worker.close()
            raise
        self._worker = worker
        return self

    async def __aexit__(self, *exc: object) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for answer in self._writing:
            answer.give_up(EngineUnavailable("the model is being closed"))
        self._ready = None
        with suppress(TimeoutError):  # the thread is a daemon: nothing waits for it
            await asyncio.wait_for(worker.run(_free_memory), PATIENCE)
        worker.close()

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return len(self._loaded().template.tokens(tuple(messages)))

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """`hobnob.ports.Engine.stream`. Requests are served in the order in which they came."""
        loaded, worker = self._loaded(), self._worker
        assert worker is not None  # noqa: S101  # it has loaded the model
        prompt = loaded.template.tokens(tuple(messages))
        room = loaded.context_tokens - len(prompt)
        if room < 1:
            raise EngineError(
                f"the prompt has {len(prompt)} tokens; {self._options.name!r} takes "
                f"{loaded.context_tokens} together with the answer"
            )
        answer = _Answer(loaded, prompt, sampling, most=min(room, sampling.max_new_tokens))
        decoder = Decoder(loaded.tokenizer)
        cutter = StopCutter(sampling.stop)
        self._writing.add(answer)
        try:
            worker.put(answer.write)
            if loaded.template.opens_thinking(prompt):
                yield THINKING[0]
            while (token := await answer.next_token()) is not None:
                if shown := cutter.feed(decoder.feed(token)):
                    yield shown
                if cutter.stopped:
                    return
            if shown := cutter.feed(decoder.rest()) + cutter.rest():
                yield shown
        finally:
            answer.stop()
            self._writing.discard(answer)

    def _loaded(self) -> Loaded:
        if self._ready is None:
            raise EngineUnavailable("the model is not loaded: enter the engine first")
        return self._ready


class _Stopped(Exception):
    """Leaves the model in the middle of its work."""


class _Answer:
    """One answer: written in the worker's thread, read on the event loop."""

    def __init__(
        self, loaded: Loaded, prompt: tuple[int, ...], sampling: Sampling, *, most: int
    ) -> None:
        self._loaded = loaded
        self._prompt = prompt
        self._sampling = sampling
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._tokens: asyncio.Queue[int | EngineError | None] = asyncio.Queue()
        self._stopping = Event()
        self._prompt_passed = False

    # ------------------------------------------------------------------ on the event loop

    async def next_token(self) -> int | None:
        """None at the end. Raises EngineError if the model failed."""
        token = await self._tokens.get()
        if isinstance(token, EngineError):
            raise token
        return token

    def give_up(self, error: EngineError) -> None:
        """Stop, and let the reader know why."""
        self.stop()
        self._tokens.put_nowait(error)

    def stop(self) -> None:
        """The model stops before its next layer, or never begins. Returns at once."""
        self._stopping.set()

    # ------------------------------------------------------------------ in the worker's thread

    def write(self) -> None:
        """Write the whole answer. Never raises: the reader is told."""
        if self._stopping.is_set():
            return
        import torch

        layers = [
            layer
            for module in self._loaded.model.modules()
            if isinstance(module, torch.nn.ModuleList)
            for layer in module
        ]
        hooks = [layer.register_forward_pre_hook(self._look_up) for layer in layers]
        try:
            self._generate(torch)
        except _Stopped:
            pass
        except Exception as error:
            trouble = EngineError(
                f"the model failed while writing: {type(error).__name__}: {error}"
            )
            trouble.__cause__ = error
            self._tell(trouble)
        else:
            self._tell(None)
        finally:
            for hook in hooks:
                hook.remove()

    def _generate(self, torch: Any) -> None:
        """https://huggingface.co/docs/transformers/main/en/main_classes/text_generation"""
        model: Any = self._loaded.model
        prompt = torch.tensor([self._prompt], device=model.device)
        picking: dict[str, Any] = {"do_sample": False}
        if self._sampling.temperature > 0:
            picking = {
                "do_sample": True,
                "temperature": float(self._sampling.temperature),
                "top_p": float(self._sampling.top_p),
            }
        model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            streamer=self,
            max_new_tokens=self._most,
            eos_token_id=self._loaded.end_tokens or None,
            pad_token_id=next(iter(self._loaded.end_tokens), None),
            **picking,
        )

    def put(self, tokens: "Tensor") -> None:
        """Called by generate: first with the prompt, then with each new token."""
        if self._prompt_passed:
            for token in tokens.flatten().tolist():
                self._tell(int(token))
        self._prompt_passed = True

    def end(self) -> None:
        """Called by generate when it is done; the end is told when it has returned."""

    def _look_up(self, *_: object) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _tell(self, token: int | EngineError | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._tokens.put_nowait, token)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self.stop()


def _free_memory() -> None:
    """Give a graphics card's memory back."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
