"""Which excerpts answer a question, and whether any does. Pure, and exact: all are looked at.

Each signal is a number between 0 and 1 for each excerpt. Their weighted sum orders the excerpts,
and that of the best one says whether the question can be answered: the weights were fitted to tell
excerpts that answer from others (docs/decisions.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hobnob.memory.ranking import K1, idf, saturated
from hobnob.memory.words import hashes, is_latin, term, terms

Floats = NDArray[np.floating[Any]]

WEIGHTS = {
    # the words of the question
    "covered": 2.7,  # the share of them that it has
    "often": 2.2,  # how often it has them (BM25)
    # what it means
    "vector": 9.5,
    "tokens": 7.0,  # each word of the question finds its nearest (MaxSim)
    "weakest": 4.4,  # the word whose nearest is farthest
}
FLOOR, FLOOR_OF_WORDS, FLOOR_OF_SIGNS = 10.5, 1.6, 1.0
"""The score of an excerpt from which it counts as an answer: where meanings were compared, where
only words were, and where the words were Chinese, Japanese or Korean signs."""
CANDIDATES = 60
"""Excerpts whose words are compared one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The n excerpts."""

    terms: NDArray[np.uint32]
    """(m,), the hashes of all excerpts' terms, one excerpt after the other."""
    ends: NDArray[np.int64]
    """(n,): excerpt i has terms[ends[i-1]:ends[i]]."""
    vectors: Floats | None
    """(n, d), of unit length, or zeros where there is none. None without an embedder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    text: str
    vector: Floats | None = None
    """(d,)."""
    tokens: Floats | None = None
    """(t, w)."""
    token_words: tuple[str, ...] = ()
    """(t,), the word that each token is a part of."""


class Ranking:
    """The excerpts, scored for one query."""

    def __init__(self, query: Query, index: Index) -> None:
        self._query = query
        self._n = len(index.ends)
        self._rare: dict[int, float] = {}
        self.signals = self._by_words(index)
        vector, vectors = query.vector, index.vectors
        if vector is not None and vectors is not None and len(vector) == vectors.shape[1]:
            self.signals["vector"] = np.maximum(vectors @ vector, 0)

    @property
    def scores(self) -> Floats:
        """(n,), higher is better."""
        total = np.zeros(self._n)
        for name, values in self.signals.items():
            total += WEIGHTS[name] * values
        return total

    @property
    def floor(self) -> float:
        if "vector" in self.signals:
            return FLOOR
        return FLOOR_OF_WORDS if is_latin(self._query.text) else FLOOR_OF_SIGNS

    def best(self) -> NDArray[np.int64]:
        """The first candidates, whose tokens `refine` wants."""
        return np.argsort(-self.scores, kind="stable")[:CANDIDATES]

    def _by_words(self, index: Index) -> dict[str, Floats]:
        """The share of the question's words that an excerpt has, the rare ones counting more, and
        how often it has them (BM25)."""
        lengths = np.diff(index.ends, prepend=0)
        excerpt_of = np.repeat(np.arange(self._n), lengths)
        covered, often, total = np.zeros(self._n), np.zeros(self._n), 0.0
        for each in dict.fromkeys(hashes(terms(self._query.text)).tolist()):
            times = np.bincount(excerpt_of[index.terms == each], minlength=self._n)
            rare = idf(self._n, int(np.count_nonzero(times)))
            self._rare[each] = rare
            total += rare
            covered += rare * (times > 0)
            often += rare * saturated(times, lengths, float(lengths.mean()))
        total = total or 1.0
        return {"covered": covered / total, "often": often / (total * (K1 + 1))}

    def refine(self, places: NDArray[np.int64], tokens: Sequence[Floats]) -> None:
        """Compare words one by one: `tokens[i]`, (t_i, w), are those of excerpt `places[i]`."""
        query = self._query
        if query.tokens is None or not len(query.tokens) or "vector" not in self.signals:
            return
        weights = self._weights()
        alike, weakest = np.zeros(self._n), np.zeros(self._n)
        for place, own in zip(places, tokens, strict=True):
            if len(own):
                nearest = np.maximum((query.tokens @ own.T).max(axis=1), 0)
                alike[place] = weights @ nearest
                weakest[place] = nearest[weights > 0].min(initial=1)
        self.signals |= {"tokens": alike, "weakest": weakest}

    def _weights(self) -> Floats:
        """(t,), how rare the words of the question are here."""
        found = [
            self._rare.get(int(hashes([term(word)])[0]), 0.0) for word in self._query.token_words
        ]
        weights = np.array(found, np.float32)
        if not weights.any():
            weights = np.ones(len(found), np.float32)
        return weights / max(float(weights.sum()), 1e-9)
