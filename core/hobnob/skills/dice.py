"""Dice."""

import re

from hobnob.errors import SkillRefused
from hobnob.skills.skill import Context

MOST_DICE = 100
MOST_SIDES = 1_000_000
DICE = re.compile(
    r"([0-9]{0,4})d([0-9]{1,7})\s*(?:([-+])\s*([0-9]{1,7}))?", re.IGNORECASE | re.ASCII
)


def roll(context: Context, dice: str = "1d6") -> str:
    """Roll dice: /roll, /roll 2d6+1"""
    found = DICE.fullmatch(dice.strip())
    if found is None:
        raise SkillRefused("Like this: /roll 2d6+1")
    number, sides, more = int(found[1] or 1), int(found[2]), int(found[4] or 0)
    if not 1 <= number <= MOST_DICE or not 2 <= sides <= MOST_SIDES:
        raise SkillRefused(f"I have 1 to {MOST_DICE} dice of 2 to {MOST_SIDES} sides.")
    rolled = [context.chance.randint(1, sides) for _ in range(number)]
    total = sum(rolled) + (-more if found[3] == "-" else more)
    extra = f" {found[3]} {more}" if more else ""
    shown = " + ".join(map(str, rolled)) + extra
    return (
        f"{dice.strip()}: {shown} = {total}" if number > 1 or extra else f"{dice.strip()}: {total}"
    )
