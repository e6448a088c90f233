"""The words for times in one language: read from its table, found in a text. Knows no calendar.

A table (en.toml and the others) has words and patterns. A pattern is a regular expression with
names in braces: `{weekday}` stands for any of the words of that list, and what is found there is
kept under that name; `{first=weekday}` keeps it under another, and `@` is a part that was found.
Text and table are compared without accents and in lower case, character by character, so that a
place in the folded text is a place in the text.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "es", "fr", "zh")
LONGEST = 500
"""Characters in which a time, or a request, is looked for."""
MARK = "\x00"
"""Stands where a part was found."""
DIGITS = {
    "n": r"[0-9]{1,4}",
    "hour": r"2[0-4]|1[0-9]|0?[0-9]",
    "min": r"[0-5][0-9]",
    "dd": r"3[01]|[12][0-9]|0?[1-9]",
    "mm": r"1[0-2]|0?[1-9]",
    "year": r"20[0-9]{2}",
    "yy": r"20[0-9]{2}|[0-9]{2}",
    "a": r"[0-9]{1,2}",
    "b": r"[0-9]{1,2}",
}
"""Written in digits; `n` and `hour` may be words too."""
_ONE_FOR_ONE = str.maketrans(
    {"’": "'", "‘": "'", "：": ":", "／": "/", "．": ".", "\t": " ", "\n": " ", "\r": " "}
    | {chr(0xFF10 + digit): str(digit) for digit in range(10)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Words that say when, and what they say."""

    start: int
    end: int
    kind: str
    """when, span, every, vague"""
    found: Mapping[str, Any]


