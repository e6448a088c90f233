"""What the desk says: to customers in their language, to the staff in English. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from hobnob.commands import LANGUAGES
from hobnob.conversation import ConversationKey
from hobnob.events import Button, Role, Turn, Visibility
from hobnob.jobs import Message
from hobnob.store.outbox import A_TICKET
from hobnob.store.tickets import Act, Ticket
from hobnob.text import clean_name, mark

_CODES = {name.casefold(): code for code, name in LANGUAGES.items()}
RATINGS = tuple(Button(label=str(number), command=f"/rate {number}") for number in range(1, 6))
STATES = {
    "open": "open; I answer",
    "waiting": "waiting for a person",
    "taken": "with {staff}",
    "snoozed": "snoozed by {staff}",
    "resolved": "resolved",
}


def code(language: str) -> str:
    """Of a language that the desk speaks, by its code or its English name; else "en"."""
    found = _CODES.get(language.casefold(), language.partition("-")[0].casefold())
    return found if found in _says() else "en"


def say(language: str, what: str, **values: object) -> str:
    """To a customer."""
    return _says()[code(language)][what].format(**values)


def title(ticket: Ticket) -> str:
    return f"#{ticket.number} {clean_name(ticket.name)} ({ticket.key.platform})"


def state(ticket: Ticket) -> str:
    return STATES[ticket.state].format(staff=ticket.staff_name or "a person")


def to_customer(ticket: Ticket, text: str, buttons: Sequence[Button] = ()) -> Message:
    event = ticket.event
    return Message(
        key=ticket.key,
        text=text,
        buttons=tuple(buttons),
        in_reply_to=event.message,
        mention=event.author.handle,
        visibility=event.visibility,
        warning=event.warning,
        about=A_TICKET.format(ticket.number),
        stops=True,
    )


def to_staff(
    where: ConversationKey | None, ticket: Ticket, text: str, buttons: Sequence[Button] = ()
) -> tuple[Message, ...]:
    """Nobody but the staff ever sees it. Nothing where they work in the terminal."""
    if where is None:
        return ()
    return (
        Message(
            key=where,
            text=text,
            buttons=tuple(buttons),
            visibility=Visibility.DIRECT,
            about=A_TICKET.format(ticket.number),
        ),
    )


def buttons(ticket: Ticket) -> tuple[Button, ...]:
    """What the staff may want to do about it."""
    number = ticket.number
    take = Button(label="Take it", command=f"/take {number}")
    give_back = (
        Button(label="Give it back", command=f"/release {number}"),
        Button(label="Resolve", command=f"/resolve {number}"),
    )
    match ticket.state:
        case "open" | "waiting" if ticket.held:
            send = Button(label="Send it", command=f"/send {number} {mark(ticket.held)}")
            return (send, take)
        case "open" | "waiting":
            return (take, give_back[1])
        case "taken" | "snoozed":
            return give_back
        case _:
            return ()


def done(ticket: Ticket, act: Act) -> str:
    """To the staff: what was done about a ticket; "" where words say it."""
    number = f"#{ticket.number}"
    match act.what:
        case "wanted":
            return f"{title(ticket)} waits for a person: {act.note}."
        case "unanswered":
            return f"{title(ticket)}: no document answers this."
        case "held":
            return f"{title(ticket)}: I did not send my answer."
        case "back":
            return f"{title(ticket)} is back, for {clean_name(ticket.staff_name)}."
        case "rated":
            rating, _, word = act.note.partition(" ")
            return f"{title(ticket)} rates it {rating} of 5{f': {word}' if word else '.'}"
        case "lost":
            return f"{number}: what was said to {clean_name(ticket.name)} {act.note}"
        case "wrote":
            return f"{number} {act.note}"
        case "said":
            return ""
        case _:
            return f"{number}: {act.what} by {act.who}."


def news(ticket: Ticket, new: Act | Turn) -> str:
    """To the staff in the terminal, with what they may do about it; "" where there is nothing to
    tell."""
    if isinstance(new, Turn):
        ours = f" (to {clean_name(ticket.name)})" if new.role is Role.ASSISTANT else ""
        return f"#{ticket.number} {clean_name(new.author.name)}{ours}: {new.text}"
    lines = [done(ticket, new)]
    if new.what == "unanswered":
        lines.append(new.note)
    if new.what in ("unanswered", "wanted", "held", "back"):
        lines += [ticket.held, commands(buttons(ticket))]
    return "\n".join(line for line in lines if line)


def commands(buttons: Sequence[Button]) -> str:
    """Buttons, for where there are none."""
    return "\n".join(f"{button.command} ({button.label})" for button in buttons)


def transcript(turns: Sequence[Turn]) -> str:
    """What was said last, for whoever takes it."""
    return "\n".join(f"{clean_name(turn.author.name)}: {turn.text}" for turn in turns)


@cache
def _says() -> Mapping[str, Mapping[str, str]]:
    file = files("hobnob.support").joinpath("says.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
