"""`hobnob persona`: characters that come from elsewhere, and go there."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hobnob.cli_bot import BotName, load
from hobnob.terminal import out

persona = typer.Typer(help="Who the bot is, and character cards.", no_args_is_help=True)


@persona.command("import")
def import_card(
    card: Annotated[Path, typer.Argument(help="A character card: .json, .png or .charx.")],
    target: Annotated[Path, typer.Argument(help="The folder of the new bot.")],
    like: Annotated[
        str, typer.Option(help="The ready bot that bot.toml is taken from.")
    ] = "friend",
) -> None:
    """Make a bot of a character card (V1, V2, V3) or an elizaOS character."""
    from hobnob import scaffold

    for path in scaffold.of_card(card, target, like):
        out.print(f"wrote {path}", markup=False)
    out.print(f"\nTalk to it:      hobnob chat {target}", markup=False)


@persona.command()
def export(
    bot: Annotated[str, typer.Argument(metavar="BOT", help="A bot's folder, or a ready bot.")],
    target: Annotated[Path, typer.Argument(help="The file to write: .json or .png.")],
    picture: Annotated[
        Path | None, typer.Option(help="The PNG picture to put the card in; else the bot's own.")
    ] = None,
) -> None:
    """Write the bot's persona as a character card (V3); what the card it came from had is kept."""
    from hobnob import scaffold

    scaffold.export(load(bot), target, picture)
    out.print(f"wrote {target}", markup=False)


@persona.command()
def show(
    bot: BotName = ".",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show who the bot is: what a model is told, the greeting, the lorebook."""
    found = load(bot).persona
    entries = found.lore.entries if found.lore else ()
    if as_json:
        told = {
            "name": found.name,
            "text": found.text,
            "style": found.style,
            "greeting": found.greeting,
            "examples": [[each.user, each.assistant] for each in found.examples],
            "lorebook": [{"keys": entry.keys, "content": entry.content} for entry in entries],
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    parts = [("name", found.name), ("text", found.text), ("style", found.style)]
    parts += [("greeting", found.greeting)]
    parts += [("example", f"{each.user}\n> {each.assistant}") for each in found.examples]
    parts += [(f"lore: {', '.join(entry.keys)}", entry.content) for entry in entries]
    for title, text in parts:
        if text:
            out.print(title, markup=False, style="bold")
            out.print(text + "\n", markup=False)
