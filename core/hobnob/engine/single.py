"""One answer after the other, through the model's own cache (`Writer`).

For architectures whose attention or memory `hobnob.engine.batch` can't take apart: linear
attention, convolutions, caches of their own. Slower with many people, never wrong.
"""

import copy
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hobnob.engine.grammar import Grammars
from hobnob.engine.pick import pick
from hobnob.engine.writer import Request, Written

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

READ_AT_ONCE = 128
"""Tokens of a prompt read in one step."""
LEAST_SHARED = 32
"""Tokens that a prompt must share with the one before it for its beginning to be kept."""
MOST_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the model remembers after `tokens`. Such a memory can be gone on from, not cut."""

    tokens: tuple[int, ...]
    cache: Any
    shared: bool
    """Many prompts begin so: each goes on from a copy."""


class SingleWriter:
    """Reads and writes for the oldest request until it is done."""

    def __init__(
        self,
        model: "PreTrainedModel",
        *,
        device: "torch.device",
        end_tokens: Sequence[int],
        grammars: Grammars,
        what: str,
    ) -> None:
        self.what = what
        self._model: Any = model
        self._device = device
        self._ends = frozenset(end_tokens)
        self._grammars = grammars
        self._requests: deque[Request] = deque()
        self._kept: list[Kept] = []  # the least recently used first
        self._cache: Any = None  # of the request under way; None: it has not begun
        self._read: list[int] = []  # what is in it
        self._pause_at = 0  # how much of the prompt to keep for others
        self._last_prompt: tuple[int, ...] = ()

    def add(self, request: Request) -> None:
        self._grammars.prepare(request)
        self._requests.append(request)

    def drop(self, request: Request) -> None:
        if request not in self._requests:
            return
        if request is self._requests[0] and self._cache is not None:
            self._leave()
        else:
            self._requests.remove(request)

    def reset(self) -> None:
        self._requests.clear()
        self._kept.clear()
        self._cache = None

    def step(self) -> Sequence[Written]:
        import torch

        if not self._requests:
            return []
        request = self._requests[0]
        if self._cache is None:
            self._begin(request)
        tokens = request.tokens
        stop = min(len(tokens), len(self._read) + READ_AT_ONCE)
        if len(self._read) < self._pause_at:
            stop = min(stop, self._pause_at)
        new = tokens[len(self._read) : stop]
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([new], device=self._device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
            self._cache = output.past_key_values
            self._read += new
            if len(self._read) == self._pause_at:
                self._keep(shared=True)
            if stop < len(tokens):
                return []
            token = pick(output.logits[:, -1], [request])[0]
        if token in self._ends:
            self._leave()
            return [Written(request=request, tokens=(), ended=True)]
        request.written.append(token)
        ended = len(request.written) >= request.most
        if ended:
            self._leave()
        return [Written(request=request, tokens=(token,), ended=ended)]

    def _begin(self, request: Request) -> None:
        """Go on from the longest memory that the prompt begins with."""
        from transformers import DynamicCache

        prompt = request.tokens
        fitting = [
            kept
            for kept in self._kept
            if len(kept.tokens) < len(prompt) and prompt[: len(kept.tokens)] == kept.tokens
        ]
        best = max(fitting, key=lambda kept: len(kept.tokens), default=None)
        if best is None:
            self._cache, self._read = DynamicCache(config=self._model.config), []
        else:
            self._kept.remove(best)
            self._cache, self._read = best.cache, list(best.tokens)
            if best.shared:
                self._keep(shared=True)
        request.reused = len(self._read)
        equal = _common(prompt, self._last_prompt)
        self._pause_at = equal if equal >= max(LEAST_SHARED, len(self._read) + 1) else 0
        self._last_prompt = prompt

    def _leave(self) -> None:
        self._requests.popleft()
        self._kept.append(Kept(tokens=tuple(self._read), cache=self._cache, shared=False))
        del self._kept[:-MOST_KEPT]
        self._cache, self._read = None, []

    def _keep(self, *, shared: bool) -> None:
        """Keep a copy of where the model is now."""
        cache = copy.deepcopy(self._cache)
        self._kept.append(Kept(tokens=tuple(self._read), cache=cache, shared=shared))
        del self._kept[:-MOST_KEPT]


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many of the first tokens are equal, the last one of either left out."""
    most = max(0, min(len(one), len(other)) - 1)
    return next((i for i in range(most) if one[i] != other[i]), most)
