"""The engine for OpenAI-compatible servers against a real one: `transformers serve`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hobnob.engine import weights
from hobnob.engine.remote import OpenAIEngine
from hobnob.errors import EngineError
from hobnob.events import ChatMessage, Sampling, Speaker
from hobnob.ports import ModelOptions
from tests import starter

pytestmark = pytest.mark.model

PROMPT = [ChatMessage(role=Speaker.USER, content="What is the capital of France?")]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(starter.cache(tmp_path_factory)))
    return weights.find("starter", print).folder


@pytest.fixture
async def url(folder: Path, unused_tcp_port: int, tmp_path: Path) -> AsyncIterator[str]:
    """A server of this test's own that has the starter; it names it by its folder."""
    where = ["--host", "127.0.0.1", "--port", str(unused_tcp_port), "--device", "cpu"]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(  # noqa: ASYNC220  # the fixture has nothing else to do
            [str(Path(sys.executable).with_name("transformers")), "serve", str(folder), *where],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=log,
            stderr=log,
        )
    root = f"http://127.0.0.1:{unused_tcp_port}"
    try:
        await _healthy(f"{root}/health", server)
        yield f"{root}/v1"
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


async def _healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(120), aiohttp.ClientSession() as session:
        while True:
            assert server.poll() is None
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


async def test_a_real_server_answers_stops_and_goes_on(url: str, folder: Path) -> None:
    greedy = Sampling(temperature=0.0, max_new_tokens=24)
    async with OpenAIEngine(ModelOptions(name=str(folder), base_url=url)) as engine:
        answer = [piece async for piece in engine.stream(PROMPT, greedy)]
        assert len(answer) > 1
        assert "Paris" in "".join(answer)

        stopping = Sampling(temperature=0.0, max_new_tokens=24, stop=("Paris",))
        stopped = "".join([piece async for piece in engine.stream(PROMPT, stopping)])
        assert stopped == "".join(answer).partition("Paris")[0]

        async with aclosing(engine.stream(PROMPT, Sampling(max_new_tokens=2000))) as stream:
            await anext(stream)
        assert [piece async for piece in engine.stream(PROMPT, greedy)] == answer

        assert engine.count_tokens(PROMPT) >= _true_count(folder)

    async with OpenAIEngine(ModelOptions(name="no/such", base_url=url)) as engine:
        with pytest.raises(EngineError, match="no/such"):
            await anext(engine.stream(PROMPT, greedy))


def _true_count(folder: Path) -> int:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    rows = [{"role": row.role.value, "content": row.content} for row in PROMPT]
    return len(tokenizer.apply_chat_template(rows, add_generation_prompt=True)["input_ids"])
