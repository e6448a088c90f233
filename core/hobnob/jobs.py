"""What a bot can do besides talking: reminders, a support desk, posts. Each is a job.

The path asks every job about every batch of events, before the model: whoever takes it deals with
it. A job can also tell the model what it should know for an answer, and look at the answer before
it leaves. A job keeps nothing in memory that matters: what it decides is written in the same
transaction that ends the batch (`Deed.also`), so that a kill at any moment loses and doubles
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hobnob.conversation import ConversationKey
from hobnob.events import Button, Event, Media, Tool, ToolCall, Visibility
from hobnob.notes import Budget
from hobnob.policy import Action, Decision
from hobnob.ports import Command


class Wake(Protocol):
    def __call__(self, key: ConversationKey, *, stop: bool = False) -> None:
        """Send what was queued in a conversation. With `stop`, an answer that the model is writing
        there is given up and begun anew: it does not know of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said in another conversation than the one that is answered."""

    key: ConversationKey
    text: str
    buttons: tuple[Button, ...] = ()
    in_reply_to: str = ""
    mention: str = ""
    visibility: Visibility | None = None
    warning: str = ""
    about: str = ""
    """What it is about (`Reply.about`)."""
    stops: bool = False
    """An answer that the model is writing there is given up and begun anew: it does not know of
    this."""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What becomes of a batch of events."""

    reason: str
    action: Action = Action.JOB
    said: str = ""
    """To whoever spoke; "": nothing."""
    buttons: tuple[Button, ...] = ()
    private: bool = False
    """For them alone (`Reply.private`)."""
    about: str = ""
    """What `said` is about (`Reply.about`)."""
    remembered: str = ""
    """What is remembered as said by us, after what they said; "": neither is."""
    heard: bool = False
    """What they said is remembered all the same, unless the conversation is incognito."""
    incognito: bool = False
    """Remembered for now, and never stored."""
    introduces: bool = False
    """It says that we are an AI. Where it does not, the path lets the first answer in a
    conversation say so."""
    elsewhere: tuple[Message, ...] = ()
    tells: Callable[[Any], str] | None = None
    """What is said instead of `said`, where only doing it shows what: in the same transaction as
    `also`, likewise."""
    also: Callable[[Any], None] | None = None
    """What else is written in the transaction that ends the batch, given its connection. It may
    run more than once, where what it wrote before was undone. Raises Changed where what it was
    decided on is not so any more: nothing is written, and the batch is taken anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What came of a tool that the model called: it is told so, or a person is asked first."""

    told: str = ""
    question: str = ""
    """Said to whoever is answered, behind what the model wrote, which is not asked again."""
    buttons: tuple[Button, ...] = ()
    also: Callable[[Any], None] | None = None
    """As in `Deed`: what keeps the question until it is answered."""


class Job:
    """Something that a bot does. A job overrides what it needs of this."""

    commands: Sequence[Command] = ()
    """What people can ask for by name, besides what every bot knows."""
    guards: bool = False
    """`review` may hold an answer back, so that nobody may see it while it is written."""

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        """Deal with what one author said in one conversation, or with what is due; None: not mine.

        `decision` is what becomes of it if no job takes it. A job that answers people looks at
        it first: what is not addressed to the bot (silent), or more than it takes (notice), is
        seldom to be answered by a job either. May be called again for the same events, after a
        crash: it changes nothing itself.
        """
        return None

    async def brief(self, events: Sequence[Event], budget: Budget) -> str:
        """What the model should know for this answer, of at most `budget.tokens`; "": nothing."""
        return ""

    async def tools(self, events: Sequence[Event]) -> Sequence[Tool]:
        """What the model may have done for this answer, if it can call tools."""
        return ()

    async def call(self, events: Sequence[Event], call: ToolCall) -> Called | None:
        """Do what the model called for while it answers `events`; None: not mine. It never raises.

        After a crash the answer is written anew, and this is done again: so it only reads. What
        must not be done twice, or not without being wanted, is a question.
        """
        return None

    async def review(self, events: Sequence[Event], deed: Deed) -> Deed:
        """What becomes of the model's answer: `deed` as it is, or a changed copy."""
        return deed

    def permit(self, connection: Any, key: ConversationKey) -> None:
        """Asked in the transaction that ends a batch, where something is said in this
        conversation, by whichever job or the model, and in the one that puts on record that an
        answer is shown while it is written. Raises Changed if nothing may be said there now:
        the batch is taken anew, and this job sees to it that nothing is said then."""
        return

    async def work(self) -> Sequence[ConversationKey]:
        """Do all that is to be done by itself now; the conversations where something is to be
        sent. Raises StoreError and EngineUnavailable."""
        return ()

    async def run(self, wake: Wake, busy: Callable[[], bool]) -> None:
        """`work` at its times, until cancelled: nothing, or for as long as the bot runs. It never
        raises. `wake` has sent what it queued; `busy` says whether
        somebody waits for an answer that the model is writing."""
        return


class Jobs:
    """All jobs of a bot as one, in their order: the first that takes a batch has it."""

    def __init__(self, jobs: Sequence[Job] = ()) -> None:
        self._jobs = tuple(jobs)
        self.commands = tuple(command for job in self._jobs for command in job.commands)
        self.guards = any(job.guards for job in self._jobs)

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        for job in self._jobs:
            if deed := await job.take(events, decision):
                return deed
        return None

    async def brief(self, events: Sequence[Event], budget: Budget) -> str:
        briefs = [await job.brief(events, budget) for job in self._jobs]
        return "\n".join(brief for brief in briefs if brief)

    async def tools(self, events: Sequence[Event]) -> Sequence[Tool]:
        return [tool for job in self._jobs for tool in await job.tools(events)]

    async def call(self, events: Sequence[Event], call: ToolCall) -> Called:
        for job in self._jobs:
            if called := await job.call(events, call):
                return called
        return Called(told="There is no such tool.")

    async def review(self, events: Sequence[Event], deed: Deed) -> Deed:
        for job in self._jobs:
            deed = await job.review(events, deed)
        return deed

    def permit(self, connection: Any, key: ConversationKey) -> None:
        for job in self._jobs:
            job.permit(connection, key)
