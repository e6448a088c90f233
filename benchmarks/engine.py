"""How fast a model answers many people: ours, the first thing one would write, and llama.cpp.

    python benchmarks/engine.py [--quick] [--systems ...] [--conversations ...] [--json]

Everybody talks with one persona of 330 tokens: three turns, replies of 48 tokens (greedy), the next
message as soon as the reply is there. Each measurement has a process of its own, which is warmed
up with another persona: reading this one is part of what is measured. The systems take turns, so
that a busy neighbour is a trouble to all of them. How to read the table: docs/how-to/benchmarks.md
"""

import argparse
import dataclasses
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import llama_cpp
import load
import measure

CONVERSATIONS = (1, 4, 16, 64)
NAIVE_MOST = 16
"""More conversations only wait longer for the naive bot: minutes of measuring, no news."""
LIMIT = 600.0
"""Seconds for one measurement."""

Measured = dict[str, Any]


class Missing(Exception):
    """This machine does not have the system."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: the median of the repetitions, waits of all of them together."""

    system: str
    conversations: int
    tokens_per_s: float
    replies_per_s: float
    ttft_p50_s: float
    ttft_p95_s: float
    peak_mb: float | None


@dataclass(kw_only=True)
class Results:
    """What came of all measurements."""

    loads: dict[tuple[int, str], list[Measured]] = field(default_factory=dict)
    second_turns: dict[str, Measured] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


# ----------------------------------------------------------------------------------- measuring


def run(plan: Sequence[tuple[str, str]]) -> Results:
    """Measure one thing after the other; leave out systems that prove to be missing."""
    results = Results()
    with progress(len(plan)) as tell:
        for system, what in plan:
            if system in results.missing:
                tell(f"{system}: left out")
                continue
            try:
                measured = in_a_process(system, what)
            except Missing as reason:
                results.missing[system] = str(reason)
                tell(f"{system}: left out")
                continue
            except RuntimeError as error:
                results.failed.append(f"{system}, {what}: {error}")
                tell(f"{system}, {what}: failed")
                continue
            if what == measure.SECOND_TURNS:
                results.second_turns[system] = measured
                tell(f"{system}, second turns")
            else:
                results.loads.setdefault((int(what), system), []).append(measured)
                rate = measured["tokens"] / measured["seconds"]
                tell(f"{system}, conversations: {what}, tokens/s: {rate:.0f}")
    return results


