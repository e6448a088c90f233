"""OpenVINO in a process of its own: `python -m hobnob.engine.openvino_process`.

Its step does not let go of the interpreter: in this process, nobody's message would be received
while the model computes. A process can also be killed when it is stuck, and takes with it what it
prints, its crashes and its memory.

The two talk in lines of JSON over standard input and output. The other process takes step after
step while it has something to do, and says after each what was written.
"""

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import wait
from typing import IO, Any

from hobnob.engine.openvino_batch import BLOCK, Batch, blocks_for
from hobnob.engine.writer import Request, Written
from hobnob.errors import EngineError, EngineUnavailable
from hobnob.events import Sampling

STUCK_SECONDS = 600.0
"""No step takes so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the model is to be run."""

    folder: str
    settings: dict[str, str | int]
    """https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes/cpu-device.html"""
    blocks: int
    """Room for keys and values, in blocks of BLOCK tokens."""
    what: str
    schemas: bool = False
    """It can follow them."""

    @property
    def tokens(self) -> int:
        return BLOCK * self.blocks


class OpenVinoWriter:
    """A `Writer` whose steps are taken by the other process."""

    def __init__(self, plan: Plan) -> None:
        """Start the process; it loads while others do what they have to. `wait` for it."""
        self.what = plan.what
        self._plan = plan
        self._other = _Other(plan)
        self._ends: list[int] = []
        self._requests: dict[int, Request] = {}
        self._last_id = 0

    def wait(self, end_tokens: list[int]) -> None:
        """Return when the model is loaded. Raises EngineError with what OpenVINO says."""
        self._ends = end_tokens
        self._other.answer()

    def add(self, request: Request) -> None:
        if blocks_for(len(request.prompt) + request.most) > self._plan.blocks:
            raise EngineError(
                f"a prompt of {len(request.prompt)} tokens and an answer of {request.most} do not "
                f"fit into the memory for keys and values, which is for {self._plan.tokens} tokens"
            )
        if request.sampling.schema:
            self._check_schema(request)
        self._last_id += 1
        self._requests[self._last_id] = request
        self._other.tell(
            {
                "add": self._last_id,
                "tokens": request.tokens,
                "most": request.most - len(request.written),
                "sampling": asdict(request.sampling),
                "ends": self._ends,
            }
        )

    def _check_schema(self, request: Request) -> None:
        if not self._plan.schemas:
            raise EngineError(
                f"in {self._plan.folder} there is no openvino_tokenizer.xml, without which "
                "OpenVINO can't follow a schema"
            )
        if request.written:
            raise EngineError("OpenVINO can't go on in the middle of an answer with a schema")

    def drop(self, request: Request) -> None:
        for its_id in [its_id for its_id, each in self._requests.items() if each is request]:
            del self._requests[its_id]
            self._other.tell({"drop": its_id})

    def step(self) -> Sequence[Written]:
        if not self._requests:
            return []
        rows = self._other.answer()
        return [self._written(*row) for row in rows if row[0] in self._requests]

    def reset(self) -> None:
        """A new process knows nothing of what was before."""
        self._other.end()
        self._other = _Other(self._plan)
        self._requests = {}
        self.wait(self._ends)

    def _written(self, its_id: int, tokens: list[int], ended: bool, reused: int) -> Written:
        request = self._requests[its_id]
        if ended:
            del self._requests[its_id]
        request.written += tokens
        request.reused = reused
        return Written(request=request, tokens=tuple(tokens), ended=ended)


class _Other:
    """The other process. It ends with this object."""

    def __init__(self, plan: Plan) -> None:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", __name__, json.dumps(asdict(plan))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for us: we end it
        )
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        self._process = process
        self._lines = Lines(process.stdout)
        self.end = weakref.finalize(self, _end, process)

    def tell(self, job: object) -> None:
        """If it is gone, the next `answer` says so."""
        with suppress(OSError, ValueError):
            _say(self._process.stdin, job)

    def answer(self) -> list[Any]:
        """Raises EngineError with what OpenVINO says, EngineUnavailable if the process is gone."""
        line = self._lines.next(STUCK_SECONDS)
        if line is None:
            self.end()
            raise EngineUnavailable(f"OpenVINO has done nothing for {STUCK_SECONDS:.0f} s")
        if not line:
            raise EngineUnavailable(
                f"OpenVINO's process has ended with status {self._process.wait()}. "
                "A negative status mostly means that there was not enough memory."
            )
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        rows: list[Any] = answer["rows"]
        return rows


class Lines:
    """The lines that come out of a pipe. Several may come at once: each is waited for only as long
    as it isn't here yet."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe  # its own buffer is not used: what is in there would not wake us
        self._rest = b""

    def next(self, seconds: float) -> bytes | None:
        """The next line; b"" if there will be none, None if none came within `seconds`."""
        while b"\n" not in self._rest:
            if not wait([self._pipe.fileno()], seconds):
                return None
            read = os.read(self._pipe.fileno(), 1 << 16)
            if not read:
                return b""
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line + b"\n"


def _say(pipe: IO[bytes] | None, what: object) -> None:
    assert pipe is not None  # noqa: S101
    pipe.write(f"{json.dumps(what)}\n".encode())
    pipe.flush()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not said yet
            if pipe is not None:
                pipe.close()
    process.wait()


# --------------------------------------------------------------------------- the other process


def serve(plan: Plan, jobs: int, answers: IO[bytes]) -> None:
    """Do what is asked for until nobody can ask any more. `jobs` is the number of a pipe."""
    try:
        batch = _load(plan)
    except Exception as error:
        _say(answers, {"error": _reason(error)})
        return
    _say(answers, {"rows": []})
    rest = b""
    while True:
        while wait([jobs], 0 if batch.busy else None):
            asked = os.read(jobs, 1 << 20)
            if not asked:
                return
            *lines, rest = (rest + asked).split(b"\n")
            for line in lines:
                _do(json.loads(line), batch)
        try:
            rows = [(new.id, new.tokens, new.ended, new.reused) for new in batch.step()]
        except Exception as error:
            _say(answers, {"error": _reason(error)})
            return
        _say(answers, {"rows": rows})


def _do(job: dict[str, Any], batch: Batch) -> None:
    if "drop" in job:
        batch.drop(job["drop"])
    else:
        sampling = Sampling(**job["sampling"])
        batch.add(job["add"], job["tokens"], job["most"], sampling, job["ends"])


def _load(plan: Plan) -> Batch:
    import numpy as np

    from hobnob.engine.openvino_quiet import import_openvino

    openvino, genai = import_openvino()
    scheduler = genai.SchedulerConfig()
    scheduler.num_kv_blocks = plan.blocks
    scheduler.enable_prefix_caching = True
    scheduler.dynamic_split_fuse = True  # a prompt is read together with the others' next tokens
    scheduler.max_num_batched_tokens = plan.tokens  # it never has to split a prompt
    pipeline = genai.ContinuousBatchingPipeline(plan.folder, scheduler, "CPU", plan.settings)
    return Batch(
        pipeline,
        genai=genai,
        tensor=lambda tokens: openvino.Tensor(np.array(tokens, dtype=np.int64)),
        blocks=plan.blocks,
    )


def _reason(error: Exception) -> str:
    """The end of what OpenVINO says, after the places in its own sources."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}"


if __name__ == "__main__":
    ours = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    serve(Plan(**json.loads(sys.argv[1])), 0, ours)
