"""Many answers at once through OpenVINO GenAI's continuous batching.

Runs in a process of its own (`hobnob.engine.openvino_process`). The library batches, samples and
keeps what it computed; who comes in when is decided here, because of three of its habits (2026.4):

- What a prompt shares with others is looked up when it is handed over, not when it is read. So one
  prompt is handed over for each step, and the next one finds all that it shares. This also keeps
  two prompts from being written into one half-filled block of kept keys and values.
- A prompt that is cut off between two steps leaves a block behind that counts as whole. So the
  library never gets to split a prompt: long ones are handed over in pieces of whole blocks, each
  read in one step.
- It drops requests when memory runs out. So none is handed over without room for all of it.
"""

import math
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hobnob.events import Sampling

BLOCK = 32
"""Tokens that the library keeps together on a processor."""
MOST_ROWS = 64
"""Answers written at once; the others wait."""
STEP_SECONDS = 0.25
"""What reading a prompt may add to a step: everybody else's next token waits for it."""
LEAST_READ, MOST_READ = 32, 512
"""Tokens of a prompt read in one step."""


@dataclass(eq=False, slots=True, kw_only=True)
class Row:
    """An answer that is asked for."""

    id: int
    tokens: list[int]
    """The prompt, and what is written of the answer."""
    most: int
    """New tokens still to be written."""
    sampling: Sampling
    ends: list[int]
    """Tokens that end an answer."""
    chain: list[int] = field(default_factory=list)
    """For each whole block of `tokens`, a number that tells all up to its end."""
    needed: int = 0
    """Blocks for all of it."""
    prompt_blocks: tuple[int, ...] = ()
    """The part of `chain` that it began with."""
    reused: int | None = None
    """Tokens of the prompt that were known when it began."""
    handle: Any = None

    def extend(self, tokens: Sequence[int]) -> None:
        self.tokens += tokens
        while (start := BLOCK * len(self.chain)) + BLOCK <= len(self.tokens):
            before = self.chain[-1] if self.chain else 0
            self.chain.append(hash((before, *self.tokens[start : start + BLOCK])))


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """What one step wrote for one row."""

    id: int
    tokens: list[int]
    ended: bool
    reused: int


