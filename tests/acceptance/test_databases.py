"""The program on PostgreSQL, and on a disk that is full."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.program import HOBNOB, environment, hobnob, make_bot


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_postgresql_is_one_line_and_one_command_away(
    home: Path, tmp_path: Path, postgres_url: str
) -> None:
    bot = make_bot(tmp_path / "echo", '[store]\nurl = "$DATABASE_URL"\n')

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return hobnob(*arguments, home=home, text=text, DATABASE_URL=postgres_url)

    before = run("chat", str(bot), text="hello\n")
    assert before.returncode == 1
    assert "hobnob db upgrade" in before.stderr
    sick = run("doctor", str(bot))
    assert sick.returncode == 1
    assert "behind its migrations" in sick.stdout

    assert run("db", "upgrade", str(bot)).returncode == 0
    after = run("chat", str(bot), text="hello\nagain\n")
    assert (after.returncode, after.stdout) == (0, "echo: hello\necho: again\n")
    assert run("doctor", str(bot)).returncode == 0
    assert run("history", str(bot)).stdout.startswith("console:hobnob:terminal\t4\t")


def test_a_password_in_the_url_is_never_shown(home: Path, tmp_path: Path) -> None:
    url = "postgresql://robin:a-secret-password@127.0.0.1:9/robin"
    bot = make_bot(tmp_path / "echo", f'[store]\nurl = "{url}"\n')
    for command in ("chat", "doctor"):
        done = hobnob(command, bot, "--verbose", home=home, text="hello\n")
        assert done.returncode == 1
        assert "127.0.0.1" in done.stdout + done.stderr
        assert "a-secret-password" not in done.stdout + done.stderr


def test_a_full_disk_loses_nothing_that_was_said_before(home: Path, tmp_path: Path) -> None:
    bot = make_bot(tmp_path / "echo")
    hobnob("chat", bot, home=home, text="hello\n")
    # A limit on the size of files is to SQLite what a full disk is.
    kilobytes = (bot / "hobnob.db").stat().st_size // 1024 + 8
    command = f"ulimit -f {kilobytes}; exec {' '.join(HOBNOB)} chat {bot}"
    full = subprocess.Popen(
        ["bash", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    )
    assert full.stdin is not None
    assert full.stderr is not None
    full.stdin.write(b"x" * 1_000_000 + b"\n")
    full.stdin.flush()
    said = full.stderr.readline().decode()
    assert full.poll() is None
    full.kill()
    full.communicate()
    assert "waits to be stored" in said
    assert "full" in said
    assert hobnob("chat", bot, home=home, text="again\n").stdout == "echo: again\n"
    assert hobnob("history", bot, home=home).stdout.startswith("console:hobnob:terminal\t4\t")
