"""What is asked for in words, where it cannot mean anything else. Pure. English.

A small model is wrong at arithmetic, so these are worth a rule; anything in doubt is the model's.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from hobnob import zones
from hobnob.errors import SkillRefused
from hobnob.skills.calculate import calculate, value
from hobnob.skills.dice import DICE, roll
from hobnob.skills.time_of_day import time
from hobnob.skills.units import UNITS, convert

Reader = Callable[[str], str | None]
"""From what was said to what would stand behind the command; None: it is something else."""

LONGEST = 200
_ASKS = re.compile(
    r"(?P<asks>(?:what(?:'s| is)|how much is|calculate|compute|work out)\s+)?"
    r"(?P<sum>.+?)\s*=?\s*\??",
    re.IGNORECASE,
)
_OPERATION = re.compile(
    r"[0-9)%²³]\s*(?:[*+/^×÷·−]|-(?=\s|\()|%\s*of\b)|sqrt|√|[0-9][²³]", re.IGNORECASE
)
_DATE = re.compile(r"[0-9]+[/-][0-9]+(?:[/-][0-9]+)?", re.ASCII)
_SCORE = re.compile(r"[0-9]+\s*[-−]\s*[0-9]+", re.ASCII)
_BARE = re.compile(r"[-+*/^×÷()%.,0-9\s]+")
_ROLLS = re.compile(
    r"(?:please )?(?:roll|throw)(?: me)?(?: an?)? (?P<dice>.+?)(?: please)?[.!?]?", re.I
)
_MANY = re.compile(
    r"how (?:many|much) (?P<target>\S+) (?:are|is|make)(?: there)?(?: in)? "
    r"(?P<amount>[0-9.,]+|an?) ?(?P<source>\S+?)\??",
    re.IGNORECASE,
)
_INTO = re.compile(
    r"(?:convert |what(?:'s| is) |how (?:much|many) is )"
    r"(?P<amount>-?[0-9.,]+) ?(?P<source>\S+) (?:to|in|into) (?P<target>\S+?)\??",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?:what time is it|what(?:'s| is) the time)(?: (?:now|right now))?"
    r"(?: in (?P<place>[\w /'-]+?))?(?: (?:now|right now))?\s*\??",
    re.IGNORECASE,
)


def calculation(text: str) -> str | None:
    found = _ASKS.fullmatch(text)
    if found is None or not _OPERATION.search(found["sum"]):
        return None
    asked = found["sum"]
    if _DATE.fullmatch(asked) and "=" not in text:
        return None  # "24/7", "9/11", "3/4": seldom a sum
    plainly = found["asks"] or text.endswith(("=", "?"))
    if not plainly and _SCORE.fullmatch(asked):
        return None
    try:
        value(asked)
    except SkillRefused:
        # What is asked for and all figures and signs is meant as a sum, so its error is told.
        return asked if plainly and _BARE.fullmatch(asked) else None
    return asked


def throw(text: str) -> str | None:
    found = _ROLLS.fullmatch(text)
    if found is None:
        return None
    dice = {"die": "1d6", "dice": "1d6", "the dice": "1d6", "the die": "1d6"}.get(
        found["dice"].lower(), found["dice"]
    )
    return dice if DICE.fullmatch(dice) else None


def conversion(text: str) -> str | None:
    found = _MANY.fullmatch(text) or _INTO.fullmatch(text)
    if found is None or not {found["source"].lower(), found["target"].lower()} <= set(UNITS):
        return None
    amount = "1" if found["amount"].lower() in ("a", "an") else found["amount"]
    return f"{amount} {found['source']} to {found['target']}"


def hour(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if found is None or (found["place"] and not zones.find(found["place"])):
        return None
    return found["place"] or ""


IN_WORDS: Mapping[Callable[..., Any], Reader] = {
    calculate: calculation,
    convert: conversion,
    roll: throw,
    time: hour,
}
