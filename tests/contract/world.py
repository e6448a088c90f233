"""A platform as the adapters' contract suite sees it: people who talk, and trouble on demand.

One for each platform stands beside its fake server (tests/wire); the real client library is
between it and us.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hobnob.ports import Adapter, Receiver


class Place(StrEnum):
    """Where something is said. What a platform lacks is not in its `World.places`."""

    DIRECT = "direct"
    ROOM = "room"
    THREAD = "thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message of ours, as people see it now."""

    id: str
    text: str
    """Plain: without markup, mentions of the one answered left out."""
    reply_to: str = ""
    """The message it visibly answers; "" if none."""
    alts: tuple[str, ...] = ()
    """What is said of its pictures for who does not see them."""


class World(Protocol):
    """A server of the platform that misbehaves when told to, and the people on it."""

    places: frozenset[Place]
    can: frozenset[str]
    """Of: "edit", "delete", "react", "attach", "reply", "grow", "command", "media", "shut", and
    "online": several people are there, nobody waits for anybody, and what is said waits for us."""

    @property
    def adapter(self) -> Adapter:
        """Made anew by each `running`."""
        ...

    def running(self, receiver: Receiver) -> AbstractAsyncContextManager[Adapter]:
        """The adapter, connected; entered again, a new one with the same account."""
        ...

    async def say(
        self,
        text: str,
        *,
        by: str = "ann",
        place: Place = Place.DIRECT,
        to_us: bool = True,
        reply_to: str = "",
        picture: str = "",
    ) -> str:
        """Somebody writes; the id of the message. In a room `to_us` mentions us. `picture` is the
        alt text or caption of a picture that comes along."""
        ...

    async def edit(self, message: str, text: str) -> None: ...

    async def delete(self, message: str) -> None: ...

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None: ...

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        """Somebody uses a command, written "/forget everything"."""
        ...

    async def tell_again(self) -> None:
        """The server tells once more of the last message, as servers do."""
        ...

    async def cut(self) -> None:
        """Every connection breaks; the adapter may come back at once."""
        ...

    async def limit(self, seconds: float) -> None:
        """Sends are refused for so long, as the platform does it, saying how long."""
        ...

    async def shut(self, by: str) -> None:
        """This person takes no direct messages of ours."""
        ...

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        """What we have said there, oldest first; `by` names the person of a direct place."""
        ...

    def complaints(self) -> Sequence[str]:
        """What the server would have banned us for: retried too early, unknown routes, requests
        beyond the limits, IDENTIFYs or logins in a storm, the token where it has no business."""
        ...


class Unable:
    """A base of worlds: what is not in a world's `can` is never asked of it."""

    async def edit(self, message: str, text: str) -> None:
        raise NotImplementedError

    async def delete(self, message: str) -> None:
        raise NotImplementedError

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        raise NotImplementedError

    async def tell_again(self) -> None:
        raise NotImplementedError

    async def cut(self) -> None:
        raise NotImplementedError

    async def limit(self, seconds: float) -> None:
        raise NotImplementedError

    async def shut(self, by: str) -> None:
        raise NotImplementedError
