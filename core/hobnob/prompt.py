"""The prompt: persona, memory and the new turn, under a budget of tokens. Pure.

The stable text comes first and a message that stays is rendered byte for byte the same from turn
to turn, so that an engine can reuse the work done for an equal beginning.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

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
from hobnob.persona import Persona
from hobnob.text import clean_name, one_speaker

CountTokens = Callable[[Sequence[ChatMessage]], int]

CUT = "\n[... cut: the message goes on for too long ...]"
STEP = 8
"""Old turns leave the window this many at a time: while none leaves, the beginning stays equal."""

LONGEST_TOKEN = 16
"""Characters that one token hardly ever stands for more of."""


def build(
    persona: Persona,
    memory: Memory,
    batch: Sequence[Event],
    *,
    budget: int,
    count_tokens: CountTokens,
) -> tuple[ChatMessage, ...]:
    """The messages for the engine, of at most `budget` tokens as `count_tokens` counts them.

    Users' and the persona's messages alternate, as many chat templates demand. In a room every
    line of a person begins with their name; in a direct conversation nothing does. What doesn't
    fit leaves from the oldest turn on; a new message that is too long by itself is cut at its end.
    """
    direct = batch[-1].addressed is Addressed.DIRECT
    longest = budget * LONGEST_TOKEN
    new = tuple(_shortened(_turn(event), longest) for event in batch)
    past = tuple(_shortened(turn, longest) for turn in memory.turns)
    stable = (ChatMessage(role=Speaker.SYSTEM, content=system_text(persona)), *_examples(persona))

    def render(turns: Sequence[Turn]) -> tuple[ChatMessage, ...]:
        return (*stable, *_dialogue(turns, persona, direct))

    def fits(start: int) -> bool:
        return count_tokens(render([*_from_a_user(past[start:]), *new])) <= budget

    starts = range(0, len(past) + STEP, STEP)
    best = bisect_left(starts, True, key=fits)  # fewer old turns never take more tokens
    if best < len(starts):
        return render([*_from_a_user(past[starts[best] :]), *new])
    return _cut_to_fit(render, new[-1], budget, count_tokens)


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


def _dialogue(turns: Sequence[Turn], persona: Persona, direct: bool) -> list[ChatMessage]:
    labels = {} if direct else _labels(turns, persona.name)
    messages: list[ChatMessage] = []
    for role, group in groupby(turns, key=lambda turn: turn.role):
        if role is Role.ASSISTANT:
            text = "\n\n".join(turn.text for turn in group)
            messages.append(ChatMessage(role=Speaker.ASSISTANT, content=text))
        else:
            lines = (
                turn.text if direct else f"{labels[turn.author.id]}: {one_speaker(turn.text)}"
                for turn in group
            )
            messages.append(ChatMessage(role=Speaker.USER, content="\n".join(lines)))
    return messages


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


def _turn(event: Event) -> Turn:
    return Turn(
        role=Role.USER,
        author=event.author,
        text=said(event),
        at=event.at,
        message=event.message,
    )


def said(event: Event) -> str:
    """The text of an event, with what is attached described in words."""
    described = [
        f"[attached {a.media_type}{f' {a.name}' if a.name else ''}{f': {a.alt}' if a.alt else ''}]"
        for a in event.attachments
    ]
    return "\n".join(part for part in (event.text, *described) if part)


def _from_a_user(turns: Sequence[Turn]) -> Sequence[Turn]:
    """`turns` from the first that a person said on: an answer without its question is confusing,
    and chat templates want a user's message first."""
    for index, turn in enumerate(turns):
        if turn.role is Role.USER:
            return turns[index:]
    return ()


def _shortened(turn: Turn, longest: int) -> Turn:
    """`turn`, without what could not fit anyway: a megabyte need not be counted in tokens."""
    return turn if len(turn.text) <= longest else replace(turn, text=turn.text[:longest] + CUT)


def _cut_to_fit(
    render: Callable[[Sequence[Turn]], tuple[ChatMessage, ...]],
    turn: Turn,
    budget: int,
    count_tokens: CountTokens,
) -> tuple[ChatMessage, ...]:
    """The newest message alone, with as much of its beginning as fits."""

    def overflows(length: int) -> bool:
        cut = replace(turn, text=turn.text[:length] + CUT)
        return count_tokens(render([cut])) > budget

    length = bisect_left(range(len(turn.text)), True, key=overflows)
    return render([replace(turn, text=turn.text[: max(0, length - 1)] + CUT)])
