"""What the doctor says about a bot, on the echo engine."""

from pathlib import Path

import pytest

from hobnob import doctor, settings
from tests.acceptance.program import make_bot


@pytest.mark.parametrize(
    ("support", "ok", "words"),
    [
        ('where = "telegram:1:2"', False, "the staff is told on telegram, where this bot is not"),
        ("", True, "the terminal: `hobnob desk"),
        ("opening = { sunday = [] , weekdays = [] }", False, "never open"),
        ('opening = { calendar = "gone.ics" }', False, "gone.ics"),
    ],
)
async def test_where_the_staff_is_told_and_when_it_is_there(
    tmp_path: Path, support: str, ok: bool, words: str
) -> None:
    bot = make_bot(tmp_path / "shop", f"[support]\nenabled = true\n{support}\n")
    found = [each async for each in doctor.examine(settings.load(bot), print)]
    (desk,) = [each for each in found if each.what.startswith("support: ")]
    assert desk.ok is ok
    assert words in desk.what
