"""Runs a writer step by step in the worker's thread, and tells the event loop what was written."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hobnob.engine.worker import Worker
from hobnob.engine.writer import Request, Writer, Written
from hobnob.errors import EngineError, EngineUnavailable

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""When so many prompts in a row fail, each alone, none is to blame: the model is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A request will get no more: its own fault, or (unavailable) the model's."""

    request: Request
    error: EngineError


News = Sequence[Written | Failed]


class Steps:
    """One writer at work. Steps follow each other while there are requests; adding and dropping
    come between two steps, in the order in which they were asked for.

    A step that fails takes nobody's answer with it but the guilty one's: all that were under way
    go on alone, one after the other, and who fails alone is told so.
    """

    def __init__(
        self,
        worker: Worker,
        writer: Writer,
        *,
        tell: Callable[[News], None],
        broken: Callable[[str], None],
    ) -> None:
        """`tell` and `broken` (which gets the reason) are called in the worker's thread."""
        self._worker = worker
        self._writer = writer
        self._tell = tell
        self._broken = broken
        self._active: dict[Request, None] = {}
        self._alone: deque[Request] = deque()
        self._queued = False
        self._failed: set[tuple[int, ...]] = set()
        self._closed = False
        self.busy_since: float | None = None
        """When the step under way began (`time.monotonic`)."""
        self.slowest = 0.0
        """Seconds."""

    def add(self, request: Request) -> None:
        self._worker.put(lambda: self._add(request))

    def drop(self, request: Request) -> None:
        self._worker.put(lambda: self._drop(request))

    def close(self) -> None:
        """Take no further step."""
        self._closed = True

    # ------------------------------------------------------------------ in the worker's thread

    def _add(self, request: Request) -> None:
        if self._alone:
            self._alone.append(request)
        else:
            self._begin(request)
        self._again()

    def _begin(self, request: Request) -> None:
        try:
            self._writer.add(request)
            self._active[request] = None
        except EngineError as error:
            self._tell([Failed(request=request, error=error)])

    def _drop(self, request: Request) -> None:
        if request in self._alone:
            self._alone.remove(request)
        if request in self._active:
            del self._active[request]
            self._writer.drop(request)

    def _again(self) -> None:
        if (self._active or self._alone) and not self._queued:
            self._queued = True
            self._worker.put(self._step)

    def _step(self) -> None:
        self._queued = False
        if self._closed:
            return
        if not self._active and self._alone:
            self._begin(self._alone.popleft())
        self.busy_since = time.monotonic()
        try:
            written = self._writer.step() if self._active else ()
        except Exception as error:
            log.debug("a step of the model failed", exc_info=True)
            self._recover(error)
        else:
            if written:
                self._failed.clear()
                for each in written:
                    if each.ended:
                        self._active.pop(each.request, None)
                self._tell(written)
        finally:
            self.slowest = max(self.slowest, time.monotonic() - self.busy_since)
            self.busy_since = None
        self._again()

    def _recover(self, error: Exception) -> None:
        """Start over with each request alone; or with none, if too many fail even so."""
        under_way = [*self._active, *self._alone]
        was_alone = len(self._active) == 1
        self._active.clear()
        self._alone.clear()
        why = f"the model failed while writing: {type(error).__name__}: {error}"
        try:
            self._writer.reset()
        except Exception as worse:
            log.debug("the writer can't be reset", exc_info=True)
            self._break(under_way, f"{why}; and then: {type(worse).__name__}: {worse}")
            return
        if was_alone:
            guilty = under_way.pop(0)
            self._failed.add(guilty.prompt)
            trouble = EngineError(why)
            trouble.__cause__ = error
            self._tell([Failed(request=guilty, error=trouble)])
        if len(self._failed) >= MOST_FAILURES:
            self._break(under_way, why)
        else:
            self._alone.extend(under_way)

    def _break(self, under_way: Sequence[Request], why: str) -> None:
        self.close()
        self._tell([Failed(request=each, error=EngineUnavailable(why)) for each in under_way])
        self._broken(why)
