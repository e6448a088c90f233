"""In rooms, where people talk with each other: what may be remembered of it, and when the bot may
speak though nobody spoke to it. Two switches, both off unless the owner turns them. Pure."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from hobnob.events import Event
from hobnob.hours import Span, within

_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no space between words."""


class Speak(StrEnum):
    ADDRESSED = "addressed"  # only when spoken to
    TOPICS = "topics"  # also when one of its topics comes up
    AMBIENT = "ambient"  # also now and then


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """`[rooms]` of bot.toml."""

    remember_all: bool = False
    """What people say to each other is remembered too."""
    speak: Speak = Speak.ADDRESSED
    topics: tuple[str, ...] = ()
    one_in: int = 10
    """Ambient: about one of so many messages is answered."""
    per_hour: int = 2
    """The most that is said unasked in a room within an hour."""
    quiet: tuple[Span, ...] = ()
    """When nothing is said unasked."""
    zone: str = "UTC"


def unasked(batch: Sequence[Event], rooms: Rooms) -> tuple[bool, str]:
    """Whether to say something to what was not said to us, as far as the hour's budget goes, and
    why or why not."""
    last = batch[-1]
    if rooms.speak is Speak.ADDRESSED:
        return False, "it is not addressed to me"
    topic = next((topic for topic in rooms.topics if _comes_up(topic, batch)), None)
    if topic is None and rooms.speak is Speak.TOPICS:
        return False, "it is not addressed to me, and of none of my topics"
    # Made of the event, so that it is decided alike when it has to be decided again.
    if topic is None and zlib.crc32(last.id.encode()) % rooms.one_in:
        return False, f"it is not addressed to me, and not one of the {rooms.one_in}th that I join"
    if within(rooms.quiet, last.at.astimezone(ZoneInfo(rooms.zone)).time()):
        return False, "it is not addressed to me, and these are quiet hours"
    return True, f"my topic {topic} comes up" if topic else "I join in now and then"


def _comes_up(topic: str, batch: Sequence[Event]) -> bool:
    """In any case, as a word of its own; a plural's s is no other word."""
    word = re.compile(rf"(?<!\w){re.escape(topic)}s?(?!\w)", re.IGNORECASE)
    if _UNSPACED.search(topic):
        word = re.compile(re.escape(topic))
    return any(word.search(event.text) for event in batch)
