"""When somebody wants to be reminded, and of what, read from what they wrote. Pure.

No model is asked: it would be wrong now and then, and nobody would see it. Whatever may mean two
things, or says more of times than was understood, is given back with a doubt, to be asked.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hobnob.assistant.when.calendar import Unclear
from hobnob.assistant.when.combining import combine
from hobnob.assistant.when.grammar import (
    LANGUAGES,
    LONGEST,
    MARK,
    Language,
    Part,
    fold,
    language,
    normal,
)
from hobnob.assistant.when.records import Doubt, Reading


def request(text: str, now: datetime, zone: str, languages: Sequence[str]) -> Reading | None:
    """What a message asks to be reminded of; None if it asks nothing of the kind. `languages`
    come first."""
    text = normal(text)
    if len(text) > LONGEST:
        return None
    for code in _order(languages):
        spoken = language(code)
        marked = _Marked(text, spoken)
        span = marked.request()
        if span is None:
            continue
        best = _best(text, [code, *languages])
        if best.known > marked.known:  # "remind me mañana"
            marked, span = best, spoken.request(best.folded) or (0, len(best.text))
        return marked.read(now, zone, span)
    return None


def read(text: str, now: datetime, zone: str, languages: Sequence[str]) -> Reading:
    """The same of a text that is nothing but what and when."""
    text = normal(text)[:LONGEST]
    marked = _best(text, languages)
    return marked.read(now, zone, marked.request() or (0, len(marked.text)))


def change(
    text: str, now: datetime, zone: str, languages: Sequence[str], base: datetime | None = None
) -> Reading | None:
    """The time that a text names that is nothing but a time: a day without an hour keeps that of
    `base`, an hour without a day its day. None if it says anything else."""
    text = normal(text)
    if len(text) > LONGEST:
        return None
    marked = _best(text, languages)
    reading = marked.read(now, zone, (0, len(marked.text)), base)
    return reading if marked.parts and not reading.task else None


def _order(languages: Sequence[str]) -> list[str]:
    known = [code for code in languages if code in LANGUAGES]
    return [*known, *(code for code in LANGUAGES if code not in known)]


def _best(text: str, languages: Sequence[str]) -> "_Marked":
    """In the language that knows most of its words."""
    every = [_Marked(text, language(code)) for code in _order(languages)]
    return max(every, key=lambda marked: marked.known)


class _Marked:
    """A text with a MARK instead of each part that says when."""

    def __init__(self, text: str, spoken: Language) -> None:
        text = text.replace(MARK, " ")
        self.language = spoken
        self.parts: Sequence[Part] = spoken.parts(fold(text))
        pieces, at = [], 0
        for part in self.parts:
            pieces += [text[at : part.start], MARK]
            at = part.end
        self.text = "".join([*pieces, text[at:]])
        self.folded = fold(self.text)
        self.known = sum(part.end - part.start for part in self.parts)

    def request(self) -> tuple[int, int] | None:
        return self.language.request(self.folded)

    def read(
        self, now: datetime, zone: str, span: tuple[int, int], base: datetime | None = None
    ) -> Reading:
        task = self._task(*span)
        reading = Reading(language=self.language.code, task=task)
        said = [part for part in self.parts if part.kind != "vague"]
        if not said:
            doubtful = self.language.doubtful(self.folded)
            return replace(reading, doubt=Doubt.UNCLEAR if doubtful else Doubt.WHEN)
        try:
            meant = combine(said, now.astimezone(ZoneInfo(zone)), zone, self.language, base)
        except Unclear:
            return replace(reading, doubt=Doubt.UNCLEAR)
        if meant.doubt in (Doubt.PAST, Doubt.WHEN):
            return replace(reading, doubt=meant.doubt, whens=meant.whens)
        if len(said) < len(self.parts) or self.language.doubtful(self.folded):
            return replace(reading, doubt=Doubt.UNCLEAR, whens=meant.whens)
        return replace(meant, task=task)

    def _task(self, start: int, end: int) -> str:
        gap = " " if self.language.spaced else ""
        words = self.text[start:end].replace(MARK, f"{gap}{MARK}{gap}")
        pieces = [self.language.task(" ".join(piece.split())) for piece in words.split(MARK)]
        return self.language.task(gap.join(piece for piece in pieces if piece))