class Batch:
    """The rows that wait and those that are written, and the books of what the library keeps."""

    def __init__(
        self, pipeline: Any, *, genai: Any, tensor: Callable[[Any], Any], blocks: int
    ) -> None:
        """`tensor` makes the library's tensor from a list of tokens; `blocks` is how many blocks
        the pipeline has for all that runs or is kept."""
        self._pipeline = pipeline
        self._genai = genai
        self._tensor = tensor
        self._blocks = blocks
        self._waiting: deque[Row] = deque()
        self._rows: dict[int, Row] = {}
        self._leaving: list[Row] = []
        self._held: Counter[int] = Counter()
        self._kept: OrderedDict[int, None] = OrderedDict()  # the least recently used first
        self._read_at_once = 4 * LEAST_READ
        self._handed_over = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._rows or self._leaving)

    def add(
        self, row_id: int, tokens: Sequence[int], most: int, sampling: Sampling, ends: list[int]
    ) -> None:
        row = Row(id=row_id, tokens=[], most=most, sampling=sampling, ends=ends)
        row.extend(tokens)
        row.prompt_blocks = tuple(row.chain)
        row.needed = blocks_for(len(tokens) + most)
        self._waiting.append(row)

    def drop(self, row_id: int) -> None:
        """Its blocks are free after the next step."""
        if row_id in self._rows:
            self._rows[row_id].handle.cancel()
            self._leaving.append(self._rows.pop(row_id))
        else:
            self._waiting = deque(row for row in self._waiting if row.id != row_id)

    def step(self) -> list[New]:
        """Read what fits of the oldest prompt, and write a token of each answer."""
        began = time.perf_counter()
        count, piece = self._read()
        if not (self._rows or self._leaving or piece):
            return []
        self._pipeline.step()
        if count > self._read_at_once // 2:
            self._adapt(count, time.perf_counter() - began)
        for row in self._leaving:
            self._release(row)
        self._leaving.clear()
        return [new for row in list(self._rows.values()) if (new := self._written(row))]

    # ------------------------------------------------------------------ who comes in, who leaves

    def _read(self) -> tuple[int, Any]:
        """Hand over the next prompt, or a piece of it. How many tokens are to be computed, and the
        handle of a piece: the library stops what nobody holds."""
        if not self._waiting or len(self._rows) >= MOST_ROWS:
            return 0, None
        row = self._waiting[0]
        if self._used() + self._wanted(row) > self._blocks:
            return 0, None
        known = next(
            (n for n, block in enumerate(row.chain) if block not in self._kept), len(row.chain)
        )
        unread = len(row.tokens) - min(BLOCK * known, len(row.tokens) - 1)
        if row.reused is None:
            row.reused = len(row.tokens) - unread
        if unread > self._read_at_once:
            last = known + self._read_at_once // BLOCK
            self._keep(row.chain[:last])
            settings = self._genai.GenerationConfig(max_new_tokens=1, do_sample=False)
            return self._read_at_once, self._hand_over(row.tokens[: BLOCK * last], settings)
        self._waiting.popleft()
        self._keep(row.chain)
        self._held.update(row.prompt_blocks)
        self._rows[row.id] = row
        row.handle = self._hand_over(row.tokens, self._settings(row))
        return unread, None

    def _hand_over(self, tokens: list[int], settings: Any) -> Any:
        self._handed_over += 1
        return self._pipeline.add_request(self._handed_over, self._tensor([tokens]), settings)

    def _settings(self, row: Row) -> Any:
        """https://docs.openvino.ai/2026/api/genai_api/_autosummary/openvino_genai.GenerationConfig.html"""
        settings = self._genai.GenerationConfig(
            max_new_tokens=row.most,
            do_sample=row.sampling.temperature > 0,
            repetition_penalty=row.sampling.repetition_penalty,
            stop_token_ids=set(row.ends),
        )
        if row.sampling.temperature > 0:
            settings.temperature = row.sampling.temperature
            settings.top_p = row.sampling.top_p
            settings.rng_seed = random.getrandbits(32)  # else every answer draws the same numbers
        if row.sampling.schema:
            settings.structured_output_config = self._genai.StructuredOutputConfig(
                json_schema=row.sampling.schema
            )
        return settings

    def _written(self, row: Row) -> New | None:
        """What the step wrote of a row that is under way."""
        tokens: list[int] = []
        while row.handle.can_read():
            for output in row.handle.read().values():
                tokens += output.generated_ids
        status = self._genai.GenerationStatus
        now = row.handle.get_status()
        if now not in (status.RUNNING, status.FINISHED):
            raise RuntimeError(f"OpenVINO gave an answer up: {now.name}")
        if tokens and tokens[-1] in row.ends:
            tokens.pop()
        row.extend(tokens)
        ended = now == status.FINISHED
        if ended:
            del self._rows[row.id]
            self._release(row)
            self._keep(row.chain[: (len(row.tokens) - 1) // BLOCK])  # the last one was never read
        if not (tokens or ended):
            return None
        return New(id=row.id, tokens=tokens, ended=ended, reused=row.reused or 0)

    def _adapt(self, count: int, seconds: float) -> None:
        """As many tokens at once as keep a step short, on this machine with this model."""
        fitting = int(self._read_at_once * STEP_SECONDS / seconds)
        target = max(LEAST_READ, min(MOST_READ, fitting))
        self._read_at_once = (self._read_at_once + target) // 2

    # ------------------------------------------------------------------ what the library keeps

    def _used(self) -> int:
        """Blocks for all that runs, counted once where they are shared."""
        rows = (*self._rows.values(), *self._leaving)
        own = sum(row.needed - len(row.prompt_blocks) for row in rows)
        return own + len(self._held)

    def _wanted(self, row: Row) -> int:
        return row.needed - sum(block in self._held for block in row.prompt_blocks)

    def _release(self, row: Row) -> None:
        self._held -= Counter(row.prompt_blocks)

    def _keep(self, chain: Sequence[int]) -> None:
        """Note that these blocks are computed, and were used last."""
        for block in chain:
            self._kept[block] = None
            self._kept.move_to_end(block)
        while len(self._kept) > self._blocks:
            self._kept.popitem(last=False)


def blocks_for(tokens: int) -> int:
    """With one to spare: a half-filled block that others use too is copied."""
    return math.ceil(tokens / BLOCK) + 1
