"""The customer's side of the desk: who needs a person gets one, and says afterwards how it was."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hobnob import commands, prompt
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Button, Event, Kind
from hobnob.jobs import Deed
from hobnob.policy import Action, Decision
from hobnob.ports import Clock, Command
from hobnob.store import schedule
from hobnob.store import tickets as store
from hobnob.store.tickets import Act, Here, SqlTickets, Ticket
from hobnob.support import mood, wording
from hobnob.support.opening import Opening
from hobnob.text import clean_name, unaddressed

COMMANDS = (
    Command(name="human", description="Bring a person who answers instead of me"),
    Command(
        name="rate",
        description="Say how our help was: 1 to 5, and a word if you like",
        argument="number",
    ),
)
AGAIN = timedelta(minutes=10)
"""What was due while a person has the conversation comes again then."""
ASKED_FOR = timedelta(days=1)
"""A number said later than this after the question is no answer to it."""
LONGEST_WORD = 500
"""Characters of what is said with a rating."""
UNREADABLE = "(What they say is kept nowhere, so I can't show it: they are /incognito.)"
_RATING = re.compile(
    r"([1-5])(?:\s*(?:/\s*5|\*|stars?|sterne?|estrellas?|étoiles?|分|星))?"
    r"(?:\s*[,;:.!，；：。！、–—-]++(?!\d)\s*(\S.*)?)?",  # not "2.5 kg"
    re.IGNORECASE | re.DOTALL,
)

MemoryCommand = Callable[[Event], Callable[[Any], str]]
"""See `hobnob.ports.MemoryPort.command`."""


class Customer:
    def __init__(
        self,
        *,
        tickets: SqlTickets,
        where: ConversationKey | None,
        opening: Opening | None,
        language: str,
        memory_command: MemoryCommand,
        clock: Clock,
    ) -> None:
        """`where` is the staff's place, `language` the bot's own."""
        self._tickets = tickets
        self._where = where
        self._opening = opening
        self._language = language
        self._memory_command = memory_command
        self._clock = clock

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        last = events[-1]
        here = await self._tickets.here(last)
        if here.active and here.active.is_silent:
            return await self._pass_on(events, decision, here, here.active)
        if last.kind is Kind.SCHEDULED or decision.action is Action.NOTICE:
            return None
        if not _asks_us(events, decision):
            return None
        names = {event.id: next(iter(commands.words(event)), "") for event in events}
        text = ", ".join(unaddressed(event.text).strip() for event in events)
        if names[last.id] == "rate":
            return self._rate(commands.argument(last), last, here)
        if not any(names.values()) and _is_rating(text, here, self._clock.now()):
            return self._rate(text, last, here)
        answers = decision.action is Action.ANSWER
        if "human" in names.values() or (
            answers and any(mood.wants_person(event.text) for event in events)
        ):
            return self._call(events, here, "they ask for a person")
        if not answers or not any(mood.is_angry(event.text) for event in events):
            return None
        if here.active and here.active.state == "waiting":
            return None  # it is known
        return self._call(events, here, "they are angry", "angry")

    async def unanswered(self, events: Sequence[Event], deed: Deed) -> Deed:
        """The documents have no answer: the staff is told, and the customer offered a person."""
        last = events[-1]
        here = await self._tickets.here(last)
        question = "\n".join(event.text for event in events)
        act = Act(what="unanswered", note="" if here.incognito else question)
        state = here.active.state if here.active else "open"
        ticket, also = self._ticket(last, here, act, state=state)
        told = f"{wording.done(ticket, act)}\n{_named(last, question)}"
        offer = Button(label=self._say(here, "offer"), command="/human")
        return replace(
            deed,
            buttons=(offer,) if state == "open" else (),
            elsewhere=wording.to_staff(self._where, ticket, told, wording.buttons(ticket)),
            also=also,
        )

    async def hold(self, events: Sequence[Event], deed: Deed, why: str) -> Deed:
        """The model's answer promises what no document says: a person decides about it."""
        last = events[-1]
        here = await self._tickets.here(last)
        act = Act(what="held", note="" if here.incognito else deed.said)
        ticket, also = self._ticket(last, here, act, state="waiting", held=deed.said)
        question = "\n".join(event.text for event in events)
        told = (
            f"{wording.title(ticket)}: I did not send my answer, for the documents shown say "
            f"nothing of {why}.\n{_named(last, question)}\n\n{deed.said}"
        )
        said = " ".join((self._say(here, "held"), self._away(here))).strip()
        return replace(
            deed,
            said=said,
            remembered=said,
            reason=f"{deed.reason}; held: no document says that",
            elsewhere=wording.to_staff(self._where, ticket, told, wording.buttons(ticket)),
            also=also,
        )

    async def _pass_on(
        self, events: Sequence[Event], decision: Decision, here: Here, ticket: Ticket
    ) -> Deed:
        """A person has this conversation: we pass on what is said, and say nothing."""
        last, now = events[-1], self._clock.now()
        reason = f"{ticket.staff} has ticket {ticket.number}"
        if last.kind is Kind.SCHEDULED:

            def later(connection: sa.Connection) -> None:
                schedule.put_off(connection, last, now + AGAIN)

            return Deed(reason=f"{reason}; it comes later", also=later)
        theirs = last.author.id == ticket.author
        if not theirs and not _asks_us(events, decision):
            return Deed(action=Action.SILENT, reason=reason, heard=decision.heard)
        name = next(iter(commands.words(last)), "")
        done, beside = None, ""
        if decision.action is Action.MEMORY and name != "memory":
            done = self._memory_command(last)
            beside = "(I did that without a word: tell them.)"
        elif name:
            beside = "(I'm silent while you have it.)"
        told = f"#{ticket.number} {_named(last, _said(events))}\n{beside}".rstrip()
        wrote = _unkept(events, here, name, beside) if self._where is None else None

        def also(connection: sa.Connection) -> None:
            newest = {"event": last} if theirs else {}
            if done:
                done(connection)
            store.wake(connection, ticket)
            store.change(connection, ticket, wrote, now, state="taken", schedule_id=None, **newest)

        return Deed(
            action=Action.MEMORY if done else Action.JOB,
            reason=reason,
            heard=not name,
            elsewhere=wording.to_staff(self._where, ticket, told),
            also=also,
        )

    def _call(self, events: Sequence[Event], here: Here, why: str, said: str = "") -> Deed:
        """Let a person come."""
        last = events[-1]
        if self._where is None and here.incognito:
            return Deed(reason="nobody could read it", said=self._say(here, "incognito"))
        waits = here.active is not None and here.active.state == "waiting"
        act = Act(what="wanted", note=why)
        ticket, also = self._ticket(last, here, act, state="waiting")
        if waits:
            answer = self._say(here, "called")
        elif away := self._away(here):
            answer = self._say(here, "closed", back=away)
        else:
            answer = self._say(here, said or "waiting")
        told = f"{wording.done(ticket, act)}\n{_named(last, _said(events))}"
        return Deed(
            reason=why,
            said=answer,
            heard=not any(commands.words(event) for event in events),
            elsewhere=wording.to_staff(self._where, ticket, told, wording.buttons(ticket)),
            also=also,
        )

    def _ticket(
        self, event: Event, here: Here, act: Act, *, state: str, held: str = ""
    ) -> tuple[Ticket, store.Change]:
        """The ticket of this conversation in that state, and what is written to make it so. It
        goes on answering whoever it is about, whoever else in a room speaks."""
        now = self._clock.now()
        if (seen := here.active) is not None:
            newest = event if event.author.id == seen.author else seen.event
            changed = replace(seen, state=state, held=held or seen.held, event=newest)

            def change(connection: sa.Connection) -> None:
                values = {"held": changed.held, "event": newest}
                store.change(connection, seen, act, now, state=state, **values)

            return changed, change
        new = Ticket(
            number=here.next_number,
            key=event.key,
            author=event.author.id,
            name=event.author.name,
            event=event,
            state=state,
            held=held,
            opened=now,
        )

        def create(connection: sa.Connection) -> None:
            store.create(connection, new, act, now)

        return new, create

    def _rate(self, text: str, event: Event, here: Here) -> Deed:
        ticket, now = here.asked, self._clock.now()
        if ticket is None:
            return Deed(reason="there is nothing to rate", said=self._say(here, "not_asked"))
        found = _RATING.fullmatch(text)
        number, word = (text[:1], text[1:].strip()) if not found else (found[1], found[2] or "")
        if number not in set("12345") or (not found and text[1:2].isdigit()):
            return Deed(reason="no rating", said=self._say(here, "no_rating"))
        word = word[:LONGEST_WORD]
        act = Act(what="rated", who=_who(event), note=f"{number} {word}".strip())

        def also(connection: sa.Connection) -> None:
            store.change(connection, ticket, act, now, rating=int(number))

        told = wording.done(ticket, act)
        return Deed(
            reason=f"they rate ticket {ticket.number}",
            said=self._say(here, "thanks"),
            elsewhere=wording.to_staff(self._where, ticket, told),
            also=also,
        )

    def _away(self, here: Here) -> str:
        """When somebody is there again; "" if somebody is there."""
        now = self._clock.now()
        if self._opening is None or self._opening.is_open(now):
            return ""
        return self._opening.away(now, wording.code(here.language or self._language))

    def _say(self, here: Here, what: str, **values: object) -> str:
        return wording.say(here.language or self._language, what, **values)


