"""Excerpts as the model is shown them, and the numbers by which its answer names them. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

from hobnob.events import ChatMessage, Speaker
from hobnob.memory.words import terms
from hobnob.notes import Budget
from hobnob.store.knowledge import Excerpt
from hobnob.text import one_line

MOST = 4
"""Excerpts that are shown: with more, small models lose what they were asked."""
LEAST_SHARE = 0.5
"""Of an answer's words, how many stand in the excerpt that it is made of, where it names none."""

MOST_REPEATED = 2
"""Times that an answer may say the same sentence."""

INSTRUCTION = """\
What the documents say, by number. Answer from this alone, in a few short sentences, and write the \
number of what you use behind it, like [1]. If it doesn't answer the question, say that you don't \
know."""
NOTHING = """\
The documents say nothing about this. Name no price, date, rule or promise; if you are asked for \
one, say that you don't know."""

_UNKNOWING = re.compile(
    r"\b(?:don'?t|do not|doesn'?t|does not|cannot|can'?t) (?:know|say|tell|find|answer|mention)\b"
    r"|\bnot sure\b|\bweiß (?:ich )?(?:es |das )?nicht\b|不知道|不清楚|没有提到",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]{8,}")
_NUMBERS = re.compile(r"[ \t]*[\[【](\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】](?:\([^)\s]*\))?")


def brief(found: Sequence[Excerpt], budget: Budget) -> tuple[str, int]:
    """What the model is told, and how many of the excerpts it is shown: the best that fit."""
    for count in range(min(len(found), MOST), 0, -1):
        lines = [
            f"[{number}] {name(each)}: {one_line(each.text)}"
            for number, each in enumerate(found[:count], start=1)
        ]
        text = "\n".join([INSTRUCTION, *lines])
        if budget.count([ChatMessage(role=Speaker.USER, content=text)]) <= budget.tokens:
            return text, count
    return "", 0


def name(excerpt: Excerpt) -> str:
    parts = (one_line(excerpt.title), one_line(excerpt.heading))
    return ", ".join(part for part in parts if part)


def plain(text: str) -> str:
    """`text` without any number of an excerpt."""
    return _NUMBERS.sub("", text).strip()


def is_grounded(text: str, shown: Sequence[Excerpt]) -> bool:
    """The answer names an excerpt, is made of one, or says that it doesn't know; and it does not go
    round in circles, as small models do."""
    sentences = Counter(each.strip() for each in _SENTENCE.findall(plain(text)))
    if sentences and max(sentences.values()) > MOST_REPEATED:
        return False
    named = {
        int(each) for match in _NUMBERS.finditer(text) for each in re.findall(r"\d+", match[1])
    }
    return (
        any(1 <= number <= len(shown) for number in named)
        or _made_of(plain(text), shown) > 0
        or _UNKNOWING.search(text) is not None
    )


def cited(text: str, shown: Sequence[Excerpt]) -> str:
    """`text` with the numbers that are those of excerpts, and behind it what these are. Where it
    names none, the one that holds most of its words is named, if it holds enough of them."""
    used: list[int] = []

    def keep(match: re.Match[str]) -> str:
        numbers = [int(each) for each in re.findall(r"\d+", match[1])]
        there = [number for number in dict.fromkeys(numbers) if 1 <= number <= len(shown)]
        used.extend(there)
        return " " + "".join(f"[{number}]" for number in there) if there else ""

    answer = _NUMBERS.sub(keep, text).strip()
    if not used and (best := _made_of(answer, shown)):
        used.append(best)
        answer = f"{answer} [{best}]"
    return "\n\n".join(part for part in (answer, _sources(sorted(set(used)), shown)) if part)


def _made_of(answer: str, shown: Sequence[Excerpt]) -> int:
    """The number of the excerpt that holds most of the answer's words; 0 if none holds enough."""
    said = set(terms(answer))
    if not said or not shown:
        return 0
    shares = [len(said & set(terms(f"{name(each)} {each.text}"))) / len(said) for each in shown]
    best = max(range(len(shares)), key=shares.__getitem__)
    return best + 1 if shares[best] >= LEAST_SHARE else 0


def _sources(numbers: Sequence[int], shown: Sequence[Excerpt]) -> str:
    """One line for each place, with the numbers of all that is from there."""
    places: dict[str, list[int]] = {}
    for number in numbers:
        each = shown[number - 1]
        place = f"{name(each)}: {each.url}" if each.url else name(each)
        places.setdefault(place, []).append(number)
    return "\n".join(
        f"{''.join(f'[{number}]' for number in found)} {place}" for place, found in places.items()
    )
