"""Tools of other programs: the real library talks to a real server, which misbehaves."""

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hobnob.errors import SkillRefused
from hobnob.skills.server_tool import ServerTool
from hobnob.skills.servers import ServerOptions, ToolServer
from hobnob.skills.skill import Context
from tests import mcp_tools

PROGRAM = Path(mcp_tools.__file__)
CONTEXT = Context(now=datetime(2026, 1, 1, tzinfo=UTC), zone="UTC", chance=Random(1))
ALLOWED = ("read_note", "write_note", "much", "fails", "hangs", "dies", "knows", "missing")


def options(folder: Path, **changes: Any) -> ServerOptions:
    values: dict[str, Any] = {
        "name": "notes",
        "allow": ALLOWED,
        "reads": frozenset({"read_note", "much", "knows"}),
        "command": (sys.executable, str(PROGRAM)),
        "folder": folder,
        "url": "",
        "env": {"NOTES": str(folder / "notes.txt"), "SECRET": "hush-hush"},
        "token": "",
    }
    return ServerOptions(**{**values, **changes})


@asynccontextmanager
async def connected(given: ServerOptions, **seconds: Any) -> AsyncIterator[ToolServer]:
    async with ToolServer(given, **{"pause": 0.05, **seconds}) as server, asyncio.timeout(60):
        yield server


async def named(server: ToolServer, name: str) -> ServerTool:
    (tool,) = [each for each in await server.tools() if each.its_name == name]
    return tool


async def said(server: ToolServer, name: str, arguments: str = "{}") -> str:
    tool = await named(server, name)
    return await tool.run(tool.checked(arguments), CONTEXT)


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def test_its_tools_are_used_as_the_owner_says(tmp_path: Path) -> None:
    async with connected(options(tmp_path)) as server:
        tools = {tool.its_name: tool for tool in await server.tools()}
        assert set(tools) == {*ALLOWED} - {"missing"}
        assert server.missing == ["missing"]
        assert server.trouble == ""
        # The server says of this one, too, that it only reads.
        assert [tools[name].writes for name in ("read_note", "write_note")] == [False, True]
        assert tools["write_note"].tool.name == "notes_write_note"
        assert tools["write_note"].about == "Let notes do “write_note”, with:"
        read = '{"name": "日本"}'
        assert await said(server, "read_note", read) == "1 of 日本\nAnn: I am Ann"
        for wrong, why in (
            ("[]", "must be a JSON object"),
            ("{}", "'name' is a required property"),
            ('{"name": "x", "lines": "two"}', "lines: 'two' is not of type 'integer'"),
        ):
            with pytest.raises(SkillRefused, match=why):
                tools["read_note"].checked(wrong)
        assert len(await said(server, "much")) == 999_999  # whoever asks cuts it
        with pytest.raises(SkillRefused, match="It did not work: Error executing tool fails"):
            await said(server, "fails", '{"text": "milk"}')
        one, given = await server.commanded("read_note  milk 2")
        assert (one, given) == (tools["read_note"], {"name": "milk", "lines": 2})
        _, given = await server.commanded("write_note milk buy some of it")
        assert given == {"name": "milk", "text": "buy some of it"}
        _, given = await server.commanded('write_note {"name": "my milk", "text": "buy"}')
        assert given["name"] == "my milk"
        for text, why in (
            ("burn it", "/notes has read_note, write_note, much"),
            ("read_note", r"required property Like this: /notes read_note <name> \[lines\]"),
            ("read_note milk many", r"lines: 'many' is not of type 'integer' Like this"),
            ("much of it", "It takes less than that. Like this: /notes much"),
        ):
            with pytest.raises(SkillRefused, match=why):
                await server.commanded(text)
        known = (await said(server, "knows")).split()
        assert "SECRET" in known
        assert not {"PYTEST_CURRENT_TEST", "HF_HUB_OFFLINE"} & set(known)


async def test_one_that_dies_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with connected(options(tmp_path)) as server:
        with pytest.raises(SkillRefused, match="It did not work"):
            await said(server, "dies")
        await until(lambda: caplog.text.count("tools of notes: connected") == 2)
        assert "again in" in caplog.text
        assert (await said(server, "read_note", '{"name": "x"}')).startswith("1 of x")


async def test_one_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with connected(options(tmp_path), look=0.05) as server:
        tool = await named(server, "hangs")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await tool.run({}, CONTEXT)
        assert (await said(server, "read_note", '{"name": "x"}')).startswith("1 of x")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("there-is-no-such-program",), "FileNotFoundError"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "McpError|MCPError"),
        ((sys.executable, "-c", "print('hush-hush is no JSON')"), "Error"),
        ((sys.executable, "-c", "import time; time.sleep(3600)"), "it does not answer"),
    ],
    ids=["missing", "ends", "babbles", "hangs"],
)
async def test_one_that_never_comes_is_tried_again(
    tmp_path: Path, command: tuple[str, ...], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(options(tmp_path, command=command), connect=1.0, pause=3600) as server:
        assert await server.tools() == ()
        assert re.search(why, server.trouble), server.trouble
        with pytest.raises(SkillRefused, match="notes is away just now"):
            await server.call("read_note", {})
    assert "tools of notes: away; again in 3600 s" in caplog.text
    assert "hush-hush" not in caplog.text


async def test_leaving_ends_the_program(tmp_path: Path) -> None:
    code = (
        f"import os; open('pid', 'w').write(str(os.getpid())); exec(open({str(PROGRAM)!r}).read())"
    )
    async with connected(options(tmp_path, command=(sys.executable, "-c", code))) as server:
        assert await server.tools()
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_over_http_with_a_token(tmp_path: Path, unused_tcp_port: int) -> None:
    command = [sys.executable, str(PROGRAM), str(unused_tcp_port)]
    program = subprocess.Popen(  # noqa: ASYNC220
        command, env={**os.environ, "TOKEN": "open-sesame"}, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{unused_tcp_port}/mcp"
    try:
        given = options(tmp_path, command=(), env={}, url=url, token="open-sesame")
        async with connected(given) as server:
            while not await server.tools():  # it is still starting
                await asyncio.sleep(0.05)
            assert (await said(server, "read_note", '{"name": "x"}')).startswith("1 of x")
        async with connected(options(tmp_path, command=(), env={}, url=url, token="shut")) as other:
            assert not await other.tools()
            assert other.trouble
            assert "shut" not in other.trouble
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()
