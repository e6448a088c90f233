"""What an OpenAI-compatible server is asked with.
https://platform.openai.com/docs/api-reference/chat/create
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hobnob.engine.calls import described
from hobnob.events import ChatMessage, Image, Sampling, Speaker, Tool


def request(
    model: str, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
) -> dict[str, Any]:
    """The arguments of `chat.completions.create`, for an answer that comes in a stream."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [_row(message) for message in messages],
        "stream": True,
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.temperature > 0:
        asked["top_p"] = sampling.top_p
    if sampling.stop:
        asked["stop"] = list(sampling.stop)
    if sampling.schema:
        answer = {"name": "answer", "schema": json.loads(sampling.schema), "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": answer}
    if tools:
        asked["tools"] = list(map(described, tools))
    if sampling.repetition_penalty != 1:  # no part of the API, but vLLM's and SGLang's name
        asked["extra_body"] = {"repetition_penalty": sampling.repetition_penalty}
    return asked


def _row(message: ChatMessage) -> dict[str, Any]:
    """https://platform.openai.com/docs/guides/function-calling"""
    row: dict[str, Any] = {"role": message.role.value, "content": _content(message)}
    if message.role is Speaker.TOOL:
        row["tool_call_id"] = message.calls[0].id
    elif message.calls:
        row["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    return row


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    """https://platform.openai.com/docs/guides/images-vision: parts, where there are pictures."""
    if not message.images:
        return message.content
    pictures = [{"type": "image_url", "image_url": {"url": _url(each)}} for each in message.images]
    return [*pictures, {"type": "text", "text": message.content}]


def _url(image: Image) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def without_images(messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
    return [replace(message, images=()) for message in messages]
