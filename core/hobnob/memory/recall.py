"""What is remembered for an answer (`hobnob.ports.MemoryPort`): the window, what is known of the
asker, and whatever else was said that matters now, all within the scope of who asks where."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Event, Kind, Memory, Recalled, Turn
from hobnob.memory.commands import Commands
from hobnob.memory.embedder import unpack
from hobnob.memory.facts.found import about
from hobnob.memory.facts.trust import Reader
from hobnob.memory.incognito import Incognito
from hobnob.memory.learn import Learner
from hobnob.memory.meaning import meaning
from hobnob.memory.narrowing import narrow
from hobnob.memory.question import Query, asks_for_now
from hobnob.memory.ranking import CANDIDATES, Ranking
from hobnob.memory.replaced import alike, newest_first
from hobnob.memory.shelf import Shelf
from hobnob.memory.words import QUESTION, kinds, terms
from hobnob.ports import Engine
from hobnob.prompt import said
from hobnob.recollection import Embedder, MemoryStore, Scope
from hobnob.text import clean_name

log = logging.getLogger(__name__)

TURNS = 96
"""More turns than a prompt has room for; the token budget decides how many are shown."""
HITS = 12
AROUND = 1
"""Turns shown before and after one that is recalled."""
STATED_HITS = 3
"""Where nothing is asked, less is needed."""
FEW = 2000
"""Turns that are compared in less time than it takes to hand them to a thread and back."""
FLOOR, FLOOR_OF_WORDS = 0.4, 0.15
"""The best that is found must have so much to do with what was said (`Ranking.relevance`, where
meanings were compared and where only words were): 95% of questions with an answer are above, half
of those without below."""

_BEFORE = re.compile(
    r"\b(?:remember|recall|remind me|told you|tell you|mention(?:ed)?|last time"
    r"|(?:did|have|do|was|am) i)\b"
)
_ASKS = re.compile(r"\b(?:what|where|when|who|which|how)\b")
_OURS = re.compile(r"\b(?:i|my|me|we|our)\b")
LONGEST_QUESTION = 2000
"""Characters of a message in which a question is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A turn that was found, by its id in the database."""

    id: int
    score: float
    relevant: bool
    """Enough of what was asked is there."""


class Remembering:
    """The memory of one bot."""

    def __init__(
        self,
        store: MemoryStore,
        *,
        embedder: Embedder | None = None,
        linked: Sequence[frozenset[ConversationKey]] = (),
        writer: Engine | None = None,
        reader: Reader | None = None,
    ) -> None:
        """`linked` are groups of conversations that are one place; `writer` writes summaries,
        `reader` finds facts."""
        self.learner = Learner(store, embedder, writer, reader)
        self._store = store
        self._embedder = embedder
        self._linked = linked
        self._shelf = Shelf(store, embedder.id if embedder else None)
        self._incognito = Incognito(TURNS)
        self._commands = Commands(store.rights)

    async def snapshot(self, batch: Sequence[Event]) -> Memory:
        scope = self._scope(batch[-1])
        recent = await self._store.recent(scope, TURNS)
        name = clean_name(batch[-1].author.name)
        aside = self._incognito.turns(scope.key) if recent.incognito else ()
        return Memory(
            turns=(*recent.turns, *aside),
            complete=recent.complete,
            summary=recent.summary,
            facts=tuple(replace(fact, text=about(fact.text, name)) for fact in recent.facts),
            incognito=recent.incognito,
            language=recent.language,
        )

    async def recall(self, batch: Sequence[Event], shown: Sequence[Turn]) -> Recalled:
        scope = self._scope(batch[-1])
        asked = replace(batch[-1], text="\n".join(said(event) for event in batch))
        if not terms(asked.text):
            return Recalled()  # "ok", "lol"
        most = HITS if QUESTION in kinds(asked.text) else STATED_HITS
        hits = await self.search(scope, asked, most)
        if not hits or not hits[0].relevant:
            return Recalled(missing=_asks_for_the_past(asked.text))
        known = set(shown)
        found = await self._store.passages(scope, [hit.id for hit in hits], AROUND)
        passages = []
        for hit in hits:
            passage = found.get(hit.id, ())
            if new := tuple(turn for turn in passage if turn not in known):
                passages.append(new)
                known.update(new)
        return Recalled(passages=tuple(passages))

    async def search(self, scope: Scope, asked: Event, limit: int) -> Sequence[Hit]:
        """The turns of the scope that matter most for `asked`, best first."""
        ids, index = await self._shelf.index(scope)
        if not len(ids):
            return []
        seen = await meaning(self._embedder, asked.text)
        query = Query(
            text=asked.text,
            askers=await self._store.known_as(scope) | {asked.author.id},
            at=asked.at,
            vector=seen.vector if seen else None,
            tokens=seen.tokens if seen else None,
            token_words=seen.words if seen else (),
        )
        if index.is_long:
            places, index = await asyncio.to_thread(narrow, query, index)
            ids = ids[places]
        small = len(ids) <= FEW
        ranking = Ranking(query, index) if small else await asyncio.to_thread(Ranking, query, index)
        floor = FLOOR_OF_WORDS
        if seen is not None and index.vectors is not None:
            places = ranking.best()
            # Only those with a vector of this embedder have words of it.
            comparable = ids[places[index.vectors.known(places)]].tolist()
            stored = await self._store.tokens(scope, comparable)
            width = seen.tokens.shape[1]
            tokens = [unpack(stored.get(each, b""), width) for each in ids[places].tolist()]
            if await asyncio.to_thread(ranking.refine, places, tokens):
                floor = FLOOR
        order: list[int] = ranking.first(max(limit, CANDIDATES)).tolist()
        if asks_for_now(asked.text):
            place_of = {int(ids[place]): place for place in order}
            newer = alike(ranking, order)
            for old, new, fact in await self._store.ended(scope, list(place_of)):
                if not set(terms(asked.text)).isdisjoint(terms(fact)):  # it is asked for
                    newer.setdefault(place_of[old], set()).add(place_of[new])
            order = newest_first(order, newer, ranking)
        return [
            Hit(
                id=int(ids[place]),
                score=float(ranking.scores[place]),
                relevant=bool(ranking.relevance[place] >= floor),
            )
            for place in order[:limit]
        ]

    async def look_up(
        self, key: ConversationKey, text: str, limit: int
    ) -> Sequence[tuple[float, Turn]]:
        """What would be recalled in a conversation if the owner asked this, best first."""
        owner = Author(id="", name="")
        asked = Event(
            id="",
            kind=Kind.MESSAGE,
            key=key,
            author=owner,
            at=datetime.now(UTC),
            message="",
            text=text,
        )
        scope = self._scope(asked)
        hits = await self.search(scope, asked, limit)
        found = await self._store.passages(scope, [hit.id for hit in hits], 0)
        return [(hit.score, turn) for hit in hits for turn in found.get(hit.id, ())]

    def command(self, event: Event) -> Callable[[Any], str]:
        scope = self._scope(event)
        return lambda connection: self._commands.answer(connection, event, scope)

    async def done(self, event: Event) -> None:
        if self._commands.drops(event):
            self._incognito.drop(event.key)
        if self._commands.forgets(event):
            await self._store.scrub()

    def said(self, turns: Sequence[Turn], event: Event, *, incognito: bool) -> None:
        if incognito:
            self._incognito.add(event.key, turns)
        else:
            self.learner.wake()

    def _scope(self, event: Event) -> Scope:
        together = next((group for group in self._linked if event.key in group), frozenset())
        return Scope(
            key=event.key,
            asker=event.author.id,
            direct=event.addressed is Addressed.DIRECT,
            linked=tuple(sorted(together - {event.key})),
        )


def _asks_for_the_past(text: str) -> bool:
    """Somebody asks for what was said before, or for themselves: without a memory of it, an answer
    would be invented."""
    asked = text[:LONGEST_QUESTION].casefold()
    about_us = _ASKS.search(asked) and _OURS.search(asked)
    return "?" in asked and bool(_BEFORE.search(asked) or about_us)
