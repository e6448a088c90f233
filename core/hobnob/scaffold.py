"""A bot of one's own, begun as a copy of a ready one. Knows nothing but files."""

import json
import re
from pathlib import Path

from hobnob import cards
from hobnob.cards import files
from hobnob.errors import ConfigError
from hobnob.persona import nearest
from hobnob.settings import Bot, ready_bots
from hobnob.tables import valid_name
from hobnob.validate import FILE, read_bytes

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


def of_card(source: Path, target: Path, like: str) -> list[Path]:
    """A new bot whose persona is a character card; the files made. Raises ConfigError."""
    file = f"persona{source.suffix.casefold()}"
    if not file.endswith(cards.SUFFIXES):
        raise ConfigError(f"{source}: a card's file ends in {', '.join(cards.SUFFIXES)}.")
    data = read_bytes(source, most=cards.MAX_BYTES)
    cards.load(data, source.name)  # before anything is written
    made = new(target, like)
    toml = target / FILE
    toml.write_text(toml.read_text().replace('persona = "persona.md"', f'persona = "{file}"'))
    (target / file).write_bytes(data)
    gone = {target.absolute() / name for name in ("persona.md", "dialogs.toml")}
    for path in gone:  # they speak of another character
        path.unlink(missing_ok=True)
    return [*(path for path in made if path not in gone), target.absolute() / file]


def export(bot: Bot, target: Path, picture: Path | None) -> None:
    """Write a bot's persona as a character card. Raises ConfigError."""
    own = bot.folder / bot.settings.bot.persona
    is_card = own.suffix in cards.SUFFIXES
    data = read_bytes(own, most=cards.MAX_BYTES) if is_card else b""
    card = cards.write(bot.persona, files.read(data, own.name) if is_card else None)
    if target.suffix == ".json":
        written = json.dumps(card, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    elif target.suffix == ".png":
        source = picture or own
        if picture is None and own.suffix != ".png":
            raise ConfigError(f"{target}: a card in a picture needs one: --picture FILE.png")
        shown = read_bytes(source, most=cards.MAX_BYTES)
        written = files.with_card(shown, card, source.name)
    else:
        raise ConfigError(f"{target}: write the card to a file that ends in .json or .png.")
    try:
        target.write_bytes(written)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}.") from error


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
