"""Continuous batching on torch: one step is one forward pass for everybody (`Writer`).

Two queues and one step. A request waits until there is memory for it; then its prompt is read, in
pieces, together with the others' next tokens; then it writes, a token at every step. (Yu et al.,
2022, "Orca"; Agrawal et al., 2024, arXiv:2403.02310, for reading in pieces.)
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hobnob.engine.attention import BasePart, Plan, TailPart
from hobnob.engine.grammar import Grammars
from hobnob.engine.kv import Base, KVCache, Layout, Match, Past, Shelf, Tokens
from hobnob.engine.pick import pick
from hobnob.engine.writer import Request, Written
from hobnob.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MOST_ROWS = 64
"""Answers written at once; the others wait."""
STEP_SECONDS = 0.25
"""What reading prompts may add to a step: everybody else's next token waits for it."""
LEAST_READ, MOST_READ = 32, 512
"""Tokens of prompts read in one step."""
LEAST_CAPACITY = 128


@dataclass(eq=False, slots=True, kw_only=True)
class Row:
    """A request under way. While its prompt is read, `shelf` is None."""

    request: Request
    prompt: Tokens
    past: Past
    shelf: Shelf | None = None

    @property
    def unread(self) -> int:
        return len(self.prompt) - self.past.length


class BatchWriter:
    """Writes many answers at once with one model, whose attention is `hobnob.engine.attention`."""

    def __init__(
        self,
        model: "PreTrainedModel",
        *,
        layout: Layout,
        end_tokens: Sequence[int],
        grammars: Grammars,
        budget: int,
        what: str,
    ) -> None:
        """`budget` is how many bytes keys and values may take, of all that runs or is kept."""
        self.what = what
        self._model: Any = model
        self._layout = layout
        self._ends = frozenset(end_tokens)
        self._grammars = grammars
        self._cache = KVCache(layout, budget)
        self._waiting: deque[Request] = deque()
        self._rows: dict[Request, Row] = {}
        self._shelves: dict[int, Shelf] = {}
        self._read_at_once = LEAST_READ * 4

    # ------------------------------------------------------------------ the Writer protocol

    def add(self, request: Request) -> None:
        needed = self._shelf_bytes(len(request.prompt) + request.most)
        if needed > self._cache.budget:
            raise EngineError(
                f"a prompt of {len(request.prompt)} tokens and an answer of {request.most} need "
                f"{needed >> 20} MB for keys and values; {self._cache.budget >> 20} MB are allowed"
            )
        self._grammars.prepare(request)
        self._waiting.append(request)

    def drop(self, request: Request) -> None:
        if request in self._rows:
            self._leave(self._rows[request])
        elif request in self._waiting:
            self._waiting.remove(request)

    def reset(self) -> None:
        self._waiting.clear()
        self._rows.clear()
        self._shelves.clear()
        self._cache.clear()

    def step(self) -> Sequence[Written]:
        import torch

        self._admit()
        writing = [row for row in self._rows.values() if row.shelf is not None]
        reading = self._to_read()
        if not writing and not reading:
            return []
        began = time.perf_counter()
        with torch.inference_mode():
            picked = self._forward(writing, reading)
        if reading:
            self._adapt(sum(count for _, count in reading), time.perf_counter() - began)
        return [self._written(row, token) for row, token in picked]

    # ------------------------------------------------------------------ who comes in, who leaves

    def _admit(self) -> None:
        """Let requests in, in order, while there is a row and memory for the next one."""
        while self._waiting and len(self._rows) < MOST_ROWS:
            request = self._waiting[0]
            prompt: Tokens = np.array(request.tokens, dtype=np.int64)
            running = [row.past for row in self._rows.values()]
            match = self._cache.match(prompt, running)
            if match.wait:
                return
            room = len(request.prompt) + request.most
            wanted = self._running_bytes() + 2 * self._shelf_bytes(room - match.length)
            if not self._cache.make_room(wanted, running, match):
                if self._rows:
                    return
                match = Match()  # alone, it fits without what is kept
                self._cache.clear()
            self._waiting.popleft()
            past = self._cache.begin(prompt, room, match)
            self._rows[request] = Row(request=request, prompt=prompt, past=past)
            request.reused = match.length

    def _leave(self, row: Row) -> None:
        """Keep what was computed for the conversation's next turn, and free the place."""
        del self._rows[row.request]
        self._cache.keep(row.past)
        if row.shelf is not None:
            row.shelf.remove(row.past)
            if not row.shelf.pasts:
                self._shelves = {c: s for c, s in self._shelves.items() if s is not row.shelf}

    def _to_shelf(self, row: Row) -> None:
        """The prompt is read: from now on it writes together with the others."""
        past = row.past
        room = len(past.tokens) - past.base_length
        capacity = LEAST_CAPACITY
        while capacity < room:
            capacity *= 2
        if capacity not in self._shelves:
            self._shelves[capacity] = Shelf(self._layout, capacity)
        row.shelf = self._shelves[capacity]
        row.shelf.add(past)

    def _shelf_bytes(self, tokens: int) -> int:
        return tokens * self._layout.token_bytes

    def _running_bytes(self) -> int:
        shelves = sum(shelf.tails.bytes for shelf in self._shelves.values())
        return shelves + sum(
            row.past.tails.bytes for row in self._rows.values() if row.shelf is None
        )

    # ------------------------------------------------------------------ one step

    def _to_read(self) -> list[tuple[Row, int]]:
        """Which prompts are read in this step, and how many tokens of each: the oldest first."""
        room = self._read_at_once
        reading = []
        for row in self._rows.values():
            if row.shelf is None and room > 0:
                count = min(row.unread, room)
                reading.append((row, count))
                room -= count
        return reading

    def _adapt(self, count: int, seconds: float) -> None:
        """As many tokens at once as keep a step short, on this machine with this model."""
        if count * 2 > self._read_at_once:
            fitting = int(self._read_at_once * STEP_SECONDS / seconds)
            target = max(LEAST_READ, min(MOST_READ, fitting))
            self._read_at_once = (self._read_at_once + target) // 2

    def _forward(self, writing: list[Row], reading: list[tuple[Row, int]]) -> list[tuple[Row, int]]:
        """Run the model over the new tokens of all rows; the next token of those that have one."""
        import torch

        device = self._layout.device
        parts: list[TailPart] = []
        tokens: list[Tokens] = []
        positions: list[Tokens] = []
        owners: list[Past] = []
        asking: list[Row] = []
        ask_at: list[int] = []
        at = 0
        by_past = {row.past: row for row in writing}
        for shelf in self._shelves.values():
            pasts = shelf.pasts
            count = len(pasts)
            own = np.array([past.tail_length for past in pasts])
            offset = np.array([past.base_length for past in pasts])
            parts.append(
                TailPart(
                    tails=shelf.tails,
                    start=at,
                    stop=at + count,
                    rows=torch.arange(count, device=device),
                    at=torch.from_numpy(own).to(device),
                    offset=torch.from_numpy(offset).to(device),
                    longest=int(own.max()) + 1,
                )
            )
            tokens.append(np.array([past.tokens[past.length] for past in pasts]))
            positions.append(own + offset)
            owners += pasts
            asking += [by_past[past] for past in pasts]
            ask_at += range(at, at + count)
            at += count
        for row, count in reading:
            past = row.past
            own = np.arange(past.tail_length, past.tail_length + count)
            parts.append(
                TailPart(
                    tails=past.tails,
                    start=at,
                    stop=at + count,
                    rows=None,
                    at=torch.from_numpy(own).to(device),
                    offset=torch.full((count,), past.base_length, device=device),
                    longest=past.tail_length + count,
                )
            )
            tokens.append(past.tokens[past.length : past.length + count])
            positions.append(own + past.base_length)
            owners += [past] * count
            if count == row.unread:
                asking.append(row)
                ask_at.append(at + count - 1)
            at += count
        where = torch.from_numpy(np.concatenate(positions)).to(device)
        plan = Plan(positions=where, bases=_bases(owners, device), tails=parts)
        output = self._model(
            input_ids=torch.from_numpy(np.concatenate(tokens)).to(device)[None],
            position_ids=where[None],
            use_cache=False,
            logits_to_keep=torch.tensor(ask_at, dtype=torch.long, device=device),
            plan=plan,
        )
        for past in by_past:
            past.length += 1
        for row, count in reading:
            row.past.length += count
        picked = pick(output.logits[0], [row.request for row in asking]) if asking else []
        return list(zip(asking, picked, strict=True))

    def _written(self, row: Row, token: int) -> Written:
        """Append a token, or end the answer."""
        request = row.request
        if token in self._ends:
            self._leave(row)
            return Written(request=request, tokens=(), ended=True)
        request.written.append(token)
        ended = len(request.written) >= request.most
        if ended:
            self._leave(row)
        else:
            row.past.tokens[row.past.length] = token
            if row.shelf is None:
                self._to_shelf(row)
        return Written(request=request, tokens=(token,), ended=ended)


def _bases(owners: Sequence[Past], device: "torch.device") -> list[BasePart]:
    """The step's tokens by the base that they attend to."""
    import torch

    groups: dict[tuple[Base, int], list[int]] = {}
    for index, past in enumerate(owners):
        if past.base is not None and past.base_length:
            groups.setdefault((past.base, past.base_length), []).append(index)
    return [
        BasePart(
            base=base,
            length=length,
            tokens=None if len(members) == len(owners) else torch.tensor(members, device=device),
        )
        for (base, length), members in groups.items()
    ]
