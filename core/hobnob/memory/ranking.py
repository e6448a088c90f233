"""What matters for a question, of all that was said in a scope. Pure, and exact: every turn that it
is given is looked at.

Each signal is a number between 0 and 1 for each turn, and the score is their weighted sum. What
each one gains is in docs/decisions.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hobnob.memory.index import Index, Whole
from hobnob.memory.question import WANTS, Query, by_whom, in_particular, in_time
from hobnob.memory.words import QUESTION, fold, hashes, term, words

Floats = NDArray[np.floating[Any]]

CANDIDATES = 150
"""Turns whose words are compared one by one."""
K1, B = 1.2, 0.75  # of BM25: Robertson and Zaragoza, 2009
ENOUGH_WORDS = 40
BESIDE = ((1, 0.3), (2, 0.5))
"""What counts of the words of turns beside it. Two places away the same person goes on."""
NEAR = 0.9
"""What a neighbour's word counts as one's own."""
BEST = 3
"""Turns that are probably right: what they have in common is asked for too (Rocchio, 1971)."""
WEIGHTS = {
    # the words of the question
    "words": 1.9,  # in the turn and, less, in those beside it (BM25)
    "answer": 1.2,  # in a question that was asked right before
    "session": 1.0,  # in its session (BM25)
    "covered": 0.6,  # the share of them that it has together with its neighbours
    # who, when, and what kind of text
    "speaker": 2.4,  # said by whom the question names; "I" is the asker
    "date": 5.0,  # said when the question says
    "time": 1.2,  # tells a time, where the question asks for one
    "number": 0.5,
    "name": 0.5,  # has one, where the question asks for one
    "length": 0.5,
    "question": -0.5,  # asks something itself
    # what it means
    "vector": 6.5,
    "session vector": 1.0,
    "vector before": 1.5,  # of the turn before
    "answer vector": 0.5,  # of a question that was asked right before
    "like the best": 1.5,  # what the first have in common
    "tokens": 3.0,  # each word of the question finds its nearest (MaxSim)
    "tokens near": 3.5,  # in it or in its neighbours
    "session tokens": 4.0,
}


class Ranking:
    """The turns of one scope, scored for one query."""

    def __init__(self, query: Query, index: Index) -> None:
        self._query = query
        self.index = index
        self._n = len(index.at)
        self._session = index.session
        self._turn_of = np.repeat(np.arange(self._n), np.diff(index.ends, prepend=0))
        self._idf: dict[int, float] = {}
        self._asked = query.asked()
        signals = self._signals()
        self.scores = self._weighted(signals)
        """(n,), higher is better."""
        self.relevance = signals["covered"]
        """(n,), 0 to 1: how much of what was asked stands there, or nearby."""

    def first(self, limit: int) -> NDArray[np.int64]:
        """The places of the highest scores, best first; of equals the earlier."""
        scores = self.scores
        places = np.arange(self._n)
        if self._n > limit:
            places = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit])
        return places[np.argsort(-scores[places], kind="stable")][:limit]

    def best(self) -> NDArray[np.int64]:
        """The first candidates, whose tokens `refine` wants, with their neighbours, in order."""
        first = self.first(CANDIDATES)
        around = np.unique(np.concatenate([first, first - 1, first + 1]))
        return around[(around >= 0) & (around < self._n)]

    def refine(self, places: NDArray[np.int64], tokens: Sequence[Floats]) -> bool:
        """Compare words one by one: `tokens[i]`, (t_i, w), are those of turn `places[i]`. False if
        there are none to compare."""
        query = self._query
        weights = self._token_weights()
        if query.tokens is None or not len(query.tokens) or not any(map(len, tokens)):
            return False
        nearest = np.zeros((len(query.tokens), len(places)), np.float32)
        lengths = np.array([len(each) for each in tokens])
        some = np.flatnonzero(lengths)
        starts = np.cumsum(lengths[some]) - lengths[some]
        alike = query.tokens @ np.concatenate([tokens[int(i)] for i in some]).T
        nearest[:, some] = np.maximum.reduceat(alike, starts, axis=1)
        session = self._session[places]
        near = nearest.copy()
        beside = (np.diff(places) == 1) & (np.diff(session) == 0)
        near[:, 1:] = np.maximum(near[:, 1:], NEAR * nearest[:, :-1] * beside)
        near[:, :-1] = np.maximum(near[:, :-1], NEAR * nearest[:, 1:] * beside)
        first = np.flatnonzero(np.diff(session, prepend=-1))
        whole = np.maximum.reduceat(nearest, first, axis=1)
        of_session = whole[
            :, np.repeat(np.arange(len(first)), np.diff(np.append(first, len(places))))
        ]
        # A turn that the embedder has not read yet can only be known by its words.
        self.relevance[places] = np.where(lengths > 0, weights @ near, self.relevance[places])
        # Others keep their place behind all that were compared.
        scores = self.scores - np.float32(sum(WEIGHTS.values()))
        scores[places] = self.scores[places] + self._weighted(
            {
                "tokens": weights @ nearest,
                "tokens near": weights @ near,
                "session tokens": weights @ of_session,
            }
        )
        self.scores = scores
        self._look_again(places)
        return True

    def _look_again(self, places: NDArray[np.int64]) -> None:
        """Once more, for what the best of these places have in common, and not all turns."""
        vectors, best = self.index.vectors, self.first(BEST)
        if vectors is None or not vectors.known(best).any():
            return
        alike = vectors.at(best).common() - vectors.common()
        alike /= max(float(np.linalg.norm(alike)), 1e-9)
        like = {"like the best": vectors.at(places).cosines(alike)}
        self.scores[places] += self._weighted(like)

    def has(self, kind: str) -> Floats:
        """(n,), 1 for each turn that is such a kind of text."""
        found = np.zeros(self._n, np.float32)
        found[self._turn_of[self.index.terms == hashes([kind])[0]]] = 1
        return found

    def asked_in(self, place: int) -> set[int]:
        """Of the words that are asked for those that one turn has."""
        start = self.index.ends[place - 1] if place else 0
        return {*self._asked} & {*self.index.terms[start : self.index.ends[place]].tolist()}

    # ------------------------------------------------------------------ signals

    def _signals(self) -> dict[str, Floats]:
        query, index = self._query, self.index
        matched, covered, sessions = self._matches(self._asked)
        questions = self.has(QUESTION)
        asks = query.text.casefold().lstrip()
        before = self._shift(matched * questions, 1)
        near = self._near(matched)
        highest = near.max(initial=0) or 1
        found = {
            "words": near / highest,
            "answer": before / highest,
            "session": sessions,
            "covered": covered,
            "speaker": by_whom(query, index),
            "date": in_time(query, index),
            "length": np.log1p(np.minimum(np.diff(index.ends, prepend=0), ENOUGH_WORDS)),
            "question": questions,
        }
        found |= {name: self.has(kind) for name, (kind, how) in WANTS.items() if how.search(asks)}
        if query.vector is not None and index.vectors is not None:
            alike = index.vectors.cosines(in_particular(query.vector, index.vectors))
            found |= {
                "vector": alike,
                "session vector": self._of_session(alike),
                "vector before": self._shift(alike, 1),
                "answer vector": self._shift(np.maximum(alike, 0) * questions, 1),
            }
        return found

    def _weighted(self, signals: Mapping[str, Floats]) -> Floats:
        total = np.zeros(len(next(iter(signals.values()))), np.float32)
        for name, values in signals.items():
            total += np.float32(WEIGHTS[name]) * values.astype(np.float32)
        return total

    def _matches(self, asked: Sequence[int]) -> tuple[Floats, Floats, Floats]:
        """For each turn: BM25, the share of the question's words nearby, BM25 of its session."""
        turns, covered = np.zeros(self._n), np.zeros(self._n)
        count = int(self._session[-1]) + 1 if self._n else 0
        lengths = np.diff(self.index.ends, prepend=0)
        session_lengths = np.bincount(self._session, lengths, count)
        in_sessions, total = np.zeros(count), 0.0
        whole = self.index.whole or Whole(
            turns=self._n, sessions=count, terms=len(self.index.terms), began=0, having={}
        )
        average, session_average = (
            whole.terms / max(whole.turns, 1),
            whole.terms / max(whole.sessions, 1),
        )
        for each in asked:
            times = np.bincount(self._turn_of[self.index.terms == each], minlength=self._n)
            of_session = np.bincount(self._session, times, count)
            in_turns, among = whole.having.get(each) or map(np.count_nonzero, (times, of_session))
            rare = idf(whole.turns, int(in_turns))
            self._idf[each] = rare
            total += rare
            turns += rare * saturated(times, lengths, average)
            has = (times > 0).astype(np.float64)
            beside = np.maximum(self._shift(has, 1), self._shift(has, -1))
            covered += rare * np.maximum(has, 0.7 * beside)
            rare = idf(whole.sessions, int(among))
            in_sessions += rare * saturated(of_session, session_lengths, session_average)
        highest = in_sessions.max(initial=0) or 1
        return turns, covered / (total or 1), (in_sessions / highest)[self._session]

    def _token_weights(self) -> Floats:
        """(t,), how rare the words of the question are here; names of people are no topic."""
        names = {word for author in self.index.authors for word in words(author.name)[:1]}
        found = []
        for word in self._query.token_words:
            counted = "" if fold(word) in names else term(word)
            rare = self._idf.get(int(hashes([counted])[0]), 0.0) if counted else 0.0
            found.append(rare)
        weights = np.array(found, np.float32)
        if not weights.any():
            weights = np.ones(len(found), np.float32)
        return weights / max(float(weights.sum()), 1e-9)

    # ------------------------------------------------------------------ neighbours and sessions

    def _shift(self, values: Floats, by: int) -> Floats:
        """The value of the turn `by` places before, within the session; 0 where there is none."""
        moved = np.zeros_like(values)
        here, there = (
            (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
        )
        moved[here] = values[there] * (self._session[here] == self._session[there])
        return moved

    def _near(self, values: Floats) -> Floats:
        near = values.copy()
        for by, share in BESIDE:
            near += share * (self._shift(values, by) + self._shift(values, -by))
        return near

    def _of_session(self, values: Floats) -> Floats:
        """The highest value of the session."""
        if not self._n:
            return values
        first = np.flatnonzero(np.diff(self._session, prepend=-1))
        return np.maximum.reduceat(values, first)[self._session]


def idf(all_: int, having: int) -> float:
    return float(np.log(1 + (all_ - having + 0.5) / (having + 0.5)))


def saturated(times: NDArray[Any], lengths: NDArray[Any], average: float) -> Floats:
    found: Floats = times * (K1 + 1) / (times + K1 * (1 - B + B * lengths / max(average, 1.0)))
    return found
