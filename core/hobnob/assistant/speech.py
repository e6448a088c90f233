"""What a job says and understands in each language, from the says.toml in its package. Pure."""

import re
import tomllib
from collections.abc import Sequence, Set
from datetime import datetime
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from hobnob.assistant.when.grammar import fold, normal


class Speech:
    def __init__(self, code: str, table: dict[str, Any]) -> None:
        self.code = code
        self._table = table

    @cached_property
    def corrections(self) -> re.Pattern[str]:
        words = "|".join(map(fold, self._table["corrections"]))
        return re.compile(rf"\s*(?:(?:{words})(?!\w)?[\s,.!;:，。]*)+")

    @property
    def keys(self) -> Set[str]:
        return self._table.keys()

    def all(self, what: str) -> Sequence[str]:
        return tuple(self._table[what])

    def say(self, what: str, **values: object) -> str:
        sentence: str = self._table[what]
        return sentence.format(**values)

    def time(self, at: datetime) -> str:
        """In full: a wrong reading has to be seen."""
        return self.say(
            "time",
            weekday=self._table["weekdays"][at.weekday()],
            day=at.day,
            month=self._table["months"][at.month - 1],
            year=at.year,
            clock=f"{at:%H:%M}",
        )

    def short(self, at: datetime) -> str:
        """For a button."""
        return f"{self._table['weekdays'][at.weekday()]} {at:%Y-%m-%d %H:%M}"

    def find(self, what: str, text: str) -> dict[str, str] | None:
        """What a sentence of this kind is about; None if `text` is none."""
        text = normal(text).strip(" .!?。！？¿¡")
        for pattern in _patterns(tuple(self._table[what])):
            if found := pattern.fullmatch(fold(text)):
                return {name: text[slice(*found.span(name))] for name in found.groupdict()}
        return None

    def begins(self, what: str, text: str) -> bool:
        """Whether `text` begins with a pattern."""
        return _pattern(self._table[what]).match(fold(text)) is not None

    def has(self, what: str, text: str) -> bool:
        """Whether a pattern is in `text`."""
        return _pattern(self._table[what]).search(fold(text)) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _patterns(patterns: Sequence[str]) -> Sequence[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in patterns]


@cache
def speech(code: str, package: str = "hobnob.assistant") -> Speech:
    """Of one of the languages of `when`."""
    table = files(package).joinpath("says.toml").read_text(encoding="utf-8")
    return Speech(code, tomllib.loads(table)[code])
