"""The events of a calendar file as they are written: iCalendar, RFC 5545. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hobnob.errors import ConfigError

_LINE = re.compile(
    r"(?P<name>[\w-]+)"
    r'(?:(?P<parameters>(?:;[\w-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(?P<value>.*)'
    r"|(?P<odd>[;:].*))",  # as some programs write names of people; in a time it is an error
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A line of an event."""

    line: int
    """Its number in the file."""
    parameters: str = ""
    """";TZID=Europe/Berlin"."""
    value: str = ""


Properties = dict[str, list[Property]]
"""By name, in capitals."""


class Wrong(Exception):
    """What is wrong with an event, and in which line if that is known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def events(text: str, name: str) -> Iterator[tuple[int, Properties]]:
    """Each VEVENT of the file `name`, with the number of the line where it begins. Raises
    ConfigError."""
    if not text.strip():
        raise ConfigError(f"{name}: is empty. Export the calendar as .ics.")
    try:
        yield from _events(text)
    except Wrong as error:
        raise ConfigError(f"{name}: line {error.line}: {error}") from None


def _events(text: str) -> Iterator[tuple[int, Properties]]:
    within: list[tuple[str, int]] = []
    properties: Properties = {}
    for number, line in _lines(text):
        match = _LINE.fullmatch(line)
        name, value = "", ""
        if match:
            name, value = match["name"].upper(), (match["value"] or match["odd"] or "").strip()
        if not within and (name, value.upper()) != ("BEGIN", "VCALENDAR"):
            raise Wrong(
                "is no iCalendar, which begins with BEGIN:VCALENDAR. Export the calendar as .ics.",
                number,
            )
        inside = len(within) == 2 and within[1][0] == "VEVENT"  # and not in its alarm
        if name == "BEGIN":
            within.append((value.upper(), number))
            properties = properties if inside else {}
        elif name == "END":
            part, begun = within.pop()
            if part != value.upper():
                raise Wrong(
                    f"ends {value[:40]}, but {part[:40]} of line {begun} has no end. "
                    "Export the calendar again.",
                    number,
                )
            if inside:
                yield begun, properties
        elif inside:
            if not match:
                raise Wrong(
                    "is no line of an event, like NAME:VALUE. Take it out, or export the calendar "
                    "again.",
                    number,
                )
            given = Property(line=number, parameters=match["parameters"] or "", value=value)
            properties.setdefault(name, []).append(given)
    if within:
        part, begun = within[-1]
        raise Wrong(f"{part[:40]} has no end. Export the calendar again.", begun)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; one that begins with a space goes on with the one before."""
    begun, parts = 0, [""]
    for number, line in enumerate([*re.split(r"\r\n|\n|\r", text), "END"], 1):
        if line[:1] in (" ", "\t"):
            parts.append(line[1:])
            continue
        if (joined := "".join(parts)).strip():
            yield begun, joined
        begun, parts = number, [line]
