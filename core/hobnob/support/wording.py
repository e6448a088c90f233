"""What the desk says: to customers in their language, to the staff in English. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from hobnob.commands import LANGUAGES
from hobnob.conversation import ConversationKey
from hobnob.events import Button, Turn, Visibility
from hobnob.jobs import Message
from hobnob.store.outbox import A_TICKET
from hobnob.store.tickets import Ticket
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


def transcript(turns: Sequence[Turn]) -> str:
    """What was said last, for whoever takes it."""
    return "\n".join(f"{clean_name(turn.author.name)}: {turn.text}" for turn in turns)


@cache
def _says() -> Mapping[str, Mapping[str, str]]:
    file = files("hobnob.support").joinpath("says.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
