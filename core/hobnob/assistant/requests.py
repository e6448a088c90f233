"""What somebody wants of the assistant, by a command or in words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hobnob import commands
from hobnob.assistant.speech import Speech, speech
from hobnob.assistant.when.grammar import LANGUAGES, LONGEST
from hobnob.events import Event, Kind
from hobnob.ports import Command
from hobnob.text import unaddressed


class Verb(StrEnum):
    REMIND = "remind"
    REMINDERS = "reminders"
    SNOOZE = "snooze"
    CANCEL = "cancel"
    TODO = "todo"
    TODOS = "todos"
    DONE = "done"
    TIMEZONE = "timezone"


COMMANDS: Sequence[Command] = (
    Command(
        name="remind",
        description="Remind you: /remind tomorrow at 9:00 call the dentist",
        argument="when_and_what",
        private=True,
    ),
    Command(name="reminders", description="What I am to remind you of", private=True),
    Command(
        name="snooze",
        description="Remind you later of a number: /snooze 2 10m, /snooze 2 tomorrow at 9:00",
        argument="number_and_when",
        private=True,
    ),
    Command(
        name="cancel",
        description="Drop a reminder or to-do by its number",
        argument="number",
        private=True,
    ),
    Command(
        name="todo",
        description="Put something on your list: /todo buy milk by Friday",
        argument="what",
        private=True,
    ),
    Command(name="todos", description="What is on your list", private=True),
    Command(
        name="done",
        description="Take something off your list by its number",
        argument="number",
        private=True,
    ),
    Command(
        name="timezone",
        description="Your time zone: /timezone Europe/Berlin",
        argument="zone",
        private=True,
    ),
)
NUMBERED = (Verb.SNOOZE, Verb.CANCEL, Verb.DONE)
WORDS = {
    "todo": Verb.TODO,
    "todos": Verb.TODOS,
    "reminders": Verb.REMINDERS,
    "finished": Verb.DONE,
    "cancel": Verb.CANCEL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    verb: Verb
    text: str = ""
    """What else was said, but for the number."""
    number: int | None = None
    language: str = ""
    """That it was said in; "": it was a command."""


def by_command(event: Event) -> Request | None:
    """The command that `event` gives, if it is one of ours."""
    name = next(iter(commands.words(event)), "")
    if name not in {verb.value for verb in Verb}:
        return None
    text = unaddressed(event.text).strip().partition(" ")[2].strip()
    number = None
    if Verb(name) in NUMBERED:
        found = re.match(r"#?([0-9]{1,6})(?:\s+|$)", text)
        number = int(found[1]) if found else None
        text = text[found.end() :] if found else text
    return Request(verb=Verb(name), text=text, number=number)


def in_words(text: str, languages: Sequence[str]) -> Request | None:
    """What is asked for in a sentence; what is to come at its time, `when.request` reads."""
    if len(text) > LONGEST:
        return None
    for spoken in (speech(code) for code in [*languages, *LANGUAGES]):
        if request := _said(text, spoken):
            return request
    return None


def _said(text: str, spoken: Speech) -> Request | None:
    for what, verb in WORDS.items():
        found = spoken.find(what, text)
        if found is not None:
            return Request(
                verb=verb,
                text=found.get("task", ""),
                number=int(found["number"]) if "number" in found else None,
                language=spoken.code,
            )
    return None


def is_command(event: Event) -> bool:
    return event.kind is Kind.COMMAND or unaddressed(event.text).lstrip().startswith("/")
