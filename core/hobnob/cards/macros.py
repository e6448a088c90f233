"""The macros in a card's texts: {{char}}, {{user}}, {{random:a,b}}, {{roll:d6}} and the others that
cards use. https://github.com/kwaroran/character-card-spec-v3/blob/main/SPEC_V3.md#curly-braced-syntaxes"""

import random
import re

_MACRO = re.compile(r"\{\{([^{}]{1,2000})\}\}")
MOST_SIDES = 1_000_000


def fill(text: str, *, char: str, user: str, seed: str = "") -> str:
    """`text` with its macros carried out. Chance depends on `seed` and the place alone: the same
    text stays the same. What is no macro stays as it is."""

    def one(found: re.Match[str]) -> str:
        return _one(found[1], found[0], char, user, random.Random(f"{seed}{found.start()}"))

    text = re.sub(r"<(USER|BOT|CHAR)>", lambda m: user if m[1] == "USER" else char, text)
    for _ in range(4):  # one in another
        filled = _MACRO.sub(one, text)
        if filled == text:
            break
        text = filled
    return text


def _one(inner: str, whole: str, char: str, user: str, chance: random.Random) -> str:
    if inner.startswith("//"):
        return ""
    name, colon, rest = inner.partition(":")
    match name.strip().casefold():
        case "char":
            return char
        case "user":
            return user
        case "comment" | "hidden_key" if colon:
            return ""
        case "random" | "pick" if colon:
            choices = re.split(r"(?<!\\),", rest)
            return chance.choice(choices).replace("\\,", ",").strip()
        case "roll" if colon:
            return _roll(rest, chance) or whole
        case "reverse" if colon:
            return rest[::-1]
        case "newline":
            return "\n"
        case "trim" | "noop":
            return ""
        case _:
            return whole


def _roll(dice: str, chance: random.Random) -> str:
    found = re.fullmatch(r"\s*(\d{0,2})[dD]?(\d{1,7})\s*", dice)
    if not found or not 0 < int(found[2]) <= MOST_SIDES:
        return ""
    return str(sum(chance.randint(1, int(found[2])) for _ in range(int(found[1] or 1))))
