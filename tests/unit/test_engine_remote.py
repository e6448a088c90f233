"""Servers that misbehave: every failure is explained, none is passed off as an answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from hobnob.engine.remote import PER_IMAGE, OpenAIEngine
from hobnob.errors import ConfigError, EngineError, EngineUnavailable
from hobnob.events import ChatMessage, Image, Sampling, Speaker, Tool, ToolCall
from hobnob.ports import ModelOptions
from tests.openai_server import Answer, FakeServer, echo, event, opened, send, serving

HELLO = [ChatMessage(role=Speaker.USER, content="Hello")]
KEY = "sk-very-secret"


@asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[tuple[FakeServer, OpenAIEngine]]:
    async with serving(answer) as server:
        options = ModelOptions(name="tiny", base_url=server.url, api_key=KEY)
        async with OpenAIEngine(options, silence=0.5) as engine:
            yield server, engine


async def said(engine: OpenAIEngine, sampling: Sampling | None = None) -> str:
    async with asyncio.timeout(10):
        return "".join([piece async for piece in engine.stream(HELLO, sampling or Sampling())])


def status(code: int, **body: Any) -> Answer:
    async def answer(server: FakeServer, request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": body or {"message": f"no, {KEY}"}}, status=code)

    return answer


def streaming(*events: dict[str, Any] | str, whole: bool = True) -> Answer:
    async def answer(server: FakeServer, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        await send(response, *events)
        if not whole:
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (400, EngineError, "refuses this prompt"),
        (401, EngineUnavailable, "api_key"),
        (403, EngineUnavailable, "api_key"),
        (404, EngineUnavailable, "It has: tiny"),
        (422, EngineError, "refuses this prompt"),
        (429, EngineUnavailable, "less often"),
        (500, EngineUnavailable, "status 500"),
        (503, EngineUnavailable, "status 503"),
    ],
)
async def test_a_refusal_is_explained_without_the_key(
    code: int, kind: type[EngineError], words: str
) -> None:
    async with asking(status(code)) as (server, engine):
        with pytest.raises(EngineError, match=words) as caught:
            await said(engine)
        assert type(caught.value) is kind
        assert "127.0.0.1" in str(caught.value)
        assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
        assert len(server.requests) == 1  # whoever asks us decides about asking again


@pytest.mark.parametrize(
    "answer",
    [
        streaming(event(content="Half an ans")),
        streaming(event(content="Half an ans"), "[DONE]"),
        streaming(event(content="Half an ans"), whole=False),
        streaming(event(content="Half"), '{"choices": [{"delta": {"conte'),
        streaming("null"),
        streaming('"text"'),
        streaming("[1, 2]"),
        streaming('{"choices": "none"}'),
        streaming('{"choices": [7]}'),
        streaming('{"choices": [{"delta": {"content": 7}, "finish_reason": null}]}'),
        streaming('{"choices": [{"delta": {"content": "x"}, "finish_reason": 7}]}'),
        streaming(event(content="Half"), '{"error": {"message": "out of memory"}}'),
        streaming(event(content="Half"), event(finish="content_filter")),
        streaming(),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(answer: Answer) -> None:
    async with asking(answer) as (_, engine):
        with pytest.raises(EngineError):
            await said(engine)


async def test_a_page_instead_of_an_answer_is_an_error() -> None:
    async def page(server: FakeServer, request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async with asking(page) as (_, engine):
        with pytest.raises(EngineError):
            await said(engine)


async def test_a_whole_answer_instead_of_a_stream_is_an_error() -> None:
    async def whole(server: FakeServer, request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "Hi"}}]})

    async with asking(whole) as (_, engine):
        with pytest.raises(EngineError):
            await said(engine)


@pytest.mark.parametrize("before", [(), (event(content="Half"),)])
async def test_a_server_that_falls_silent_is_given_up(before: tuple[dict[str, Any], ...]) -> None:
    async def silent(server: FakeServer, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        await send(response, *before)
        await asyncio.Event().wait()
        return response

    async with asking(silent) as (_, engine):
        with pytest.raises(EngineUnavailable, match="said nothing"):
            await said(engine)


async def test_what_the_model_thinks_in_another_field_is_dropped() -> None:
    events = (
        event(role="assistant", reasoning_content="Hm, "),
        event(reasoning_content="a greeting.", content=None),
        event(content="Hello."),
        event(finish="stop"),
    )
    async with asking(streaming(*events)) as (_, engine):
        assert await said(engine) == "Hello."


async def test_a_server_that_ignores_stop_strings_is_cut_off() -> None:
    events = (event(content="One\nUs"), event(content="er: two"), event(finish="stop"))
    async with asking(streaming(*events)) as (_, engine):
        assert await said(engine, Sampling(stop=("\nUser:",))) == "One"


async def test_closing_the_stream_closes_the_connection() -> None:
    async def endless(server: FakeServer, request: web.Request) -> web.StreamResponse:
        response = await opened(request)
        while True:
            await send(response, event(content="and "))
            await asyncio.sleep(0.01)

    async with asking(endless) as (server, engine), asyncio.timeout(10):
        async with aclosing(engine.stream(HELLO, Sampling())) as stream:
            await anext(stream)
        await server.gone.wait()


async def test_the_request_says_what_was_asked_for() -> None:
    async with asking(streaming(event(content="Hi"), event(finish="length"))) as (server, engine):
        sampling = Sampling(max_new_tokens=7, temperature=0.5, top_p=0.4, stop=("x",))
        assert await said(engine, sampling) == "Hi"
    assert server.requests == [
        {
            "model": "tiny",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "max_tokens": 7,
            "temperature": 0.5,
            "top_p": 0.4,
            "stop": ["x"],
        }
    ]
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("models", "tokens"),
    [
        ([{"id": "other", "max_model_len": 5}, {"id": "tiny", "max_model_len": 777}], 777),
        ([{"id": "any.gguf", "meta": {"n_ctx_train": 888}}], 888),
        ([{"id": "tiny", "max_model_len": "many", "meta": None}], 8192),
        ([{"id": "other"}, {"id": "another"}], 8192),
        ([7, {}], 8192),
    ],
)
async def test_the_context_is_what_the_server_says(models: list[Any], tokens: int) -> None:
    async with serving() as server:
        server.models = lambda: web.json_response({"data": models})
        async with OpenAIEngine(ModelOptions(name="tiny", base_url=server.url)) as engine:
            assert engine.context_tokens == tokens


@pytest.mark.parametrize("code", [404, 500])
async def test_a_server_without_a_list_of_models_will_do(code: int) -> None:
    async with serving() as server:
        server.models = lambda: web.Response(status=code)
        async with OpenAIEngine(ModelOptions(name="tiny", base_url=server.url)) as engine:
            assert engine.context_tokens == 8192
            assert await said(engine) == "You said: Hello"


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (lambda: web.Response(status=401), "api_key"),
        (lambda: web.Response(text="<html>", content_type="text/html"), "/v1"),
        (lambda: web.Response(text='{"data": [', content_type="application/json"), "compatible"),
        (lambda: web.json_response(["tiny"]), "/v1"),
        (lambda: web.Response(status=502), "502"),
    ],
)
async def test_entering_says_what_is_wrong_with_the_server(response: Any, words: str) -> None:
    async with serving() as server:
        server.models = response
        with pytest.raises(EngineUnavailable, match=words):
            async with OpenAIEngine(ModelOptions(name="tiny", base_url=server.url)):
                pass


async def test_a_server_that_is_not_there_is_named_without_its_password(
    unused_tcp_port: int,
) -> None:
    url = f"http://ann:{KEY}@127.0.0.1:{unused_tcp_port}/v1"
    with pytest.raises(EngineUnavailable, match=f"127.0.0.1:{unused_tcp_port}/v1") as caught:
        async with OpenAIEngine(ModelOptions(base_url=url)):
            pass
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_server_that_went_away_is_unavailable() -> None:
    async with serving() as server:
        engine = OpenAIEngine(ModelOptions(name="tiny", base_url=server.url))
        await engine.__aenter__()
    with pytest.raises(EngineUnavailable, match="Is the server running"):
        await said(engine)
    await engine.__aexit__()


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x"])
async def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        await OpenAIEngine(ModelOptions(base_url=url)).__aenter__()


async def test_the_key_is_not_in_the_engines_text() -> None:
    assert KEY not in repr(OpenAIEngine(ModelOptions(api_key=KEY)))


# -------------------------------------------------------------------------------------- pictures

CAT = Image(media_type="image/png", data=b"\x89PNG\r\n\x1a\ncat")
LOOK = [
    ChatMessage(role=Speaker.SYSTEM, content="You are a bot."),
    ChatMessage(role=Speaker.USER, content="[attached image/png: a cat]", images=(CAT, CAT)),
]


@asynccontextmanager
async def seeing(
    answer: Answer, *, sees: bool = True, blind: float = 3600.0
) -> AsyncIterator[tuple[FakeServer, OpenAIEngine]]:
    async with serving(answer) as server:
        options = ModelOptions(name="tiny", base_url=server.url, api_key=KEY, sees=sees)
        async with OpenAIEngine(options, blind=blind) as engine:
            yield server, engine


async def seen(engine: OpenAIEngine) -> str:
    async with asyncio.timeout(10):
        return "".join([piece async for piece in engine.stream(LOOK, Sampling())])


def shown(server: FakeServer) -> list[int]:
    """How many pictures each request had."""
    contents = [request["messages"][-1]["content"] for request in server.requests]
    return [0 if isinstance(each, str) else len(each) - 1 for each in contents]


def refusing(code: int, first: int = 1000) -> Answer:
    """A server whose model takes no pictures, at least of the `first` requests with some."""

    async def answer(server: FakeServer, request: web.Request) -> web.StreamResponse:
        with_pictures = sum(count > 0 for count in shown(server))
        if shown(server)[-1] and with_pictures <= first:
            words = f"image input is not supported, {KEY}"
            return web.json_response({"error": {"message": words}}, status=code)
        return await echo(server, request)

    return answer


async def test_pictures_go_as_data_before_the_text() -> None:
    async with seeing(echo) as (server, engine):
        assert engine.sees
        assert await seen(engine) == "You said: [attached image/png: a cat]"
    picture = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,iVBORw0KGgpjYXQ="},
    }
    assert server.requests[0]["messages"] == [
        {"role": "system", "content": "You are a bot."},
        {
            "role": "user",
            "content": [picture, picture, {"type": "text", "text": "[attached image/png: a cat]"}],
        },
    ]


async def test_a_model_that_does_not_see_is_told_in_words() -> None:
    async with seeing(echo, sees=False) as (server, engine):
        assert not engine.sees
        assert await seen(engine) == "You said: [attached image/png: a cat]"
        assert shown(server) == [0]


@pytest.mark.parametrize("code", [400, 404, 413, 415, 422, 500, 501])
async def test_a_server_that_refuses_pictures_is_asked_again_once_and_not_again_soon(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with seeing(refusing(code)) as (server, engine):
        assert await seen(engine) == "You said: [attached image/png: a cat]"
        assert not engine.sees
        assert await seen(engine) == "You said: [attached image/png: a cat]"
        assert shown(server) == [2, 0, 0]
    assert "refused a picture" in caplog.text
    assert KEY not in caplog.text


async def test_after_a_while_a_server_is_shown_pictures_again() -> None:
    async with seeing(refusing(400, first=1), blind=0.0) as (server, engine):
        await seen(engine)
        assert engine.sees
        await seen(engine)
        assert shown(server) == [2, 0, 2]


async def test_a_broken_picture_does_not_blind_a_model_that_saw_one_before() -> None:
    async with seeing(echo) as (server, engine):
        await seen(engine)
        server.answer = refusing(400, first=2)
        await seen(engine)
        assert engine.sees
        await seen(engine)
        assert shown(server) == [2, 2, 0, 2]


async def test_a_prompt_that_is_refused_with_and_without_pictures_is_no_word_on_pictures() -> None:
    async with seeing(status(400)) as (server, engine):
        with pytest.raises(EngineError, match="refuses this prompt"):
            await seen(engine)
        assert engine.sees
        assert shown(server) == [2, 0]


@pytest.mark.parametrize("code", [401, 403, 429, 502, 503])
async def test_what_has_nothing_to_do_with_pictures_is_not_asked_again(code: int) -> None:
    async with seeing(status(code)) as (server, engine):
        with pytest.raises(EngineUnavailable):
            await seen(engine)
        assert engine.sees
        assert shown(server) == [2]


async def test_pictures_count() -> None:
    words = [ChatMessage(role=row.role, content=row.content) for row in LOOK]
    async with seeing(echo) as (_, engine):
        assert engine.count_tokens(LOOK) - engine.count_tokens(words) == 2 * PER_IMAGE
    async with seeing(echo, sees=False) as (_, engine):
        assert engine.count_tokens(LOOK) == engine.count_tokens(words)


# ---------------------------------------------------------------------------------------- tools

ROLL = Tool(name="roll", description="Rolls dice.", parameters='{"type": "object"}')


@asynccontextmanager
async def offering(
    answer: Answer, *, blind: float = 3600.0, sees: bool = False
) -> AsyncIterator[tuple[FakeServer, OpenAIEngine]]:
    async with serving(answer) as server:
        options = ModelOptions(name="tiny", base_url=server.url, calls_tools=True, sees=sees)
        async with OpenAIEngine(options, silence=5, blind=blind) as engine:
            yield server, engine


async def came(engine: OpenAIEngine, messages: Sequence[ChatMessage] = HELLO) -> list[Any]:
    async with asyncio.timeout(10):
        stream = engine.stream_with_tools(messages, Sampling(), [ROLL])
        return [piece async for piece in stream]


def call(index: int | None = 0, **function: Any) -> dict[str, Any]:
    numbered = {} if index is None else {"index": index}
    return event(tool_calls=[{**numbered, "function": function}])


@pytest.mark.parametrize(
    ("events", "calls"),
    [
        (  # two at once, their deltas mixed
            [call(0, name="roll"), call(1, name="roll"), call(1, arguments="{}"), call(0)],
            [("call_0", "roll", "{}"), ("call_1", "roll", "{}")],
        ),
        (  # whole, without a number, as some servers do
            [call(None, name="roll", arguments='{"a":1}'), call(None, name="no", arguments="7")],
            [("call_0", "roll", '{"a":1}'), ("call_1", "no", "7")],
        ),
        ([call(0, name="roll", arguments='{"half')], [("call_0", "roll", '{"half')]),
        ([call(0, arguments="{}")], [("call_0", "", "{}")]),
    ],
)
async def test_calls_are_put_together_from_their_deltas(
    events: list[dict[str, Any]], calls: list[tuple[str, str, str]]
) -> None:
    async with offering(streaming(*events, event(finish="tool_calls"))) as (_, engine):
        expected = [ToolCall(id=id_, name=name, arguments=text) for id_, name, text in calls]
        assert await came(engine) == expected
        assert await said(engine) == ""  # without tools nothing is called


@pytest.mark.parametrize(
    "events",
    [
        [event(tool_calls=7)],
        [event(tool_calls=[{"index": "first", "function": {"name": "roll"}}])],
        [event(tool_calls=[{"index": 0, "function": {"name": 7}}])],
        [call(0, arguments="x" * 9000)] * 3,
        [call(number, name="roll") for number in range(9)],
    ],
)
async def test_what_is_no_call_is_an_error(events: list[dict[str, Any]]) -> None:
    async with offering(streaming(*events, event(finish="tool_calls"))) as (_, engine):
        with pytest.raises(EngineError):
            await came(engine)


async def test_a_call_that_breaks_off_is_none() -> None:
    answer = streaming(call(0, name="roll", arguments="{}"), whole=False)
    async with offering(answer) as (_, engine):
        with pytest.raises(EngineError, match="broke off"):
            await came(engine)


async def test_calls_and_results_reach_the_server_as_it_expects_them() -> None:
    made = ToolCall(id="abc", name="roll", arguments='{"dice": "2d6"}')
    told = [
        *HELLO,
        ChatMessage(role=Speaker.ASSISTANT, content="", calls=(made,)),
        ChatMessage(role=Speaker.TOOL, content="7", calls=(made,)),
    ]
    async with offering(echo) as (server, engine):
        await came(engine, told)
        function = {"name": "roll", "arguments": '{"dice": "2d6"}'}
        assert server.requests[-1]["messages"][1:] == [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "abc", "type": "function", "function": function}],
            },
            {"role": "tool", "content": "7", "tool_call_id": "abc"},
        ]
        described = {"name": "roll", "description": "Rolls dice.", "parameters": {"type": "object"}}
        assert server.requests[-1]["tools"] == [{"type": "function", "function": described}]


async def test_a_server_that_refuses_tools_is_offered_none_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuses(server: FakeServer, request: web.Request) -> web.StreamResponse:
        if server.requests[-1].get("tools"):
            return web.json_response({"error": {"message": "needs a parser"}}, status=400)
        return await echo(server, request)

    async with offering(refuses) as (server, engine):
        assert await came(engine)
        assert not engine.calls_tools
        assert "refused tools (status 400: needs a parser)" in caplog.text
        assert await came(engine)
        assert ["tools" in request for request in server.requests] == [True, False, False]
    async with offering(refuses, blind=0) as (server, engine):
        await came(engine)
        assert engine.calls_tools


async def test_a_refused_picture_is_not_blamed_on_tools() -> None:
    async def refuses(server: FakeServer, request: web.Request) -> web.StreamResponse:
        if isinstance(server.requests[-1]["messages"][-1]["content"], list):
            return web.json_response({"error": {"message": "no pictures"}}, status=400)
        return await echo(server, request)

    async with offering(refuses, sees=True) as (_, engine):
        assert await came(engine, LOOK)
        assert not engine.sees
        assert engine.calls_tools
