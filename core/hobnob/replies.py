"""From what is said to the messages that leave. Pure, but for the nonces."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hobnob import media, text
from hobnob.conversation import ConversationKey
from hobnob.events import Button, Event, Media, Reply
from hobnob.jobs import Deed, Message
from hobnob.ports import Adapter, Limits

CAREFUL = Limits(max_length=500, media=media.MOST)
"""What any platform takes of a text: for one that is not connected now. Its files it will judge
itself."""


def limits_of(adapters: Mapping[str, Adapter], key: ConversationKey) -> Limits:
    """What the platform of a conversation takes."""
    adapter = adapters.get(key.platform)
    return adapter.limits if adapter else CAREFUL


def to(event: Event, deed: Deed, limits: Limits) -> tuple[Reply, ...]:
    """The answer to `event`, in parts that the platform takes."""
    whole = replace(empty(event), private=deed.private, about=deed.about)
    return _cut(whole, deed.said, deed.buttons, limits)


def elsewhere(message: Message, limits: Limits) -> tuple[Reply, ...]:
    """`message`, in parts that the platform takes."""
    whole = Reply(
        key=message.key,
        text="",
        nonce="",
        in_reply_to=message.in_reply_to,
        mention=message.mention,
        visibility=message.visibility,
        warning=message.warning,
        about=message.about,
    )
    made = _cut(whole, message.text, message.buttons, limits)
    return _with(message.media, made, whole, limits) if message.media else made


def parts(event: Event, said: str, limits: Limits) -> list[str]:
    """`said` in answer to `event`, cut so that each part has room for mention and warning."""
    return _parts(empty(event), said, limits)


def empty(event: Event) -> Reply:
    """An answer to `event` without its text: no more public than what it answers."""
    return Reply(
        key=event.key,
        text="",
        nonce=secrets.token_hex(10),
        in_reply_to=event.message or event.reply_to or "",
        mention=event.author.handle,
        visibility=event.visibility,
        warning=event.warning,
    )


def _cut(whole: Reply, said: str, buttons: Sequence[Button], limits: Limits) -> tuple[Reply, ...]:
    """The last part has the buttons; without any on the platform, the text names the commands."""
    if buttons and not limits.buttons:
        lines = [f"{button.command} ({button.label})" for button in buttons]
        said, buttons = "\n".join([said, "", *lines]), ()
    made = [
        replace(whole, text=part, nonce=secrets.token_hex(10))
        for part in _parts(whole, said, limits)
    ]
    if made and buttons:
        made[-1] = replace(made[-1], buttons=tuple(buttons))
    return tuple(made)


def _with(
    files: tuple[Media, ...], made: tuple[Reply, ...], whole: Reply, limits: Limits
) -> tuple[Reply, ...]:
    """The first part has the files; where its text is too long to stand beside them, or it has
    buttons, which files have not everywhere, they go ahead of it as a message of their own."""
    most = limits.media.longest_text
    for first in made[:1]:
        fits = most is None or limits.length(media.caption(first.text, files)) <= most
        if fits and not first.buttons:
            return (replace(first, media=files), *made[1:])
    return (replace(whole, media=files, nonce=secrets.token_hex(10)), *made)


def _parts(whole: Reply, said: str, limits: Limits) -> list[str]:
    """A warning that is very long is shortened by the adapter."""
    mention = limits.length(f"{whole.mention} ") if whole.mention else 0
    warning = min(limits.length(whole.warning), limits.max_length // 4)
    return text.split(said, limits, reserve=mention + warning)
