"""The load of the engine benchmark: people who talk with one persona, all at once.

Closed loop: a person says something, waits for the whole reply, and at once says the next thing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hobnob.events import ChatMessage, Sampling, Speaker

TURNS = 3
NEW_TOKENS = 48
GREEDY = Sampling(max_new_tokens=NEW_TOKENS, temperature=0.0, top_p=1.0)
ONE_TOKEN = Sampling(max_new_tokens=1, temperature=0.0, top_p=1.0)
PAIRS = 8
"""Second turns that are timed with and without something to reuse."""

NAMES = ("Alice", "Peter", "Maria", "David", "Frank", "Simon", "Emily", "Paul", "Jack", "Anna")
"""Each is one token, and the first of the persona: two personas share no prefix."""

PERSONA = """{name} is your name. You keep the small library of a harbour town, and in the evening \
you talk with the people who come in from the rain. You know every shelf by heart, you remember \
who borrowed what, and you love long stories with many details. You were a sailor once, and later \
a cook on a lighthouse ship, so that you know a tale about every coast, every storm and every soup.

When somebody asks you for a story, you tell it at length: where it happened, who was there, what \
the weather was like, what was said, and how it ended. When somebody asks you to explain \
something, you begin with an example from daily life, then you describe it step by step, and you \
never leave out a step because it seems easy. You write in full sentences and in plain words. You \
do not use lists, headings or emojis.

You are patient with children and honest with friends. If you do not know something, you say so, \
and then you tell what you do know about it. If somebody is very sad, you listen first, and only \
then you tell them something that may help. You do not give advice about medicine, money or law; \
for these you send people to somebody who has learned it.

The town has one street, a market on Saturdays, a ferry that is always late, and a lighthouse that \
can be seen from every window of the library. There is a cat, called Captain, who sleeps on the \
atlas. The kettle is always on. Nobody is in a hurry here, and neither are you."""

TOPICS = (
    "a whale that followed the ferry into the harbour",
    "the winter in which the sea froze over",
    "how bread is baked in a very small kitchen",
    "a letter that came forty years too late",
    "how a lighthouse keeper spends a stormy night",
    "two brothers who shared one boat",
    "how a clock with a pendulum keeps the time",
    "a garden that was planted on a ship",
    "the day on which the market was full of oranges",
    "how rain is made, from the sea to the roof",
    "a map with an island that nobody could find",
    "how a sail is mended far away from land",
    "an old radio that spoke only at night",
)
WISHES = (
    "Tell me a long story about {topic}, please.",
    "Explain to me in great detail, step by step, everything that you know about {topic}.",
    "I have the whole evening. Describe at length {topic}, with all the people who were there.",
    "My daughter can't sleep. Tell her slowly and with many details about {topic}.",
    "What do people in your town say about {topic}? Tell me all of it from the beginning.",
)


class Model(Protocol):
    """Whatever writes answers: `hobnob.ports.Engine` is more than this."""

    def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]: ...


@dataclass(kw_only=True)
class Told:
    """What came of a load."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    """Seconds to the first text of each reply."""
    replies: list[str] = field(default_factory=list)


def persona(number: int) -> ChatMessage:
    text = PERSONA.format(name=NAMES[number % len(NAMES)])
    return ChatMessage(role=Speaker.SYSTEM, content=text)


def wish(conversation: int, turn: int) -> ChatMessage:
    """What a person says: 15 to 40 tokens, and no two conversations begin alike."""
    number = conversation * TURNS + turn
    topic, words = TOPICS[number % len(TOPICS)], WISHES[number % len(WISHES)]
    greeting = f"I am guest {conversation + 1}. " if turn == 0 else ""
    return ChatMessage(role=Speaker.USER, content=greeting + words.format(topic=topic))


async def answer(
    model: Model, prompt: Sequence[ChatMessage], sampling: Sampling
) -> tuple[float, str]:
    """Seconds to the first text, and the whole reply."""
    began, wait, pieces = time.perf_counter(), 0.0, list[str]()
    async for piece in model.stream(prompt, sampling):
        wait = wait or time.perf_counter() - began
        pieces.append(piece)
    return wait, "".join(pieces)


async def warm_up(model: Model) -> None:
    """Two turns with another persona: the first answer pays for what is made only once."""
    prompt = [persona(1)]
    for turn in range(2):
        prompt.append(wish(0, turn))
        _, text = await answer(model, prompt, GREEDY)
        prompt.append(ChatMessage(role=Speaker.ASSISTANT, content=text))


async def everybody(model: Model, conversations: int) -> Told:
    """All conversations at once, beginning together."""
    told = Told()

    async def converse(number: int) -> None:
        prompt = [persona(0)]
        for turn in range(TURNS):
            prompt.append(wish(number, turn))
            wait, text = await answer(model, prompt, GREEDY)
            prompt.append(ChatMessage(role=Speaker.ASSISTANT, content=text))
            told.waits.append(wait)
            told.replies.append(text)

    began = time.perf_counter()
    await asyncio.gather(*(converse(number) for number in range(conversations)))
    told.seconds = time.perf_counter() - began
    return told


async def second_turns(model: Model) -> tuple[list[float], list[float]]:
    """Seconds to the first text of second turns, and of prompts of their length that share no
    prefix with anything before."""
    reused, anew = [], []
    for number in range(PAIRS):
        prompt = [persona(0), wish(number, 0)]
        _, text = await answer(model, prompt, GREEDY)
        prompt += [ChatMessage(role=Speaker.ASSISTANT, content=text), wish(number, 1)]
        reused.append((await answer(model, prompt, ONE_TOKEN))[0])
        prompt[0] = persona(2 + number)
        anew.append((await answer(model, prompt, ONE_TOKEN))[0])
    return reused, anew
