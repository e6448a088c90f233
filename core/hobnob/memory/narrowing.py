"""A conversation of a million turns is not compared turn by turn: first those sessions are picked
that may hold what is asked for, by what can be known of a turn from a few bytes. Their turns are
compared like those of any other conversation (ranking.py), with the statistics of all.
"""

import numpy as np
from numpy.typing import NDArray

from hobnob.memory.index import BLOCK, Floats, Index, Places, Whole, distinct, signs
from hobnob.memory.question import Query, by_whom, in_particular, in_time
from hobnob.memory.ranking import WEIGHTS, idf

KEPT = 16_384
"""Turns that are kept, besides the sessions behind the last block."""


def narrow(query: Query, index: Index, kept: int = KEPT) -> tuple[Places, Index]:
    """The places of the turns that are kept, ascending, and the index of these alone."""
    first = np.flatnonzero(np.diff(index.session, prepend=-1))
    sizes = np.diff(np.append(first, len(index.at)))
    in_turns, in_sessions, having = _matches(query, index, len(first))
    turns = WEIGHTS["words"] * in_turns + WEIGHTS["speaker"] * by_whom(query, index)
    turns += WEIGHTS["date"] * in_time(query, index)
    scores = WEIGHTS["session"] * in_sessions
    if query.vector is not None and index.vectors is not None:
        alike = _cosines(in_particular(query.vector, index.vectors), index)
        turns += WEIGHTS["vector"] * alike
        scores += WEIGHTS["session vector"] * np.maximum.reduceat(alike, first)
    scores += np.maximum.reduceat(turns, first)
    order = np.argsort(-scores)
    keep = np.zeros(len(first), bool)
    keep[order[np.cumsum(sizes[order]) <= kept]] = True
    keep[first + sizes > _end(index)] = True
    places = np.flatnonzero(np.repeat(keep, sizes))
    whole = Whole(
        turns=len(index.at),
        sessions=len(first),
        terms=len(index.terms),
        began=float(index.at.min()),
        having=having,
    )
    return places, index.part(places, whole)


def _matches(
    query: Query, index: Index, sessions: int
) -> tuple[Floats, Floats, dict[int, tuple[int, int]]]:
    """For each turn and for each session how much of the question's words it has, 0 to 1; for
    each word how many turns and sessions have it."""
    end = _end(index)
    rest = slice(int(index.ends[end - 1]), None)
    rest_of = np.repeat(np.arange(end, len(index.at)), np.diff(index.ends[end - 1 :]))
    in_turns, in_sessions = np.zeros(len(index.at), np.float32), np.zeros(sessions, np.float32)
    having = {}
    for each in query.asked():
        last = distinct(rest_of[index.terms[rest] == each])
        turns = np.concatenate([*(block.having(each) for block in index.blocks), last])
        among = distinct(index.session[turns])
        having[each] = len(turns), len(among)
        in_turns[turns] += idf(len(index.at), len(turns))
        in_sessions[among] += idf(sessions, len(among))
    return in_turns / (in_turns.max() or 1), in_sessions / (in_sessions.max() or 1), having


def _cosines(query: Floats, index: Index) -> NDArray[np.float32]:
    """Of each turn with a question, roughly: by how many signs differ (Charikar, 2002). Of those
    behind the last block 0."""
    found = np.zeros(len(index.at), np.float32)
    cosine = np.cos(np.pi * np.arange(len(query) + 1) / len(query)).astype(np.float32)
    asked = signs(query[None])
    for block in index.blocks:
        if block.signs is not None:
            differing = np.bitwise_count(block.signs ^ asked).sum(axis=0, dtype=np.uint16)
            found[block.first : block.first + len(differing)] = cosine[differing]
    return found


def _end(index: Index) -> int:
    """Where the last block ends."""
    return index.blocks[-1].first + BLOCK
