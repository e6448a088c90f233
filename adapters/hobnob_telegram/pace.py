"""How fast we may speak: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this

Whoever may not speak yet is told for how long, and waits outside: one group that is spoken to too
much holds nobody else up.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """A little less than Telegram allows: it counts when requests arrive."""

    in_all: int = 28
    """Requests in a second."""
    chat_seconds: float = 1.05
    """Between two messages, or changes of one, in a chat."""
    draft_seconds: float = 0.5
    """Between two states of a draft."""
    in_group: int = 20
    """Messages in a group within `group_seconds`."""
    group_seconds: float = 61.0


class Act(Enum):
    POST = auto()
    CHANGE = auto()  # of a message that is there
    SHOW = auto()  # what does not stay: a draft


@dataclass(slots=True)
class _Chat:
    last: float = float("-inf")
    shown: float = float("-inf")
    not_before: float = float("-inf")
    posts: deque[float] = field(default_factory=deque)


class Pace:
    def __init__(
        self, rates: Rates | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = rates or Rates()
        self._now = now
        self._all: deque[float] = deque(maxlen=self._rates.in_all)
        self._chats: dict[int, _Chat] = {}

    def take(self, chat: int, act: Act, messages: int = 1) -> float:
        """Seconds to wait; 0.0 if it may be done now, which counts as done. One request can make
        several messages."""
        rates, now = self._rates, self._now()
        here = self._chats.get(chat) or self._add(chat, now)
        start = here.not_before
        if len(self._all) == rates.in_all:
            start = max(start, self._all[0] + 1.0)
        if act is Act.SHOW:
            start = max(start, here.shown + rates.draft_seconds)
        else:
            start = max(start, here.last + rates.chat_seconds)
        over = len(here.posts) + messages - rates.in_group
        if act is Act.POST and over > 0:
            start = max(start, here.posts[over - 1] + rates.group_seconds)
        if start > now:
            return start - now
        self._all.append(now)
        if act is Act.SHOW:
            here.shown = now
        else:
            here.last = now
        if act is Act.POST and chat < 0:
            here.posts.extend([now] * messages)
        return 0.0

    def limited(self, chat: int, seconds: float) -> None:
        """Telegram wants nothing there for so long."""
        here = self._chats.get(chat) or self._add(chat, self._now())
        here.not_before = max(here.not_before, self._now() + seconds)

    def _add(self, chat: int, now: float) -> _Chat:
        if len(self._chats) >= 1000:
            quiet = now - self._rates.group_seconds
            for known, there in list(self._chats.items()):
                if there.last < quiet and there.not_before < now:
                    del self._chats[known]
        here = self._chats[chat] = _Chat(posts=deque(maxlen=self._rates.in_group))
        return here
