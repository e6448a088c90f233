"""From what is said to the messages that leave. Pure, but for the nonces."""

import secrets
from dataclasses import replace

from hobnob import commands, text
from hobnob.events import Event, Reply
from hobnob.ports import Limits


def to(event: Event, said: str, limits: Limits) -> tuple[Reply, ...]:
    """The answer to `event`, in parts that the platform takes."""
    private = commands.is_private(event)
    return tuple(
        replace(empty(event), text=part, private=private) for part in parts(event, said, limits)
    )


def parts(event: Event, said: str, limits: Limits) -> list[str]:
    """`said`, cut so that each part has room for the mention, and for the warning, of which the
    adapter shortens one that is very long."""
    mention = limits.length(f"{event.author.handle} ") if event.author.handle else 0
    warning = min(limits.length(event.warning), limits.max_length // 4)
    return text.split(said, limits, reserve=mention + warning)


def empty(event: Event) -> Reply:
    """An answer to `event` without its text: no more public than what it answers."""
    return Reply(
        key=event.key,
        text="",
        nonce=secrets.token_hex(10),
        in_reply_to=event.message,
        mention=event.author.handle,
        visibility=event.visibility,
        warning=event.warning,
    )
