"""Starts the real program as a subprocess, as a user would."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HOBNOB = [sys.executable, "-m", "hobnob"]


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """A user's environment with an empty home folder and no network for models."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "error", **more}


def hobnob(
    *arguments: str | Path, home: Path, text: str | bytes = b"", timeout: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end; standard output and error as text."""
    done = subprocess.run(
        [*HOBNOB, *map(str, arguments)],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        env=environment(home, **more),
        timeout=timeout,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def make_bot(folder: Path, extra: str = "", *, model: str = 'engine = "echo"') -> Path:
    """A small bot in `folder`, on the echo engine."""
    folder.mkdir(parents=True)
    (folder / "bot.toml").write_text(
        f'[bot]\nname = "{folder.name}"\n[model]\n{model}\n{extra}', encoding="utf-8"
    )
    (folder / "persona.md").write_text('+++\nname = "Echo"\n+++\nYou are Echo.\n', encoding="utf-8")
    return folder
