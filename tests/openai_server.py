"""A small OpenAI-compatible server on loopback, which behaves as well as the test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

CONTEXT = 4096
Answer = Callable[["FakeServer", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeServer:
    """`requests` are the bodies that came, `gone` is set when a client left in the middle."""

    url: str = ""
    answer: Answer | None = None
    models: Callable[[], web.StreamResponse] | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


def event(**delta: Any) -> dict[str, Any]:
    """One event of a stream; `finish` is its finish reason."""
    finish = delta.pop("finish", None)
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}


async def send(response: web.StreamResponse, *events: dict[str, Any] | str) -> None:
    for one in events:
        text = one if isinstance(one, str) else json.dumps(one)
        await response.write(f"data: {text}\n\n".encode())


async def opened(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


def text_of(message: dict[str, Any]) -> str:
    """What a message says besides its pictures."""
    content = message["content"]
    return content if isinstance(content, str) else str(content[-1]["text"])


async def echo(server: FakeServer, request: web.Request) -> web.StreamResponse:
    """The last message, in pieces of five characters. A token is a byte."""
    body = server.requests[-1]
    length = sum(len(text_of(row).encode()) + 8 for row in body["messages"])
    if length >= CONTEXT:
        words = f"this model takes {CONTEXT} tokens, the request has {length}"
        return web.json_response({"error": {"message": words}}, status=400)
    text = f"You said: {text_of(body['messages'][-1])}"
    for stop in body.get("stop", ()):
        text = text.partition(stop)[0]
    response = await opened(request)
    await send(response, event(role="assistant", content=""))
    for start in range(0, len(text), 5):
        await send(response, event(content=text[start : start + 5]))
    await send(response, event(finish="stop"), {"choices": [], "usage": {}}, "[DONE]")
    return response


@asynccontextmanager
async def serving(answer: Answer = echo) -> AsyncIterator[FakeServer]:
    server = FakeServer(answer=answer)

    async def completions(request: web.Request) -> web.StreamResponse:
        server.requests.append(await request.json())
        server.keys.append(request.headers.get("Authorization", ""))
        assert server.answer is not None
        try:
            return await server.answer(server, request)
        except (asyncio.CancelledError, ConnectionError):
            server.gone.set()
            raise

    async def models(_: web.Request) -> web.StreamResponse:
        if server.models is not None:
            return server.models()
        return web.json_response({"data": [{"id": "tiny", "max_model_len": CONTEXT}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
