"""What a fact is, and how it reads. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FactKind(StrEnum):
    """What a fact is about."""

    IDENTITY = "identity"  # name, age, home, work, health ...
    PREFERENCE = "preference"
    RELATIONSHIP = "relationship"  # family, friends, pets
    EVENT = "event"  # happened, or is on a date
    PLAN = "plan"
    FEELING = "feeling"  # passes: see `Found.until`
    INSTRUCTION = "instruction"  # to the bot, for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One fact that the author of a turn stated about themselves."""

    kind: FactKind
    attribute: str
    """The slot, in lower case: a later fact in the same slot replaces this one. Where many can be
    true at once it names what it is about: "home", "likes:coffee", "sister:mia",
    "instruction:language"."""
    value: str
    """The person's own words, on one line, at most 160 characters; a date in a normal form."""
    text: str
    """One sentence to the person, without a full stop: "You are allergic to nuts", "Your sister is
    called Mia". `about` makes it one about them."""
    confidence: float
    """0 to 1: how surely the rule means what the person meant."""
    ends: bool = False
    """It ends what was true in this slot: "You no longer live in Rome". `value` is what ended; ""
    if that was not said. An older fact with another value is not meant."""
    until: datetime | None = None
    """When it is no news any more (a feeling, a dated plan); None if it holds till replaced."""


_SUBJECT = re.compile(r"(Your|You)\b(?: ([\w']+))?")
_QUOTED = re.compile(r"(“[^”]*”)")
THIRD = {
    "are": "is",
    "were": "was",
    "have": "has",
    "don't": "doesn't",
    "study": "studies",
    "despise": "despises",
    "go": "goes",
    "fly": "flies",
} | {
    verb: f"{verb}s"
    for verb in (
        "like", "love", "adore", "enjoy", "hate", "dislike", "detest", "loathe", "prefer", "live",
        "work", "speak", "play", "smoke", "vape", "want", "feel", "plan", "eat", "drink",
        "collect", "start", "leave", "move", "graduate", "travel",
    )
}  # fmt: skip
"""The verbs in the present tense that sentences of rules begin with."""
_THEY = {
    "your": "their",
    "yours": "theirs",
    "yourself": "themselves",
    "you're": "they're",
    "you've": "they've",
    "you'll": "they'll",
    "you are": "they are",
    "you were": "they were",
    "you have": "they have",
    "you had": "they had",
    "you": "them",
}
_YOU = re.compile(rf"\b(?:{'|'.join(sorted(_THEY, key=len, reverse=True))})\b(?!')")


def about(text: str, name: str) -> str:
    """The sentence of a fact (`Found.text`) as one about `name`, for a prompt.

    "You are allergic to nuts" becomes "Ann is allergic to nuts", "Your sister lives near you"
    "Ann's sister lives near them". What stands in “ ” stays as it was said.
    """
    match = _SUBJECT.match(text)
    if match is None:
        return text
    rest = text[match.end() :]
    if match[1] == "Your":
        head = f"{name}'s {match[2] or ''}"
    else:
        head = f"{name} {THIRD.get(match[2], match[2] or '')}"
    parts = _QUOTED.split(rest)
    parts[::2] = [_YOU.sub(lambda m: _THEY[m[0]], part) for part in parts[::2]]
    return head + "".join(parts)


_FIRST_PERSON = {
    "my": "your",
    "our": "your",
    "mine": "yours",
    "me": "you",
    "us": "you",
    "myself": "yourself",
    "we": "you",
    "we're": "you're",
    "i": "you",
    "i'm": "you're",
    "i've": "you've",
    "i'll": "you'll",
    "i am": "you are",
    "i was": "you were",
}
_FIRST_PERSON |= {f"I{said[1:]}": you for said, you in _FIRST_PERSON.items() if said[0] == "i"}
# With regard to capitals: "the US" is no "us".
_I = re.compile(rf"\b(?:{'|'.join(sorted(_FIRST_PERSON, key=len, reverse=True))})\b(?!')")


def to_you(text: str) -> str:
    """What somebody said, said back to them: "You love my garden" becomes "You love your garden".
    What stands in “ ” stays as it was said."""
    parts = _QUOTED.split(text)
    parts[::2] = [_I.sub(lambda m: _FIRST_PERSON[m[0]], part) for part in parts[::2]]
    return "".join(parts)
