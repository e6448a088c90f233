"""The staff's side of the desk: what people who answer customers say about tickets, and what comes
of it. The terminal (`hobnob tickets`) does the same by the same means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import sqlalchemy as sa

from hobnob import commands
from hobnob.assistant import when
from hobnob.conversation import ConversationKey
from hobnob.events import Author, Button, Event, Role, Turn
from hobnob.jobs import Deed, Message
from hobnob.ports import Clock, Command, History, Limits
from hobnob.store import rows
from hobnob.store import tickets as store
from hobnob.store.outbox import A_TICKET
from hobnob.store.tickets import Act, SqlTickets, Ticket
from hobnob.support import wording
from hobnob.text import clean_name, mark, unaddressed

COMMANDS = tuple(
    Command(name=name, description=description, argument=argument, offered=False)
    for name, description, argument in (
        ("tickets", "Who needs a person", ""),
        ("ticket", "What was said and done about a ticket", "number"),
        ("take", "Talk to a customer yourself: I'm silent there", "number"),
        ("say", "Say something to a customer: the number, then the text", "text"),
        ("answer", "Give a customer a canned answer: the number, then its name", "text"),
        ("answers", "The canned answers", ""),
        ("send", "Send the answer that I held back", "number"),
        ("release", "Give a customer back to me", "number"),
        ("snooze", "Put a ticket away: the number, then until when", "text"),
        ("resolve", "Close a ticket, and ask the customer how it went", "number"),
    )
)
NAMES = frozenset(command.name for command in COMMANDS)
SHOWN = 12
"""Turns that whoever takes a ticket is shown."""
LONGEST_SHOWN = 300
"""Characters of each."""


LimitsOf = Callable[[ConversationKey], Limits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody of the staff."""

    id: str
    """platform/id, or terminal/name."""
    name: str


