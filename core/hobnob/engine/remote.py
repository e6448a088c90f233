"""The model on an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, `transformers serve`.

The library is imported only when an engine is entered. What the server sends is checked here, not
trusted: the library builds its objects from whatever arrives.
https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from hobnob.engine.calls import Deltas
from hobnob.engine.request import request, without_images
from hobnob.engine.stop import StopCutter
from hobnob.errors import ConfigError, EngineError, EngineUnavailable, MissingExtra
from hobnob.events import ChatMessage, Sampling, Tool, ToolCall
from hobnob.ports import ModelOptions

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

DEFAULT_CONTEXT = 8192
"""Tokens, where the server does not say."""
PROMPT_BYTES = 12_288
"""What is worth sending: some 3,000 tokens of English, which are counted as bytes here."""
PER_MESSAGE = 16
"""Tokens that a template puts around each message, generously."""
PER_IMAGE = 1500
"""Tokens that a picture is taken for, which no server tells: models make 256 (Gemma 3) to some 1400
(Qwen2.5-VL, of a million pixels) of one."""
PER_PROMPT = 64
"""Tokens that a template adds by itself: a date, a default system text."""
UNLISTED = (404, 405, 500, 501)
"""What servers that can't list their models answer: `transformers serve` 500 without a cache."""
MAY_MEAN_MORE = (400, 404, 413, 415, 422, 500, 501)
"""What servers refuse pictures and tools with, besides other things: vLLM and OpenAI 400, llama.cpp
500."""
CONNECT = 10.0
"""Seconds to connect."""


