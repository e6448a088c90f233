"""What the bot itself said that it would do, and when. Pure.

A promise is found in what was said, by rules, and its time is read as a person's is: a sentence
counts only if it begins as one ("I'll ask you tomorrow ..."), names one time beyond doubt, and
neither asks nor sets a condition. What is missed is not kept, and what was not meant is not said.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hobnob.assistant.speech import speech
from hobnob.assistant.when import read
from hobnob.assistant.when.grammar import LANGUAGES, fold, normal

SOONEST, LATEST = timedelta(minutes=20), timedelta(days=60)
""""In a minute" is a way of speaking."""
LONGEST = 300
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_OPENING = re.compile(
    r"(?:(?:ok|okay|sure|great|good|fine|alright|all right|then|and|so|yes|well|ja|gut|klar|dann"
    r"|vale|claro|bueno|entonces|d'accord|bien|alors|oui|好的?|那)[,，]? )*"
)
_ASK = re.compile(r"^(?:I'll|I will|I'm going to) (?:\w+ly )?ask you\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    said: str
    """The sentence."""
    due: datetime
    task: str
    """The sentence without its time."""

    @property
    def question(self) -> str:
        """How it is said when it is kept, where that is plain English; else ""."""
        if not _ASK.match(self.task):
            return ""
        return f"{_ASK.sub('I wanted to ask you', self.task).rstrip('.! ')}."


def are_in(text: str) -> bool:
    """Whether a sentence sounds like one."""
    return next(_candidates(text), None) is not None


def find(text: str, at: datetime, zone: str) -> Promise | None:
    """The first that `text`, said then, makes to somebody whose clock is in `zone`."""
    for said, code in _candidates(text):
        reading = read(said, at, zone, [code])
        if reading.doubt is None and len(reading.whens) == 1:
            when = reading.whens[0]
            if not when.rule and SOONEST <= when.due - at <= LATEST:
                return Promise(said=said, due=when.due, task=reading.task)
    return None


def _candidates(text: str) -> Iterator[tuple[str, str]]:
    """Sentences that begin as a promise does, and their language."""
    for match in _SENTENCE.finditer(text):
        sentence = normal(match[0])
        opening = _OPENING.match(fold(sentence))
        said = sentence[opening.end() :] if opening else sentence
        if len(said) > LONGEST or said.endswith(("?", "？")):
            continue
        for code in LANGUAGES:
            spoken = speech(code, __package__)
            if spoken.begins("promise", said) and not spoken.has("promise_no", said):
                yield said, code
