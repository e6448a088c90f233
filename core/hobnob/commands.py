"""What people can ask for by name, on every platform alike. Pure.

Each platform offers them in its own way (a menu, slash commands, words); all arrive as text.
"""

from collections.abc import Sequence

from hobnob.events import Event, Kind
from hobnob.ports import Command
from hobnob.text import unaddressed

LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""Offered by name; any other can be written out."""

COMMANDS: Sequence[Command] = (
    Command(name="help", description="What I am and what I can do"),
    Command(name="reset", description="Begin a new conversation; I still remember the old one"),
    Command(
        name="memory",
        description="What I know about you; “why 2” shows where I have number 2 from",
        argument="why",
        private=True,
    ),
    Command(
        name="forget",
        description="Make me forget something by its number, or everything",
        argument="what",
        choices=("everything",),
        private=True,
    ),
    Command(
        name="incognito",
        description="Remember nothing of what is said here from now on",
        argument="switch",
        choices=("on", "off"),
    ),
    Command(
        name="link",
        description="One memory for you on two platforms: gives a code, or takes one",
        argument="code",
        choices=("off",),
        private=True,
    ),
    Command(name="privacy", description="What I keep, where, and how to have it deleted"),
    Command(
        name="language",
        description="The language that I answer in",
        argument="language",
        choices=(*LANGUAGES.values(), "any"),
    ),
)


def is_private(event: Event) -> bool:
    """Whether the answer to a command concerns nobody but the one who gave it."""
    name = next(iter(words(event)), "")
    return any(command.private for command in COMMANDS if command.name == name)


def argument(event: Event) -> str:
    """What stands behind the name of a command, as it was written."""
    _, *rest = unaddressed(event.text).strip().split(maxsplit=1)
    return rest[0].strip() if rest else ""


def words(event: Event) -> list[str]:
    """The words of a command, in lower case and without the slash, wherever a platform lets people
    write it; none if it is no command."""
    text = unaddressed(event.text).strip()
    if event.kind is not Kind.COMMAND and not text.startswith("/"):
        return []
    name, *rest = text.lstrip("/").casefold().split() or [""]
    return [name.partition("@")[0], *rest]