class Language:
    def __init__(self, code: str, table: Mapping[str, Any]) -> None:
        self.code = code
        self.hours_in_words: int = table["clock"]
        """12 or 24: what "at 8" is of."""
        self.hours: Mapping[str, int] = table.get("hours", {})
        """When a part of the day is meant to begin, where it is another hour than usual."""
        self.month_first: bool = table.get("month_first", False)
        self.either_first: bool = table.get("either_first", False)
        self.spaced: bool = table.get("spaced", True)
        self._words = {name: _values(words) for name, words in table["words"].items()}
        self._words["number"] = {
            word: str(value)
            for value, words in enumerate(table["numbers"], 1)
            for word in fold(words).split("|")
        }
        self._patterns = [
            (kind, re.compile(self._bounded(pattern)))
            for kind in ("when", "span", "every", "vague")
            for pattern in table[kind]
        ]
        near = "|".join(table["near"])  # of times too, and understood by no pattern
        before, after = (r"(?<!\w)", r"(?!\w)") if self.spaced else ("", "")
        doubtful = [
            *table["doubtful"],
            rf"{before}(?:{near}|[0-9]+|{{month}}) ?,? ?@",
            rf"@ ?,? ?(?:[0-9]|(?:{near}|{{more=month}}){after})",
        ]
        self._doubtful = [re.compile(self._expand(pattern)) for pattern in doubtful]
        self._asks = [re.compile(self._expand(pattern), re.DOTALL) for pattern in table["asks"]]
        self._polite = re.compile(rf"(?:{'|'.join(map(fold, table['polite']))}|[\W_]|{MARK})*")
        self._lead = re.compile(rf"(?:[\s,.:;!?，。：；！？、-]|{self._ends(table['lead'])})+")
        self._trail = re.compile(rf"(?:[\s,.:;!?，。：；！？、-]|{self._ends(table['trail'])})+$")

    def parts(self, text: str) -> Sequence[Part]:
        """What in a folded text says when, in its order: the longest, where several begin."""
        found = sorted(self._all(text), key=lambda part: (part.start, -part.end))
        chosen: list[Part] = []
        for part in found:
            if not chosen or part.start >= chosen[-1].end:
                chosen.append(part)
        return chosen

    def doubtful(self, marked: str) -> bool:
        """Whether a text, with a MARK for each part, says more of times than its parts do."""
        return any(pattern.search(marked) for pattern in self._doubtful)

    def request(self, marked: str) -> tuple[int, int] | None:
        """Where in a marked text stands what somebody wants to be reminded of, without the words
        that say so; None if they want nothing of the kind."""
        for pattern in self._asks:
            found = pattern.fullmatch(marked)
            if found and self._polite.fullmatch(found.groupdict().get("before") or ""):
                return found.span("after")
        return None

    def task(self, words: str) -> str:
        """What is to be done, of what is left of a text without its parts."""
        start = self._lead.match(fold(words))
        words = words[start.end() :] if start else words
        end = self._trail.search(fold(words))
        return words[: end.start()] if end else words

    def _all(self, text: str) -> Iterator[Part]:
        for kind, pattern in self._patterns:
            for match in pattern.finditer(text):
                said = dict(_groups(match))
                found = {
                    name.partition("__")[0]: self._value(name, word) for name, word in said.items()
                }
                if said.get("hour", "").startswith("0"):
                    found["exact"] = 1  # nobody writes "08:00" for the evening
                yield Part(start=match.start(), end=match.end(), kind=kind, found=found)

    def _value(self, name: str, word: str) -> Any:
        """What a word found under a name means: a number, the name of it in its list, or itself."""
        kind = _kinds(name)
        if kind == "weekdays":
            words = self._words["weekday"]
            return [int(words[each]) for each in self._matcher("weekday").findall(word)]
        if kind in DIGITS:
            return int(self._words["number"].get(word, word))
        value = self._words[kind][word]
        return int(value) if value.lstrip("-").isdecimal() else value

    def _matcher(self, name: str) -> re.Pattern[str]:
        return re.compile(_any(self._words[name]))

    def _bounded(self, pattern: str) -> str:
        inner = self._expand(pattern)
        if self.spaced:
            return rf"(?<!\w)(?:{inner})(?!\w)"
        return rf"(?:(?<![0-9])|(?![0-9]))(?:{inner})(?:(?![0-9])|(?<![0-9]))"

    def _expand(self, pattern: str) -> str:
        def group(match: re.Match[str]) -> str:
            name, kind = match[1], match[2] or match[1]
            return f"(?P<{name}{'__' + kind if kind != name else ''}>{self._alternatives(kind)})"

        pattern = "".join(map(_bare, pattern)).replace("@", MARK)
        return re.sub(r"\{([a-z]+[0-9]?)(?:=([a-z]+))?\}", group, pattern)

    def _alternatives(self, kind: str) -> str:
        if kind == "weekdays":
            one = _any(self._words["weekday"])
            return rf"(?:{one})(?:(?:,? ?(?:{self._join}) ?|, ?|、)(?:{one}))*"
        if kind in ("n", "hour"):
            return f"{_any(self._words['number'])}|{DIGITS[kind]}"
        return DIGITS.get(kind) or _any(self._words[kind])

    @property
    def _join(self) -> str:
        return _any(self._words["and"])

    def _ends(self, words: Sequence[str]) -> str:
        if not self.spaced:
            return "|".join(words)
        return "|".join(rf"(?<!\w){fold(word)}(?:(?!\w)|(?<='))" for word in words)


def normal(text: str) -> str:
    """With single spaces, and digits and signs as ASCII has them."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_ONE_FOR_ONE).split())


def fold(text: str) -> str:
    """In lower case and without accents, of the same length."""
    return "".join(map(_plain, text))


def _plain(char: str) -> str:
    base = _bare(char)
    lower = base.lower()
    return lower if len(lower) == 1 else base


def _bare(char: str) -> str:
    return unicodedata.normalize("NFD", char)[:1]


@cache
def language(code: str) -> Language:
    """One of LANGUAGES."""
    table = files("hobnob.assistant.when").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    return Language(code, tomllib.loads(table))


def _values(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {fold(form): value for value, forms in words.items() for form in forms}


def _any(words: Mapping[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _groups(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    for name, word in match.groupdict().items():
        if word is not None:
            yield name, word


def _kinds(name: str) -> str:
    return name.partition("__")[2] or name
