"""What is to come as a calendar that other programs can read: iCalendar, RFC 5545. Pure.

Forty lines, because all that is needed of the format is here: lines that end in CRLF, are folded
at 75 bytes, and escape four characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_BYTES = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    id: str
    at: datetime
    title: str
    text: str = ""


def ics(entries: Sequence[Entry], name: str, now: datetime) -> str:
    """The calendar `name` with these entries."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hobnob//posts//EN", f"NAME:{_text(name)}"]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(entry.id)}",
            f"DTSTAMP:{_moment(now)}",
            f"DTSTART:{_moment(entry.at)}",
            f"SUMMARY:{_text(entry.title)}",
            *([f"DESCRIPTION:{_text(entry.text)}"] if entry.text else []),
            "END:VEVENT",
        ]
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    text = "\\n".join(text.splitlines())
    return "".join(character for character in text if character.isprintable())


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 bytes, none of which tears a character; all but the first
    begin with a space."""
    part = ""
    for character in line:
        if len((part + character).encode()) > MOST_BYTES:
            yield part
            part = " "
        part += character
    yield part
