"""Whether a model may find facts: it is tried once with messages whose facts are known."""

import json
import logging
import tomllib
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hobnob.errors import EngineError, EngineUnavailable
from hobnob.events import Author, Role, Turn
from hobnob.memory.facts.asking import AT_ONCE, SAMPLING, ask, besides, instructions
from hobnob.memory.facts.found import Found
from hobnob.memory.words import terms
from hobnob.ports import Engine

log = logging.getLogger(__name__)

Pause = Callable[[], Awaitable[object]]
"""Waits for a good moment."""
LEAST_PRECISION, LEAST_RECALL = 0.9, 0.5
PROBES = Path(__file__).with_name("probes.toml")
"""No rule finds anything in them: what a model is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How a model did."""

    right: int
    found: int
    stated: int

    @property
    def good(self) -> bool:
        return (
            self.right >= LEAST_PRECISION * self.found and self.right >= LEAST_RECALL * self.stated
        )

    def __str__(self) -> str:
        return f"{self.right} of {self.found} facts it found were right, of {self.stated} stated"


class Reader:
    """A model that finds facts, once it has earned it."""

    def __init__(self, engine: Engine, model: str, file: Path | None = None) -> None:
        """`model` tells it from all others, in `file`, where the grades are kept."""
        self._engine = engine
        self._model = model
        self._file = file
        self._grade: Grade | None = None

    async def read(self, turns: Sequence[Turn], pause: Pause) -> Sequence[Sequence[Found]]:
        """What the model finds in each of at most AT_ONCE turns, besides what rules find. Before
        the first it takes its trial, which lasts a while; before each question `pause` is awaited.
        Raises EngineUnavailable."""
        if not await self.earned(pause):
            return [()] * len(turns)
        await pause()
        try:
            return await ask(self._engine, turns)
        except EngineUnavailable:
            raise
        except EngineError as error:
            log.info("%d messages were not read for facts: %s", len(turns), error)
            return [()] * len(turns)

    async def earned(self, pause: Pause) -> bool:
        """Whether the model may find facts: its grade, measured now or kept, is good enough."""
        if self._grade is None:
            self._grade = self._kept() or await self._measured(pause)
            if not self._grade.good:
                log.warning(
                    '[memory] facts = "model": %s is not trusted to find facts (in a trial, %s; '
                    "%.0f%% must be right, and %.0f%% found). Only rules find them. Take a better "
                    'model, or facts = "rules".',
                    self._model,
                    self._grade,
                    100 * LEAST_PRECISION,
                    100 * LEAST_RECALL,
                )
        return self._grade.good

    async def _measured(self, pause: Pause) -> Grade:
        log.info("trying whether %s can be trusted to find facts", self._model)
        try:
            grade = await measure(self._engine, probes(), pause)
        except EngineUnavailable:
            raise
        except EngineError as error:  # not the model's fault: it is tried again at the next start
            log.warning("%s can't be tried: %s", self._model, error)
            return Grade(right=0, found=0, stated=len(probes()))
        log.info("%s: in a trial, %s", self._model, grade)
        self._keep(grade)
        return grade

    def _kept(self) -> Grade | None:
        grade = self._all().get(self._key)
        try:
            return Grade(**grade) if grade else None
        except TypeError:
            return None

    def _keep(self, grade: Grade) -> None:
        if self._file is None:
            return
        grades = {**self._all(), self._key: asdict(grade)}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(grades, indent=1), encoding="utf-8")
        except OSError as error:
            log.info("the trial's result can't be kept: %s", error)

    def _all(self) -> Mapping[str, Mapping[str, int]]:
        try:
            grades = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
        except (OSError, ValueError):
            return {}
        return grades if isinstance(grades, dict) else {}

    @property
    def _key(self) -> str:
        """The model and what it was asked: another question makes another trial."""
        trial = PROBES.read_text(encoding="utf-8") + instructions() + SAMPLING.schema
        return f"{self._model} {zlib.crc32(trial.encode()):08x}"


def probes() -> Mapping[str, str]:
    """Messages, each with the fact it states: the words that name the thing, behind the slot that
    it takes if it takes one ("home: Ghent"); "" if it states none."""
    table: Mapping[str, str] = tomllib.loads(PROBES.read_text(encoding="utf-8"))["probes"]
    return table


async def measure(engine: Engine, told: Mapping[str, str], pause: Pause) -> Grade:
    """What the model finds in these messages. Raises EngineError."""
    right = found = 0
    items = list(told.items())
    for start in range(0, len(items), AT_ONCE):
        part = items[start : start + AT_ONCE]
        await pause()
        for (_, fact), theirs in zip(part, await ask(engine, turns(part)), strict=True):
            told_once = besides((), theirs)
            found += len(told_once)
            right += sum(is_right(each, fact) for each in told_once)
    return Grade(right=right, found=found, stated=sum(map(bool, told.values())))


def turns(told: Sequence[tuple[str, str]]) -> Sequence[Turn]:
    author, at = Author(id="probe", name="Ann"), datetime(2026, 11, 23, tzinfo=UTC)
    return [Turn(role=Role.USER, author=author, text=text, at=at) for text, _ in told]


def is_right(found: Found, fact: str) -> bool:
    """Whether it is the one that was stated, and takes no slot but its own."""
    slot, _colon, value = fact.rpartition(": ")
    takes = "" if ":" in found.attribute else found.attribute
    return bool(fact) and {*terms(value)} <= {*terms(found.text)} and takes in ("", slot)
