"""The terminal as a platform: one person, one conversation. Serves people and pipes.

On a terminal the answer is shown as it is written. In a pipe every line of input is a message,
every answer goes to standard output, and there is nothing else: no prompt, colour or spinner.
"""

import getpass
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.patch_stdout import patch_stdout
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from hobnob.conversation import ConversationKey
from hobnob.errors import FetchFailed, SendRefused
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob.terminal import harmless, piped

KEY = ConversationKey(platform="console", account="hobnob", room="terminal")
LEAVE = ("/quit", "/exit", "/bye")


class ConsoleOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    persona: str = "bot"
    """The name shown before an answer."""


class ConsoleAdapter:
    """The one adapter that is always there. See `hobnob.ports.Adapter`."""

    Options = ConsoleOptions
    name = "console"
    limits = Limits(max_length=1_000_000)

    def __init__(self, options: ConsoleOptions) -> None:
        self._persona = options.persona
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._console = Console(highlight=False)
        self._shown = ""
        self._pulse = Pulse()
        self._left = False
        """Whoever read our output has gone (`hobnob chat | head -1`)."""

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        self._pulse.turned(State.CONNECTED)
        await receiver.settled(KEY)  # what an earlier life left to say comes first
        lines = self._typed() if self._interactive else piped()
        async for line in lines:
            if line.strip() in LEAVE:
                return
            if line.strip():
                await receiver.put(_event(line))
                await receiver.settled(KEY)
            if self._left:
                return

    async def send(self, reply: Reply) -> str:
        # `reply.attempted` needs no care: the terminal of an earlier life is not this one.
        if self._interactive:
            if self._shown.strip() != reply.text:
                self._start_answer()
                self._write(reply.text)
            self._write("\n\n")
        else:
            self._write(f"{reply.text}\n")
        self._shown = ""
        if self._left:
            raise SendRefused("nobody reads the output any more")
        return uuid.uuid4().hex

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        thinking = self._console.status("") if self._interactive else nullcontext()
        thinking.__enter__()
        self._shown = ""

        def show(text: str) -> None:
            text = text.lstrip()
            if not self._interactive or not text:
                return
            if not self._shown:
                thinking.__exit__(None, None, None)
                self._start_answer()
            self._write(text[len(self._shown) :])
            self._shown = text

        try:
            yield show
        except BaseException:
            if self._shown:
                self._write("\n")  # what was cut off stands for itself
                self._shown = ""
            raise
        finally:
            thinking.__exit__(None, None, None)

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        raise FetchFailed("the terminal has no files")

    async def check(self) -> Sequence[Finding]:
        return [Finding(ok=True, what="the terminal is always there")]

    def _start_answer(self) -> None:
        self._console.print(f"[bold cyan]{self._persona}[/] ", end="")

    def _write(self, text: str) -> None:
        stream = self._console.file
        try:
            stream.write(harmless(text))
            stream.flush()
        except BrokenPipeError:
            self._left = True
            # What is still buffered has to go somewhere when the program ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    async def _typed(self) -> AsyncIterator[str]:
        session: PromptSession[str] = PromptSession()
        me = HTML("<b>you</b> ")
        while True:
            try:
                with patch_stdout(raw=True):  # what comes meanwhile stands above the prompt
                    line = await session.prompt_async(me)
            except (EOFError, KeyboardInterrupt):
                return
            yield line


def _event(line: str) -> Event:
    person = _person()
    unique = uuid.uuid4().hex
    return Event(
        id=unique,
        kind=Kind.MESSAGE,
        key=KEY,
        author=Author(id=f"user:{person}", name=person),
        at=datetime.now(UTC),
        message=unique,
        text=line,
        addressed=Addressed.DIRECT,
    )


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user, as in some containers
        return "you"
