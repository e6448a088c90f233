"""Between text and tokens: the chat template one way, incremental decoding the other.

Used on the event loop only: a tokenizer must not be shared between threads.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hobnob.engine.calls import CLOSING, OPENING, described, read
from hobnob.errors import ConfigError, EngineError
from hobnob.events import ChatMessage, Speaker, Tool, ToolCall

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

THINKING = ("<think>", "</think>")
PROBE = "probe of the system text"
TOOL_PROBE = Tool(
    name="probe_of_a_tool",
    description="Nothing.",
    parameters='{"type": "object", "properties": {}}',
)


class Template:
    """Renders messages with the model's own chat template.

    Control tokens in the text of messages are encoded as plain text:
    https://huggingface.co/docs/transformers/main/en/chat_templating (sanitize_control_tokens).
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", name: str) -> None:
        """Raises ConfigError where there is no template, or none that keeps text apart."""
        if not tokenizer.chat_template:
            raise ConfigError(
                f"[model] name: {name!r} has no chat template, so it can't hold a conversation. "
                "Choose a chat model; their names mostly end in -Instruct, -Chat or -it."
            )
        self._tokenizer = tokenizer
        self._takes_system = self._keeps_system_text()
        self.tokens = lru_cache(maxsize=16)(self._render)  # counted first, then streamed
        try:
            self.tokens((ChatMessage(role=Speaker.USER, content="Hello"),))
        except EngineError as error:
            raise ConfigError(f"[model] name: {name!r} can't be used: {error}") from error
        self.calls_tools = self._knows_tools()
        """The template shows the model tools, and calls as `hobnob.engine.calls` reads them."""

    def opens_thinking(self, tokens: Sequence[int]) -> bool:
        """Whether a rendered prompt ends in an opened block of thinking. No message's text can
        stand at the end of a prompt, only what the template adds there."""
        end: Any = self._tokenizer.decode(list(tokens[-16:]), clean_up_tokenization_spaces=False)
        return bool(end.rstrip().endswith(THINKING[0]))

    def _render(
        self, messages: tuple[ChatMessage, ...], tools: tuple[Tool, ...] = ()
    ) -> tuple[int, ...]:
        """The tokens of the prompt. Raises EngineError where the template refuses."""
        rows = messages if self._takes_system else _without_system(messages)
        written: Any = list(map(_row, rows))
        offered: dict[str, Any] = {"tools": list(map(described, tools))} if tools else {}
        try:
            rendered: Any = self._tokenizer.apply_chat_template(
                written,
                add_generation_prompt=True,
                enable_thinking=False,  # people wait; templates that don't think don't look at it
                sanitize_control_tokens=True,
                **offered,
            )
        except Exception as error:  # templates are programs and raise whatever they like
            raise EngineError(f"the model's chat template refuses this prompt: {error}") from error
        return tuple(rendered["input_ids"])

    def _knows_tools(self) -> bool:
        """A template that knows nothing of tools takes them without a word."""
        call = ToolCall(id="call_0", name=TOOL_PROBE.name, arguments="{}")
        probes = (
            ChatMessage(role=Speaker.USER, content="Hello"),
            ChatMessage(role=Speaker.ASSISTANT, content="", calls=(call,)),
            ChatMessage(role=Speaker.TOOL, content=PROBE, calls=(call,)),
        )
        try:
            offered = self._decoded(self._render(probes[:1], (TOOL_PROBE,)))
            called = self._decoded(self._render(probes, (TOOL_PROBE,)))
        except EngineError:
            return False
        written = called.rpartition(OPENING)[2].partition(CLOSING)[0]
        is_read = read(written, call.id).name == TOOL_PROBE.name
        return TOOL_PROBE.name in offered and is_read and PROBE in called

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens)))

    def _keeps_system_text(self) -> bool:
        """Some templates refuse a system text, others drop it without a word."""
        self._takes_system = True
        try:
            tokens = self._render(
                (
                    ChatMessage(role=Speaker.SYSTEM, content=PROBE),
                    ChatMessage(role=Speaker.USER, content="Hello"),
                )
            )
        except EngineError:
            return False
        return PROBE in self._decoded(tokens)


def _row(message: ChatMessage) -> Mapping[str, Any]:
    """A message as chat templates take it: arguments as an object, a result with the tool's name.
    https://huggingface.co/docs/transformers/main/en/chat_extras"""
    row: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.role is Speaker.TOOL:
        return {**row, "name": message.calls[0].name, "tool_call_id": message.calls[0].id}
    if message.calls:
        row["tool_calls"] = [
            {
                "type": "function",
                "id": call.id,
                "function": {"name": call.name, "arguments": json.loads(call.arguments)},
            }
            for call in message.calls
        ]
    return row


def _without_system(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """The same with system texts put before the user's message that follows them."""
    rows: list[ChatMessage] = []
    waiting: list[str] = []
    for message in messages:
        if message.role is Speaker.SYSTEM:
            waiting.append(message.content)
            continue
        if message.role is Speaker.USER and waiting:
            text = "\n\n".join([*waiting, message.content])
            message, waiting = ChatMessage(role=Speaker.USER, content=text), []
        rows.append(message)
    if waiting:
        rows.append(ChatMessage(role=Speaker.USER, content="\n\n".join(waiting)))
    return tuple(rows)


class Decoder:
    """Turns tokens into text as they come, whole characters only.

    A character can be spread over tokens and its text can depend on its neighbours, so each token
    is decoded together with the ones before it that were shown last.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = tokenizer
        self._silent = {
            id
            for id, token in tokenizer.added_tokens_decoder.items()
            if token.special and token.content not in (*THINKING, OPENING, CLOSING)
        }
        self._tokens: list[int] = []
        self._start = 0
        self._read = 0

    def feed(self, token: int) -> str:
        """Take the next token; return the characters that are complete, perhaps ""."""
        if token in self._silent:
            return ""
        self._tokens.append(token)
        text = self._decode(len(self._tokens))
        if text.endswith("\ufffd"):  # the rest of the character is to come
            return ""
        new = text[len(self._decode(self._read)) :]
        self._start, self._read = self._read, len(self._tokens)
        return new.replace("\ufffd", "")  # bytes that no character came of

    def rest(self) -> str:
        """What is left when no token comes any more: never half a character."""
        new = self._decode(len(self._tokens))[len(self._decode(self._read)) :]
        return new.replace("\ufffd", "")

    def _decode(self, end: int) -> str:
        tokens = self._tokens[self._start : end]
        return str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
