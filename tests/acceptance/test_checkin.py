"""The real program writes first, after a start, to somebody who asked for it."""

import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.acceptance.program import HOBNOB, environment, hobnob, make_bot


def test_it_writes_first_and_says_why(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    table = '[checkin]\nenabled = true\nquiet = []\nquestions = ["How are you?"]'
    bot = make_bot(tmp_path / "echo", table)
    assert "every day at 09:00" in hobnob("chat", bot, home=home, text="/checkin 9:00\n").stdout
    with sqlite3.connect(bot / "hobnob.db") as database:  # the hour has come
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        database.execute("UPDATE schedule SET due = ?", [now])
    database.close()
    talking = subprocess.Popen(
        [*HOBNOB, "chat", str(bot)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(home),
    )
    assert talking.stdout is not None
    assert talking.stdout.readline() == b"How are you?\n"
    rest, _ = talking.communicate(b"fine\n", timeout=60)
    assert b"echo: fine" in rest
    with sqlite3.connect(bot / "hobnob.db") as database:
        why = "SELECT decision, reason FROM inbox WHERE kind = 'scheduled'"
        told = database.execute(why).fetchall()
    database.close()
    assert told == [("job", "wrote first: a question a day was asked for")]
