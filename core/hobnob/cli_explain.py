"""`hobnob explain`: why the bot did or did not speak."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hobnob.cli_bot import BotName, fail, load, run_until_done
from hobnob.terminal import out, show

if TYPE_CHECKING:
    from hobnob.store.explain import Explained

_DECISIONS = {
    "answer": "answered",
    "chime": "answered, though nobody spoke to it",
    "greet": "greeted",
    "tell": "told what is always true",
    "memory": "did what was asked of its memory",
    "job": "a job of the bot dealt with it",
    "notice": "said that this is too much",
    "silent": "stayed silent",
    "merged": "answered together with the message after it",
    "delete": "forgot it before it was answered",
}
_STATES = {"waiting": "waits to be dealt with", "aside": "was set aside; see hobnob doctor"}


def explain(
    bot: BotName,
    message: Annotated[
        str,
        typer.Argument(metavar="MESSAGE", help="The platform's id of a message, theirs or ours."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show for a message why the bot did or did not speak, and what became of its answer."""
    from hobnob import app
    from hobnob.store.explain import explain

    found = load(bot)

    async def look() -> "list[Explained]":
        async with app.open_database(found, prepare=True) as database:
            return list(await explain(database, message))

    events = run_until_done(look())
    if not events:
        fail(
            f"{message}: no message with this id has come in. `hobnob history BOT --why` lists "
            "what has."
        )
    if as_json or not out.is_terminal:
        show([_row(event) for event in events], as_json)
        return
    for event in events:
        for name, value in _row(event).items():
            out.print(f"{name:>12}  {value}", markup=False)
        out.print()


def _row(event: "Explained") -> dict[str, Any]:
    what = _DECISIONS.get(event.decision, event.decision) or _STATES.get(event.state, event.state)
    crashes = f"; handling it crashed {event.attempts} times: {event.error}"
    answers = [
        " ".join(part for part in (answer.state, answer.message, answer.error) if part)
        for answer in event.answers
    ]
    return {
        "conversation": event.key,
        "said": event.at,
        "came in": event.received,
        "kind": event.kind,
        "author": event.author,
        "the bot": what + (crashes if event.attempts else ""),
        "because": event.reason,
        "answer": ", ".join(answers),
    }
