"""The engine that answers with what was said: proves the prompt and the wiring, needs no model."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Self

from hobnob.engine.stop import StopCutter
from hobnob.errors import EngineError
from hobnob.events import ChatMessage, Sampling, Speaker, Tool, ToolCall
from hobnob.ports import ModelOptions

PIECE = 8


class EchoEngine:
    """Answers "echo: " and the last message of the user. A token is a character."""

    what = "an echo, no model"
    busy = ""
    sees = False
    calls_tools = False
    context_tokens = 8192
    prompt_tokens = 4096

    def __init__(self, options: ModelOptions) -> None:
        """Nothing in `options` matters here."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return sum(len(message.content) for message in messages)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """`hobnob.ports.Engine.stream`, in pieces of eight characters."""
        if sampling.schema:
            raise EngineError("an echo can't follow a schema: it takes a model")
        if (length := self.count_tokens(messages)) >= self.context_tokens:
            raise EngineError(
                f"the prompt has {length} tokens, the model takes {self.context_tokens}"
            )
        users = [message.content for message in messages if message.role is Speaker.USER]
        answer = f"echo: {users[-1] if users else ''}"[: sampling.max_new_tokens]
        cutter = StopCutter(sampling.stop)
        for start in range(0, len(answer), PIECE):
            if shown := cutter.feed(answer[start : start + PIECE]):
                yield shown
            if cutter.stopped:
                return
        if shown := cutter.rest():
            yield shown

    async def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """`hobnob.ports.Engine.stream_with_tools`: no tool is called."""
        async with aclosing(self.stream(messages, sampling)) as pieces:
            async for piece in pieces:
                yield piece
