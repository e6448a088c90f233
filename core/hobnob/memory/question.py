"""What a question asks for: a time, a number, about whom. Pure."""

import re

ASKS_WHEN = re.compile(
    r"^when\b|\bhow long\b|\bwhat (?:day|date|month|year|time)\b|什么时候|哪天|几号|哪年|多久"
)
ASKS_HOW_MANY = re.compile(r"\bhow (?:many|much|often|old)\b|多少|几[个次只岁天年月]|多大")
POLITE = re.compile(
    r"^\W*(?:(?:do|can|could|would|will) you |please )?(?:still |please )?"
    r"(?:remember|recall|know|tell me|remind me)\b|^你?还?(?:记得|知道)"
)
_I = re.compile(r"\b(?:i|me|my|mine|we|our|us)\b|我")
_YOU = re.compile(r"\b(?:you|your|yours)\b|你")


def pronoun(text: str) -> str:
    """Whom the question is about: "i", "you" or "". Whoever comes first is its subject."""
    rest = POLITE.sub("", text.casefold())
    i, you = _I.search(rest), _YOU.search(rest)
    if i and (not you or i.start() < you.start()):
        return "i"
    return "you" if you else ""
