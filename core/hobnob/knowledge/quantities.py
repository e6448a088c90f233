"""The quantities that a text names: amounts of money, shares, times, measures. Pure.

"£3.90", "3,90 Pfund", "thirty days", "6.30 pm" and "十六英镑" can be compared, each with its like.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["money", "share", "duration", "clock", "measure", "bare"]

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GERMAN = (
    *("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
    *("elf", "zwölf", "dreizehn", "vierzehn"),
)
_WORDS = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
    **{
        f"{ten}-{one}": 10 * number + digit
        for number, ten in enumerate(_TENS, start=2)
        for digit, one in enumerate(_ONES[1:10], start=1)
    },
    **{word: number for number, word in enumerate(_GERMAN)},
    **dict.fromkeys(("eine", "einen", "einem", "einer"), 1),
    **{"hundred": 100, "half": 0.5, "a": 1, "an": 1, "dreißig": 30, "zwanzig": 20},
}
_SIGNS = {sign: number for number, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_SCALES = {"十": 10, "百": 100, "千": 1000}

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_HAN = r"[零〇一二两三四五六七八九十百千]+"
_NUMBER = rf"(?:{_DIGITS}|\b(?:{_WORD})\b|{_HAN})"
_UNITS: dict[Kind, str] = {
    "money": r"pounds?\b|quid\b|pence\b|gbp\b|eur\b|euros?\b|€|usd\b|dollars?\b|pfund\b"
    r"|英镑|欧元|元|块",
    "share": r"%|percent\b|per cent\b|prozent\b",
    "duration": r"(?P<minute>min(?:ute)?s?\b|minuten?\b|分钟)"
    r"|(?P<hour>h\b|hours?\b|hrs?\b|stunden?\b|个?小时)"
    r"|(?P<day>days?\b|tage?n?\b|werktage?n?\b|天)|(?P<week>weeks?\b|wochen?\b|个?星期|周)"
    r"|(?P<month>months?\b|monate?n?\b|个?月)|(?P<year>years?\b|jahre?n?\b|年)",
    "measure": r"kg\b|g\b|km(?:/h)?\b|cm\b|mm\b|miles?\b|mph\b|wh\b|nm\b|bar\b|inch\b|litres?\b|°c",
}
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30.4, "year": 365}
_UNIT = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _UNITS.items())
_QUANTITY = re.compile(
    rf"(?P<before>[£$€])?(?<![A-Za-z0-9_.])(?P<number>{_NUMBER})"
    rf"(?P<rest>(?:\s*(?:to|or|and|-|–|bis|到|至)\s*[£$€]?{_NUMBER})*"
    rf"[\s-]*(?:(?:working|business|full|more|calendar|whole|个工作)[\s-]*)?(?:{_UNIT})?)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap])\.?m\b\.?"
    r"|(?<![A-Za-z0-9_.])(?P<h24>\d{1,2}):(?P<m24>\d{2})\b"
    r"|(?<![A-Za-z0-9_.])(?P<uhr>\d{1,2})\s*uhr\b",
    re.IGNORECASE,
)
_NO_CLAIM = re.compile(
    r"\[\d+(?:,\s*\d+)*\]|^\s*\d{1,2}[.)]\s|\bstep \d+\b|https?://\S+|\S+@\S+|/\w+",
    re.IGNORECASE | re.MULTILINE,
)
"""Numbers that say nothing: of an excerpt, a list, a step, in an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    kind: Kind
    value: float
    """Durations in days, times of the day in minutes."""
    words: str
    start: int
    is_word: bool = False
    """It is written as a word, which is often none ("one of them")."""

    def is_like(self, other: "Quantity") -> bool:
        if "bare" not in (self.kind, other.kind) and self.kind != other.kind:
            return False
        hours = {self.kind, other.kind} == {"bare", "clock"}  # the first number of "2 to 5 pm"
        one, two = (
            60 * each.value if hours and each.kind == "bare" else each.value
            for each in (self, other)
        )
        return abs(one - two) <= 0.02 * max(one, two)


def quantities(text: str) -> Iterator[Quantity]:
    """In the order in which they stand there, times of the day first."""
    text = _NO_CLAIM.sub(lambda match: " " * len(match[0]), text)
    for match in _CLOCK.finditer(text):
        yield Quantity(
            kind="clock", value=_minutes(match), words=match[0].strip(" ."), start=match.start()
        )
    text = _CLOCK.sub(lambda match: " " * len(match[0]), text)
    at = 0
    while found := _QUANTITY.search(text, at):
        at = found.end("number")  # the second number of a range has the same unit
        kind: Kind = "money" if found["before"] else _kind(found)
        value = _value(found["number"])
        yield Quantity(
            kind=kind,
            value=value * _days(found) if kind == "duration" else value,
            words=found[0].strip(),
            start=found.start(),
            is_word=not found["number"][0].isdigit(),
        )


def _kind(match: re.Match[str]) -> Kind:
    for kind in _UNITS:
        if match[kind]:
            return kind
    return "bare"


def _minutes(match: re.Match[str]) -> int:
    if match["half"]:
        hour = int(match["hour"]) % 12 + 12 * (match["half"].lower() == "p")
        return 60 * hour + int(match["minute"] or 0)
    if match["uhr"]:
        return 60 * int(match["uhr"])
    return 60 * int(match["h24"]) + int(match["m24"])


def _days(match: re.Match[str]) -> float:
    return next(days for unit, days in _DAYS.items() if match[unit])


def _value(number: str) -> float:
    if number[0].isdigit():
        grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number)
        return float(number.replace(",", "" if grouped else "."))
    if number.lower() in _WORDS:
        return float(_WORDS[number.lower()])
    total, digit = 0, 0
    for sign in number:
        if sign in _SCALES:
            total += (digit or 1) * _SCALES[sign]
            digit = 0
        else:
            digit = _SIGNS[sign]
    return float(total + digit)
