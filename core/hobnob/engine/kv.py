"""The KV cache: what the model has computed of each sequence, kept for as long as memory allows.

A sequence's keys and values are in two pieces. Its *base* is shared, computed once: the persona,
which all conversations begin with. Its *tail* is its own. What a conversation leaves behind when
its answer is done is kept, and taken up again when it comes back with the same beginning; the least
recently used leaves first. Nothing here knows what a conversation is: only tokens are compared.

(Kwon et al., 2023, arXiv:2309.06180, share pages; Zheng et al., 2023, arXiv:2312.07104, a tree. Two
pieces are what chat needs, and a processor reads them without gathering anything.)
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Tokens = NDArray[np.int64]

LEAST_SHARED = 32
"""Tokens that two sequences must have in common before a base is made of them."""
SAME = 0.75
"""A kept tail of which this share is equal belongs to the conversation that comes back."""
MOST_KEPT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one token's keys and values look."""

    layers: tuple[tuple[int, int, int], ...]
    """Of each layer: heads, size of a key, size of a value."""
    dtype: "torch.dtype"
    device: "torch.device"

    @property
    def token_bytes(self) -> int:
        return self.dtype.itemsize * sum(heads * (k + v) for heads, k, v in self.layers)


class Tails:
    """Room for the keys and values of `rows` sequences of up to `capacity` positions each.

    `keys` and `values` hold (rows, heads, capacity, size) for each layer. Memory that was never
    written to costs nothing on a processor: the system hands it out page by page.
    """

    def __init__(self, layout: Layout, rows: int, capacity: int) -> None:
        import torch

        def empty(heads: int, size: int) -> "Tensor":
            # Zeros, since what is masked takes part all the same: chance bits could be infinite.
            shape = (rows, heads, capacity, size)
            return torch.zeros(shape, dtype=layout.dtype, device=layout.device)

        self.rows, self.capacity = rows, capacity
        self.bytes = rows * capacity * layout.token_bytes
        self.keys = [empty(heads, key) for heads, key, _ in layout.layers]
        self.values = [empty(heads, value) for heads, _, value in layout.layers]

    def copy_row(self, row: int, source: "Tails", its_row: int, length: int) -> None:
        """Fill a row with the first `length` positions of another."""
        for mine, theirs in zip(
            (*self.keys, *self.values), (*source.keys, *source.values), strict=True
        ):
            mine[row, :, :length] = theirs[its_row, :, :length]


class Base:
    """A beginning that sequences share: (heads, positions, size) for each layer."""

    def __init__(self, past: "Past", length: int) -> None:
        """A copy of the first `length` positions of `past`."""
        import torch

        before, own = past.base, length - past.base_length

        def joined(shared: "Sequence[Tensor]", tails: "Sequence[Tensor]") -> "list[Tensor]":
            parts = [tail[past.row, :, :own] for tail in tails]
            if before is None:
                return [part.clone() for part in parts]
            return [
                torch.cat([first[:, : past.base_length], part], dim=1)
                for first, part in zip(shared, parts, strict=True)
            ]

        self.tokens: Tokens = past.tokens[:length].copy()
        self.keys: list[Tensor] = joined(before.keys if before else (), past.tails.keys)
        self.values: list[Tensor] = joined(before.values if before else (), past.tails.values)
        self.bytes = sum(part.nbytes for part in (*self.keys, *self.values))


@dataclass(eq=False, slots=True, kw_only=True)
class Past:
    """What is computed of one sequence: the first `length` of its tokens. The first `base_length`
    of them are in `base`, the others in row `row` of `tails`."""

    tokens: Tokens
    length: int
    base: Base | None
    base_length: int
    tails: Tails
    row: int = 0

    @property
    def tail_length(self) -> int:
        return self.length - self.base_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The most that can be reused for a prompt: its first `length` tokens."""

    length: int = 0
    base: Base | None = None
    base_length: int = 0
    """How much of it comes from a base that exists already."""
    source: Past | None = None
    """Whose tail has the rest, if there is a rest."""
    take: bool = False
    """`source` is kept, and is this conversation's own past; else a base is made of it."""
    wait: bool = False
    """`source` is just being computed: better wait for it than compute the same once more."""


