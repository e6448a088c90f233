"""kill -9 at random moments: nothing lost, nothing answered twice, nothing out of order."""

import os
import random
from pathlib import Path

import pytest

from tests.acceptance.town import Town, faults, storm, town


def verdict(here: Town) -> dict[str, int]:
    """What went wrong, counted; prints a line for each conversation."""
    for room in here.rooms:
        answers = room.answers
        missing = set(range(room.said)) - set(answers)
        print(f"{room.name}: {room.said} said, {len(answers)} answers, missing {sorted(missing)}")
    in_doubt = here.in_doubt()
    found = faults(here.rooms, in_doubt)
    print(f"{here.kills} kills, {len(in_doubt)} sends of Telegram's in doubt and recorded")
    return {
        "lost without a record": found.lost,
        "doubled": found.doubled,
        "conversations out of order": found.disordered,
        "in doubt beyond one for each kill": max(0, len(in_doubt) - here.kills),
        "in doubt where the platform has a key": here.in_doubt_elsewhere(),
    }


async def check(tmp_path: Path, kills: int, seed: int) -> None:
    async with town(tmp_path) as here:
        await storm(here, kills, random.Random(seed))
        found = verdict(here)
        assert not any(found.values()), (found, f"seed {seed}", here.last_words())
        took = await here.stop()
        assert here.process is not None
        assert here.process.returncode == 0, here.last_words()
        assert took < 10


async def test_a_few_kills(tmp_path: Path) -> None:
    await check(tmp_path, kills=4, seed=int.from_bytes(os.urandom(4)))


@pytest.mark.soak
async def test_many_kills(tmp_path: Path) -> None:
    await check(tmp_path, kills=100, seed=int.from_bytes(os.urandom(4)))
