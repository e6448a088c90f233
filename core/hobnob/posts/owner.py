"""Saying something to the owner, where they look at posts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hobnob import replies
from hobnob.conversation import ConversationKey
from hobnob.events import Button, Visibility
from hobnob.jobs import Message
from hobnob.ports import Adapter, Limits
from hobnob.store.outbox import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """`[review]` of bot.toml."""

    where: ConversationKey | None = None
    """Where drafts are shown."""
    owners: frozenset[str] = frozenset()
    """platform/id of whoever may decide."""


class Owner:
    def __init__(self, review: Review, adapters: Mapping[str, Adapter]) -> None:
        self._where = review.where
        self._adapters = adapters

    def tell(self, connection: sa.Connection, text: str, buttons: tuple[Button, ...] = ()) -> None:
        """Queue something for the owner. Nobody else ever sees it."""
        if self._where is None:
            return
        said = Message(
            key=self._where,
            text=text,
            buttons=buttons,
            visibility=Visibility.DIRECT,
        )
        say(connection, said.key, replies.elsewhere(said, self.limits(said.key)))

    def keys(self) -> Sequence[ConversationKey]:
        """Where that is, as far as it can be sent from here."""
        return [self._where] if self._where and self._where.platform in self._adapters else []

    def limits(self, key: ConversationKey) -> Limits:
        """What the platform takes."""
        return replies.limits_of(self._adapters, key)
