"""A question to the memory: whom it is about, when that was, and what kind of answer it wants."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hobnob.memory.dates import spans
from hobnob.memory.index import Index, Vectors
from hobnob.memory.words import NAME, NUMBER, TIME, hashes, named_at, terms

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    text: str
    askers: frozenset[str]
    """The ids of the one who asks: another on each platform that they linked."""
    at: datetime
    """Aware: "yesterday" is relative to it."""
    vector: Floats | None = None
    """(d,)."""
    tokens: Floats | None = None
    """(t, w)."""
    token_words: tuple[str, ...] = ()
    """(t,), the word that each token is a part of."""

    def asked(self) -> list[int]:
        """The hashes of its words, each once."""
        return list(dict.fromkeys(hashes(terms(self.text)).tolist()))


LESS_COMMON = 0.4
"""How much of what all turns have in common is taken from a question's vector."""
OTHERS = 0.5
"""How much those are meant whom a question names too: "what did Ann get from Ben?" """


def by_whom(query: Query, index: Index) -> Floats:
    """(n,), 1 for each turn of the person whom the question names first, half for others whom it
    names; where it names no person, 1 for whom it means by "I", "you" or the bot's name."""
    authors = index.authors
    at = [named_at(author.name, query.text) for author in authors]
    found = zip(authors, at, strict=True)
    people = [place for author, place in found if place is not None and not author.is_bot]
    if people:
        first = min(people)
        meant = [0 if place is None else 1 if place == first else OTHERS for place in at]
    elif (about := _pronoun(query.text)) == "i":
        meant = [author.id in query.askers for author in authors]
    elif about == "you":
        meant = [author.is_bot for author in authors]
    else:
        meant = [place is not None for place in at]
    return np.array(meant, np.float32)[index.author]


def in_particular(query: Floats, vectors: Vectors) -> Floats:
    """(d,), a question's vector without what all turns have in common, which tells none from
    another (Mu and Viswanath, 2018)."""
    found: Floats = query - LESS_COMMON * vectors.common()
    return found


def in_time(query: Query, index: Index) -> Floats:
    """(n,), 0 to 1: said when the question says."""
    found = np.zeros(len(index.at), np.float32)
    if not len(found):
        return found
    began = index.whole.began if index.whole else float(index.at.min())
    for start, end, weight in spans(query.text, query.at, datetime.fromtimestamp(began, UTC)):
        inside = (index.at >= start) & (index.at < end)
        found = np.maximum(found, np.float32(weight) * inside)
    return found


def asks_for_now(text: str) -> bool:
    """Whether the first verb of a question is in the present. English only."""
    verb = _VERB.search(_POLITE.sub("", text.casefold().replace("\u2019", "'")))
    return verb is not None and verb["now"] is not None


WANTS = {
    "time": (
        TIME,
        re.compile(
            r"^when\b|\bhow long\b|\bwhat (?:day|date|month|year|time)\b"
            r"|什么时候|哪天|几号|哪年|多久"
        ),
    ),
    "number": (
        NUMBER,
        re.compile(r"\bhow (?:many|much|often|old)\b|多少|几[个次只岁天年月]|多大"),
    ),
    "name": (
        NAME,
        re.compile(
            r"^(?:who|where|which)\b|\bnames?\b|\bcalled\b"
            r"|^what (?:book|movie|film|song|game|band|team|company|brand|city|country|state"
            r"|place)s?\b"
        ),
    ),
}
"""What an answer should have in it: the kind of text that has it, and how it is asked for."""
_POLITE = re.compile(
    r"^\W*(?:(?:do|can|could|would|will) you |please )?(?:still |please )?"
    r"(?:remember|recall|know|tell me|remind me)\b|^你?还?(?:记得|知道)"
)
_VERB = re.compile(
    r"\b(?:(?P<now>is|are|am|do|does|can|should|will|(?:what|who|where|how|when)'s)"
    r"|did|was|were|had|has|have|would|could|might|[a-z]+ed)\b"
)
_I = re.compile(r"\b(?:i|me|my|mine|we|our|us)\b|我")
_YOU = re.compile(r"\b(?:you|your|yours)\b|你")


def _pronoun(text: str) -> str:
    """Whom the question is about: "i", "you" or "". Whoever comes first is its subject."""
    rest = _POLITE.sub("", text.casefold())
    i, you = _I.search(rest), _YOU.search(rest)
    if i and (not you or i.start() < you.start()):
        return "i"
    return "you" if you else ""
