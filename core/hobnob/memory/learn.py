"""Learning from what was said, after it was answered: whatever recall needs to find it again, and
the facts that people told of themselves. In idle time, and never in the way of an answer."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from hobnob.errors import HobnobError, StoreRefused
from hobnob.memory import summary
from hobnob.memory.embedder import pack
from hobnob.memory.facts import asking
from hobnob.memory.facts.extract import extract
from hobnob.memory.facts.found import Found
from hobnob.memory.facts.trust import Reader
from hobnob.memory.index import index_terms, passage
from hobnob.ports import Engine
from hobnob.recollection import Embedded, Embedder, Learned, Lesson, MemoryStore, NewFact
from hobnob.text import unaddressed

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Turns in one transaction."""
SETTLE_SECONDS = 1.0
"""After something new: mostly more is to come."""
IDLE_SECONDS = 0.25
"""Between two looks at whether somebody is being answered."""
LONGEST_WAIT = 30.0
"""In a busy place nobody is ever idle."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds after something went wrong."""
NO_EMBEDDER = "none"
WINDOW = 48
"""Turns that a prompt mostly has room for: what is older is summed up."""
SUMMED_UP = 16
"""Turns that go into a summary at once: while it stays, the prompt begins the same."""


class Learner:
    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder | None,
        writer: Engine | None = None,
        reader: Reader | None = None,
    ) -> None:
        """`writer` writes the summaries; without one they are made of what people said. `reader`
        finds facts where the rules find none."""
        self._store = store
        self._embedder = embedder
        self._writer = writer
        self._reader = reader
        self._unlearned: set[int] = set()
        """Turns that can't be learned: until the next start they are left out."""
        self._busy: Callable[[], bool] = lambda: False
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something new."""
        self._news.set()

    async def run(self, busy: Callable[[], bool]) -> None:
        """Learn whatever there is to learn, until cancelled, while not `busy`."""
        self._busy = busy
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            self._news.clear()
            try:
                while await self._idle() and await self.some():
                    pause = FIRST_PAUSE
            except HobnobError as error:
                log.warning("learning waits %.0f s: %s", pause, error)
            except Exception:
                log.exception("a bug; learning waits %.0f s", pause)
            else:
                await self._news.wait()
                continue
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def some(self) -> int:
        """Learn from the oldest turns that nothing is known of; how many."""
        at_once = asking.AT_ONCE if self._reader else AT_ONCE
        lessons = await self._store.lessons(at_once, self._unlearned)
        if lessons:
            await self._learn(lessons)
        for conversation in {lesson.conversation for lesson in lessons}:
            await self._sum_up(conversation)
        return len(lessons)

    async def _learn(self, lessons: Sequence[Lesson]) -> None:
        """Learn from these together. If that fails for some and not for others, those are left
        out; what fails for all is not for them."""
        try:
            await self._learn_together(lessons)
        except Exception as error:
            if not _is_for_the_turn(error):
                raise
            errors = [await self._error_alone(each) for each in lessons]
            if all(errors):
                raise
            for lesson, own in zip(lessons, errors, strict=True):
                if own is not None:
                    self._unlearned.add(lesson.id)
                    log.error(
                        "a bug: turn %d can't be learned, and isn't recalled until the next start",
                        lesson.id,
                        exc_info=own,
                    )

    async def _error_alone(self, lesson: Lesson) -> Exception | None:
        """Learn from this alone; why it can't be."""
        await self._idle()
        try:
            await self._learn_together([lesson])
        except Exception as error:
            if not _is_for_the_turn(error):
                raise
            return error
        return None

    async def _learn_together(self, lessons: Sequence[Lesson]) -> None:
        seen = await self._embedded(lessons)
        found = await self._found(lessons)
        await self._store.learn(list(map(self._learned, lessons, seen, found)))

    async def _sum_up(self, conversation: int) -> None:
        """Bring the summary of what was said before the window up to date."""
        overflow = await self._store.overflow(conversation, WINDOW, SUMMED_UP)
        if overflow is None:
            return
        text = ""
        if self._writer is not None:
            new = overflow.older[len(overflow.older) - overflow.new :]
            text = await summary.write(self._writer, overflow.before, new)
        text = text or await asyncio.to_thread(summary.extract, overflow.older)
        await self._store.sum_up(overflow, text)

    async def _found(self, lessons: Sequence[Lesson]) -> Sequence[Sequence[Found]]:
        """The facts in each turn: what rules find, and what a model finds besides."""
        turns = [replace(each.turn, text=unaddressed(each.turn.text)) for each in lessons]
        found = [list(extract(turn)) for turn in turns]
        if self._reader is None:
            return found
        for conversation in {lesson.conversation for lesson in lessons}:
            mine = [
                number
                for number, lesson in enumerate(lessons)
                if lesson.conversation == conversation and asking.readable(turns[number])
            ]
            if mine:
                read = await self._reader.read([turns[number] for number in mine], self._idle)
                for number, more in zip(mine, read, strict=True):
                    found[number] += asking.besides(found[number], more)
        return found

    async def _idle(self) -> bool:
        waited = 0.0
        while self._busy() and waited < LONGEST_WAIT:
            await asyncio.sleep(IDLE_SECONDS)
            waited += IDLE_SECONDS
        return True

    async def _embedded(self, lessons: Sequence[Lesson]) -> Sequence[Embedded | None]:
        if self._embedder is None:
            return [None] * len(lessons)
        return await self._embedder.embed(
            [passage(lesson.turn, lesson.before, lesson.after) for lesson in lessons]
        )

    def _learned(self, lesson: Lesson, seen: Embedded | None, found: Sequence[Found]) -> Learned:
        turn = lesson.turn
        return Learned(
            lesson=lesson,
            embedder=self._embedder.id if self._embedder else NO_EMBEDDER,
            terms=index_terms(turn.text).tobytes(),
            vector=None if seen is None else pack(seen.vector[None]),
            tokens=None if seen is None else pack(seen.tokens),
            facts=tuple(map(_new, found)),
        )


def _is_for_the_turn(error: Exception) -> bool:
    """Whether another turn may do: not where the database or the embedder is away."""
    return isinstance(error, StoreRefused) or not isinstance(error, HobnobError)


def _new(found: Found) -> NewFact:
    return NewFact(
        kind=found.kind,
        attribute=found.attribute,
        value=found.value,
        text=found.text,
        confidence=found.confidence,
        ends=found.ends,
        until=found.until,
    )
