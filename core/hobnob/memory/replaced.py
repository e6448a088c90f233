"""Of two statements the later one counts: where a question asks how things are now, what somebody
said last stands before what it replaced.

A fact that ended another one is known to replace it. Beyond that, only the first few change places
among themselves: nothing that was found falls out.
"""

from collections.abc import Mapping, Sequence

from hobnob.memory.ranking import Ranking
from hobnob.memory.words import QUESTION

FEW = 5
"""Of so many the newer may replace the older."""
ALIKE = 0.5
"""Cosine of two statements about one thing, read with what stood beside them."""
AS_MUCH = 0.9
"""The newer holds so much of what was asked, for all that the older does."""

Newer = dict[int, set[int]]
"""For a place, those places that replace it. All of them were said later."""


def alike(ranking: Ranking, order: Sequence[int]) -> Newer:
    """Of the first few of `order` those that a later one is much like: said by the same person in
    another session, and no question."""
    index, found = ranking.index, Newer()
    asks = ranking.has(QUESTION)
    people = [each for each in order[:FEW] if not index.authors[index.author[each]].is_bot]
    for old in people:
        for new in people:
            if (
                index.author[old] == index.author[new]
                and index.at[old] < index.at[new]
                and index.session[old] != index.session[new]
                and not asks[new]
                and ranking.relevance[new] >= AS_MUCH * ranking.relevance[old]
                and _about_one_thing(ranking, old, new)
            ):
                found.setdefault(old, set()).add(new)
    return found


def newest_first(
    order: Sequence[int], newer: Mapping[int, set[int]], ranking: Ranking
) -> list[int]:
    """`order`, with each place behind those that replace it, which are as relevant as it is."""
    found: dict[int, None] = {}
    at = ranking.index.at

    def put(place: int) -> None:
        if place in found:
            return
        later = [each for each in newer.get(place, ()) if at[each] > at[place]]
        for each in sorted(later, key=lambda each: -at[each]):
            ranking.relevance[each] = ranking.relevance[[each, place]].max()
            put(each)
        found[place] = None

    for place in order:
        put(place)
    return list(found)


def _about_one_thing(ranking: Ranking, old: int, new: int) -> bool:
    vectors = ranking.index.vectors
    if vectors is not None and vectors.known([old, new]).all():
        (cosine,) = vectors.at([new]).cosines(vectors.unit(old))
        return bool(cosine >= ALIKE)
    return bool(ranking.asked_in(old) & ranking.asked_in(new))
