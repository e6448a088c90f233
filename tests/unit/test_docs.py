"""The docs agree with the code: keys and defaults, commands and options, ports, links."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel, SecretStr

from hobnob import persona, ports, registry, settings
from hobnob.cli import cli
from hobnob.events import Sampling
from hobnob.posts.table import MediaTable, PostTable
from hobnob.support.table import OpeningTable
from hobnob.tables import McpTable
from hobnob.testing import dialogs

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
REFERENCE = ROOT / "docs" / "reference"

TABLES = {name: field.annotation for name, field in settings.Settings.model_fields.items()}
PLATFORMS = registry.known(registry.ADAPTERS)
KEPT_APART = ("platforms", "posts")
LISTS = {"posts": PostTable, "posts.media": MediaTable, "tools.mcp": McpTable}
"""Tables of which there may be many."""
MODELS: dict[str, dict[str, Any]] = {
    "bot-toml.md": {
        **{f"`[{name}]`": table for name, table in TABLES.items() if name not in KEPT_APART},
        "`[support.opening]`": OpeningTable,
        **{f"`[[{name}]]`": table for name, table in LISTS.items()},
        **{f"`[platforms.{name}]`": point.load().Options for name, point in PLATFORMS.items()},
    },
    "persona.md": {
        "The persona": persona.Persona,
        "`[[examples]]`": persona.Example,
        "`[sampling]`": Sampling,
    },
    "dialogs.md": {"`[[dialogs]]`": dialogs.Dialog, "A line": dialogs.Line},
}


def sections(text: str) -> dict[str, str]:
    """What stands under each heading of the second level."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


def documented_keys(section: str) -> dict[str, str]:
    """The keys in a section's table, with their defaults as they stand there."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return {key: default.strip("`") for key, default in rows}


def keys(table: Any) -> dict[str, str]:
    """The keys of a table in the code, with their defaults as one would write them in TOML."""
    if issubclass(table, BaseModel):
        return {
            name: "required" if field.is_required() else written(field.default)
            for name, field in table.model_fields.items()
        }
    return {
        field.name: (
            "-"
            if field.default_factory is not dataclasses.MISSING
            else "required"
            if field.default is dataclasses.MISSING
            else written(field.default)
        )
        for field in dataclasses.fields(table)
        if table is not Sampling or field.name in persona.SAMPLING
    }


def written(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "-" if value is None or isinstance(value, BaseModel) else json.dumps(value)


@pytest.mark.parametrize("page", MODELS)
def test_the_reference_has_every_key_with_its_default_and_no_other(page: str) -> None:
    found = sections((REFERENCE / page).read_text())
    documented = {name: documented_keys(text) for name, text in found.items()}
    assert {name: table for name, table in documented.items() if table} == {
        name: keys(table) for name, table in MODELS[page].items()
    }


def commands(command: Any, path: str = "hobnob") -> Iterator[tuple[str, set[str]]]:
    """Every command that does something by itself, with its options."""
    options = {option for given in command.params for option in given.opts if option[0] == "-"}
    inner = getattr(command, "commands", {})
    if options or not inner:
        yield path, options
    for name, below in inner.items():
        yield from commands(below, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(cli)))


def test_the_reference_has_every_command_and_option_and_no_other() -> None:
    found = sections((REFERENCE / "command-line.md").read_text())
    documented = {
        name.strip("`"): {
            option
            for row in re.findall(r"^\| (`-[^|]+) \|", text, re.MULTILINE)
            for option in re.findall(r"`(--?[\w-]+)", row)
        }
        for name, text in found.items()
    }
    assert documented == COMMANDS


def test_the_map_of_the_ports_has_every_member() -> None:
    named = set(re.findall(r"`(\w+)`", (REFERENCE / "ports.md").read_text()))
    for name, port in vars(ports).items():
        if getattr(port, "_is_protocol", False) and port.__module__.startswith(ports.__name__):
            assert {name, *(member for member in vars(port) if member[0] != "_")} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPage:
    def test_every_command_that_it_names_exists(self, page: Path) -> None:
        text = page.read_text()
        blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
        code = [line for block in blocks for line in block.splitlines()]
        code += re.findall(r"`([^`\n]+)`", text)
        called = {
            match[1]
            for line in code
            if (match := re.match(r"(?:\s*\$ |.*\| |\s*)(?:\S*/)?hobnob ([a-z]+)", line))
        }
        assert called <= {path.split()[1] for path in COMMANDS if " " in path}

    def test_every_link_to_a_file_or_a_heading_leads_there(self, page: Path) -> None:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if "://" in target:
                continue
            path, _, heading = target.partition("#")
            aim = page.parent / path if path else page
            assert aim.exists(), f"{page.name} links to {target}"
            if heading:
                assert heading in anchors(aim.read_text()), f"{page.name} links to {target}"


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in headings}
