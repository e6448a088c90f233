"""Calls of tools in what models write: in a server's deltas, and in the text of a model in this
process.

What arrives is checked for its shape alone; whoever runs a tool looks at the rest.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hobnob.engine.stop import StopCutter
from hobnob.errors import EngineError
from hobnob.events import Tool, ToolCall

OPENING, CLOSING = "<tool_call>", "</tool_call>"
"""Around the JSON of a call, as Hermes and Qwen write it:
https://github.com/NousResearch/Hermes-Function-Calling"""
MOST = 8
"""Calls in one answer; further ones are left out."""
LONGEST = 20_000
"""Characters of one call."""


def described(tool: Tool) -> dict[str, Any]:
    """A tool as servers and chat templates are told of it.
    https://platform.openai.com/docs/guides/function-calling"""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": json.loads(tool.parameters),
        },
    }


@dataclass
class _Growing:
    id: str = ""
    name: str = ""
    arguments: str = ""


class Deltas:
    """Puts calls together from the deltas of a stream."""

    def __init__(self) -> None:
        self._calls: dict[int, _Growing] = {}

    def add(self, deltas: Any) -> None:
        """`delta.tool_calls` of an event. Raises EngineError for what is none."""
        if not isinstance(deltas, list | tuple):
            raise _no_call()
        for delta in deltas:
            function = getattr(delta, "function", None)
            index = getattr(delta, "index", None)
            parts = {
                "id": getattr(delta, "id", None) or "",
                "name": getattr(function, "name", None) or "",
                "arguments": getattr(function, "arguments", None) or "",
            }
            if index is None:  # some servers give each call whole, without a number
                index = len(self._calls)
            if not isinstance(index, int) or not all(isinstance(p, str) for p in parts.values()):
                raise _no_call()
            call = self._calls.setdefault(index, _Growing())
            call.id = call.id or parts["id"]
            call.name = call.name or parts["name"]
            call.arguments += parts["arguments"]
            if len(call.arguments) > LONGEST or len(self._calls) > MOST:
                raise EngineError("the model called more tools at once than is good")

    def whole(self) -> Iterable[ToolCall]:
        """The calls, now that the answer has ended."""
        for index, call in sorted(self._calls.items()):
            id_ = call.id or f"call_{index}"
            yield ToolCall(id=id_, name=call.name, arguments=call.arguments or "{}")


def _no_call() -> EngineError:
    return EngineError("the server sent a call of a tool that is none: not the OpenAI format")


class CallCutter:
    """Takes the calls out of a text that comes in pieces. No part of one is ever shown."""

    def __init__(self) -> None:
        self._before = StopCutter((OPENING,))
        self._inside: str | None = None
        self.calls: list[ToolCall] = []
        """Those that were written so far."""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be shown now, perhaps ""."""
        shown = ""
        while piece:
            if self._inside is None:
                text, piece = self._outside(piece)
                shown += text
            else:
                self._inside += piece
                written, closed, piece = self._inside.partition(CLOSING)
                if closed:
                    self._end(written)
                elif len(self._inside) > LONGEST:
                    raise EngineError("the model wrote a call of a tool that never ends")
        return shown

    def rest(self) -> str:
        """What was held back, when the text has ended. A call that was not closed counts."""
        if self._inside is not None:
            self._end(self._inside)
        return self._before.rest()

    def _outside(self, piece: str) -> tuple[str, str]:
        """What can be shown of text, and what comes after an opening tag."""
        held = self._before.held + piece
        shown = self._before.feed(piece)
        if not self._before.stopped:
            return shown, ""
        self._before, self._inside = StopCutter((OPENING,)), ""
        return shown, held[len(shown) + len(OPENING) :]

    def _end(self, written: str) -> None:
        self._inside = None
        if len(self.calls) < MOST:
            self.calls.append(read(written, f"call_{len(self.calls)}"))


def read(written: str, id_: str) -> ToolCall:
    """The call that stands between the tags; one without a name if it is none."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return ToolCall(id=id_, name="", arguments=written.strip())
    arguments = found.get("arguments", found.get("parameters", {}))
    if not isinstance(arguments, str):  # some write the object as text
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=id_, name=found["name"], arguments=arguments)
