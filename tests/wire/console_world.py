"""The terminal for the adapters' contract suite: one person, at a keyboard or in a pipe.

`Keyboard` has prompt_toolkit read keys, and looks at the screen, on which rich does not paint
(TERM=dumb). `Pipe` writes lines, and what comes out in one write is a message.
"""

import asyncio
import contextlib
import io
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Self
from unittest import mock

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from hobnob.health import State
from hobnob.ports import Receiver
from hobnob.testing.live import until
from hobnob_console.adapter import ConsoleAdapter, ConsoleOptions
from tests.contract.world import Place, Shown, Unable

NAME = "⟦Robin⟧"
"""Before every answer on the screen."""


class _Stream(io.StringIO):
    """What the program writes to."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.writes: list[str] = []
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


class _Console(Unable, ABC):
    """A part of `tests.contract.world.World`: nothing can be said while the bot is away."""

    places = frozenset({Place.DIRECT})
    terminal: bool

    def __init__(self) -> None:
        self.stream = _Stream(terminal=self.terminal)
        self._type: Callable[[str], object] | None = None
        with mock.patch.dict(os.environ, {"TERM": "dumb"}):
            self.adapter = ConsoleAdapter(ConsoleOptions(persona=NAME))

    @abstractmethod
    def _typing(self) -> contextlib.AbstractContextManager[Callable[[str], object]]:
        """Somebody who types: given a line, it comes in."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.stream.close()

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[ConsoleAdapter]:
        dumb = mock.patch.dict(os.environ, {"TERM": "dumb"})
        with dumb, contextlib.redirect_stdout(self.stream), self._typing() as self._type:
            adapter = self.adapter = ConsoleAdapter(ConsoleOptions(persona=NAME))
            task = asyncio.create_task(adapter.run(receiver))
            try:
                await until(lambda: adapter.health.state is State.CONNECTED or task.done())
                yield adapter
            finally:
                task.cancel()
                await asyncio.wait([task])
            assert task.cancelled(), task

    async def say(
        self,
        text: str,
        *,
        by: str = "ann",
        place: Place = Place.DIRECT,
        to_us: bool = True,
        reply_to: str = "",
        picture: str = "",
    ) -> str:
        assert self._type is not None
        self._type(text)
        return ""

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        await self.say(text)

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        return [Shown(id=str(n), text=text) for n, text in enumerate(self._texts())]

    @abstractmethod
    def _texts(self) -> Sequence[str]: ...

    def complaints(self) -> Sequence[str]:
        return []


class Pipe(_Console):
    """Implements `tests.contract.world.World`."""

    can = frozenset({"command"})
    terminal = False

    @contextmanager
    def _typing(self) -> Iterator[Callable[[str], object]]:
        reading, writing = os.pipe()
        with os.fdopen(reading) as stdin, mock.patch.object(sys, "stdin", stdin):
            try:
                yield lambda line: os.write(writing, f"{line}\n".encode())
            finally:
                os.close(writing)
                for thread in threading.enumerate():
                    if thread.name == "standard input":
                        thread.join()

    def _texts(self) -> Sequence[str]:
        return [text.removesuffix("\n") for text in self.stream.writes]


class Keyboard(_Console):
    """Implements `tests.contract.world.World`."""

    can = frozenset({"command", "grow"})
    terminal = True

    @contextmanager
    def _typing(self) -> Iterator[Callable[[str], object]]:
        with (
            create_pipe_input() as keys,
            create_app_session(input=keys, output=DummyOutput()),
            mock.patch.object(sys, "stdin", self.stream),
        ):
            yield lambda line: keys.send_text(f"{line}\r")

    def _texts(self) -> Sequence[str]:
        _, *answers = "".join(self.stream.writes).split(NAME)
        return [answer.strip() for answer in answers]