def _is_rating(text: str, here: Here, now: datetime) -> bool:
    asked = here.asked
    if here.active or asked is None or asked.rating is not None or asked.asked is None:
        return False
    return now - asked.asked < ASKED_FOR and _RATING.fullmatch(text) is not None


def _asks_us(events: Sequence[Event], decision: Decision) -> bool:
    addressed = any(event.addressed is not Addressed.NONE for event in events)
    return addressed or decision.action not in (Action.SILENT, Action.CHIME)


def _named(event: Event, said: str) -> str:
    return f"{clean_name(event.author.name)}: {said}"


def _said(events: Sequence[Event]) -> str:
    """What they said, with where their files are."""
    return "\n".join([*(prompt.said(event) for event in events), *_urls(events)])


def _unkept(events: Sequence[Event], here: Here, name: str, beside: str) -> Act | None:
    """What the terminal has to show of these events, and is no part of the conversation; `name` is
    the command's."""
    last = events[-1]
    if here.incognito:
        lines = [f"/{name}" if name else UNREADABLE]
    else:
        lines = [_said(events)] if name else [*_urls(events)]
    note = "\n".join(line for line in (*lines, beside) if line)
    return Act(what="wrote", who=_who(last), note=_named(last, note)) if note else None


def _urls(events: Sequence[Event]) -> Sequence[str]:
    return [file.url for event in events for file in event.attachments if file.url]


def _who(event: Event) -> str:
    return f"{event.key.platform}/{event.author.id}"
