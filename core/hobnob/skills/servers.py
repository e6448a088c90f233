"""Tools of other programs: a server of the Model Context Protocol, kept connected.

Which of its tools are used, and which only read, the owner says: what a server says of itself is
not believed. What a tool says is text of a stranger. https://modelcontextprotocol.io
"""

import asyncio
import json
import logging
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from hobnob.errors import SkillRefused
from hobnob.ports import Command
from hobnob.skills.server_tool import ServerTool
from hobnob.skills.skill import LONGEST_DESCRIPTION
from hobnob.text import one_line

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from mcp.types import Tool as Listed

log = logging.getLogger(__name__)

CALL_SECONDS = 30.0
CONNECT_SECONDS = 30.0
PATIENCE = 10.0
"""Seconds for which an answer waits for the first attempt to connect."""
LOOK_SECONDS = 60.0
"""Between two looks at what the server has, and whether it is there at all."""
LONGEST_PAUSE = 300.0
"""Seconds between attempts to connect; they begin at one."""
CLOSE_SECONDS = 8.0
"""The library gives a server some 5 to end before it kills it."""
MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """`[[tools.mcp]]`."""

    name: str
    allow: tuple[str, ...]
    reads: frozenset[str]
    command: tuple[str, ...]
    """With its arguments; (): it is reached by its address."""
    folder: Path
    url: str
    env: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)


class ToolServer:
    """One server. While it is entered it is kept connected, whatever it does."""

    def __init__(
        self,
        options: ServerOptions,
        *,
        errors: TextIO | None = None,
        pause: float = 1.0,
        look: float = LOOK_SECONDS,
        connect: float = CONNECT_SECONDS,
        call: float = CALL_SECONDS,
    ) -> None:
        """`errors` is where a program's own messages go (it needs a file descriptor); nowhere,
        unless it is given: they may be what people wrote. The rest are seconds."""
        self.options = options
        self.trouble = ""
        """Why it is not connected; "" while it is."""
        self._errors: Any = errors or subprocess.DEVNULL
        self._pause = pause
        self._look = look
        self._connect = connect
        self._seconds = call
        self._client: Client | None = None
        self._found: tuple[ServerTool, ...] = ()
        self._tried = asyncio.Event()
        self._doubt = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Returns at once: a server that is away keeps nobody waiting."""
        self._task = asyncio.create_task(self._run(), name=f"tools of {self.options.name}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)

    async def tools(self) -> Sequence[ServerTool]:
        """What it has now of what is allowed. The first attempt to connect is waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._tried.wait()
        self._tried.set()  # nobody waits twice
        return self._found

    @property
    def missing(self) -> Sequence[str]:
        """What is allowed, and is not there."""
        return sorted({*self.options.allow} - {each.its_name for each in self._found})

    @property
    def command(self) -> Command:
        """How people use its tools: /notes read_note milk."""
        name, allowed = self.options.name, ", ".join(self.options.allow)
        return Command(
            name=name,
            description=one_line(f"Use {name}: {allowed}")[:LONGEST_DESCRIPTION],
            argument="tool_and_words",
        )

    async def commanded(self, text: str) -> tuple[ServerTool, Mapping[str, Any]]:
        """The tool that stands behind the command, and what it is given. Raises SkillRefused with
        what may stand there."""
        name, _, rest = text.strip().partition(" ")
        tools = {tool.its_name: tool for tool in await self.tools()}
        if name not in tools:
            here = ", ".join(tools) or "nothing: it is away just now"
            raise SkillRefused(f"/{self.options.name} has {here}")
        return tools[name], tools[name].arguments(rest.strip())

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """What the tool says. Raises SkillRefused."""
        if self._client is None:
            raise SkillRefused(f"{self.options.name} is away just now.")
        done = False
        try:
            result = await self._client.call_tool(name, dict(arguments))
            done = True
        except Exception as error:  # the library's, and what it does not expect of a server
            raise SkillRefused(f"It did not work: {self._explained(error)}") from error
        finally:
            if not done:
                self._doubt.set()
        said = _text(result)
        if result.is_error:
            raise SkillRefused(f"It did not work: {said}")
        return said or "Done; there is nothing to say about it."

    # ------------------------------------------------------------------ staying connected

    async def _run(self) -> None:
        name, pause = self.options.name, self._pause
        while True:
            try:
                async with AsyncExitStack() as stack:
                    async with asyncio.timeout(self._connect):
                        client = await stack.enter_async_context(self._connection())
                        await self._list(client)
                    pause = self._pause
                    log.info("tools of %s: connected", name)
                    self._client, self.trouble = client, ""
                    await self._stay(client)
            except Exception as error:
                self.trouble = self._explained(error)
            finally:
                self._client, self._found = None, ()
                self._tried.set()
            log.warning("tools of %s: away; again in %.0f s: %s", name, pause, self.trouble)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _stay(self, client: "Client") -> None:
        """Return never; raises when the server is there no more."""
        self._tried.set()
        while True:
            self._doubt.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await self._doubt.wait()
            async with asyncio.timeout(self._connect):
                await self._list(client)

    async def _list(self, client: "Client") -> None:
        listed: dict[str, Listed] = {}
        cursor = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            listed |= {each.name: each for each in page.tools}
            if not (cursor := page.next_cursor):
                break
        self._found = tuple(
            self._tool(listed[name]) for name in self.options.allow if name in listed
        )

    def _tool(self, listed: "Listed") -> ServerTool:
        return ServerTool.of(
            listed,
            server=self.options.name,
            writes=listed.name not in self.options.reads,
            seconds=self._seconds,
            call=self.call,
        )

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[Client, None]":
        mcp: Any = await asyncio.to_thread(import_module, "mcp")  # it takes a second or two
        logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what servers send
        logging.getLogger("client").setLevel(logging.CRITICAL)
        async with AsyncExitStack() as stack:
            if self.options.command:
                program, *arguments = self.options.command
                parameters = mcp.StdioServerParameters(
                    command=program,
                    args=arguments,
                    env=dict(self.options.env),
                    cwd=self.options.folder,
                )
                transport = mcp.stdio_client(parameters, errlog=self._errors)
            else:
                transport = await self._over_http(stack)
            yield await stack.enter_async_context(mcp.Client(transport, cache=None))

    async def _over_http(self, stack: AsyncExitStack) -> Any:
        from httpx2 import AsyncClient, Timeout
        from mcp.client.streamable_http import streamable_http_client

        token = self.options.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = Timeout(self._connect, read=LONGEST_PAUSE)
        http = await stack.enter_async_context(AsyncClient(headers=headers, timeout=timeout))
        return streamable_http_client(self.options.url, http_client=http)

    def _explained(self, error: BaseException) -> str:
        """In a line, without a secret."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, TimeoutError):
            return "it does not answer"
        said = one_line(str(error))[:300] or "no reason is known"
        for secret in (self.options.token, *self.options.env.values()):
            said = said.replace(secret, "***") if secret else said
        return f"{type(error).__name__}: {said}"


def _text(result: "CallToolResult") -> str:
    """What a result says in words."""
    parts = [getattr(each, "text", None) or f"[{each.type}]" for each in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(parts).strip()
