"""What recall computes with, kept in this process's memory: numbers only, never a text.

A conversation is read once and then only what is new in it. What was changed or forgotten makes
its copy outdated, whoever did it: the database counts (`News.forgotten`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hobnob.events import Author
from hobnob.memory.index import BLOCK, Block, Index, Vectors, scales, sessions
from hobnob.recollection import Entries, MemoryStore, News, Scope

SLICE = 2000
"""Turns read in one transaction, so that others have their turn."""
BUDGET = 256 << 20
"""Bytes kept for conversations that nobody asks about just now."""


class Shelf:
    def __init__(self, store: MemoryStore, embedder: str | None, budget: int = BUDGET) -> None:
        """`embedder` names the one whose vectors count; None: none do."""
        self._store = store
        self._embedder = embedder
        self._budget = budget
        self._places: OrderedDict[int, _Place] = OrderedDict()
        self._reading = asyncio.Lock()

    async def index(self, scope: Scope) -> tuple[NDArray[np.int64], Index]:
        """The ids of the turns in a scope, (n,), and what is known of them."""
        async with self._reading:
            newest = {number: place.newest for number, place in self._places.items()}
            news = await self._store.news(scope, newest, SLICE)
            places = [await self._up_to_date(number, new) for number, new in news.items()]
            self._make_room()
            return _together(places)

    async def _up_to_date(self, number: int, news: News) -> "_Place":
        place, entries = self._places.get(number), news.entries
        if place is not None and place.forgotten != news.forgotten:
            place, entries = None, await self._store.entries(number, 0, SLICE)
        if place is None:
            place = self._places[number] = _Place(news.forgotten, self._embedder)
        self._places.move_to_end(number)
        place.extend(entries)
        while len(entries) == SLICE:
            entries = await self._store.entries(number, place.newest, SLICE)
            place.extend(entries)
        return place

    def _make_room(self) -> None:
        """The one asked last always stays."""
        while len(self._places) > 1 and sum(p.bytes for p in self._places.values()) > self._budget:
            self._places.popitem(last=False)


class _Place:
    """One conversation."""

    def __init__(self, forgotten: int, embedder: str | None) -> None:
        self.forgotten = forgotten
        self.newest = 0
        self.authors: dict[str, Author] = {}
        self._numbers: dict[str, int] = {}
        self._embedder = embedder
        self._ids = _Column(np.int64)
        self._at = _Column(np.float64)
        self._author = _Column(np.int32)
        self._session = _Column(np.int32)
        self._terms = _Column(np.uint32)
        self._ends = _Column(np.int64)
        self._vectors: _Column | None = None
        self._scale = _Column(np.float32)
        self._blocks: list[Block] = []

    def extend(self, entries: Entries) -> None:
        if not entries:
            return
        self.authors |= {author.id: author for author in entries.authors}  # by their latest name
        for author in self.authors:
            self._numbers.setdefault(author, len(self._numbers))
        lengths = [len(terms) // self._terms.values.itemsize for terms in entries.terms]
        self._ends.extend(np.cumsum(lengths) + len(self._terms.values))
        self._terms.extend(np.frombuffer(b"".join(entries.terms), np.uint32))
        self._ids.extend(entries.ids)
        self._at.extend(entries.at)
        self._author.extend([self._numbers[author.id] for author in entries.authors])
        if self._embedder is not None:
            self._add_vectors(entries)
        self.newest = entries.ids[-1]
        self._add_sessions()
        while len(self._ids.values) >= BLOCK * (len(self._blocks) + 1):
            self._add_block()

    def _add_sessions(self) -> None:
        """Of the last session on, which may go on."""
        known = self._session.values
        start = int(np.searchsorted(known, known[-1])) if len(known) else 0
        new = sessions(self._at.values[start:]) + (known[-1] if len(known) else 0)
        known[start:] = new[: len(known) - start]
        self._session.extend(new[len(known) - start :])

    def _add_block(self) -> None:
        first = BLOCK * len(self._blocks)
        ends = self._ends.values[first : first + BLOCK]
        before = int(self._ends.values[first - 1]) if first else 0
        vectors = self._all_vectors
        self._blocks.append(
            Block.of(
                first,
                self._terms.values[before : ends[-1]],
                np.diff(ends, prepend=before),
                None if vectors is None else vectors.at(slice(first, first + BLOCK)),
            )
        )

    def _add_vectors(self, entries: Entries) -> None:
        found = [
            vector if embedder == self._embedder else None
            for vector, embedder in zip(entries.vectors, entries.embedders, strict=True)
        ]
        width = next((len(vector) for vector in found if vector is not None), None)
        if self._vectors is None:
            if width is None:
                return
            before = len(self._ids.values) - len(entries)
            self._vectors = _Column(np.int8, width)
            self._vectors.extend(np.zeros((before, width), np.int8))
            self._scale.extend(np.zeros(before, np.float32))
        blank = bytes(self._vectors.width)
        packed = b"".join(blank if vector is None else vector for vector in found)
        vectors = np.frombuffer(packed, np.int8).reshape(-1, self._vectors.width)
        self._vectors.extend(vectors)
        self._scale.extend(scales(vectors))

    @property
    def _all_vectors(self) -> Vectors | None:
        if self._vectors is None:
            return None
        return Vectors(packed=self._vectors.values, scale=self._scale.values)

    @property
    def ids(self) -> NDArray[np.int64]:
        return self._ids.values

    @property
    def index(self) -> Index:
        return Index(
            at=self._at.values,
            author=self._author.values,
            authors=tuple(self.authors[id_] for id_ in self._numbers),
            session=self._session.values,
            terms=self._terms.values,
            ends=self._ends.values,
            vectors=self._all_vectors,
            blocks=tuple(self._blocks),
        )

    @property
    def bytes(self) -> int:
        columns = [self._ids, self._at, self._author, self._session, self._terms, self._ends]
        columns += [self._scale] if self._vectors is None else [self._scale, self._vectors]
        return sum(each.bytes for each in columns) + sum(each.bytes for each in self._blocks)


class _Column:
    """An array that grows at its end."""

    def __init__(self, kind: Any, width: int | None = None) -> None:
        self.width = width or 1
        self._array = np.empty((0,) if width is None else (0, width), kind)
        self._used = 0

    @property
    def values(self) -> NDArray[Any]:
        return self._array[: self._used]

    @property
    def bytes(self) -> int:
        return self._array.nbytes

    def extend(self, values: Any) -> None:
        new = np.asarray(values, self._array.dtype)
        end = self._used + len(new)
        if end > len(self._array):
            larger = np.empty((max(end, 2 * self._used), *self._array.shape[1:]), new.dtype)
            larger[: self._used] = self.values
            self._array = larger
        self._array[self._used : end] = new
        self._used = end


def _together(places: Sequence[_Place]) -> tuple[NDArray[np.int64], Index]:
    """Linked conversations one after the other."""
    if len(places) == 1:
        return places[0].ids, places[0].index
    if not places:
        return np.empty(0, np.int64), _Place(0, None).index
    parts = [place.index for place in places]
    authors: dict[str, Author] = {}
    for part in parts:
        authors |= {author.id: author for author in part.authors}
    numbers = {id_: number for number, id_ in enumerate(authors)}
    renumbered = [
        np.array([numbers[author.id] for author in part.authors], np.int32)[part.author]
        for part in parts
        if len(part.author)
    ]
    starts = np.cumsum([0, *(len(part.terms) for part in parts[:-1])])
    before = np.cumsum([0, *(part.session[-1] + 1 if len(part.at) else 0 for part in parts[:-1])])
    return np.concatenate([place.ids for place in places]), Index(
        at=np.concatenate([part.at for part in parts]),
        author=np.concatenate(renumbered) if renumbered else np.empty(0, np.int32),
        authors=tuple(authors.values()),
        session=np.concatenate(
            [part.session + np.int32(count) for part, count in zip(parts, before, strict=True)]
        ),
        terms=np.concatenate([part.terms for part in parts]),
        ends=np.concatenate([part.ends + s for part, s in zip(parts, starts, strict=True)]),
        vectors=_vectors_together(parts),
    )


def _vectors_together(parts: Sequence[Index]) -> Vectors | None:
    width = next((part.vectors.packed.shape[1] for part in parts if part.vectors), None)
    if width is None:
        return None
    blank = [Vectors.pack(np.zeros((len(part.at), width))) for part in parts]
    found = [part.vectors or none for part, none in zip(parts, blank, strict=True)]
    return Vectors(
        packed=np.concatenate([each.packed for each in found]),
        scale=np.concatenate([each.scale for each in found]),
    )