class OpenAIEngine:
    """One model of a server (`hobnob.ports.Engine`)."""

    def __init__(
        self, options: ModelOptions, *, silence: float = 120.0, blind: float = 3600.0
    ) -> None:
        """`silence`: seconds that the server may send nothing, as while it reads a long prompt.
        `blind`: seconds for which a server that took no picture is shown none, and one that took no
        tools is offered none."""
        self._options = options
        self._silence = silence
        self._blind = blind
        self._blind_until = 0.0
        self._saw = False
        self._called = False
        self._without_tools_until = 0.0
        self._where = _without_password(options.base_url)
        self._client: AsyncOpenAI | None = None
        self._context_tokens = DEFAULT_CONTEXT

    busy = ""
    """A server queues by itself."""

    @property
    def what(self) -> str:
        return f"the server at {self._where}"

    @property
    def sees(self) -> bool:
        """As `[model] sees` says, but for a while after the server has refused pictures."""
        return self._options.sees and time.monotonic() >= self._blind_until

    @property
    def calls_tools(self) -> bool:
        """As `[model] calls_tools` says, but for a while after the server has refused tools."""
        return self._options.calls_tools and time.monotonic() >= self._without_tools_until

    @property
    def context_tokens(self) -> int:
        """What the server says, else 8192."""
        return self._context_tokens

    @property
    def prompt_tokens(self) -> int:
        return min(PROMPT_BYTES, self._context_tokens)

    async def __aenter__(self) -> Self:
        """Raises ConfigError (no URL), MissingExtra or EngineUnavailable (no way in)."""
        if not self._options.base_url.startswith(("http://", "https://")):
            raise ConfigError(
                '[model] base_url: engine = "openai" needs the address of a server, such as '
                '"http://127.0.0.1:8000/v1"'
            )
        try:
            from openai import AsyncOpenAI, Timeout
        except ImportError as error:
            raise MissingExtra(
                "[model] engine = \"openai\" needs the openai library: pip install 'hobnob[openai]'"
            ) from error
        self._client = AsyncOpenAI(
            base_url=self._options.base_url,
            api_key=self._options.api_key or "none",  # "" would be taken from the environment
            max_retries=0,
            default_headers={"Connection": "close"},  # kept, one may be closed as we ask again
            timeout=Timeout(self._silence, connect=CONNECT),
        )
        try:
            self._options.report(f"asking {self._where} for its models")
            self._context_tokens = await self._longest_context()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """The bytes of the text, and something for each message: several times too many.

        Which tokenizer the server has is unknown here. A token stands for at least one byte in all
        that are in use, and a text can be built that needs one for every byte: any smaller
        estimate could be exceeded by what people write.
        """
        calls = [call.name + call.arguments for message in messages for call in message.calls]
        texts = [*(message.content for message in messages), *calls]
        text = sum(len(each.encode("utf-8", "replace")) for each in texts)
        images = sum(len(message.images) for message in messages) if self.sees else 0
        return text + PER_IMAGE * images + PER_MESSAGE * (len(messages) + len(calls)) + PER_PROMPT

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """`hobnob.ports.Engine.stream`. An answer that breaks off ends with an error."""
        async with aclosing(self.stream_with_tools(messages, sampling, ())) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):  # a server may call what it was not offered
                    yield piece

    async def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """`hobnob.ports.Engine.stream_with_tools`."""
        if self._client is None:
            raise EngineUnavailable("the model is not there: enter the engine first")
        cutter = StopCutter(sampling.stop)  # some servers take no notice of stop strings
        calls = Deltas()
        answer = ""
        try:
            events = await self._asked(self._client, messages, sampling, tools)
            async with events:
                async for event in events:
                    if self._client is None:
                        raise self._broken_off()
                    piece, reason = _read(event, calls)
                    if piece and (shown := cutter.feed(piece)):
                        answer += shown
                        yield shown
                    if cutter.stopped:
                        return
                    if reason:
                        if shown := cutter.rest():
                            yield shown
                        if sampling.schema and reason != "length":
                            self._check_json(answer + shown)
                        for call in calls.whole():
                            yield call
                        return
        except EngineError:
            raise
        except Exception as error:
            raise await self._explained(error) from self._cause(error)
        raise self._broken_off()

    async def _asked(
        self,
        client: "AsyncOpenAI",
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        tools: Sequence[Tool],
    ) -> Any:
        """The events of the answer. A server that refuses tools is asked again without them, and
        one that refuses pictures too.

        Whether they were the reason is known only if that helps. Then there are none for a while,
        unless the server has taken some before: a single broken picture must not blind us.
        """
        import openai

        tools = tools if self.calls_tools else ()
        shown = messages if self.sees else without_images(messages)
        pictures = any(message.images for message in shown)
        attempts = [(shown, tools)]
        attempts += [(shown, ())] if tools else []
        attempts += [(without_images(shown), ())] if pictures else []
        refusal = ""
        for number, (rows, offered) in enumerate(attempts, start=1):
            try:
                create: Any = client.chat.completions.create
                events = await create(**request(self._options.name, rows, sampling, offered))
            except openai.APIStatusError as error:
                if error.status_code not in MAY_MEAN_MORE or number == len(attempts):
                    raise
                refusal = f"status {error.status_code}: {self._said(error)}"
                continue
            self._learn(pictures=pictures, tools=bool(tools), attempt=number, refusal=refusal)
            return events

    def _learn(self, *, pictures: bool, tools: bool, attempt: int, refusal: str) -> None:
        """What the server takes, now that it took the `attempt`-th of what it was asked."""
        without_tools = tools and attempt == 2
        blind = pictures and attempt == 2 + tools
        self._saw = self._saw or (pictures and not blind)
        self._called = self._called or (tools and attempt == 1)
        until = time.monotonic() + self._blind
        if blind:
            log.warning("%s refused a picture (%s)", self._where, refusal)
            self._blind_until = self._blind_until if self._saw else until
        elif without_tools:
            log.warning("%s refused tools (%s)", self._where, refusal)
            self._without_tools_until = self._without_tools_until if self._called else until

    def _check_json(self, answer: str) -> None:
        """Some servers take no notice of a schema."""
        try:
            json.loads(answer)
        except ValueError:
            raise EngineError(
                f"{self._where} did not answer in JSON: it knows no response_format of the type "
                "json_schema, or this model of it does not"
            ) from None

    # ------------------------------------------------------------------ what went wrong

    async def _explained(self, error: Exception) -> EngineError:
        """What an exception of the library means."""
        import openai
        from httpx2 import ConnectError, ConnectTimeout

        if self._client is None:
            return self._broken_off()
        if isinstance(error.__cause__, ConnectError | ConnectTimeout):
            return EngineUnavailable(
                f"no connection to {self._where}. Is the server running, and [model] base_url "
                "right?"
            )
        if isinstance(error, openai.APITimeoutError):
            return EngineUnavailable(
                f"{self._where} said nothing for {self._silence:.0f} s. Is it overloaded, or still "
                "loading its model?"
            )
        if isinstance(error, openai.APIStatusError):
            return await self._refused(error.status_code, self._said(error))
        if isinstance(error, openai.APIConnectionError):
            return self._broken_off()
        if isinstance(error, openai.APIError) and error.body is not None:
            return EngineError(f"{self._where} failed while answering: {self._said(error)}")
        return EngineError(
            f"{self._where} does not answer as an OpenAI-compatible server does "
            f"({type(error).__name__})"
        )

    def _broken_off(self) -> EngineError:
        if self._client is None:
            return EngineUnavailable("the connection to the model is being closed")
        return EngineError(f"{self._where} broke off before the answer was whole")

    async def _refused(self, status: int, said: str) -> EngineError:
        if status in (401, 403):
            return EngineUnavailable(
                f"{self._where} does not let us in (status {status}): check [model] api_key"
            )
        if status == 404:
            return EngineUnavailable(
                f"{self._where} has no model {self._options.name!r}. {await self._on_offer()}"
            )
        if status == 429:
            return EngineUnavailable(f"{self._where} wants us to ask less often: {said}")
        if status >= 500:
            return EngineUnavailable(
                f"{self._where} is in trouble (status {status}): {said}. Look into its log."
            )
        return EngineError(f"{self._where} refuses this prompt (status {status}): {said}")

    async def _on_offer(self) -> str:
        try:
            names = [str(model["id"]) for model in await self._models()]
        except Exception:  # it was asked for the sake of a message only
            names = []
        if names:
            return f"It has: {', '.join(names[:20])}. Set [model] name to one of them."
        return "It names none: check [model] name, and [model] base_url, which often ends in /v1."

    def _said(self, error: Exception) -> str:
        """The server's own words, shortened, without our key should it repeat that."""
        body = getattr(error, "body", None)
        words = (body.get("message") or body.get("detail")) if isinstance(body, dict) else None
        text = " ".join(str(words or getattr(error, "message", "")).split())[:300]
        return text.replace(self._options.api_key, "***") if self._options.api_key else text

    def _cause(self, error: Exception) -> Exception | None:
        """`error`, unless its text holds our key."""
        text = f"{error} {getattr(error, 'body', '')}"
        return None if self._options.api_key and self._options.api_key in text else error

    # ------------------------------------------------------------------ what the server has

    async def _longest_context(self) -> int:
        import openai

        try:
            models = await self._models()
        except openai.APIStatusError as error:
            if error.status_code in UNLISTED:
                return DEFAULT_CONTEXT
            raise await self._refused(error.status_code, self._said(error)) from self._cause(error)
        except EngineError:
            raise
        except Exception as error:
            explained = await self._explained(error)
            raise EngineUnavailable(str(explained)) from self._cause(error)
        for model in models:
            if model["id"] == self._options.name or len(models) == 1:
                meta = model.get("meta")
                trained = meta.get("n_ctx_train") if isinstance(meta, dict) else None
                for tokens in (model.get("max_model_len"), trained):  # vLLM, llama.cpp
                    if isinstance(tokens, int) and tokens > 0:
                        return tokens
        return DEFAULT_CONTEXT

    async def _models(self) -> list[dict[str, Any]]:
        """https://platform.openai.com/docs/api-reference/models/list, as it came."""
        assert self._client is not None  # noqa: S101  # called between entering and leaving
        answer: Any = await self._client.get("/models", cast_to=object)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise EngineUnavailable(
                f"{self._where}/models is not the list of an OpenAI-compatible server. "
                "Is [model] base_url right? It often ends in /v1."
            )
        return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _read(event: Any, calls: Deltas) -> tuple[str, str]:
    """The text and the finish reason of one event, "" for either that it lacks; what it has of
    calls is added to `calls`. What a model thinks comes in other fields (reasoning_content), which
    are left where they are."""
    choices = getattr(event, "choices", None)
    if not isinstance(choices, list):
        raise EngineError("the server sent an event without choices: not the OpenAI format")
    if not choices:
        return "", ""  # a report on usage
    delta = getattr(choices[0], "delta", None)
    calls.add(getattr(delta, "tool_calls", None) or ())
    piece = getattr(delta, "content", None) or ""
    reason = getattr(choices[0], "finish_reason", None) or ""
    if not isinstance(piece, str) or not isinstance(reason, str):
        raise EngineError("the server sent a text that is none: not the OpenAI format")
    if reason == "content_filter":
        raise EngineError("the server's content filter broke the answer off")
    return piece, reason


def _without_password(url: str) -> str:
    """The URL for people: nobody's credentials belong in a message."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl().rstrip("/")
