"""What the system says of a measurement: its peak memory, and who else computed meanwhile.

https://man7.org/linux/man-pages/man5/proc.5.html; None where there is no /proc.
"""

import os
import time
from pathlib import Path

PROC = Path("/proc")


def peak_mb() -> float | None:
    """The most memory that the larger of us ever had, this process or one that it has started: the
    one that has the model. In MB of 2**20 bytes."""
    return max((_peak(process) for process in _family()), default=None)


class Neighbours:
    """Counts the processor time that goes to others than this process and those it has started."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), _others_seconds()

    def processors(self) -> float | None:
        """How many processors they have kept busy since then, on average."""
        now = _others_seconds()
        if now is None or self._before is None:
            return None
        return max(0.0, (now - self._before) / (time.monotonic() - self._began))


def _family() -> list[int]:
    """This process and all that come of it."""
    parents = {
        int(folder.name): int(fields[1])
        for folder in PROC.glob("[0-9]*")
        if (fields := _stat(int(folder.name)))
    }
    family = [process for process in (os.getpid(),) if process in parents]
    for member in family:  # grows meanwhile
        family += [process for process, parent in parents.items() if parent == member]
    return family


def _stat(process: int) -> list[str]:
    """Its state, parent, and so on; [] if it has ended."""
    try:
        return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _peak(process: int) -> float:
    status = (PROC / str(process) / "status").read_text()
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) / 1024 if found else 0.0  # an ended one has none


def _others_seconds() -> float | None:
    """Processor time that others ever had, and that the host took away from this machine."""
    if not (family := _family()):
        return None
    total = (PROC / "stat").read_text().split()
    user, nice, system, _, _, *interrupts = map(int, total[1:9])
    ours = sum(int(ticks) for process in family for ticks in _stat(process)[11:13])
    return (user + nice + system + sum(interrupts) - ours) / os.sysconf("SC_CLK_TCK")
