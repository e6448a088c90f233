"""The starter embedder: the real model, read from the package that carries it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from hobnob.errors import ConfigError, EngineUnavailable
from hobnob.memory.embedder import TOKEN_WIDTH, SentenceModel, pack, unpack
from hobnob.recollection import Embedded, Passage

pytestmark = pytest.mark.model


@pytest.fixture
async def model() -> AsyncIterator[SentenceModel]:
    model = SentenceModel("starter")
    await model.prepare()
    yield model
    await model.close()


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
