"""A bot of one's own, begun as a copy of a ready one. Knows nothing but files."""

import re
from pathlib import Path

from hobnob.errors import ConfigError
from hobnob.persona import nearest
from hobnob.settings import ready_bots, valid_name
from hobnob.validate import FILE

_LEFT_BEHIND = re.compile(r"__pycache__|.*\.(py|pyc|db|db-wal|db-shm)")
_NAME_LINE = re.compile(r"^name = .*$", re.MULTILINE)


def new(target: Path, like: str) -> list[Path]:
    """Copy the ready bot `like` into the folder `target`, which names the new bot; the files made.

    Raises ConfigError if the folder has something in it, cannot be the name of a bot, or cannot
    be written. Then nothing is left behind.
    """
    bots = ready_bots()
    if like not in bots:
        raise ConfigError(f"{like}: there is no such ready bot. {nearest(like, bots)}")
    folder = target.absolute()
    try:
        name = valid_name(folder.name)
    except ValueError as error:
        raise ConfigError(f"{target}: {error}") from None

    made: list[Path] = []
    try:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{target}: is a file. Give the path of a new folder.")
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(f"{target}: is not empty. Give the path of a new folder.")
        for source in _files(bots[like]):
            copy = folder / source.relative_to(bots[like])
            _make_folders(copy.parent, made)
            content = source.read_bytes()
            if source.name == FILE:
                content = _named(content.decode(), name).encode()
            made.append(copy)
            copy.write_bytes(content)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ConfigError(f"{target}: cannot be written: {error.strerror}.") from error
        raise
    return [path for path in made if path.is_file()]


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(_LEFT_BEHIND.fullmatch(part) for part in path.relative_to(folder).parts)
    ]


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _named(text: str, name: str) -> str:
    """The template with another name in its `[bot]` table, which stands first in the file."""
    return _NAME_LINE.sub(f'name = "{name}"', text, count=1)
