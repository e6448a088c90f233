"""Mastodon for the adapters' contract suite (tests/contract/world.py)."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from pydantic import SecretStr

from hobnob.ports import Receiver
from hobnob_mastodon.adapter import MastodonAdapter, MastodonOptions
from tests.contract.world import Place, Shown
from tests.wire.fake_mastodon import FakeMastodon
from tests.wire.mastodon_kit import until

_VISIBILITIES = {Place.DIRECT: "direct", Place.ROOM: "public"}
_HANDLE = re.compile(r"^@[\w.@-]+\s*")


class MastodonWorld:
    """Implements `tests.contract.world.World`. A room is what everybody can see.

    There are favourites and no other reactions, so that it can't "react".
    """

    places = frozenset(_VISIBILITIES)
    can = frozenset({"edit", "delete", "attach", "reply", "command", "media"})

    def __init__(self) -> None:
        self.server = FakeMastodon()
        self._adapter = self._new_adapter("http://not.yet")
        self._last = ""

    async def __aenter__(self) -> Self:
        await self.server.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.close()

    @property
    def adapter(self) -> MastodonAdapter:
        return self._adapter

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[MastodonAdapter]:
        self._adapter = self._new_adapter(self.server.base_url)
        before = set(self.server.streams)
        task = asyncio.create_task(self._adapter.run(receiver))
        try:
            await until(lambda: bool(self.server.streams - before) or task.done())
            yield self._adapter
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled(), task

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

    async def limit(self, seconds: float) -> None:
        self.server.limit(seconds)

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

    def complaints(self) -> Sequence[str]:
        return self.server.ledger.complaints

    def _new_adapter(self, base_url: str) -> MastodonAdapter:
        token = SecretStr(FakeMastodon.access_token)
        options = MastodonOptions(base_url=base_url, access_token=token)
        return MastodonAdapter(options, retry_pauses=(0.05, 0.05), processing_pause=0.02)
