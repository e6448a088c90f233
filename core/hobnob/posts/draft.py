"""The model writes a post, in the persona's voice."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime

from hobnob import prompt
from hobnob.conversation import ConversationKey
from hobnob.errors import EngineError
from hobnob.events import Addressed, Author, Event, Kind, Memory
from hobnob.notes import Budget
from hobnob.persona import Persona
from hobnob.ports import Engine
from hobnob.posts.feed import Entry
from hobnob.posts.rule import Rule
from hobnob.store.posts import Post
from hobnob.text import one_line
from hobnob.thinking import without_thinking

LONGEST_BEFORE = 300
"""Characters of an earlier post that the model is shown, so that it does not write it again."""
LONGEST_ENTRY = 2000


def request(rule: Rule, post: Post, entry: Entry | None, before: Sequence[str], room: int) -> str:
    """What the model is asked for."""
    asked = [rule.prompt]
    if entry:
        words = one_line(f"{entry.title}. {entry.text}")[:LONGEST_ENTRY]
        asked.append(f"It is about this, which others wrote: “{words}”")
    if before:
        lines = [f"- {one_line(text)[:LONGEST_BEFORE]}" for text in before]
        asked.append("\n".join(["These were posted before; write something else:", *lines]))
    if post.text:
        asked.append(f"A draft that is to be written anew: “{one_line(post.text)}”")
    if post.wish:
        asked.append(f"What was wished for: {post.wish}")
    asked.append(f"Write the post itself and nothing else, at most {room} characters.")
    return "\n\n".join(asked)


async def write(
    engine: Engine, persona: Persona, key: ConversationKey, asked: str, at: datetime
) -> str:
    """Raises EngineError and EngineUnavailable."""
    event = Event(
        id="",
        kind=Kind.SCHEDULED,
        key=key,
        author=Author(id="owner", name="Owner"),
        at=at,
        message="",
        text=asked,
        addressed=Addressed.DIRECT,
    )
    sampling = persona.sampling
    room = min(engine.context_tokens - sampling.max_new_tokens, engine.prompt_tokens)
    budget = Budget(tokens=room, count=engine.count_tokens)
    messages = prompt.build(persona, Memory(), [event], budget)
    written = ""
    async with aclosing(without_thinking(engine.stream(messages, sampling))) as pieces:
        async for piece in pieces:
            written += piece
    if not written.strip():
        raise EngineError("the model wrote nothing")
    return written.strip()
