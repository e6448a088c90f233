"""What the engine benchmark prints: two tables, and what one must know to read them."""

import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import llama_cpp
import load
import measure

NAIVE_MOST = 16
"""More conversations only wait longer for the naive bot: minutes of measuring, no news."""
BUSY = 0.2
"""Processors: with more than this taken by others, a measurement says little."""

Measured = dict[str, Any]
"""What benchmarks/measure.py prints."""


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
    if disturbed := ", ".join(disturbances(results)):
        yield f"measure again when it is quiet: other programs kept processors busy, {disturbed}"
    yield from (f"{system} is left out: {why}" for system, why in results.missing.items())
    yield from (f"failed: {what}" for what in results.failed)


def disturbances(results: Results) -> Iterator[str]:
    """Where others took more of this machine than a measurement can bear."""
    everything = [
        (f"{system} {conversations}", repeated)
        for (conversations, system), repeated in results.loads.items()
    ] + [(f"{system} second turns", [each]) for system, each in results.second_turns.items()]
    for name, repeated in everything:
        if (most := max(each["others"] or 0.0 for each in repeated)) > BUSY:
            yield f"{name}: {most:.1f}"


def middle(values: Iterator[float]) -> float:
    return statistics.median(values)


def share(values: Sequence[float], part: float) -> float:
    """The value below which this part of them lies."""
    return sorted(values)[int(len(values) * part)]


def peak(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(max(known), 1) if known else None
