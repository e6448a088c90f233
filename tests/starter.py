"""The starter model, unpacked once for a whole run of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIND = "from hobnob.engine.weights import find; print(find('starter', print).folder)"


def finding(cache: Path) -> "subprocess.Popen[str]":
    """A process of its own that finds the starter with `cache` as the user's cache folder. Prints
    what is reported, then the folder."""
    return subprocess.Popen(
        [sys.executable, "-c", FIND],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def cache(factory: pytest.TempPathFactory) -> Path:
    """The cache folder (XDG_CACHE_HOME) of this run, with the starter in it."""
    folder = factory.getbasetemp() / "starter-cache"
    if not folder.exists():
        folder.mkdir()
        with finding(folder) as process:
            process.communicate(timeout=300)
    return folder
