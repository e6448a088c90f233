"""The real program, a model on a server that calls tools, and a kill in the middle."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests import mcp_tools
from tests.acceptance.program import HOBNOB, environment, make_bot
from tests.openai_server import FakeServer, event, opened, send, serving, text_of

SHOP = """
import os
import signal
from pathlib import Path

from hobnob.skills.skill import writes


def price(what: str) -> str:
    \"""What it costs.\"""
    return f"{what}: 3 €"


@writes
def order(what: str) -> str:
    \"""Orders it.\"""
    with Path("orders").open("a") as file:
        file.write(f"{what}\\n")
    if what == "bomb":
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{what} is ordered."
"""
CALLS = {
    "What is a cake?": ("price", {"what": "cake"}),
    "Order a cake!": ("order", {"what": "cake"}),
    "Order a bomb!": ("order", {"what": "bomb"}),
    "What is in milk?": ("notes_read_note", {"name": "milk"}),
    "Write milk!": ("notes_write_note", {"name": "milk", "text": "buy"}),
}


async def model(server: FakeServer, request: web.Request) -> web.StreamResponse:
    """Calls what `CALLS` says, and repeats what it is told of that."""
    last = server.requests[-1]["messages"][-1]
    response = await opened(request)
    if last["role"] == "tool":
        told = str(last["content"]).splitlines()[1].removeprefix("> ")
        await send(response, event(content=f"It says: {told}"), event(finish="stop"), "[DONE]")
        return response
    name, arguments = CALLS[text_of(last).splitlines()[-1]]
    offered = [tool["function"]["name"] for tool in server.requests[-1]["tools"]]
    assert name in offered
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": "c1", "type": "function", "function": function}
    await send(response, event(tool_calls=[call]), event(finish="tool_calls"), "[DONE]")
    return response


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Path]:
    async with serving(model) as server:
        room = {"data": [{"id": "tiny", "max_model_len": 32_768}]}
        server.models = lambda: web.json_response(room)
        how = f'engine = "openai"\nname = "tiny"\nbase_url = "{server.url}"\ncalls_tools = true'
        extra = f"""
[engage]
disclose = false
[memory]
embedder = "none"
[tools]
skills = ["shop:price", "shop:order"]
[[tools.mcp]]
name = "notes"
command = ["{sys.executable}", "{mcp_tools.__file__}"]
allow = ["read_note", "write_note"]
reads = ["read_note"]
env = {{ NOTES = "$NOTES" }}
"""
        folder = make_bot(tmp_path / "shop", extra, model=how)
        (folder / "shop.py").write_text(SHOP)
        yield folder


async def chat(bot: Path, *lines: str, killed: bool = False) -> str:
    """What the program says to these lines, in a life of its own."""
    home = bot.parent
    program = await asyncio.create_subprocess_exec(
        *HOBNOB,
        "chat",
        str(bot),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=home,
        env={**environment(home), "NOTES": str(home / "notes"), "PYTHONPATH": str(Path.cwd())},
    )
    text = "".join(f"{line}\n" for line in lines)
    said, errors = await asyncio.wait_for(program.communicate(text.encode()), 120)
    assert program.returncode == (-9 if killed else 0), errors.decode()
    return said.decode()


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def test_tools_are_called_and_what_writes_is_asked_first_across_a_restart(bot: Path) -> None:
    home = bot.parent
    said = await chat(bot, "What is a cake?", "What is in milk?", "Order a cake!")
    assert said.startswith("It says: cake: 3 €\nIt says: 1 of milk\nShall I do this? Orders it")
    assert '"what": "cake"' in said
    assert written(home / "orders") == ""
    assert await chat(bot, "yes") == "cake is ordered.\n"
    assert written(home / "orders") == "cake\n"

    said = await chat(bot, "Write milk!")
    assert "Let notes do “write_note”, with: (notes_write_note)" in said
    assert written(home / "notes") == ""
    code = said.partition("/yes ")[2].split()[0]
    assert await chat(bot, f"/yes {code}", f"/yes {code}") == (
        "Written.\nThere is nothing that waits for your yes or no here. Ask me again.\n"
    )
    assert written(home / "notes") == "milk: buy\n"
    assert await chat(bot, "/notes write_note tea hot") == "Written.\n"
    assert written(home / "notes") == "milk: buy\ntea: hot\n"


async def test_what_a_kill_interrupts_is_not_done_again(bot: Path) -> None:
    await chat(bot, "Order a bomb!")
    await chat(bot, "yes", killed=True)
    assert "can't tell whether it was done" in await chat(bot, "/help")
    assert written(bot.parent / "orders") == "bomb\n"


async def test_the_doctor_looks_at_servers(bot: Path) -> None:
    env: dict[str, Any] = {**environment(bot.parent), "NOTES": "x", "PYTHONPATH": str(Path.cwd())}
    program = await asyncio.create_subprocess_exec(
        *HOBNOB, "doctor", str(bot), stdout=asyncio.subprocess.PIPE, env={**env, "COLUMNS": "200"}
    )
    said, _ = await asyncio.wait_for(program.communicate(), 120)
    assert "tools of notes: read_note, write_note; asks before write_note" in said.decode()
