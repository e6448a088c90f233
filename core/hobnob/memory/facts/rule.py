"""One rule: how a statement begins, what may follow, and what is kept of it. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta

from hobnob.memory.facts import values as read
from hobnob.memory.facts import words
from hobnob.memory.facts.found import FactKind
from hobnob.memory.facts.values import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    kind: FactKind
    attributes: tuple[str, ...]
    """Usually one; a statement may end several."""
    pattern: re.Pattern[str]
    read: Reader
    text: str
    gone: str
    confidence: float
    lasts: timedelta | None
    """How long it is true where the statement has no date of its own."""


def alternatives(known: frozenset[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(known, key=lambda w: (-len(w), w)))


PARTS = {
    "am": r"i(?:'?m| am)",
    "be": r"(?:i(?:'?m| am)|we(?:'re| are))",
    "have": r"(?:(?:i|we)(?:'ve)?(?: have)?(?: got)?)",
    "did": r"(?:i|we)(?:'ve| have)?(?: just| recently| finally| actually| also| both| all)*",
    "adv": r"(?:(?:really|absolutely|just|also|still|do|truly|totally|always|actually|personally"
    r"|genuinely|definitely|especially|particularly|mostly|now|currently|simply|usually|originally"
    r"|both|all|kinda|quite|rather|so|very|secretly) )*",
    "not": r"(?:don't|do not|dont|never|no longer)",
    "rel": r"(?:(?:dear|old|older|younger|little|big|best|eldest|oldest|youngest|twin|half|step"
    r"|late|new|elder|close|closest|good|other|first|only|baby|lovely|sweet|beloved|pet"
    r"|\d+[- ]year[- ]old)[ -])*(?P<rel>"
    + alternatives(words.ONE_OF | words.KIN | words.PETS)
    + r")",
    "number": r"(?P<n>\d{1,2}|an?|one|two|three|four|five|six|seven|eight|nine|ten|no)",
    "job": r"(?:an? )",
}
_PART = re.compile(r"\{(" + "|".join(PARTS) + r")\}")


def rule(
    kind: FactKind,
    attributes: str,
    pattern: str,
    reader: Reader = read.anything,
    text: str = "",
    gone: str = "",
    *,
    confidence: float = 0.9,
    lasts: timedelta | None = None,
) -> Rule:
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
