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
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import measure
import tables
from tables import Measured, Results

CONVERSATIONS = (1, 4, 16, 64)
LIMIT = 600.0
"""Seconds for one measurement."""


class Missing(Exception):
    """This machine does not have the system."""


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
        if system != "naive" or conversations <= tables.NAIVE_MOST
    ]
    plan += [(system, measure.SECOND_TURNS) for system in given.systems]
    results = run(plan)
    table = tables.rows(results)
    tables.print_table(table)
    tables.print_second_turns(results)
    print("", *tables.notes(results, given.repeat), sep="\n")
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
