"""A model that says what it is told to say, for tests of whatever asks one."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Self

from hobnob.engine.stop import StopCutter
from hobnob.errors import EngineError
from hobnob.events import ChatMessage, Sampling, Tool, ToolCall

IMAGE = 100


class ScriptedEngine:
    """Gives `answers` one after the other; an exception among them is raised instead. An answer
    may be a text and calls of tools: it calls them where it is given any.

    `prompts` holds what was asked, oldest first; `closed` counts the answers that were given up
    before their end. With `hold`, every answer waits after its first piece until the event is set,
    so that a test can look at, or cancel, an answer that is being written. Tokens are characters.
    `busy` may be set: an engine without room. A schema is not looked at: what comes of an answer
    that doesn't follow it is a thing to test. With `sees`, pictures are part of `prompts`, each as
    long as `IMAGE` characters. `offered` holds the tools that came with each prompt.
    """

    what = "a script, no model"

    def __init__(
        self,
        answers: Iterable[str | Exception | Sequence[str | ToolCall]],
        *,
        piece: int = 4,
        hold: asyncio.Event | None = None,
        context_tokens: int = 8192,
        sees: bool = False,
        calls_tools: bool = False,
    ) -> None:
        """`piece` is the length of the pieces in characters."""
        self._answers = iter(answers)
        self._piece = piece
        self._hold = hold
        self.context_tokens = context_tokens
        self.prompt_tokens = context_tokens
        self.prompts: list[tuple[ChatMessage, ...]] = []
        self.offered: list[tuple[Tool, ...]] = []
        self.closed = 0
        self.busy = ""
        self.sees = sees
        self.calls_tools = calls_tools

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        seen = [image for message in messages for image in message.images if self.sees]
        calls = [call for message in messages for call in message.calls]
        text = sum(len(message.content) for message in messages)
        return text + sum(len(call.arguments) for call in calls) + IMAGE * len(seen)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """The next answer of the script. Raises EngineError when the script is over, or for a
        prompt longer than `context_tokens`."""
        async with aclosing(self.stream_with_tools(messages, sampling, ())) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece

    async def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """The next answer of the script, with its calls."""
        self.prompts.append(tuple(messages))
        self.offered.append(tuple(tools))
        if (length := self.count_tokens(messages)) >= self.context_tokens:
            raise EngineError(
                f"the prompt has {length} tokens, the model takes {self.context_tokens}"
            )
        answer = next(self._answers, None)
        if answer is None:
            raise EngineError(f"the script holds no answer for prompt {len(self.prompts)}")
        if isinstance(answer, Exception):
            raise answer
        parts = [answer] if isinstance(answer, str) else answer
        text = "".join(part for part in parts if isinstance(part, str))
        cutter = StopCutter(sampling.stop)
        finished = False
        try:
            for start in range(0, len(text), self._piece):
                if shown := cutter.feed(text[start : start + self._piece]):
                    yield shown
                if cutter.stopped:
                    break
                if self._hold is not None:
                    await self._hold.wait()
            if shown := cutter.rest():
                yield shown
            for part in parts:
                if isinstance(part, ToolCall) and tools:
                    yield part
            finished = True
        finally:
            self.closed += not finished
