"""Whether a fact that a model names was really stated. Pure.

A model only points: at a message, at the words in it, and at what sort of fact they are. The words
must stand in what their author says plainly and of themselves (`reading`), and the sentence that
is kept must say to the author just what they said, word for word: nothing in it can be invented,
left out or turned round. English, like the rules.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hobnob.events import Turn
from hobnob.memory.facts import values
from hobnob.memory.facts.found import FactKind, Found
from hobnob.memory.facts.instructions import LONGEST, PRIVILEGED
from hobnob.memory.facts.reading import sentences, straight
from hobnob.memory.facts.words import word_set
from hobnob.memory.words import fold, terms, words
from hobnob.text import one_line

BY_MODEL = 0.4
"""The confidence of what a model found. No rule is so unsure."""
PLAN_LASTS = timedelta(days=90)
"""The model can't tell reliably when a plan is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """What sort of fact something is."""

    kind: FactKind
    slot: str = ""
    """Where only one can be true at a time: the attribute, the same as that of rules."""
    cue: re.Pattern[str] | None = None
    """What the words must hold to take that slot, and so to end what was known."""


def _one_of_a_kind(kind: FactKind, slot: str, cue: str) -> Sort:
    return Sort(kind=kind, slot=slot, cue=re.compile(rf"\b(?:{cue})\b", re.IGNORECASE))


_IDENTITY = FactKind.IDENTITY
SORTS = {
    "home": _one_of_a_kind(_IDENTITY, "home", "liv(?:e|ing)|moved|based|settled|resid(?:e|ing)"),
    "job": _one_of_a_kind(_IDENTITY, "job", "works?|working|job|career|trade|for a living"),
    "employer": _one_of_a_kind(_IDENTITY, "employer", "works?|working|job|employed|hired"),
    "studies": _one_of_a_kind(_IDENTITY, "studies", "study|studying|degree|major(?:ing)?|phd"),
    "diet": _one_of_a_kind(_IDENTITY, "diet", "diet|eat|vegan|vegetarian|pescatarian"),
    "origin": Sort(kind=_IDENTITY),
    "health": Sort(kind=_IDENTITY),
    "skill": Sort(kind=_IDENTITY),
    "belief": Sort(kind=_IDENTITY),
    "likes": Sort(kind=FactKind.PREFERENCE),
    "dislikes": Sort(kind=FactKind.PREFERENCE),
    "habit": Sort(kind=FactKind.PREFERENCE),
    "person": Sort(kind=FactKind.RELATIONSHIP),
    "pet": Sort(kind=FactKind.RELATIONSHIP),
    "owns": Sort(kind=_IDENTITY),
    "event": Sort(kind=FactKind.EVENT),
    "plan": Sort(kind=FactKind.PLAN),
}
"""Names, birthdays, feelings and wishes to the bot are not among them: rules read these better."""
_SHARED = {"dislikes": "likes"}  # who hates coffee no longer likes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a model says of one message."""

    sort: str
    """One of SORTS."""
    quote: str
    value: str
    """The words of the quote that name the thing itself: "Rome", "coffee"."""
    statement: str
    """The quote as said to its author: "You live in Rome"."""


_WHOLE = {"re": "You are", "ve": "You have", "ll": "You will"}
_OPENED = re.compile(r"^You'(re|ve|ll)\b")


def checked(stated: Stated, turn: Turn) -> Found | str:
    """The fact, or why it is none."""
    quote = _end(straight(stated.quote))
    statement = _OPENED.sub(lambda match: _WHOLE[match[1]], _end(straight(stated.statement)))
    if not quote or quote not in one_line(straight(turn.text)):
        return "the quote does not stand in the message"
    if PRIVILEGED.search(quote):
        return "the quote speaks to the bot, or holds a secret"
    if not _plainly_stated(quote, turn.text):
        return "the quote is no plain statement of the author about themselves"
    if len(statement) > LONGEST or not statement.startswith(("You ", "Your ")):
        return "the statement is not one to the author"
    if _as_said(statement) != _as_said(quote):
        return "the statement is not what the quote says"
    value = one_line(straight(stated.value))
    if not terms(value) or not _within(words(value), words(quote)):
        return "the value does not stand in the quote"
    return _made(stated, quote, value, statement, turn.at)


def _made(stated: Stated, quote: str, value: str, statement: str, at: datetime) -> Found:
    sort = SORTS[stated.sort]
    slot = sort.slot if sort.cue and sort.cue.search(quote) else ""
    return Found(
        kind=sort.kind,
        attribute=slot or f"{_SHARED.get(stated.sort, stated.sort)}:{values.key(value)}",
        value=value,
        text=statement,
        confidence=BY_MODEL,
        until=at + PLAN_LASTS if sort.kind is FactKind.PLAN else None,
    )


def _plainly_stated(quote: str, text: str) -> bool:
    """Whether a clause begins with it that the rules would read too, and nothing follows that
    takes it back."""
    for sentence in sentences(text):
        for clause in sentence.clauses:
            rest = clause.text[len(quote) :]
            if clause.text.startswith(quote) and not clause.request and values.ends(rest):
                return not values.over(rest)
    return False


def _end(text: str) -> str:
    return one_line(text).rstrip(".!… ")


# ------------------------------------------------------------------------------ said to the author

_EXPANDED = (
    (re.compile(r"\b(?:can't|cannot)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"\bim\b"), "i am"),
    (re.compile(r"\bive\b"), "i have"),
    (re.compile(r"\bdont\b"), "do not"),
)
_EQUAL = {
    **dict.fromkeys(("i", "me", "we", "us"), "you"),
    **dict.fromkeys(("my", "our"), "your"),
    **dict.fromkeys(("mine", "ours"), "yours"),
    **dict.fromkeys(("myself", "ourselves", "yourselves"), "yourself"),
    **dict.fromkeys(("am", "is"), "are"),
    "was": "were",
}
_HARMLESS = word_set("a an the just really actually also very so too and but got")


def _as_said(text: str) -> list[str]:
    """The words of a text, whoever says it to whom."""
    folded = fold(text)
    for pattern, whole in _EXPANDED:
        folded = pattern.sub(whole, folded)
    return [_EQUAL.get(word, word) for word in words(folded) if word not in _HARMLESS]


def _within(some: Sequence[str], all_: Sequence[str]) -> bool:
    """Whether these words stand in a row among those."""
    return any(all_[at : at + len(some)] == some for at in range(len(all_) - len(some) + 1))
