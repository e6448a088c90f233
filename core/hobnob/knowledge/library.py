"""Finding the excerpts of the documents that answer a question."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hobnob.knowledge.ranking import Index, Query, Ranking
from hobnob.memory.embedder import unpack
from hobnob.memory.meaning import meaning
from hobnob.recollection import Embedder
from hobnob.store.knowledge import Entry, Excerpt, SqlKnowledge, State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    excerpt: Excerpt
    score: float
    fits: bool
    """It has enough to do with the question for an answer to be made of it."""


class Library:
    """The documents of one bot. What it computes with is kept in memory, numbers only, and read
    anew when the index has changed, whoever changed it."""

    def __init__(self, store: SqlKnowledge, embedder: Embedder | None) -> None:
        self._store = store
        self._embedder = embedder and embedder.for_documents
        self._state: State | None = None
        self._ids = np.empty(0, np.int64)
        self._index = Index(terms=np.empty(0, np.uint32), ends=np.empty(0, np.int64), vectors=None)
        self._reading = asyncio.Lock()

    async def search(self, question: str, limit: int) -> Sequence[Hit]:
        """The best excerpts, best first."""
        ids, index = await self._up_to_date()
        if not len(ids):
            return []
        seen = await meaning(self._embedder, question)
        query = Query(
            text=question,
            vector=seen.vector if seen else None,
            tokens=seen.tokens if seen else None,
            token_words=seen.words if seen else (),
        )
        ranking = await asyncio.to_thread(Ranking, query, index)
        if seen is not None:
            places = ranking.best()
            stored = await self._store.tokens(ids[places].tolist())
            width = seen.tokens.shape[1]
            tokens = [unpack(stored.get(int(each), b""), width) for each in ids[places]]
            await asyncio.to_thread(ranking.refine, places, tokens)
        scores = ranking.scores
        best = np.argsort(-scores, kind="stable")[:limit]
        found = await self._store.excerpts(ids[best].tolist())
        return [
            Hit(
                excerpt=found[int(ids[place])],
                score=float(scores[place]),
                fits=bool(scores[place] >= ranking.floor),
            )
            for place in best
            if int(ids[place]) in found  # the index may have changed meanwhile
        ]

    async def _up_to_date(self) -> tuple[NDArray[np.int64], Index]:
        async with self._reading:
            if self._state is None or self._state != await self._store.state():
                self._state, entries = await self._store.entries()
                self._ids = np.array([entry.id for entry in entries], np.int64)
                self._index = _index(entries)
            return self._ids, self._index


def _index(entries: Sequence[Entry]) -> Index:
    found = [np.frombuffer(entry.terms, np.uint32) for entry in entries]
    widths = {len(entry.vector) for entry in entries if entry.vector is not None}
    vectors = None
    if len(widths) == 1:  # two while the documents are read anew for another embedder
        (width,) = widths
        vectors = np.concatenate([unpack(each.vector or bytes(width), width) for each in entries])
    return Index(
        terms=np.concatenate(found) if found else np.empty(0, np.uint32),
        ends=np.cumsum([len(each) for each in found], dtype=np.int64),
        vectors=vectors,
    )
