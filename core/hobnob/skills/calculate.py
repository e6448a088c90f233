"""Arithmetic, exactly: fractions all the way, and bounds that no question gets past. Pure.

No part of what people write is run as Python. The grammar is what a pocket calculator knows:
+ - * / ^ ( ) % and sqrt, with × ÷ − ² ³ √ for those who write them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from hobnob.errors import SkillRefused

LONGEST = 200
"""Characters of a question."""
MOST_BITS = 10_000
"""Of a numerator or denominator, on the way too: about 3000 digits."""
MOST_OPEN = 40
"""Parentheses inside each other."""
ROOT_DIGITS = 40
"""After the point, of a root that never ends."""
MOST_DIGITS = 60
"""Of an exact answer; beyond them it is rounded."""
ROUNDED_DIGITS = 12
_LIKE_MINE = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_TOKENS = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<sign>\*\*|[-+*/^()%²³√])"
    r"|(?P<word>sqrt|of)\b)",
    re.ASCII | re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<![0-9,.])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    value: Fraction
    exact: bool = True
    percent: bool = False
    """Written with %: "200 + 10%" adds a tenth of 200."""


def calculate(expression: str) -> str:
    """Calculate exactly: /calculate 20% of (17 * 23), /calculate sqrt 2"""
    number = value(expression)
    asked = " ".join(expression.split()).rstrip("= ")
    return f"{asked} {shown(number.value, exact=number.exact)}"


def value(expression: str) -> Number:
    """What it comes to. Raises SkillRefused."""
    if len(expression) > LONGEST:
        raise SkillRefused(f"That is too long for me: {LONGEST} characters are the most.")
    reading = _Reading(_tokens(expression))
    number = reading.sum()
    if reading.next:
        raise _unread(reading.next)
    return number


def shown(value: Fraction, *, exact: bool = True) -> str:
    """ "= 391", or "≈ 0.333333333333" for what has no end, or too many digits."""
    decimal = exact and _terminates(value)
    if decimal:
        digits = _decimal(value)
        if len(digits) <= MOST_DIGITS:
            return f"= {digits}"
    near = _rounded(value)
    small = max(abs(value.numerator), value.denominator) < 10**6
    return f"≈ {near} ({value})" if exact and not decimal and small else f"≈ {near}"


class _Reading:
    """The tokens of an expression, read from left to right, the loosest binding first."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._open = 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        """The next token if it is one of these; "" if not."""
        token = self.next
        if token not in wanted:
            return ""
        self._at += 1
        return token

    def sum(self) -> Number:
        left = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            by = left.value * right.value if right.percent and not left.percent else right.value
            left = Number(
                value=_bounded(left.value + (by if sign == "+" else -by)),
                exact=left.exact and right.exact,
                percent=left.percent and right.percent,
            )
        return left

    def _product(self) -> Number:
        left = self._signed()
        while sign := self._take("*", "/", "of"):
            right = self._signed()
            if sign == "/" and not right.value:
                raise SkillRefused("Nothing can be divided by zero.")
            result = left.value / right.value if sign == "/" else left.value * right.value
            left = Number(value=_bounded(result), exact=left.exact and right.exact)
        return left

    def _signed(self) -> Number:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        number = self._power()
        if not negative:
            return number
        return Number(value=-number.value, exact=number.exact, percent=number.percent)

    def _power(self) -> Number:
        base = self._atom()
        percent = False
        while sign := self._take("²", "³", "%"):
            percent = sign == "%"
            if percent:
                base = Number(value=base.value / 100, exact=base.exact)
            else:
                base = _raised(base, Number(value=Fraction(2 if sign == "²" else 3)))
        if self._take("^", "**"):
            return _raised(base, self._signed())  # 2^3^2 is 2^(3^2), and 2^-1 a half
        return Number(value=base.value, exact=base.exact, percent=percent)

    def _atom(self) -> Number:
        if self._take("sqrt", "√"):
            return _root(self._atom())
        if self._take("("):
            self._open += 1
            if self._open > MOST_OPEN:
                raise SkillRefused("That has too many parentheses for me.")
            inner = self.sum()
            if not self._take(")"):
                raise SkillRefused("A parenthesis is not closed there.")
            self._open -= 1
            return Number(value=inner.value, exact=inner.exact)
        token = self.next
        if not token or token[0] not in "0123456789.":
            raise _unread(token)
        self._at += 1
        return Number(value=Fraction(token))


def _tokens(expression: str) -> list[str]:
    text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), expression)
    text = text.translate(_LIKE_MINE).strip().removesuffix("=").rstrip()
    tokens, at = [], 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            raise SkillRefused(
                "I can only calculate with numbers, + - * / ^ ( ) % and sqrt: "
                "/calculate 20% of (17 * 23)"
            )
        tokens.append(found[0].strip().lower())
        at = found.end()
    return tokens


def _unread(token: str) -> SkillRefused:
    if not token:
        return SkillRefused("Something is missing at the end. Like this: /calculate 17 * 23")
    return SkillRefused(f"I can't read that at “{token[:20]}”. Like this: /calculate 17 * 23")


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise SkillRefused("That number gets too large for me.")
    return value


def _raised(base: Number, exponent: Number) -> Number:
    """Looked at before it is done, since a power can be larger than any memory."""
    power = exponent.value
    if power.denominator == 2 and exponent.exact:
        whole = Number(value=power * 2)
        return _raised(_root(base), whole)
    if power.denominator != 1 or not exponent.exact:
        raise SkillRefused("I know only whole powers, and square roots.")
    if not base.value and power < 0:
        raise SkillRefused("Nothing can be divided by zero.")
    bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
    if bits > 1 and abs(power) * bits > MOST_BITS * 2:
        raise SkillRefused("That number gets too large for me.")
    times = int(power)
    if bits <= 1:  # 0, 1 and -1, whatever the exponent
        times = times % 2 or 2 if times else 0
    return Number(value=_bounded(base.value**times), exact=base.exact)


def _root(number: Number) -> Number:
    top, bottom = number.value.numerator, number.value.denominator
    if top < 0:
        raise SkillRefused("No number that I know is the root of a negative one.")
    if isqrt(top) ** 2 == top and isqrt(bottom) ** 2 == bottom:
        return Number(value=Fraction(isqrt(top), isqrt(bottom)), exact=number.exact)
    scale = 10**ROOT_DIGITS * bottom
    return Number(
        value=_bounded(Fraction(isqrt(top * scale * scale // bottom), scale)), exact=False
    )


def _terminates(value: Fraction) -> bool:
    """Whether its decimals come to an end that is worth writing."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1


def _decimal(value: Fraction) -> str:
    """All digits of one whose decimals end."""
    places = 0
    while value.denominator > 1 and places <= MOST_DIGITS:
        value *= 10
        places += 1
    digits = str(abs(value.numerator)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _rounded(value: Fraction) -> str:
    """To some digits that count, and with an exponent if it is very large or small."""
    if not value:
        return "0"
    size = abs(value)
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    exponent -= size < Fraction(10) ** exponent
    digits = round(size / Fraction(10) ** (exponent - ROUNDED_DIGITS + 1))
    rounded = Fraction(digits) * Fraction(10) ** (exponent - ROUNDED_DIGITS + 1)
    sign = "-" if value < 0 else ""
    if -6 <= exponent < ROUNDED_DIGITS + 3:
        return sign + _decimal(rounded)
    mantissa = _decimal(rounded / Fraction(10) ** exponent)
    return f"{sign}{mantissa} * 10^{exponent}"
