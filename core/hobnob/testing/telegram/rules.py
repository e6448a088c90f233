"""What Telegram insists on: entities that make sense, and requests that are not too many."""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

LONGEST, CAPTION = 4096, 1024
FILES = ("sendPhoto", "sendAnimation", "sendVideo", "sendDocument")
SENDS = ("sendMessage", "sendMediaGroup", *FILES)
KINDS = {"bold", "italic", "strikethrough", "code", "pre", "text_link", "blockquote"}
INLINE = {"bold", "italic", "strikethrough"}
COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def trouble(text: str, entities: Sequence[Json]) -> str | None:
    """What Telegram would say against this text, if anything.

    https://core.telegram.org/bots/api#formatting-options has the rules of nesting. The server
    mends some of what is refused here; nothing that we send shall need it.
    """
    if not text.strip() or not any(character.isprintable() for character in text):
        return "Bad Request: message text is empty"
    if units(text.strip()) > LONGEST:
        return "Bad Request: message is too long"
    bounds = {0}
    for character in text:
        bounds.add(max(bounds) + units(character))
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if entity["type"] not in KINDS:
            return f"Bad Request: can't parse entities: unknown type {entity['type']}"
        if entity["length"] < 1 or start < 0 or end > units(text):
            return "Bad Request: can't parse entities: out of range"
        if not {start, end} <= bounds:
            return "Bad Request: can't parse entities: in the middle of a UTF-16 symbol"
        if entity["type"] == "text_link" and not entity.get("url"):
            return "Bad Request: can't parse entities: a link without an address"
    for index, one in enumerate(entities):
        for other in entities[index + 1 :]:
            if wrong := _together(one, other):
                return f"Bad Request: can't parse entities: {wrong}"
    return None


def _together(one: Json, other: Json) -> str | None:
    outer, inner = sorted((one, other), key=lambda each: (each["offset"], -each["length"]))
    outer_end, inner_end = (each["offset"] + each["length"] for each in (outer, inner))
    if inner["offset"] >= outer_end:
        return None
    kinds = {outer["type"], inner["type"]}
    if inner_end > outer_end:
        return f"{kinds} overlap"
    if len(kinds) == 1:
        return f"{kinds} within itself"
    same = (outer["offset"], outer_end) == (inner["offset"], inner_end)
    if "blockquote" in kinds:
        return None if outer["type"] == "blockquote" or same else f"a quote in {kinds}"
    if kinds & {"code", "pre"}:
        return f"{kinds} in each other"
    return None if kinds & INLINE else f"{kinds} in each other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How much Telegram takes."""

    in_all: int = 30
    chat_seconds: float = 1.0
    in_group: int = 20
    group_seconds: float = 60.0
    draft_seconds: float = 0.45


class Ledger:
    """What was asked of Telegram, and what it would have banned us for."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed
        self.complaints: list[str] = []
        self._all: list[float] = []
        self._posts: dict[int, list[float]] = defaultdict(list)
        self._acts: dict[int, float] = {}
        self._drafts: dict[int, float] = {}
        self._not_before: dict[int, float] = {}

    def limited(self, chat: int, seconds: float) -> None:
        """It was told to wait."""
        self._not_before[chat] = time.monotonic() + seconds

    def asked(self, method: str, chat: int) -> None:
        """A request that speaks in a chat."""
        now, allowed = time.monotonic(), self.allowed
        if now < self._not_before.get(chat, 0) - 0.02:
            early = self._not_before[chat] - now
            self.complaints.append(f"{method} in {chat} came {early:.2f} s too early after a 429")
        self._all = [*(at for at in self._all if at > now - 1.0), now]
        if len(self._all) > allowed.in_all:
            self.complaints.append(f"{len(self._all)} requests in a second")
        if method == "sendMessageDraft":
            if now - self._drafts.get(chat, 0) < allowed.draft_seconds:
                self.complaints.append(f"drafts in {chat} come too fast")
            self._drafts[chat] = now
        if method in (*SENDS, "editMessageText"):
            gap = now - self._acts.get(chat, 0)
            if gap < allowed.chat_seconds:
                self.complaints.append(f"{method} in {chat} after {gap:.2f} s")
            self._acts[chat] = now
        if method in SENDS and chat < 0:
            posts = [at for at in self._posts[chat] if at > now - allowed.group_seconds]
            self._posts[chat] = [*posts, now]
            if len(posts) >= allowed.in_group:
                self.complaints.append(f"{len(posts) + 1} messages in the group {chat}")
