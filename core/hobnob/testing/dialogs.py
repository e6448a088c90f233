"""Dialogs are data: what is said to a bot, and what must come of it (`dialogs.toml`).

    [[dialogs]]
    name = "answers when spoken to"
    lines = [
      { say = "hello", answer = "Hi!", expect = "hi" },
      { say = "hi all", place = "room", silent = true },
    ]

Every line is really said: through the inbox, the policy, the memory and the prompt of the bot in
its folder, on a database of the dialog's own. Only the model is scripted (`answer`), unless one is
given; then `expect_real` counts instead of `expect`, in the lines marked `real`.
"""

import re
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from hobnob import app
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, ChatMessage, Event, Sampling
from hobnob.persona import parse_toml
from hobnob.ports import Engine
from hobnob.settings import Bot
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine
from hobnob.validate import check, read

FILE = "dialogs.toml"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}.") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class Place(StrEnum):
    DIRECT = "direct"
    ROOM = "room"


class Line(BaseModel):
    """One thing said, and what must come of it. Patterns are searched for, in any case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str
    later: float = Field(default=0, ge=0)
    """Days that pass before it; meanwhile the bot learns from what was said."""
    by: str = "Ann"
    place: Place = Place.DIRECT
    addressed: Addressed | None = None
    """By default direct in a direct conversation, none in a room."""
    answer: str = "ok"
    """What the scripted model writes."""
    expect: Pattern = ""
    """In the reply."""
    silent: bool = False
    """There must be no reply."""
    prompt: Pattern = ""
    """In what the model is shown."""
    unseen: Pattern | None = None
    """Not in what the model is shown."""
    real: bool = False
    expect_real: Pattern = "."


class Dialog(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    window: int = Field(default=100_000, ge=1)
    """Characters that a prompt may have: with few, what was said soon has to be recalled."""
    lines: tuple[Line, ...]

    @field_validator("lines")
    @classmethod
    def _something(cls, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not lines:
            raise ValueError("is empty: nothing would be tried.")
        return lines

    @property
    def is_real(self) -> bool:
        """Worth being played with a real model."""
        return any(line.real for line in self.lines)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    dialogs: tuple[Dialog, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A line that did not come out as it should."""

    dialog: str
    said: str
    what: str

    def __str__(self) -> str:
        return f"{self.dialog}: after {self.said!r}: {self.what}"


def load(folder: Path) -> tuple[Dialog, ...]:
    """The dialogs in a bot's folder. Raises ConfigError with all that is wrong."""
    table = parse_toml(read(folder / FILE, most=1024 * 1024), FILE)
    return check(_Table, table, file=FILE).dialogs


async def play(bot: Bot, dialog: Dialog, engine: Engine | None = None) -> list[Problem]:
    """Say a dialog's lines to the bot, on a scripted model or on `engine`; what went wrong."""
    answer = ""

    def script() -> Iterator[str]:
        while True:
            yield answer

    room = dialog.window + bot.persona.sampling.max_new_tokens
    shown = _Recorder(engine or ScriptedEngine(script(), context_tokens=room))
    platform = FakeAdapter()
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Database(f"sqlite:///{folder}/dialog.db") as database,
            app.open_embedder(bot) as embedder,
        ):
            await migrate.upgrade(database)
            clock = FakeClock()
            memory = app.open_memory(bot, database, clock, embedder)
            chat = app.build(
                bot,
                {platform.name: platform},
                rules=replace(bot.rules, burst_seconds=0),
                engine=shown,
                memory=memory,
                database=database,
                clock=clock,
            )
            for line in dialog.lines:
                answer, shown.prompt = line.answer, ""
                platform.sent.clear()
                if line.later:
                    clock.advance(line.later * 86_400)
                    while await memory.learner.some():
                        pass
                clock.advance(1)
                event = _event(platform, line, clock.now())
                await chat.receive(event, None)
                await chat.settled(event.key)
                reply = "\n".join(platform.texts) if platform.sent else None
                problems += [
                    Problem(dialog=dialog.name, said=line.say, what=what)
                    for what in _wrong(line, reply, shown.prompt, real=engine is not None)
                ]
            await chat.close(timeout=1)
    return problems


def _event(platform: FakeAdapter, line: Line, at: datetime) -> Event:
    direct = line.place is Place.DIRECT
    return platform.event(
        line.say,
        by=line.by,
        at=at,
        addressed=line.addressed or (Addressed.DIRECT if direct else Addressed.NONE),
        key=ConversationKey(
            platform=platform.name, account="bot", room=line.by if direct else "the room"
        ),
    )


def _wrong(line: Line, reply: str | None, prompt: str, *, real: bool) -> list[str]:
    found = []
    if line.silent:
        if reply is not None:
            found.append(f"it should have stayed silent, but said {reply!r}")
        return found
    if reply is None:
        return ["it said nothing"]
    if real and not line.real:
        return []  # what stands before it may have come out otherwise than in the script
    expected = line.expect_real if real else line.expect
    if not _search(expected, reply):
        found.append(f"the reply {reply!r} has no match for {expected!r}")
    if not _search(line.prompt, prompt):
        found.append(f"the prompt has no match for {line.prompt!r}:\n{prompt}")
    if line.unseen is not None and _search(line.unseen, prompt):
        found.append(f"the prompt has a match for {line.unseen!r}:\n{prompt}")
    return found


def _search(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.MULTILINE) is not None


class _Recorder:
    """An engine that keeps what the engine inside was last shown."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.prompt = ""

    @property
    def what(self) -> str:
        return self._engine.what

    @property
    def busy(self) -> str:
        return self._engine.busy

    @property
    def sees(self) -> bool:
        return self._engine.sees

    @property
    def context_tokens(self) -> int:
        return self._engine.context_tokens

    @property
    def prompt_tokens(self) -> int:
        return self._engine.prompt_tokens

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return self._engine.count_tokens(messages)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        self.prompt = "\n".join(message.content for message in messages)
        async for piece in self._engine.stream(messages, sampling):
            yield piece
