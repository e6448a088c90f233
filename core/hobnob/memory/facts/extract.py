"""From a turn to its facts. Read it top to bottom: extract, sentence, clause, rule."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from hobnob.events import Role, Turn
from hobnob.memory.facts import rules_life, rules_self, words
from hobnob.memory.facts.dates import month_of
from hobnob.memory.facts.found import Found, to_you
from hobnob.memory.facts.instructions import INSTRUCTIONS, LONGEST, NOTE, REMEMBER
from hobnob.memory.facts.reading import Clause, Sentence, sentences
from hobnob.memory.facts.rule import Rule
from hobnob.memory.facts.values import Reading, key, over

MOST = 8
"""Facts taken from one turn: nobody says more about themselves in one breath."""


_NO_QUOTES = str.maketrans("", "", "“”{}")
RULES = rules_self.RULES + rules_life.RULES


def extract(turn: Turn) -> Sequence[Found]:
    """What the author of `turn` said about themselves, in order, at most `MOST`.

    A bot's turn gives nothing. The work is bounded, however long the text is.
    """
    if turn.role is not Role.USER or turn.author.is_bot:
        return ()
    found: dict[tuple[str, bool], Found] = {}
    for sentence in sentences(turn.text):
        for fact in _in_sentence(sentence, turn.at):
            found[fact.attribute, fact.ends] = fact  # the last word counts
        if len(found) >= MOST:
            break
    return tuple(found.values())[:MOST]


def _in_sentence(sentence: Sentence, at: datetime) -> Iterator[Found]:
    for clause in sentence.clauses:
        yield from _in_clause(clause, at)
    own, _, _ = sentence.text.partition(": ")  # behind it somebody else may speak
    for match in rules_life.NAMED.pattern.finditer(own):
        yield from _first((rules_life.NAMED,), Clause(text=own[match.start() :]), at)


def _in_clause(clause: Clause, at: datetime) -> Iterator[Found]:
    remembered = REMEMBER.match(clause.text)
    if remembered:
        clause = replace(clause, text=clause.text[remembered.end() :])
        yield from list(_first(RULES, clause, at)) or _first((NOTE,), clause, at)
    elif clause.request:
        yield from _first(INSTRUCTIONS, clause, at)
    else:
        yield from _first((*INSTRUCTIONS, *RULES), clause, at)


def _first(rules: Iterable[Rule], clause: Clause, at: datetime) -> Iterator[Found]:
    """What the first rule that fits reads."""
    for rule in rules:
        match = rule.pattern.match(clause.text)
        reading = match and rule.read(clause.text[match.end() :], clause, at)
        if match and reading:
            yield from _made(rule, match, reading, clause, at)
            return


def _made(
    rule: Rule, match: re.Match[str], reading: Reading, clause: Clause, at: datetime
) -> Iterator[Found]:
    groups = {name: part or "" for name, part in match.groupdict().items()}
    gone = bool(groups.get("gone") or (rule.gone and over(reading.tail)))
    template = rule.gone if gone else rule.text
    if not template:
        return
    said = clause.text[:LONGEST].translate(_NO_QUOTES)
    for read in reading.values:
        value = groups.get("v") or read
        parts = groups | {
            "v": value,
            "k": key(value),
            "slot": _slot(groups.get("rel", ""), key(value)),
            "kin": _kin(key(value)),
            "said": said,
            "when": reading.when,
            "day": reading.day,
            "month": month_of(at),
        }
        text = to_you(" ".join(template.format_map(parts).split()))
        for attribute in rule.attributes:
            ends = gone or attribute.startswith("-")
            yield Found(
                kind=rule.kind,
                attribute=attribute.removeprefix("-").format_map(parts).casefold().strip(),
                value="" if attribute.startswith("-") else value or said,
                text=text,
                confidence=rule.confidence,
                ends=ends,
                until=reading.until or (at + rule.lasts if rule.lasts else None),
            )


def _kin(key: str) -> str:
    """ "two kids", "a child" and "my older daughter's dog" by what they are."""
    last = key.rsplit(maxsplit=1)[-1] if key else ""
    if last in ("kid", "kids", "children"):
        return "child"
    return last.removesuffix("s")


def _slot(relation: str, name: str) -> str:
    """One has one wife, but may have more than one sister."""
    relation = relation.casefold()
    if relation in words.PARTNERS:
        return "partner's name"
    return f"{relation}'s name" if relation in words.ONE_OF else f"{relation}:{name}"
