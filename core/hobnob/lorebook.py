"""What a character knows of its world: told to the model when somebody speaks of it. Pure.

The lorebooks of character cards:
https://github.com/kwaroran/character-card-spec-v3/blob/main/SPEC_V3.md#lorebook
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

MOST_ROUNDS = 8
"""Of entries that are called by entries."""
LONGEST_SCANNED = 20_000
"""Characters of a message that are looked through."""


class Position(StrEnum):
    BEFORE = "before"  # what the persona is
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A piece of knowledge, and what calls it up."""

    keys: tuple[str, ...]
    content: str
    enabled: bool = True
    order: float = 0
    """Lower stands earlier."""
    priority: float = 0
    """Lower goes first where not all fit."""
    case_sensitive: bool = False
    constant: bool = False
    """It needs no key."""
    secondary: tuple[str, ...] = ()
    """One of these must be there too."""
    regex: bool = False
    """The keys are regular expressions (in RE2's syntax, which takes linear time)."""
    position: Position = Position.BEFORE
    number: int = 0

    def called_by(self, text: str) -> bool:
        """Whether `text`, or its small letters unless the case matters, calls it up."""
        return _any(self.keys, text, self) and (
            not self.secondary or _any(self.secondary, text, self)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lorebook:
    entries: tuple[Entry, ...] = ()
    scan_depth: int = 4
    """The last messages, in which keys are looked for."""
    token_budget: int = 512
    recursive: bool = False
    """What was called up can call up more."""

    @property
    def constant(self) -> tuple[Entry, ...]:
        """What is always told."""
        return tuple(_in_order(e for e in self.entries if e.enabled and e.constant and e.content))

    def called(self, texts: Sequence[str], count: Callable[[str], int]) -> tuple[Entry, ...]:
        """What the newest of `texts`, oldest first, call up besides what is always told: as much
        as the budget allows by `count`, the lowest priority left out first."""
        if not self.scan_depth:
            return ()
        scanned = "\n".join(text[:LONGEST_SCANNED] for text in texts[-self.scan_depth :])
        found: dict[int, Entry] = {}
        waiting = [e for e in self.entries if e.enabled and not e.constant and e.content]
        for _ in range(MOST_ROUNDS):
            new = [entry for entry in waiting if entry.called_by(scanned)]
            if not new:
                break
            found |= {entry.number: entry for entry in new}
            if not self.recursive:
                break
            waiting = [entry for entry in waiting if entry.number not in found]
            scanned = "\n".join(entry.content for entry in new)
        room, kept = self.token_budget, []
        for entry in sorted(found.values(), key=lambda e: (-e.priority, e.order, e.number)):
            room -= count(entry.content)
            if room < 0:
                break
            kept.append(entry)
        return tuple(_in_order(kept))


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.order, entry.number))


def _any(keys: Sequence[str], text: str, entry: Entry) -> bool:
    if entry.regex:
        return any((pattern := _pattern(key)) and pattern.search(text) for key in keys)
    if entry.case_sensitive:
        return any(key in text for key in keys)
    folded = text.casefold()
    return any(key.casefold() in folded for key in keys)


@lru_cache(2000)
def _pattern(key: str) -> Any:
    """A key such as `/dra(gon|ke)/i`, or without the slashes; None if it is none."""
    import re2  # in Python's own, a stranger's pattern could take for ever

    body, flags = key, ""
    if key.startswith("/") and (end := key.rfind("/")) > 0:
        body, flags = key[1:end], key[end + 1 :]
    known = "".join(sorted(set(flags) & set("ims")))
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(f"(?{known}){body}" if known else body, options=options)
    except re2.error:
        return None
