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
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from hobnob.events import Addressed, Event
from hobnob.persona import parse_toml
from hobnob.ports import Engine
from hobnob.settings import Bot
from hobnob.testing.adapter import key
from hobnob.testing.stage import DESK, Stage
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
    DESK = "desk"  # where the staff of `[support]` is told


class Line(BaseModel):
    """One thing said, and what must come of it. Patterns are searched for, in any case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str
    later: float = Field(default=0, ge=0)
    """Days that pass before it; meanwhile the bot learns from what was said."""
    meanwhile: Pattern = ""
    """In what it says by itself in that time."""
    by: str = "Ann"
    place: Place = Place.DIRECT
    addressed: Addressed | None = None
    """By default direct in a direct conversation, else none."""
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
    settings: Mapping[str, Any] = {}
    """Tables in place of those in bot.toml."""
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
    stage = Stage(bot, engine, window=dialog.window, settings=dialog.settings)
    async with stage:
        return [
            Problem(dialog=dialog.name, said=line.say, what=what)
            for line in dialog.lines
            for what in await _hold(stage, line, real=engine is not None)
        ]


async def _hold(stage: Stage, line: Line, *, real: bool) -> list[str]:
    """Say a line; what went wrong."""
    stage.answer = line.answer
    by_itself = await stage.later(line.later) if line.later else ""
    reply = await stage.hear(_event(stage, line))
    wrong = _wrong(line, reply, stage.prompt, real=real)
    if not _search(line.meanwhile, by_itself):
        wrong.insert(0, f"by itself it said {by_itself!r}: no match for {line.meanwhile!r}")
    return wrong


def _event(stage: Stage, line: Line) -> Event:
    direct = line.place is Place.DIRECT
    rooms = {Place.DIRECT: line.by, Place.ROOM: "the room", Place.DESK: DESK.room}
    platform = stage.platform
    stage.clock.advance(1)
    return platform.event(
        line.say,
        by=line.by,
        at=stage.clock.now(),
        addressed=line.addressed or (Addressed.DIRECT if direct else Addressed.NONE),
        key=key(rooms[line.place]),
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
