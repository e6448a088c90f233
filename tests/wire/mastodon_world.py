"""Mastodon for the adapters' contract suite (tests/contract/world.py)."""

import re
from collections.abc import Sequence

from hobnob.testing.mastodon import FakeMastodon
from hobnob_mastodon.adapter import MastodonAdapter
from tests.contract.world import Place, Shown
from tests.wire.mastodon_kit import an_adapter
from tests.wire.served_world import ServedWorld

_VISIBILITIES = {Place.DIRECT: "direct", Place.ROOM: "public"}
_HANDLE = re.compile(r"^@[\w.@-]+\s*")


class MastodonWorld(ServedWorld[FakeMastodon, MastodonAdapter]):
    """Implements `tests.contract.world.World`. A room is what everybody can see.

    There are favourites and no other reactions, so that it can't "react".
    """

    places = frozenset(_VISIBILITIES)
    can = frozenset({"online", "edit", "delete", "attach", "reply", "command", "media"})

    def __init__(self) -> None:
        super().__init__(FakeMastodon())
        self._last = ""

    def _new_adapter(self) -> MastodonAdapter:
        return an_adapter(self.server)

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
        status = self.server.statuses.get(reply_to)
        ours = status is not None and status["account"]["acct"] == "bot"
        self._last = self.server.say(
            f"{by}@far.example",
            text,
            visibility=_VISIBILITIES[place],
            in_reply_to=reply_to or None,
            to_bot=to_us or ours,  # an answer mentions whom it answers
            attachments=({"type": "image", "description": picture},) if picture else (),
        )
        return self._last

    async def edit(self, message: str, text: str) -> None:
        self.server.edit(message, text)

    async def delete(self, message: str) -> None:
        self.server.delete(message)

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        self.server.favourite(f"{by}@far.example", message)

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        await self.say(text, by=by, place=place)

    async def tell_again(self) -> None:
        self.server.notify_again(self._last)

    async def cut(self) -> None:
        self.server.cut_streams()

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        return [
            Shown(
                id=post.id,
                text=_HANDLE.sub("", post.text),
                reply_to=post.in_reply_to or "",
                alts=post.alts,
            )
            for post in self.server.replies
            if post.visibility == _VISIBILITIES[place]
            and (place is Place.ROOM or post.text.startswith(f"@{by}@"))
        ]
