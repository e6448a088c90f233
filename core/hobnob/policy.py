"""Shall we answer, and why. Pure: values in, a value with its reason out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hobnob.commands import words
from hobnob.events import Addressed, Event, Kind
from hobnob.notices import asked_if_ai
from hobnob.ports import Afterwards, Usage
from hobnob.rooms import Rooms, unasked
from hobnob.text import unaddressed


class Action(StrEnum):
    ANSWER = "answer"  # ask the model
    CHIME = "chime"  # likewise, though nobody spoke to us
    GREET = "greet"  # say the persona's greeting
    TELL = "tell"  # say what is always true: what I am, what I keep
    MEMORY = "memory"  # do what somebody asks of their memory
    NOTICE = "notice"  # say once, kindly, that this is too much
    JOB = "job"  # a job dealt with it
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`[engage]` of bot.toml, with the persona's own name among `names`."""

    names: tuple[str, ...] = ()
    burst_seconds: float = 1.5
    answer_bots: bool = False
    per_user_per_minute: int = 20
    per_chat_per_minute: int = 60
    contact: str = ""
    """Whom people may ask about their privacy."""
    model_host: str = ""
    """Where what is said is sent to, if the model is not on the owner's own machine."""
    disclose: bool = False
    """The first answer in a conversation says that an AI writes it."""
    sent: Afterwards = field(default=Afterwards())
    rooms: Rooms = field(default=Rooms())

    @property
    def limited(self) -> bool:
        return self.per_user_per_minute > 0 or self.per_chat_per_minute > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    action: Action
    reason: str
    final: bool = False
    """No job is asked either."""
    heard: bool = False
    """It is remembered, though nothing is said."""


_WHY = {
    Addressed.DIRECT: "a direct message",
    Addressed.MENTION: "it mentions me",
    Addressed.REPLY: "it replies to me",
}
_GREETED = ("start", "help")
MEMORY = ("memory", "forget", "incognito", "link", "reset", "language")


def decide(batch: Sequence[Event], rules: Rules, usage: Usage) -> Decision:
    """What to do with a batch: events of one author in one conversation, oldest first."""
    last = batch[-1]
    if last.author.id == last.key.account:
        return _silent("I said it myself", final=True)
    if last.author.is_bot and not rules.answer_bots:
        return _silent("the author is a bot", final=True)
    if last.kind not in (Kind.MESSAGE, Kind.COMMAND, Kind.SCHEDULED):
        return _silent(f"a {last.kind} is not answered", final=True)
    if last.kind is Kind.SCHEDULED:
        return _silent("it is nobody's job")
    if not any(event.text.strip() or event.attachments or event.quoted for event in batch):
        return _silent("it is empty")

    why = next((_WHY[event.addressed] for event in batch if event.addressed in _WHY), None)
    called = called_by_name(batch, rules.names)
    if why is None and called is None:
        return _overheard(batch, rules, usage)

    limit = _limit_reached(rules, usage)
    if limit and usage.noticed:
        return _silent(f"{limit} is reached, and was announced")
    if limit:
        return Decision(action=Action.NOTICE, reason=f"{limit} is reached")
    name = next(iter(words(last)), "")
    if name in MEMORY:
        return Decision(action=Action.MEMORY, reason=f"the command /{name}")
    if name in _GREETED:
        return Decision(action=Action.GREET, reason=f"the command /{name}")
    if name == "privacy":
        return Decision(action=Action.TELL, reason="the command /privacy")
    if last.kind is Kind.COMMAND and last.addressed is Addressed.DIRECT:
        return Decision(action=Action.TELL, reason=f"I know no command /{name}")
    if last.kind is Kind.COMMAND:
        return _silent("I know no such command")
    if asked_if_ai(unaddressed(last.text)):
        return Decision(action=Action.TELL, reason="it asks whether I am an AI")
    return Decision(action=Action.ANSWER, reason=why or f"it calls me {called}")


def _overheard(batch: Sequence[Event], rules: Rules, usage: Usage) -> Decision:
    """What to do with what people say to each other."""
    speak, why = unasked(batch, rules.rooms)
    if speak and batch[-1].kind is Kind.COMMAND:
        speak, why = False, "the command is not for me"
    if speak and usage.chimes >= rules.rooms.per_hour:
        speak, why = False, "it is not addressed to me, and I said enough unasked in this hour"
    if speak and (limit := _limit_reached(rules, usage)):
        speak, why = False, f"it is not addressed to me, and {limit} is reached"
    if speak:
        return Decision(action=Action.CHIME, reason=why)
    return Decision(action=Action.SILENT, reason=why, heard=rules.rooms.remember_all)


def called_by_name(batch: Sequence[Event], names: Sequence[str]) -> str | None:
    """The first of `names` that stands in a text as a word of its own."""
    for name in names:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        if any(word.search(event.text) for event in batch):
            return name
    return None


def _limit_reached(rules: Rules, usage: Usage) -> str | None:
    if 0 < rules.per_user_per_minute <= usage.by_user:
        return "per_user_per_minute"
    if 0 < rules.per_chat_per_minute <= usage.by_chat:
        return "per_chat_per_minute"
    return None


def _silent(reason: str, *, final: bool = False) -> Decision:
    return Decision(action=Action.SILENT, reason=reason, final=final)
