"""What the command line shows: tables, progress, errors. For people on a terminal and for pipes."""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from hobnob.ports import Finding

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Progress:
    """What takes long, in a few words: a spinner on a terminal, silence in a pipe."""

    def __init__(self) -> None:
        self._status = err.status("") if err.is_terminal else None
        self._shown = False

    def __enter__(self) -> Callable[[str], None]:
        return self._tell

    def __exit__(self, *exc: object) -> None:
        self._tell("")

    def _tell(self, what: str) -> None:
        if self._status is None:
            return
        if what and not self._shown:
            self._status.start()
        elif not what and self._shown:
            self._status.stop()
        self._shown = bool(what)
        self._status.update(what)


class Bar:
    """How far something long has come: a bar on a terminal, silence in a pipe."""

    def __init__(self, what: str, total: int) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = ProgressBar(*columns, console=err, disable=not err.is_terminal or not total)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Callable[[int], None]:
        self._bar.start()
        return lambda count: self._bar.advance(self._task, count)

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()


class Live:
    """A table that is drawn anew in its place, on a terminal."""

    def __init__(self) -> None:
        self._live = LiveDisplay(console=out, auto_refresh=False)

    def __enter__(self) -> Callable[[list[dict[str, Any]]], None]:
        self._live.start()
        return lambda rows: self._live.update(_table(rows), refresh=True)

    def __exit__(self, *exc: object) -> None:
        self._live.stop()


def harmless(text: str) -> str:
    """A terminal must not be steered by what a model or a person wrote."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable() or ord(c) > 159)


def say(text: str) -> None:
    """What people or models wrote, as it is."""
    out.print(harmless(text), markup=False)


async def piped() -> AsyncIterator[str]:
    """Lines of standard input. Read in a daemon thread: a pipe that never ends must not keep the
    program from stopping."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        try:
            for line in sys.stdin.buffer:
                text = line.decode(errors="replace").rstrip("\r\n")
                loop.call_soon_threadsafe(lines.put_nowait, text)
            loop.call_soon_threadsafe(lines.put_nowait, None)
        except RuntimeError:
            return  # the loop is closed: nobody listens any more

    threading.Thread(target=read, name="standard input", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """A table for people, tab-separated lines for pipes, JSON where asked for."""
    if as_json:
        for row in rows:
            print(json.dumps({name: str(value) for name, value in row.items()}, ensure_ascii=False))
    elif not out.is_terminal:
        for row in rows:
            print(harmless("\t".join(" ".join(str(value).split()) for value in row.values())))
    elif not rows:
        out.print("Nothing is stored yet.")
    else:
        out.print(_table(rows))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*(rows[0] if rows else ()), box=None)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: object) -> Any:
    if isinstance(value, datetime):
        return Text(f"{value.astimezone():%Y-%m-%d %H:%M}")
    return Text(harmless(str(value)))


def show_finding(finding: Finding) -> None:
    """What was looked at, whether it is in order, and what to do."""
    out.print("[green]ok[/]  " if finding.ok else "[red]BAD[/] ", end="")
    out.print(finding.what, markup=False)
    if finding.fix:
        out.print(f"     {finding.fix}", markup=False)