class KVCache:
    """What is kept between answers, within `budget` bytes together with what is running."""

    def __init__(self, layout: Layout, budget: int) -> None:
        self.layout = layout
        self.budget = budget
        self._kept: OrderedDict[Past, None] = OrderedDict()  # the least recently used first
        self._bases: OrderedDict[Base, None] = OrderedDict()

    @property
    def bytes(self) -> int:
        """Of all that is kept."""
        return sum(past.tails.bytes for past in self._kept) + sum(b.bytes for b in self._bases)

    def match(self, prompt: Tokens, running: Iterable[Past]) -> Match:
        """What can be reused for `prompt`. At least its last token is left to compute."""
        most = len(prompt) - 1
        best = Match()
        for base in self._bases:
            if (equal := common(base.tokens, prompt, most)) > best.length:
                best = Match(length=equal, base=base, base_length=equal)
        for past in (*self._kept, *running):
            equal = common(past.tokens, prompt, most)
            if equal - max(past.base_length, best.length) < 1:
                continue
            kept = past in self._kept
            own = equal - past.base_length
            take = kept and own >= SAME * past.tail_length
            if not take and equal - best.length < LEAST_SHARED:
                continue
            best = Match(
                length=equal,
                base=past.base,
                base_length=past.base_length,
                source=past,
                take=take,
                wait=not kept and past.length < equal,
            )
        return best

    def begin(self, prompt: Tokens, room: int, match: Match) -> Past:
        """The past of a new sequence, with what `match` found, and room for `room` tokens."""
        tokens = np.full(room, -1, dtype=np.int64)
        tokens[: len(prompt)] = prompt
        base, base_length, source = match.base, match.base_length, match.source
        if base is not None and base in self._bases:
            self._bases.move_to_end(base)
        if source is not None and not match.take:
            base, base_length = Base(source, match.length), match.length
            self._bases[base] = None
        tails = Tails(self.layout, 1, len(prompt) - base_length)
        if source is not None and match.take:
            self._kept.pop(source, None)
            tails.copy_row(0, source.tails, source.row, match.length - base_length)
        return Past(
            tokens=tokens, length=match.length, base=base, base_length=base_length, tails=tails
        )

    def keep(self, past: Past) -> None:
        """Keep a copy of a sequence that leaves, in just the memory that it needs."""
        if past.tail_length == 0:
            return
        tails = Tails(self.layout, 1, past.tail_length)
        tails.copy_row(0, past.tails, past.row, past.tail_length)
        tokens = past.tokens[: past.length].copy()
        self._kept[replace(past, tokens=tokens, tails=tails, row=0)] = None
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def make_room(self, wanted: int, running: Iterable[Past], spare: Match) -> bool:
        """Let go of the least recently used until `wanted` bytes and all that is kept fit into the
        budget, but not of what `spare` found. False if they can't."""
        used = {past.base for past in running} | {spare.base}
        while self.bytes + wanted > self.budget:
            victim = next((past for past in self._kept if past is not spare.source), None)
            if victim is not None:
                del self._kept[victim]
                continue
            used_now = used | {past.base for past in self._kept}
            base = next((base for base in self._bases if base not in used_now), None)
            if base is None:
                return False
            del self._bases[base]
        return True

    def clear(self) -> None:
        self._kept.clear()
        self._bases.clear()


class Shelf:
    """The tails of running sequences, side by side, so that one call attends to all of them.

    Rows 0 to n-1 are in use. It grows by half when it is full, and shrinks when it is nearly empty.
    """

    def __init__(self, layout: Layout, capacity: int) -> None:
        self._layout = layout
        self._capacity = capacity
        self.tails = Tails(layout, 1, capacity)
        self.pasts: list[Past] = []

    def add(self, past: Past) -> None:
        """Copy a tail in."""
        if len(self.pasts) == self.tails.rows:
            self._resize(self.tails.rows + (self.tails.rows + 1) // 2)
        row = len(self.pasts)
        self.tails.copy_row(row, past.tails, past.row, past.tail_length)
        past.tails, past.row = self.tails, row
        self.pasts.append(past)

    def remove(self, past: Past) -> None:
        """Give a row free: the last one moves into its place."""
        last = self.pasts.pop()
        if last is not past:
            self.tails.copy_row(past.row, self.tails, last.row, last.tail_length)
            self.pasts[past.row] = last
            last.row = past.row
        if self.tails.rows > 4 * max(1, len(self.pasts)):
            self._resize(2 * max(1, len(self.pasts)))

    def _resize(self, rows: int) -> None:
        tails = Tails(self._layout, rows, self._capacity)
        for past in self.pasts:
            tails.copy_row(past.row, self.tails, past.row, past.tail_length)
            past.tails = tails
        self.tails = tails


def common(known: Tokens, prompt: Tokens, most: int) -> int:
    """How many of the first `most` tokens are equal."""
    most = min(most, len(known), len(prompt))
    different = known[:most] != prompt[:most]
    return int(different.argmax()) if different.any() else most
