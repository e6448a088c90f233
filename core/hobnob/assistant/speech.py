"""What the assistant says and understands in each language, from says.toml. Pure."""

import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from hobnob.assistant.when.grammar import fold, normal


class Speech:
    def __init__(self, code: str, table: dict[str, Any]) -> None:
        self.code = code
        self._table = table
        self.corrections = re.compile(
            rf"\s*(?:(?:{'|'.join(map(fold, table['corrections']))})(?!\w)?[\s,.!;:，。]*)+"
        )

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


@cache
def _patterns(patterns: Sequence[str]) -> Sequence[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in patterns]


@cache
def speech(code: str) -> Speech:
    """Of one of the languages of `when`."""
    table = files("hobnob.assistant").joinpath("says.toml").read_text(encoding="utf-8")
    return Speech(code, tomllib.loads(table)[code])
