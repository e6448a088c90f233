"""What the system says of a measurement: its peak memory, and who else computed meanwhile.

https://man7.org/linux/man-pages/man5/proc.5.html; None where there is no /proc.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def peak_mb(process: int) -> float | None:
    """The most memory that it ever had, in MB (2**20 bytes)."""
    status = PROC / str(process) / "status"
    if not status.exists():
        return None
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Neighbours:
    """Counts the processor time that goes to all but these processes, from now on."""

    def __init__(self, ours: Iterable[int]) -> None:
        self._ours = frozenset(ours)
        self._began, self._before = time.monotonic(), self._seconds()

    def processors(self) -> float | None:
        """How many processors they have kept busy, on average."""
        now = self._seconds()
        if now is None or self._before is None:
            return None
        return max(0.0, (now - self._before) / (time.monotonic() - self._began))

    def _seconds(self) -> float | None:
        if not (PROC / "stat").exists():
            return None
        first = (PROC / "stat").read_text().splitlines()[0].split()
        user, nice, system, _, _, *interrupts = map(int, first[1:9])
        ticks = user + nice + system + sum(interrupts)  # the last is what the host took away
        for process in self._ours:
            after_name = (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
            ticks -= int(after_name[11]) + int(after_name[12])
        return ticks / os.sysconf("SC_CLK_TCK")
