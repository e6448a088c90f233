"""What is compared with a question: the turns of a scope as numbers, without their texts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hobnob.events import Author, Turn
from hobnob.memory.words import LONGEST, hashes, kinds, terms
from hobnob.recollection import Passage

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.int64]

SESSION_SECONDS = 4 * 3600
"""A longer silence begins another session."""
SESSION_TURNS = 100
"""So does the next turn of one with so many: a room may never be silent."""
BLOCK = 16_384
"""Turns of a block."""
LONG = 4 * BLOCK
"""Turns that are all compared."""
AT_ONCE = 1024
"""Vectors turned into floats at a time: they stay in the processor's cache."""
FOREGOING = 150
"""Characters of a neighbour that are read along with a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """n unit vectors in 8 bits: a quarter of the memory, and of what must be read."""

    packed: NDArray[np.int8]
    """(n, d), as `embedder.pack` makes them; zeros where there is none."""
    scale: NDArray[np.float32]
    """(n,), what makes each of unit length, or 0."""

    @staticmethod
    def pack(vectors: Floats) -> "Vectors":
        packed = np.round(vectors / np.maximum(np.abs(vectors).max(1, keepdims=True), 1e-9) * 127)
        return Vectors(packed=packed.astype(np.int8), scale=scales(packed.astype(np.int8)))

    def cosines(self, query: Floats) -> NDArray[np.float32]:
        """(n,), with a unit vector, (d,)."""
        found = np.empty(len(self.packed), np.float32)
        query = query.astype(np.float32)
        for start in range(0, len(found), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found[part] = self.packed[part].astype(np.float32) @ query
        return found * self.scale

    def known(self, places: Places | Sequence[int]) -> NDArray[np.bool]:
        return self.scale[places] > 0

    def unit(self, place: int) -> Floats:
        found: Floats = self.packed[place].astype(np.float32) * self.scale[place]
        return found

    def common(self) -> Floats:
        """(d,), what all have in common: the mean, of a thousand at most. Every other turn would be
        one person's, so an odd step leads through them."""
        some = self.at(slice(None, None, -(-len(self.packed) // AT_ONCE) | 1))
        found: Floats = some.scale @ some.packed.astype(np.float32)
        return found / max(int(np.count_nonzero(some.scale)), 1)

    def at(self, places: Places | Sequence[int] | slice) -> "Vectors":
        return Vectors(packed=self.packed[places], scale=self.scale[places])


def scales(packed: NDArray[np.int8]) -> NDArray[np.float32]:
    """What makes each of these, (n, d), of unit length; 0 for zeros."""
    squares = np.einsum("nd,nd->n", packed, packed, dtype=np.float32)
    return np.where(squares > 0, 1 / np.sqrt(np.maximum(squares, 1)), 0).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`BLOCK` turns of a long conversation, so that not all of each must be read."""

    first: int
    """The place of the first."""
    terms: NDArray[np.uint32]
    """(k,), ascending: each turn's terms, each once."""
    rows: NDArray[np.uint16]
    """(k,), whose term it is."""
    signs: NDArray[np.uint64] | None
    """(d / 64, BLOCK): the signs of the vectors, one bit each. None without an embedder."""

    @property
    def bytes(self) -> int:
        return (
            self.terms.nbytes + self.rows.nbytes + (0 if self.signs is None else self.signs.nbytes)
        )

    @staticmethod
    def of(
        first: int, terms: NDArray[np.uint32], lengths: Places, vectors: Vectors | None
    ) -> "Block":
        """Of turns that have so many terms each."""
        rows = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
        both = distinct(np.sort(terms.astype(np.uint64) << np.uint64(16) | rows))
        return Block(
            first=first,
            terms=(both >> np.uint64(16)).astype(np.uint32),
            rows=both.astype(np.uint16),
            signs=None if vectors is None else signs(vectors.packed),
        )

    def having(self, term: int) -> Places:
        """The places of the turns with this term, ascending."""
        start = np.searchsorted(self.terms, np.uint32(term), "left")
        end = np.searchsorted(self.terms, np.uint32(term), "right")
        return self.first + self.rows[start:end].astype(np.int64)


def distinct(ascending: NDArray[Any]) -> NDArray[Any]:
    """Each value once. numpy.unique takes ten times as long."""
    new = np.ones(len(ascending), bool)
    new[1:] = ascending[1:] != ascending[:-1]
    found: NDArray[Any] = ascending[new]
    return found


def signs(vectors: NDArray[Any]) -> NDArray[np.uint64]:
    """(n, d) as bits, (d / 64, n): d is filled up with zeros."""
    bits = np.packbits(vectors > 0, axis=1)
    bits = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
    return np.ascontiguousarray(bits.view(np.uint64).T)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The statistics of all turns, for an index of only a part of them."""

    turns: int
    sessions: int
    terms: int
    began: float
    """When the oldest was said, Unix seconds."""
    having: Mapping[int, tuple[int, int]]
    """For each term that is asked for, the turns and the sessions that have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The n turns of a scope, one conversation after the other, each oldest first."""

    at: NDArray[np.float64]
    """(n,), Unix seconds."""
    author: NDArray[np.int32]
    """(n,), indices into `authors`."""
    authors: tuple[Author, ...]
    session: NDArray[np.int32]
    """(n,), counted from 0: see `sessions`."""
    terms: NDArray[np.uint32]
    """(m,), the hashes of all turns' terms and kinds, one turn after the other."""
    ends: NDArray[np.int64]
    """(n,): turn i has terms[ends[i-1]:ends[i]]."""
    vectors: Vectors | None
    """None without an embedder."""
    blocks: Sequence[Block] = ()
    """Of a long conversation, all but its end."""
    whole: Whole | None = None
    """Where these are not all turns."""

    @property
    def is_long(self) -> bool:
        return len(self.at) > LONG and bool(self.blocks)

    def part(self, places: Places, whole: Whole) -> "Index":
        """Only these turns; of each session all or none."""
        starts = np.diff(self.ends, prepend=0)
        lengths = starts[places]
        ends = np.cumsum(lengths)
        shift = np.repeat(self.ends[places] - ends, lengths)
        session = self.session[places]
        return Index(
            at=self.at[places],
            author=self.author[places],
            authors=self.authors,
            session=np.cumsum(np.diff(session, prepend=session[:1]) != 0, dtype=np.int32),
            terms=self.terms[np.arange(len(shift)) + shift],
            ends=ends,
            vectors=None if self.vectors is None else self.vectors.at(places),
            whole=whole,
        )


def sessions(at: NDArray[np.float64]) -> NDArray[np.int32]:
    """(n,), in which session each turn was said, for turns in the order of their conversation."""
    silence = np.abs(np.diff(at, prepend=at[:1]))  # what is written late may go back in time
    new = silence > SESSION_SECONDS
    places = np.arange(len(at))
    begun = np.maximum.accumulate(np.where(new, places, 0))
    return np.cumsum(new | ((places - begun) % SESSION_TURNS == 0), dtype=np.int32) - 1


def passage(turn: Turn, before: Turn | None, after: Turn | None) -> Passage:
    def said(other: Turn | None) -> str:
        return f"{other.author.name}: {plain(other.text)}" if other else ""

    return Passage(
        before=f"{said(before)[-FOREGOING:]} {turn.author.name}: ".lstrip(),
        text=plain(turn.text).strip() or turn.text,
        after=f" {said(after)[:FOREGOING]}".rstrip(),
    )


def index_terms(text: str) -> NDArray[np.uint32]:
    """What `Index.terms` holds of a turn."""
    text = plain(text)
    return hashes([*terms(text), *kinds(text)])


def plain(text: str) -> str:
    """A text without the words that are nobody's: of what is attached the description stays."""
    return ATTACHED.sub(r"\1", text[:LONGEST])


ATTACHED = re.compile(r"\[attached [^\s:\]]++:?+ ?+([^\]]{0,4000}+)\]")  # as `prompt.said` puts it
