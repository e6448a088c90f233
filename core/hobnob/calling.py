"""An answer for which the model may have tools used: it calls, is told what came of it, goes on.

Which tools there are, and what they do, is the jobs' (`hobnob.jobs.Job.tools` and `call`). Nobody
sees the calls. What the model writes before one is a part of the answer.
"""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from hobnob.events import ChatMessage, Event, Sampling, Speaker, Tool, ToolCall
from hobnob.jobs import Called, Deed, Jobs
from hobnob.ports import Engine
from hobnob.thinking import without_thinking

log = logging.getLogger(__name__)

MOST_ROUNDS = 3
"""How often the model may call before it has to answer."""
LONGEST_ARGUMENTS = 2000
"""Characters."""
TOOLS_SHARE = 3
"""What is told of tools takes at most this part of what the model takes."""
RESULTS_SHARE = 4
"""This part of it is kept free for what comes of calls."""
AROUND_TOOLS = 200
"""Tokens with which a template explains how to call: Qwen's takes some 120."""
NO_ROOM = "(There is no room for what it says.)"
ENOUGH = "No more calls now: answer with what you know."
NO_ANSWER = "I looked things up, and have found no answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model wrote, and what a person is to be asked before it is done."""

    text: str
    asks: tuple[Called, ...] = ()

    def asked(self, deed: Deed) -> Deed:
        """`deed`, which says the text, with the questions behind it."""
        questions = [ask.question for ask in self.asks]
        writes = [write for write in (deed.also, *(ask.also for ask in self.asks)) if write]
        return replace(
            deed,
            said="\n\n".join(filter(None, [deed.said, *questions])),
            remembered="\n\n".join(filter(None, [deed.remembered, *questions])),
            buttons=(*deed.buttons, *(button for ask in self.asks for button in ask.buttons)),
            also=_all_of(writes) if writes else None,
        )


class Calling:
    """One answer to `events`."""

    def __init__(
        self, engine: Engine, jobs: Jobs, events: Sequence[Event], tools: Sequence[Tool]
    ) -> None:
        self._engine = engine
        self._jobs = jobs
        self._events = events
        self._tools = tools
        self.asks: list[Called] = []
        """What the answer ends with, once it has ended."""

    def left(self, room: int) -> int:
        """How many of the `room` tokens that the model takes besides its answer are left for the
        prompt itself."""
        if not self._tools:
            return room
        return room - _cost(self._engine, self._tools) - room // RESULTS_SHARE

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """The text of the answer, without thinking. Raises as `Engine.stream` does."""
        if not self._tools:
            async with aclosing(without_thinking(self._engine.stream(messages, sampling))) as text:
                async for piece in text:
                    yield piece
            return
        said = False
        for rounds in range(MOST_ROUNDS, -1, -1):
            written, calls = "", list[ToolCall]()
            stream = self._engine.stream_with_tools(messages, sampling, self._tools)
            async with aclosing(without_thinking(_text(stream, calls))) as text:
                async for piece in text:
                    yield "\n\n" + piece if said and not written else piece
                    written += piece
            said = said or bool(written.strip())
            if not calls:
                return
            if not rounds:
                break
            messages = await self._called(messages, written, calls, sampling, last=rounds == 1)
            if self.asks:
                return
        if not said:
            yield NO_ANSWER

    async def _called(
        self,
        messages: Sequence[ChatMessage],
        written: str,
        calls: Sequence[ToolCall],
        sampling: Sampling,
        *,
        last: bool,
    ) -> Sequence[ChatMessage]:
        """Have done what the model called for; the prompt that tells it what came of that."""
        shown = [
            call if _is_object(call.arguments) else replace(call, arguments="{}") for call in calls
        ]
        ours = ChatMessage(role=Speaker.ASSISTANT, content=written.strip(), calls=tuple(shown))
        messages = [*messages, ours]
        room = self._engine.context_tokens - sampling.max_new_tokens
        room -= _cost(self._engine, self._tools)
        for call, harmless in zip(calls, shown, strict=True):
            told = await self._call(call)
            if last:
                told = f"{told}\n{ENOUGH}"
            result = ChatMessage(role=Speaker.TOOL, content=told, calls=(harmless,))
            while self._engine.count_tokens([*messages, result]) > room and result.content:
                result = replace(result, content=result.content[: len(result.content) // 2])
            messages.append(result if result.content else replace(result, content=NO_ROOM))
        return messages

    async def _call(self, call: ToolCall) -> str:
        """What the model is told; a question is kept for the answer's end."""
        if not _is_object(call.arguments):
            longest = f"the arguments as a JSON object of at most {LONGEST_ARGUMENTS} characters"
            return f"That was no call. It needs the tool's name and {longest}."
        called = await self._jobs.call(self._events, call)
        log.info("%s: the model called %s", self._events[-1].key, _name(call, self._tools))
        if called.question:
            self.asks.append(called)
        return called.told


def offer(engine: Engine, tools: Sequence[Tool], room: int) -> Sequence[Tool]:
    """The first of `tools`, as many as may be told of in `room` tokens with all the rest."""
    for most in range(len(tools), 0, -1):
        if _cost(engine, tools[:most]) <= room // TOOLS_SHARE:
            if most < len(tools):
                log.warning("only %d of %d tools fit in the prompt", most, len(tools))
            return tools[:most]
    return ()


def _cost(engine: Engine, tools: Sequence[Tool]) -> int:
    text = "\n".join(f"{tool.name} {tool.description} {tool.parameters}" for tool in tools)
    around = AROUND_TOOLS + 40 * len(tools)  # the names of keys, in JSON
    return engine.count_tokens([ChatMessage(role=Speaker.SYSTEM, content=text)]) + around


async def _text(
    stream: AsyncGenerator[str | ToolCall, None], calls: list[ToolCall]
) -> AsyncGenerator[str, None]:
    """The text in `stream`; what it calls is added to `calls`."""
    async with aclosing(stream):
        async for piece in stream:
            if isinstance(piece, ToolCall):
                calls.append(piece)
            else:
                yield piece


def _is_object(arguments: str) -> bool:
    if len(arguments) > LONGEST_ARGUMENTS:
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _name(call: ToolCall, tools: Sequence[Tool]) -> str:
    """For the log, where nothing belongs that a model made up."""
    known = any(tool.name == call.name for tool in tools)
    return call.name if known else "what there is not"


def _all_of(writes: Sequence[Callable[[Any], None]]) -> Callable[[Any], None]:
    def also(connection: Any) -> None:
        for write in writes:
            write(connection)

    return also
