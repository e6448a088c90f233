"""The prompt: persona, memory and the new turn, under a budget of tokens. Pure.

The stable text comes first and a message that stays is rendered byte for byte the same from turn
to turn, so that an engine can reuse the work done for an equal beginning.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from hobnob.events import (
    Addressed,
    Author,
    ChatMessage,
    Event,
    Memory,
    Role,
    Speaker,
    Turn,
)
from hobnob.notes import Budget, Notes
from hobnob.persona import Persona
from hobnob.text import clean_name, one_line, one_speaker

CUT = "\n[... cut: the message goes on for too long ...]"
STEP = 8
"""Old turns leave the window this many at a time: while none leaves, the beginning stays equal."""

LONGEST_TOKEN = 16
"""Characters that one token hardly ever stands for more of."""
LONGEST_QUOTE = 500
"""Characters of what a message refers to."""
LATELY = 6
"""Turns; what they say need not be quoted."""


def fit(persona: Persona, memory: Memory, batch: Sequence[Event], budget: Budget) -> Memory:
    """`memory` with the turns that there is room for: the window. Where not everything that was
    ever said here fits, room is left for what will be recalled of it."""
    past = memory.turns
    if memory.complete:
        alone = replace(memory, summary="")
        whole = _Layout(persona, alone, batch, budget).render(_from_a_user(past))
        if budget.count(whole) <= budget.tokens:
            return alone
    layout = _Layout(persona, memory, batch, budget)
    room = budget.tokens - budget.recalled
    starts = range(0, len(past) + STEP, STEP)

    def fits(start: int) -> bool:
        return budget.count(layout.render(_from_a_user(past[start:]))) <= room

    start = starts[min(bisect_left(starts, True, key=fits), len(starts) - 1)]
    return replace(memory, turns=tuple(_from_a_user(past[start:])), complete=False)


def build(
    persona: Persona, memory: Memory, batch: Sequence[Event], budget: Budget
) -> tuple[ChatMessage, ...]:
    """The messages for the engine, of at most `budget.tokens` tokens.

    Users' and the persona's messages alternate, as many chat templates demand. In a room every
    line of a person begins with their name; in a direct conversation nothing does. What is
    recalled stands right before the new message, as much of it as fits, the best first; so do the
    pages that the message links to, and its pictures go with it. A new message that is too long by
    itself is cut at its end.
    """
    layout = _Layout(persona, memory, batch, budget)
    turns = _from_a_user(memory.turns)
    plain = layout.render(turns)
    alone = budget.count(plain)
    if alone > budget.tokens:
        if memory.images or memory.pages:
            return build(persona, replace(memory, images=(), pages=()), batch, budget)
        return layout.cut_to_fit()
    room = min(budget.tokens - alone, budget.recalled)

    def overflows(number: int) -> bool:
        # Alone it takes about as much as it adds, and is counted sooner than the whole.
        note = ChatMessage(role=Speaker.USER, content=layout.note(number))
        return budget.count([note]) > room

    numbers = range(1, len(memory.recalled.passages) + 1)
    for number in range(bisect_left(numbers, True, key=overflows), 0, -1):
        messages = layout.render(turns, number)
        if budget.count(messages) <= budget.tokens:
            return messages
    return plain


class _Layout:
    """One prompt's parts that don't depend on what fits."""

    def __init__(
        self, persona: Persona, memory: Memory, batch: Sequence[Event], budget: Budget
    ) -> None:
        self._persona = persona
        self._budget = budget
        self._direct = batch[-1].addressed is Addressed.DIRECT
        self._longest = budget.tokens * LONGEST_TOKEN
        lately = [turn.text for turn in memory.turns[-LATELY:]]
        self._new = tuple(self._shortened(_turn(event, lately)) for event in batch)
        texts = [turn.text for turn in (*memory.turns, *self._new)]
        self._notes = Notes(persona, memory, batch[-1].author.name, texts, budget)
        summary = f"Earlier in this conversation: {memory.summary}" if memory.summary else ""
        # In a room others speak in between: what is known of one person would change the
        # beginning of the prompt from answer to answer.
        language = f"Always answer in {memory.language}." if memory.language else ""
        known = self._notes.known if self._direct else ""
        parts = (system_text(persona), language, known, summary)
        system = "\n\n".join(part for part in parts if part)
        self._stable = (ChatMessage(role=Speaker.SYSTEM, content=system), *_examples(persona))

    def render(self, turns: Sequence[Turn], passages: int = 0) -> tuple[ChatMessage, ...]:
        """With the first `passages` of what is recalled."""
        past = [self._shortened(turn) for turn in turns]
        *before, new = self._dialogue(past, self._new, self.note(passages))
        return (*self._stable, *before, replace(new, images=self._notes.images))

    def note(self, passages: int) -> str:
        """What stands before the new message, in brackets: nobody said it now."""
        return self._notes.before(passages, with_known=not self._direct)

    def cut_to_fit(self) -> tuple[ChatMessage, ...]:
        """The newest message alone, with as much of its beginning as fits."""
        turn = self._new[-1]
        system = ChatMessage(role=Speaker.SYSTEM, content=system_text(self._persona))
        stable = (system, *_examples(self._persona))

        def render(text: str) -> tuple[ChatMessage, ...]:
            return (*stable, *self._dialogue([], [replace(turn, text=text + CUT)], ""))

        def overflows(length: int) -> bool:
            return self._budget.count(render(turn.text[:length])) > self._budget.tokens

        length = bisect_left(range(len(turn.text)), True, key=overflows)
        return render(turn.text[: max(0, length - 1)])

    def _dialogue(self, past: Sequence[Turn], new: Sequence[Turn], note: str) -> list[ChatMessage]:
        labels = {} if self._direct else _labels([*past, *new], self._persona.name)

        def line(turn: Turn) -> str:
            if turn.role is Role.ASSISTANT or self._direct:
                return turn.text
            return f"{labels[turn.author.id]}: {one_speaker(turn.text)}"

        lines = [(turn.role, line(turn)) for turn in past]
        lines += [(Role.USER, note)] if note else []
        lines += [(Role.USER, line(turn)) for turn in new]
        messages: list[ChatMessage] = []
        for role, group in groupby(lines, key=itemgetter(0)):
            ours = role is Role.ASSISTANT
            text = ("\n\n" if ours else "\n").join([text for _, text in group])
            speaker = Speaker.ASSISTANT if ours else Speaker.USER
            messages.append(ChatMessage(role=speaker, content=text))
        return messages

    def _shortened(self, turn: Turn) -> Turn:
        """`turn`, without what could not fit anyway: a megabyte need not be counted in tokens."""
        if len(turn.text) <= self._longest:
            return turn
        return replace(turn, text=turn.text[: self._longest] + CUT)


def system_text(persona: Persona) -> str:
    return "\n\n".join(part.strip() for part in (persona.text, persona.style) if part.strip())


def _examples(persona: Persona) -> list[ChatMessage]:
    return [
        message
        for example in persona.examples
        for message in (
            ChatMessage(role=Speaker.USER, content=example.user),
            ChatMessage(role=Speaker.ASSISTANT, content=example.assistant),
        )
    ]


def _labels(turns: Sequence[Turn], persona_name: str) -> dict[str, str]:
    """A name for each author's stable id. Where two have the same, both get a mark made of their
    id, and so does anybody named like the persona: nobody can speak in another's name."""
    people: dict[str, Author] = {turn.author.id: turn.author for turn in turns}
    names = {person: clean_name(author.name) for person, author in people.items()}
    folded = [name.casefold() for name in names.values()] + [clean_name(persona_name).casefold()]
    return {
        person: name if folded.count(name.casefold()) == 1 else f"{name}#{_mark(person)}"
        for person, name in names.items()
    }