class Staff:
    def __init__(
        self,
        *,
        tickets: SqlTickets,
        history: History,
        where: ConversationKey | None,
        members: frozenset[str],
        answers: Mapping[str, str],
        language: str,
        zone: str,
        limits: LimitsOf,
        clock: Clock,
    ) -> None:
        """`members` are platform/id of whoever may answer; nobody: all who write in `where`."""
        self._tickets = tickets
        self._history = history
        self._where = where
        self._members = members
        self._answers = answers
        self._language = language
        self._zone = zone
        self._limits = limits
        self._clock = clock

    async def take(self, events: Sequence[Event]) -> Deed | None:
        """What somebody says in the staff's place; None if it is about no ticket."""
        last = events[-1]
        asked = [await self._asked(event) for event in events]
        found = [each for each in asked if each]
        if not found:
            return None
        name, number, rest = found[0]
        who = Who(id=_who(last), name=last.author.name)
        if self._members and who.id not in self._members:
            return Deed(
                reason=f"{who.id} is no staff", said="Sorry, that is for the staff of the desk."
            )
        together = [each for each in found if each[:2] == (name, number)]
        if name == "say":  # said in a row, as people write
            rest = "\n".join(text for _, _, text in together)
        deed = await self.decide(name, number, rest, who)
        if name == "say" and any(not file.url for each in events for file in each.attachments):
            note = "I can't pass files on from here: the customer got the words alone."
            deed = replace(deed, said=f"{deed.said}\n\n{note}".strip())
        if len(found) > len(together):
            note = "I did only the first of these: one command in a message, please."
            deed = replace(deed, said=f"{deed.said}\n\n{note}".strip())
        return replace(deed, reason=deed.reason or f"/{name} by {who.id}")

    async def hear(self, line: str, who: Who) -> Deed:
        """What somebody writes in the terminal: a command, or words for the customer whom they
        have. Raises StoreError."""
        line = line.strip()
        if not line.startswith("/"):
            return await self.decide("say", None, line, who)
        name, rest = (*line[1:].split(maxsplit=1), "", "")[:2]
        if name not in NAMES:
            return _say(f"There is no /{name}. {', '.join(f'/{each}' for each in sorted(NAMES))}")
        number, rest = _numbered(rest)
        return await self.decide(name, number, rest, who)

    async def _asked(self, event: Event) -> tuple[str, int | None, str] | None:
        """The command, the number of the ticket and the rest; None if it is for no ticket."""
        about = None
        if event.reply_to:
            about = await self._tickets.of_message(event.key, event.reply_to)
        name = next(iter(commands.words(event)), "")
        if not name:
            return ("say", about, _words(event)) if about else None
        if name not in NAMES:
            return None
        number, rest = _numbered(commands.argument(event))
        return name, about if number is None else number, rest

    async def decide(self, name: str, number: int | None, rest: str, who: Who) -> Deed:
        """What `who` decides. Raises StoreError."""
        if name == "tickets":
            return _say(self._listed(await self._tickets.unresolved()))
        if name == "answers":
            lines = [f"{each}: {text}" for each, text in sorted(self._answers.items())]
            return _say("\n".join(lines) or "There are none: [support.answers] in bot.toml.")
        if number is None:
            number = await self._only(who)
        ticket = await self._tickets.get(number) if number else None
        if ticket is None:
            return _say(f"Which ticket? Write /{name} and its number, as /tickets shows it.")
        deed = await self._decide(name, ticket, rest, who)
        return replace(deed, about=A_TICKET.format(ticket.number))

    async def _decide(self, name: str, ticket: Ticket, rest: str, who: Who) -> Deed:
        if name == "ticket":
            return await self._show(ticket)
        if ticket.state == "resolved":
            return _say(f"Ticket {ticket.number} is resolved already.")
        if name == "take":
            return await self._take(ticket, rest, who)
        if ticket.staff != who.id and (ticket.is_silent or name in ("say", "answer", "snooze")):
            has = f"{ticket.staff_name} has it." if ticket.is_silent else "Nobody has it yet."
            over = " over" if ticket.is_silent else ""
            return _say(f"{has} /take {ticket.number}{over} makes it yours.")
        match name:
            case "say":
                return self._to_customer(ticket, rest, who)
            case "answer":
                if rest not in self._answers:
                    return _say(f"There is no answer “{rest}”. /answers shows them all.")
                return self._to_customer(ticket, self._answers[rest], who)
            case "send":
                return await self._send(ticket, rest, who)
            case "release":
                return self._release(ticket, who)
            case "snooze":
                return self._snooze(ticket, rest, who)
            case _:
                return self._resolve(ticket, who)

    async def _only(self, who: Who) -> int | None:
        """The ticket that they mean, who have one."""
        theirs = [each for each in await self._tickets.unresolved() if each.staff == who.id]
        return theirs[0].number if len(theirs) == 1 else None

    def _listed(self, found: Sequence[Ticket]) -> str:
        lines = [
            f"{wording.title(each)}, since {each.opened:%Y-%m-%d %H:%M} UTC: {wording.state(each)}"
            for each in found
        ]
        return "\n".join(lines) or "Nobody needs a person."

    async def _show(self, ticket: Ticket) -> Deed:
        acts = [
            f"{at:%Y-%m-%d %H:%M} {done.who}: {done.what}{f': {done.note}' if done.note else ''}"
            for at, done in await self._tickets.acts(ticket.number)
        ]
        parts = [f"{wording.title(ticket)}: {wording.state(ticket)}", *acts]
        return _say("\n".join([*parts, "", await self._transcript(ticket)]).strip())

    async def _transcript(self, ticket: Ticket) -> str:
        turns = await self._history.recent(ticket.key, SHOWN)
        cut = [
            replace(turn, text=turn.text[:LONGEST_SHOWN] + "…" * (len(turn.text) > LONGEST_SHOWN))
            for turn in turns
        ]
        return wording.transcript(cut)

    async def _take(self, ticket: Ticket, rest: str, who: Who) -> Deed:
        number = ticket.number
        if ticket.is_silent and ticket.staff == who.id:
            return _say(f"You have ticket {number} already.")
        if ticket.is_silent and rest.casefold() != "over":
            return _say(f"{ticket.staff_name} has it. /take {number} over makes it yours.")
        how = (
            f"Ticket {number} is yours, and I'm silent there. Reply to a message about it, or "
            f"write /say {number} and the text: they get it from me, with nothing added. "
            f"/release {number} gives it back to me, /resolve {number} ends it."
        )
        taken = replace(ticket, state="taken", staff=who.id, staff_name=who.name)
        said = self._customer(ticket, "joined", name=clean_name(who.name))

        def more(connection: sa.Connection) -> None:
            store.hush(connection, ticket)

        return self._deed(
            ticket,
            Act(what="taken", who=who.id),
            said="\n\n".join(part for part in (how, await self._transcript(ticket)) if part),
            to=(wording.to_customer(ticket, said),),
            more=more,
            shown=taken,
            state="taken",
            staff=who.id,
            staff_name=who.name,
        )

    def _to_customer(self, ticket: Ticket, text: str, who: Who) -> Deed:
        if not text:
            return _say(f"Write /say {ticket.number} and then the text.")

        def more(connection: sa.Connection) -> None:
            store.remember(connection, ticket, self._turn(ticket, text, who.name))

        return self._deed(
            ticket,
            Act(what="said", who=who.id),
            to=(wording.to_customer(ticket, text),),
            more=more,
            state="taken",
        )

    async def _send(self, ticket: Ticket, sign: str, who: Who) -> Deed:
        if not ticket.held:
            return _say(f"No answer of ticket {ticket.number} is held back.")
        if sign and sign != mark(ticket.held):
            return _say(
                f"That was an older answer. This one is held back now:\n\n{ticket.held}",
                wording.buttons(ticket),
            )

        number = ticket.number
        if ticket.is_silent:
            state, said = "taken", f"Sent. You have ticket {number}."
        elif await self._is_called(ticket):
            state, said = "waiting", f"Sent. Ticket {number} still waits for a person."
        else:
            state, said = "open", f"Sent. I go on with ticket {number}."

        def more(connection: sa.Connection) -> None:
            store.remember(connection, ticket, self._turn(ticket, ticket.held, ""))

        return self._deed(
            ticket,
            Act(what="sent", who=who.id, note=ticket.held),
            said=said,
            to=(wording.to_customer(ticket, ticket.held),),
            more=more,
            state=state,
            held="",
        )

    async def _is_called(self, ticket: Ticket) -> bool:
        """Its customer wants a person, and nobody came since."""
        acts = [done.what for _, done in await self._tickets.acts(ticket.number)]
        calls = [what for what in acts if what in ("wanted", "taken")]
        return calls[-1:] == ["wanted"]

    def _release(self, ticket: Ticket, who: Who) -> Deed:
        if not ticket.is_silent:
            return _say(f"Nobody has ticket {ticket.number}: I answer there.")
        return self._deed(
            ticket,
            Act(what="released", who=who.id),
            said=f"I have ticket {ticket.number} again.",
            to=(wording.to_customer(ticket, self._customer(ticket, "released")),),
            state="open",
            staff="",
            staff_name="",
        )

    def _resolve(self, ticket: Ticket, who: Who) -> Deed:
        left = ""
        if ticket.is_silent:
            left = self._customer(ticket, "closed_ticket", name=clean_name(ticket.staff_name))
        if not ticket.name:  # they had everything forgotten: nobody is kept, and nobody asked
            return self._deed(
                ticket,
                Act(what="resolved", who=who.id),
                said=f"Ticket {ticket.number} is resolved.",
                to=(wording.to_customer(ticket, left),) if left else (),
                state="resolved",
                author="",
                event=rows.nobodys(ticket.event),
                held="",
            )
        asked = self._customer(ticket, "resolved", number=ticket.number)
        said = "\n\n".join(part for part in (left, asked) if part)
        return self._deed(
            ticket,
            Act(what="resolved", who=who.id),
            said=f"Ticket {ticket.number} is resolved, and the customer is asked how it went.",
            to=(wording.to_customer(ticket, said, self._ratings(ticket)),),
            state="resolved",
            held="",
            asked=self._clock.now(),
        )

    def _snooze(self, ticket: Ticket, rest: str, who: Who) -> Deed:
        now = self._clock.now()
        read = when.read(rest, now, self._zone, [wording.code(self._language), "en"])
        if read.doubt:  # "2 hours"
            read = when.read(f"in {rest}", now, self._zone, ["en"])
        if read.doubt or not read.whens:
            return _say(
                f"Until when? As in /snooze {ticket.number} 2 hours, or "
                f"/snooze {ticket.number} tomorrow at 9:00"
            )
        due = read.whens[0].due.astimezone(UTC)
        event = rows.nobodys(ticket.event)  # it comes back, though they are forgotten

        def also(connection: sa.Connection) -> None:
            row = store.snooze(connection, ticket, event, due)
            done = Act(what="snoozed", who=who.id, note=f"{due:%Y-%m-%d %H:%M} UTC")
            store.change(connection, ticket, done, now, state="snoozed", schedule_id=row)

        at = read.whens[0].due
        return Deed(
            reason="",
            said=f"Ticket {ticket.number} comes back on {at:%A, %Y-%m-%d, %H:%M} ({self._zone}), "
            "or when the customer writes. I stay silent there.",
            also=also,
        )

    async def due(self, row: int) -> Deed | None:
        """A snoozed ticket comes back."""
        ticket, now = await self._tickets.snoozed(row), self._clock.now()
        if ticket is None or ticket.state != "snoozed":
            return None

        def also(connection: sa.Connection) -> None:
            store.wake(connection, ticket)
            done = Act(what="back")
            store.change(connection, ticket, done, now, state="taken", schedule_id=None)

        back = wording.done(ticket, Act(what="back"))
        return Deed(
            reason=f"ticket {ticket.number} comes back",
            elsewhere=wording.to_staff(self._where, ticket, back, wording.buttons(ticket)),
            also=also,
        )

    def _deed(
        self,
        ticket: Ticket,
        done: Act,
        *,
        said: str = "",
        to: tuple[Message, ...] = (),
        more: Callable[[sa.Connection], None] | None = None,
        shown: Ticket | None = None,
        **values: object,
    ) -> Deed:
        """Change a ticket, tell the customer, and answer whoever did it."""
        now = self._clock.now()

        def also(connection: sa.Connection) -> None:
            store.wake(connection, ticket)
            store.change(connection, ticket, done, now, **values, schedule_id=None)
            if more:
                more(connection)

        return Deed(
            reason="",
            said=said,
            buttons=wording.buttons(shown) if shown else (),
            elsewhere=to,
            also=also,
        )

    def _ratings(self, ticket: Ticket) -> Sequence[Button]:
        """Where there are no buttons, the question says how to answer it."""
        return wording.RATINGS if self._limits(ticket.key).buttons else ()

    def _turn(self, ticket: Ticket, text: str, name: str) -> Turn:
        """What a person said to the customer, as a part of their conversation."""
        author = Author(id=ticket.key.account, name=name, is_bot=True)
        return Turn(role=Role.ASSISTANT, author=author, text=text, at=self._clock.now())

    def _customer(self, ticket: Ticket, what: str, **values: object) -> str:
        return wording.say(ticket.language or self._language, what, **values)


def _say(said: str, buttons: Sequence[Button] = ()) -> Deed:
    return Deed(reason="", said=said, buttons=tuple(buttons))


def _numbered(argument: str) -> tuple[int | None, str]:
    """The number of a ticket at the beginning, and the rest."""
    first, rest = (*argument.split(maxsplit=1), "", "")[:2]
    if first.lstrip("#").isdecimal() and len(first) < 10:
        return int(first.lstrip("#")), rest
    return None, argument


def _words(event: Event) -> str:
    """What they say, with where their files are."""
    urls = [file.url for file in event.attachments if file.url]
    return "\n".join(part for part in (unaddressed(event.text).strip(), *urls) if part)


def _who(event: Event) -> str:
    return f"{event.key.platform}/{event.author.id}"
