"""What somebody asks for: by `/checkin`, or in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from hobnob import commands, zones
from hobnob.assistant.speech import speech
from hobnob.assistant.when import read
from hobnob.assistant.when.grammar import LANGUAGES, LONGEST
from hobnob.events import Event
from hobnob.ports import Command

COMMANDS: Sequence[Command] = (
    Command(
        name="checkin",
        description="I may write to you first: /checkin on; also a question a day: /checkin 9:00",
        argument="when",
        choices=("on", "off"),
        private=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    wanted: bool | None
    """None: only how it is now, or nothing that was understood (`clear`)."""
    clear: bool = True
    hour: time | None = None
    """Of a question a day."""
    zone: str = ""
    """Their own, if they named it."""
    language: str = ""
    """That it was said in; "": it was a command."""


def by_command(event: Event, now: datetime, zone: str) -> Asked | None:
    """What `event` asks for, if it is our command."""
    if next(iter(commands.words(event)), "") != "checkin":
        return None
    text = commands.argument(event)
    before, _, last = text.rpartition(" ")
    named = zones.find(last) if before else None
    text = before.strip() if named else text
    match text.casefold():
        case "":
            return Asked(wanted=None)
        case "on":
            return Asked(wanted=True, zone=named or "")
        case "off":
            return Asked(wanted=False)
    hour = hour_of(text, now, named or zone, LANGUAGES)
    if hour is None:
        return Asked(wanted=None, clear=False)
    return Asked(wanted=True, hour=hour, zone=named or "")


def in_words(text: str, now: datetime, zone: str, languages: Sequence[str]) -> Asked | None:
    """What a message asks for that says nothing else."""
    if len(text) > LONGEST:
        return None
    for code in (*languages, *LANGUAGES):
        spoken = speech(code, __package__)
        if found := spoken.find("ask", text):
            hour = hour_of(found["when"], now, zone, [code])
            return Asked(wanted=True, hour=hour, language=code) if hour else None
        if spoken.find("agree", text) is not None:
            return Asked(wanted=True, language=code)
        if spoken.find("end", text) is not None:
            return Asked(wanted=False, language=code)
    return None


def hour_of(text: str, now: datetime, zone: str, languages: Sequence[str]) -> time | None:
    """The hour that "9:00" or "every day at 9" names, and nothing else."""
    made = [speech(code, __package__).say("every", hour=text) for code in languages]
    for each in (text, *made):
        reading = read(each, now, zone, languages)
        rule = reading.whens[0].rule if len(reading.whens) == 1 else ""
        whole = reading.doubt is None and not reading.task and rule.endswith(" RRULE:FREQ=DAILY")
        if whole and (each == text or not reading.assumed):
            return reading.whens[0].due.astimezone(ZoneInfo(zone)).time()
    return None