def _mark(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()[:4]


def _turn(event: Event, lately: Sequence[str]) -> Turn:
    """The new message, with what it refers to, unless that was said `lately`."""
    text, quoted = said(event), event.quoted
    if quoted and quoted.text and not any(quoted.text[:LONGEST_QUOTE] in each for each in lately):
        words = one_line(quoted.text)[:LONGEST_QUOTE]
        text = f"[about what {clean_name(quoted.author)} wrote: “{words}”]\n{text}"
    return Turn(
        role=Role.USER,
        author=event.author,
        text=text,
        at=event.at,
        message=event.message,
    )


def said(event: Event) -> str:
    """The text of an event, with what is attached described in words."""
    described = [
        f"[attached {a.media_type}{f' {a.name}' if a.name else ''}{f': {a.alt}' if a.alt else ''}]"
        for a in event.attachments
    ]
    if event.quoted and not event.text and not described:
        described = [f"[forwarded from {clean_name(event.quoted.author)}]"]
    return "\n".join(part for part in (event.text, *described) if part)


def _from_a_user(turns: Sequence[Turn]) -> Sequence[Turn]:
    """`turns` from the first that a person said on: an answer without its question is confusing,
    and chat templates want a user's message first."""
    for index, turn in enumerate(turns):
        if turn.role is Role.USER:
            return turns[index:]
    return ()
