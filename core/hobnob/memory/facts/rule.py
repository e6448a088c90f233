"""One rule: how a statement begins, what may follow, and what is kept of it. Pure.

A rule is matched at the beginning of a clause; its reader takes the value from what follows. In
`attributes` and `text`, {v} is the value, {k} its key, {when} its date, {said} the whole clause and
other names are groups of the pattern. Where a statement says that something is no longer so (a
group `gone` matched, or "any more" follows) the sentence is `gone`, and the fact ends an older one.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from hobnob.memory.facts import readers as read
from hobnob.memory.facts import words
from hobnob.memory.facts.found import FactKind
from hobnob.memory.facts.values import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    kind: FactKind
    attributes: tuple[str, ...]
    """Usually one. Behind a "-" it is one that the statement ends, whatever stood there."""
    pattern: re.Pattern[str]
    read: Reader
    text: str
    gone: str
    confidence: float
    lasts: timedelta | None
    """How long it is true where the statement has no date of its own."""


def alternatives(known: frozenset[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(known, key=lambda w: (-len(w), w)))


PARTS = {
    # "im" only before a small letter: German writes "im Park".
    "am": r"(?:i'm |i am |im (?=(?-i:[a-z\d])))",
    "be": r"(?:i'm |i am |im (?=(?-i:[a-z\d]))|we're |we are )",
    "have": r"(?:i|we)(?:'ve got|'ve| have got| have| got) ",
    "did": r"(?:i|we)(?:'ve| have)?(?: just| recently| finally| actually| also| both| all)* ",
    "adv": r"(?:(?:really|absolutely|just|also|still|do|truly|totally|always|actually|personally"
    r"|genuinely|definitely|especially|particularly|mostly|now|currently|simply|usually|originally"
    r"|both|all|kinda|quite|rather|so|very|secretly|already|finally) )*",
    "gone": r"(?P<gone>(?:no longer|don't|do not|dont|never|not) )?",
    "not": r"(?P<not>(?:not|don't|can't) )?",
    "a": r"(?P<a>an? |the )",
    "rel": r"(?:(?:dear|old|older|younger|little|big|best|eldest|oldest|youngest|twin|half|step"
    r"|late|new|elder|close|closest|good|other|first|only|baby|lovely|sweet|beloved|pet"
    r"|\d+[- ]year[- ]old)[ -])*(?P<rel>"
    + alternatives(words.ONE_OF | words.KIN | words.PETS)
    + r")",
    "named": r"(?:,? (?-i:[A-Z])\w+,?)?",
}
"""What patterns have in common, written {am} in them. None of it nests a repetition in another
that could match the same text, so that matching takes linear time."""
_PART = re.compile(r"\{(" + "|".join(PARTS) + r")\}")


def rule(
    kind: FactKind,
    attributes: str,
    pattern: str,
    reader: Reader = read.bare,
    text: str = "",
    gone: str = "",
    *,
    confidence: float = 0.9,
    lasts: timedelta | None = None,
) -> Rule:
    """A rule with its parts put in; `attributes` are parted by " | "."""
    whole = _PART.sub(lambda match: PARTS[match[1]], pattern)
    return Rule(
        kind=kind,
        attributes=tuple(attributes.split(" | ")),
        pattern=re.compile(whole, re.IGNORECASE),
        read=reader,
        text=text,
        gone=gone,
        confidence=confidence,
        lasts=lasts,
    )
