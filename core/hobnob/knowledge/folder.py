"""Which files of a folder are documents, and which are refused. Reads no content."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from hobnob.errors import ConfigError, DocumentFailed

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx")
MOST_BYTES = 20 * 1024 * 1024
"""A longer file is no page that people read."""
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What is in a folder, each by its path in it, with "/"."""

    files: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Why."""
    others: tuple[str, ...] = ()
    """Files of other kinds, which are left out."""


def look(folder: Path) -> Folder:
    """Raises ConfigError if it is no folder that can be read."""
    if not folder.is_dir():
        raise ConfigError(
            f"bot.toml: knowledge.folder: there is no folder {folder}. Make it and put the "
            "documents into it, or take the line away."
        )
    files: dict[str, Path] = {}
    refused: dict[str, str] = {}
    others: list[str] = []
    inside = folder.resolve()
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            refused[name] = "is a link that leads out of the folder. Copy the file instead."
        elif path.is_symlink() and path.is_dir():
            refused[name] = "is a link to a folder, which is not followed."
        elif path.suffix.casefold() not in SUFFIXES or not path.is_file():
            others.append(name)
        elif len(files) == MOST_FILES:
            refused[name] = f"is one document too many: {MOST_FILES} are read."
        else:
            files[name] = path
    return Folder(files=files, refused=refused, others=tuple(others))


def content(path: str, file: Path) -> bytes:
    """The bytes of a document; `path` names it. Raises DocumentFailed."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise DocumentFailed(f"{path}: cannot be read: {error.strerror}.") from error
    if len(data) > MOST_BYTES:
        raise DocumentFailed(
            f"{path}: is larger than {MOST_BYTES >> 20} MB. Cut it into smaller documents."
        )
    return data


def _walk(folder: Path) -> list[Path]:
    """Everything below a folder, in a fixed order, but what is hidden and what links hide."""
    found: list[Path] = []

    def give_up(error: OSError) -> None:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}.") from error

    for place, folders, files in os.walk(folder, onerror=give_up):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if Path(place, name).is_symlink()]
        found += [
            Path(place, name) for name in sorted([*files, *linked]) if not name.startswith(".")
        ]
    return found