def in_a_process(system: str, what: str) -> Measured:
    """Raises Missing, or RuntimeError with what the process said last."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, measure.__file__, system, what],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it
        )
        try:
            said, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"not done after {LIMIT:.0f} seconds") from error
        finally:
            stop(process)
        log.seek(0)
        complaint = log.read().strip()[-1000:]
    if process.returncode == measure.MISSING:
        raise Missing(complaint)
    if process.returncode:
        raise RuntimeError(f"ended with status {process.returncode}:\n{complaint}")
    measured: Measured = json.loads(said.splitlines()[-1])
    return measured


def stop(process: subprocess.Popen[str]) -> None:
    """End the process and what it has started, if it has not ended by itself."""
    if process.poll() is not None:
        return
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
        return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def progress(steps: int) -> Iterator[Any]:
    """Yields what is to be told after each step: a bar in a terminal, else a line for each."""
    done = 0

    def line(what: str) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{steps}] {what}", file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        yield line
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps, last="")
        yield lambda what: bar.update(task, advance=1, last=what)


# ------------------------------------------------------------------------------------ the tables


def rows(results: Results) -> list[Row]:
    return [
        Row(
            system=system,
            conversations=conversations,
            tokens_per_s=round(middle(each["tokens"] / each["seconds"] for each in repeated), 1),
            replies_per_s=round(middle(each["replies"] / each["seconds"] for each in repeated), 2),
            ttft_p50_s=round(share(waits, 0.5), 3),
            ttft_p95_s=round(share(waits, 0.95), 3),
            peak_mb=peak([each["peak_mb"] for each in repeated]),
        )
        for (conversations, system), repeated in sorted(results.loads.items(), key=_place)
        for waits in [[wait for each in repeated for wait in each["waits"]]]
    ]


def _place(measured: tuple[tuple[int, str], list[Measured]]) -> tuple[int, int]:
    (conversations, system), _ = measured
    return conversations, measure.SYSTEMS.index(system)


def print_table(table: Sequence[Row]) -> None:
    print(
        f"{'system':10}{'conversations':>14}{'tokens/s':>10}{'replies/s':>11}{'first p50 s':>13}"
        f"{'p95 s':>9}{'peak MB':>9}{'x naive':>9}{'x llama.cpp':>13}"
    )
    for row in table:
        memory = "-" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        print(
            f"{row.system:10}{row.conversations:14}{row.tokens_per_s:10.1f}"
            f"{row.replies_per_s:11.2f}{row.ttft_p50_s:13.3f}{row.ttft_p95_s:9.3f}{memory:>9}"
            f"{ratio(row, 'naive', table):>9}{ratio(row, 'llama.cpp', table):>13}"
        )


def ratio(row: Row, to: str, table: Sequence[Row]) -> str:
    """To the other system at as many conversations, or at the most that it was measured with."""
    others = [other for other in table if other.system == to]
    others = [other for other in others if other.conversations <= row.conversations]
    return f"{row.tokens_per_s / others[-1].tokens_per_s:.2f}" if others else "-"


def print_second_turns(results: Results) -> None:
    print(f"\n{'second turn':14}{'first p50 s':>12}{'nothing to reuse':>18}{'ratio':>9}")
    for system, measured in results.second_turns.items():
        reused, anew = share(measured["reused"], 0.5), share(measured["anew"], 0.5)
        print(f"{system:14}{reused:12.3f}{anew:18.3f}{reused / anew:9.2f}")


def notes(results: Results, repeat: int) -> Iterator[str]:
    """What one must know to read the tables."""
    yield (
        f"{os.cpu_count()} processors; hobnob {version('hobnob')}, torch {version('torch')}, "
        f"transformers {version('transformers')}; repetitions: {repeat}"
    )
    if any(system == "llama.cpp" for _, system in results.loads):
        yield f"llama.cpp: {llama_cpp.PROGRAM} {' '.join(llama_cpp.FLAGS)}"
    written = [each for repeated in results.loads.values() for each in repeated]
    if written:
        mean = sum(each["tokens"] for each in written) / sum(each["replies"] for each in written)
        yield f"tokens per reply, of {load.NEW_TOKENS}: {mean:.1f}"
    measured = {conversations for conversations, system in results.loads if system == "naive"}
    if measured and max(measured) < max(conversations for conversations, _ in results.loads):
        yield (
            f"naive answers one message at a time: it is not measured with more than {NAIVE_MOST} "
            "conversations, its tokens/s would be the same"
        )
    yield from (f"{system} is left out: {why}" for system, why in results.missing.items())
    yield from (f"failed: {what}" for what in results.failed)


def middle(values: Iterator[float]) -> float:
    return statistics.median(values)


def share(values: Sequence[float], part: float) -> float:
    """The value below which this part of them lies."""
    return sorted(values)[int(len(values) * part)]


def peak(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(max(known), 1) if known else None


# -------------------------------------------------------------------------------- the command


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--systems", nargs="+", choices=measure.SYSTEMS, default=list(measure.SYSTEMS)
    )
    parser.add_argument("--conversations", type=positive, nargs="+", default=list(CONVERSATIONS))
    parser.add_argument("--repeat", type=positive, default=3, help="the table shows the median")
    parser.add_argument("--quick", action="store_true", help="1 and 16 conversations, once")
    parser.add_argument("--json", action="store_true", help="the rows as JSON in the last line")
    given = parser.parse_args()
    if given.quick:
        given.conversations, given.repeat = [1, 16], 1
    plan = [
        (system, str(conversations))
        for _ in range(given.repeat)
        for conversations in given.conversations
        for system in given.systems
        if system != "naive" or conversations <= NAIVE_MOST
    ]
    plan += [(system, measure.SECOND_TURNS) for system in given.systems]
    results = run(plan)
    table = rows(results)
    print_table(table)
    print_second_turns(results)
    print("", *notes(results, given.repeat), sep="\n")
    if given.json:
        print(json.dumps([dataclasses.asdict(row) for row in table]))
    if results.failed or not table:
        sys.exit(1)


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
