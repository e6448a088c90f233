"""The knowledge of a bot, at work: it gives the model what the documents say, says so where they
say nothing, and names the sources."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hobnob.conversation import ConversationKey
from hobnob.events import Event, Role
from hobnob.jobs import Deed, Job
from hobnob.knowledge import asking, citing
from hobnob.knowledge.library import Hit, Library
from hobnob.knowledge.promises import unsupported
from hobnob.notes import Budget
from hobnob.policy import Action, Decision
from hobnob.ports import History
from hobnob.store.knowledge import Excerpt

KEPT = 1000
"""Conversations of which it is known what was found for their last message."""
LATELY = 8
"""Turns in which what was asked before is looked for."""
UNKNOWN = "I'm an AI, and I don't find that in what I know."
HUMAN = "/human brings you a person."


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was found for a batch of events."""

    batch: tuple[str, ...]
    text: str
    hits: Sequence[Hit]
    shown: int = 0
    """How many excerpts the model saw."""

    @property
    def fits(self) -> bool:
        return any(hit.fits for hit in self.hits)


class Desk(Protocol):
    """Where people are who know what the documents don't say."""

    async def unanswered(self, events: Sequence[Event], deed: Deed) -> Deed:
        """No document answers these events; what becomes of `deed`, which says so."""
        ...

    async def hold(self, events: Sequence[Event], deed: Deed, why: str) -> Deed:
        """`deed` promises what no document says: `why`. What becomes of it."""
        ...


class Knowledge(Job):
    guards = True  # an invention would be seen while it is written

    def __init__(
        self,
        library: Library,
        history: History,
        *,
        unknown: str,
        names: Sequence[str] = (),
        desk: Desk | None = None,
    ) -> None:
        """`unknown` is what is said where the documents say nothing, `names` are the bot's."""
        self._library = library
        self._history = history
        self._unknown = unknown
        self._names = names
        self._desk = desk
        self._last: OrderedDict[ConversationKey, _Found] = OrderedDict()

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        """A question that the documents do not answer is not left to the model, which would
        invent an answer."""
        if decision.action is not Action.ANSWER or not asking.asks(_text(events), self._names):
            return None
        found = await self._look(events)
        if found.fits or not found.hits:  # no hits: there are no documents
            return None
        best = f"{found.hits[0].score:.1f}"
        deed = Deed(
            action=Action.ANSWER,
            reason=f"{decision.reason}; no document answers it (the best scores {best})",
            said=self._unknown,
            remembered=self._unknown,
            introduces=self._unknown.startswith(UNKNOWN),
        )
        return await self._desk.unanswered(events, deed) if self._desk else deed

    async def brief(self, events: Sequence[Event], budget: Budget) -> str:
        if not asking.is_about_something(_text(events), self._names):
            return ""
        found = await self._look(events)
        if not found.fits:
            return citing.NOTHING if found.hits else ""
        text, found.shown = citing.brief([hit.excerpt for hit in found.hits], budget)
        return text

    async def review(self, events: Sequence[Event], deed: Deed) -> Deed:
        """The answer with its sources. One that was not made of what the documents say, as small
        models write, gives way to the words of the best excerpt."""
        shown, answer = self.shown(events), deed.said
        if shown and not citing.is_grounded(answer, shown):
            answer = f"{shown[0].text} [1]"
            deed = replace(deed, remembered=answer, reason=f"{deed.reason}; in a document's words")
        said = citing.cited(answer, shown)
        deed = replace(deed, said=said, remembered=citing.plain(deed.remembered))
        promised = unsupported(answer, [excerpt.text for excerpt in shown], _text(events))
        if not self._desk or not promised:
            return deed
        why = ", ".join(f"“{promise.words}”" for promise in promised)
        return await self._desk.hold(events, deed, why)

    def shown(self, events: Sequence[Event]) -> Sequence[Excerpt]:
        """The excerpts that the model saw for its answer to these events."""
        found = self._last.get(events[-1].key)
        if found is None or found.batch != _batch(events):
            return ()
        return [hit.excerpt for hit in found.hits[: found.shown]]

    async def _look(self, events: Sequence[Event]) -> _Found:
        key = events[-1].key
        found = self._last.get(key)
        if found is None or found.batch != _batch(events) or found.text != _text(events):
            hits = await self._search(events)
            found = self._last[key] = _Found(batch=_batch(events), text=_text(events), hits=hits)
        self._last.move_to_end(key)
        if len(self._last) > KEPT:
            self._last.popitem(last=False)
        return found

    async def _search(self, events: Sequence[Event]) -> Sequence[Hit]:
        """For what was asked; where that alone finds nothing and may go on with what the same
        person said before, for both together."""
        text = _text(events)
        hits = await self._library.search(text, citing.MOST)
        if not hits or hits[0].fits or not asking.goes_on(text):
            return hits
        before = await self._said_before(events[-1])
        together = await self._library.search(f"{before}\n{text}", citing.MOST) if before else hits
        if not together or not together[0].fits:
            return hits
        best = together[0].excerpt  # what only answers the question before is no answer to this one
        about_this = asking.shares_a_word(text, f"{best.heading} {best.text}")
        return together if about_this else hits

    async def _said_before(self, event: Event) -> str:
        turns = await self._history.recent(event.key, LATELY)
        said = [
            turn.text
            for turn in turns
            if turn.role is Role.USER and turn.author.id == event.author.id
        ]
        return said[-1] if said else ""


def _text(events: Sequence[Event]) -> str:
    return "\n".join(event.text for event in events)


def _batch(events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(event.id for event in events)
