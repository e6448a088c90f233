"""What was said before the window, in short, so that a long conversation stays coherent.

By default it is made of the people's own sentences, those that say most: nothing in it can be
invented. With `summaries = "model"` the bot's model writes it, and what it writes is kept only as
far as it is supported by what was said.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

from hobnob.errors import EngineError
from hobnob.events import ChatMessage, Role, Sampling, Speaker, Turn
from hobnob.memory.words import terms, words
from hobnob.ports import Engine
from hobnob.text import clean_name, one_line
from hobnob.thinking import without_thinking

MOST_SENTENCES = 10
MOST_CHARACTERS = 900
LEAST_WORDS, MOST_WORDS = 5, 40
SUPPORTED = 0.75
"""The share of a sentence's words that must have been said."""
LEAST_KEPT = 0.5
"""The share of a model's sentences that must be supported for any of it to be trusted."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*(?=\S)|\n+")
_ASK = (
    "You keep the notes of a conversation. Write in at most eight short sentences what matters in "
    "it for later: who the people are, what they like, plan, decided and asked for. Use names and "
    "the words that were used. Add nothing that was not said. Answer with the notes only."
)
_SAMPLING = Sampling(max_new_tokens=300, temperature=0)


def extract(turns: Sequence[Turn]) -> str:
    """The people's sentences that say most, dated, in their order; "" if none says anything."""
    said = [
        (number, turn, one_line(sentence))
        for number, turn in enumerate(turns)
        if turn.role is Role.USER
        for sentence in _SENTENCE.split(turn.text)
        if not sentence.rstrip().endswith(("?", "？"))
    ]
    counted = [(each, terms(each[2])) for each in said if _fits(each[2])]
    having = Counter(term for _, found in counted for term in set(found))
    total = len(counted)

    def tells(found: Sequence[str]) -> float:
        """Rare enough to say something, and said more than once: what people come back to."""
        weights = (
            math.log(1 + total / having[term]) * math.log(1 + having[term]) for term in set(found)
        )
        return sum(weights) / math.sqrt(len(found) + 3)

    chosen: list[tuple[int, Turn, str]] = []
    known: set[str] = set()
    room = MOST_CHARACTERS
    for each, found in sorted(counted, key=lambda pair: -tells(pair[1])):
        new = set(found) - known
        line = _line(each[1], each[2])
        if len(new) * 2 >= len(set(found)) > 0 and len(line) < room:
            chosen.append(each)
            known |= new
            room -= len(line)
        if len(chosen) == MOST_SENTENCES:
            break
    return "\n".join(_line(turn, text) for _, turn, text in sorted(chosen, key=lambda c: c[0]))


async def write(engine: Engine, before: str, turns: Sequence[Turn]) -> str:
    """What the model makes of the summary `before` and of `turns`; "" if it can't be trusted.

    Raises EngineUnavailable.
    """
    lines = [f"{clean_name(turn.author.name)}: {one_line(turn.text)}" for turn in turns]
    while lines and engine.count_tokens(_prompt(before, lines)) > engine.prompt_tokens:
        lines = lines[len(lines) // 4 + 1 :]
    written = ""
    try:
        async with aclosing(
            without_thinking(engine.stream(_prompt(before, lines), _SAMPLING))
        ) as pieces:
            async for piece in pieces:
                written += piece
    except EngineError:
        return ""
    return supported(written, [before, *lines])


def supported(text: str, sources: Sequence[str]) -> str:
    """The sentences of `text` whose words stand in one of `sources` or in two in a row; "" if
    these are less than half."""
    near = [
        set(terms(f"{one} {two}")) for one, two in zip(sources, [*sources[1:], ""], strict=True)
    ]
    sentences = [one_line(each) for each in _SENTENCE.split(text.strip()) if each.strip()]
    kept = []
    for sentence in dict.fromkeys(sentences):
        found = set(terms(sentence))
        most = max((len(found & each) for each in near), default=0)
        if found and most >= SUPPORTED * len(found):
            kept.append(sentence.lstrip("-*• "))
    if not kept or len(kept) < LEAST_KEPT * len(sentences):
        return ""
    return "\n".join(kept)[:MOST_CHARACTERS]


def _prompt(before: str, lines: Sequence[str]) -> tuple[ChatMessage, ...]:
    notes = f"Your notes so far:\n{before}\n\n" if before else ""
    talk = "\n".join(lines)
    return (
        ChatMessage(role=Speaker.SYSTEM, content=_ASK),
        ChatMessage(role=Speaker.USER, content=f"{notes}The conversation goes on:\n{talk}"),
    )


def _fits(sentence: str) -> bool:
    return LEAST_WORDS <= len(words(sentence)) <= MOST_WORDS or (
        8 <= len(sentence) <= 120 and not sentence.isascii()  # no spaces between words
    )


def _line(turn: Turn, text: str) -> str:
    return f"{turn.at:%-d %B %Y}, {clean_name(turn.author.name)}: {text}"
