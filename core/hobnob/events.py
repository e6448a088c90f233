"""What happened and what is said back: the values that cross every boundary.

All are frozen, keyword-only records; a change is a changed copy (`dataclasses.replace`). All times
are aware. Nothing of a platform's own payload is in here. Knows nothing but the standard library.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hobnob.conversation import ConversationKey


class Kind(StrEnum):
    """What an event is."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    COMMAND = "command"
    JOIN = "join"
    REACTION = "reaction"
    SCHEDULED = "scheduled"


class Addressed(StrEnum):
    """How a message speaks to us."""

    DIRECT = "direct"  # a conversation between one person and us
    MENTION = "mention"
    REPLY = "reply"  # it answers a message of ours
    NONE = "none"


class Visibility(StrEnum):
    """Who may see a post, where the post decides and not the room. Most open first."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who acted. Only `id` tells people apart; a name can be changed to anybody's."""

    id: str
    name: str
    is_bot: bool = False
    handle: str = ""
    """How they are mentioned in a text of the platform's ("@ann@example.social", "<@501>"), and so
    how they are reached without a message of theirs; "" for whom nobody can reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message: fetched only for a model that sees (`Adapter.fetch`)."""

    media_type: str
    name: str = ""
    alt: str = ""
    url: str = ""
    """Where everybody may fetch it; "" where only the platform's library can."""
    id: str = ""
    """What the adapter fetches it by."""
    size: int = 0
    """Bytes; 0 where the platform does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture for a model that sees: never kept, in no log."""

    media_type: str
    """What its bytes say that it is: "image/png", "image/jpeg", "image/gif" or "image/webp"."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file of the bot's own folder that leaves with a message."""

    file: str
    """Its path within the folder, with "/"."""
    media_type: str
    """What its bytes say that it is."""
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of its bytes, in hex: what was decided about is what leaves."""
    alt: str
    """What it shows, for whoever does not see it."""
    data: bytes = field(default=b"", repr=False)
    """Its bytes, on the way to an adapter; they are stored nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a message refers to: what it replies to, quotes or forwards."""

    author: str
    """A display name; "" where nobody knows."""
    text: str
    """Plain Markdown, as much of it as the platform gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on a platform: the only thing that an adapter hands in.

    `id` is unique within (key.platform, key.account) and the same whenever the platform tells of
    this happening again. `message` is the platform's id of the message that the event carries
    (message, command) or is about (edit, delete, reaction), unique within the conversation.
    `text` is plain Markdown; of an edit, the whole new text; of a reaction, the emoji, or "" where
    it was taken back.
    """

    id: str
    kind: Kind
    key: ConversationKey
    author: Author
    at: datetime
    message: str
    text: str = ""
    addressed: Addressed = Addressed.NONE
    reply_to: str | None = None
    """The id of the message that this one answers."""
    quoted: Quote | None = None
    """What it refers to, where the platform tells. It is read with the message and not kept: it
    is somebody else's, who may take it back."""
    attachments: tuple[Attachment, ...] = ()
    visibility: Visibility | None = None
    """None where the room decides who may see."""
    warning: str = ""
    """The content warning it carries, which an answer inherits."""


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is remembered: one message, said by a person or by us."""

    role: Role = field(hash=False)  # hashed quickly: the rest tells nearly all turns apart
    author: Author = field(hash=False)
    text: str
    at: datetime
    message: str = ""
    """The platform's id of the message; "" for a turn of ours, whose parts the outbox knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is known of a person, with its receipt."""

    number: int
    """The person's own number for it."""
    kind: str
    text: str
    at: datetime
    """When it was said."""
    confidence: float = 1.0
    ended: datetime | None = None
    """Since when it is no longer so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What was said long ago and matters now."""

    passages: tuple[tuple[Turn, ...], ...] = ()
    """The one that matters most comes first; each is what was said in a row, oldest first."""
    missing: bool = False
    """It was asked for, and there is no memory of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A snapshot of what is known, put together for one turn."""

    turns: tuple[Turn, ...] = ()
    """The recent window, oldest first."""
    complete: bool = True
    """Nothing was said before the window."""
    summary: str = ""
    """Of what was said before the window."""
    facts: tuple[Fact, ...] = ()
    """What is true of the person who is answered, oldest first."""
    recalled: Recalled = Recalled()
    incognito: bool = False
    """What is said now is not remembered."""
    language: str = ""
    """To answer in, in English; "": that of whoever speaks."""
    images: tuple[Image, ...] = ()
    """The pictures of the new message, for a model that sees. Of earlier ones there are words."""
    pages: tuple[Quote, ...] = ()
    """What the new message links to, by the site's name; without text where it was not readable."""
    brief: str = ""
    """What the bot's jobs say that the model should know for this answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press under a message of ours. Whoever presses it has used the command: the
    adapter hands in an event of kind `command` with them as author, the command as text, and the
    message under which it stands as `reply_to`."""

    label: str
    """At most 40 characters."""
    command: str
    """What they would have typed, as in "/approve 12": at most 60 ASCII characters, which is what
    every platform carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What leaves: one message for an adapter to send, short enough for the platform's limit.
    There is a text, or there are files.

    With `replaces`, a message of ours gets this text instead of what it has; where the text is
    empty too, it is deleted. Both may be done twice: the adapter looks for no earlier attempt. A
    change that the platform refuses is SendRefused: the text then comes as a message of its own.

    `nonce` (20 ASCII characters) is this reply's own and stays the same over every attempt.
    `attempted` is when an attempt began whose outcome is unknown; None where there was none.
    """

    key: ConversationKey
    text: str
    nonce: str
    in_reply_to: str = ""
    """The id of the message answered; "" where nothing is."""
    follows: str = ""
    """The id of the part sent before this one, where a long answer was split."""
    mention: str = ""
    """The handle of the person answered."""
    visibility: Visibility | None = None
    warning: str = ""
    attempted: datetime | None = None
    replaces: str = ""
    """The id of the message of ours that this one takes the place of."""
    private: bool = False
    """For the one who is answered alone. In a room it is shown to nobody else: where the platform
    can't do that it goes to them in private, and where that is refused the room is told that there
    is something for them (`notices.for_one`), and never what."""
    buttons: tuple[Button, ...] = ()
    """Where the platform has them (`Limits.buttons`); elsewhere the text names the commands."""
    about: str = ""
    """What it is about, by whatever name the job that says it has for that; of no interest to a
    platform."""
    media: tuple[Media, ...] = ()
    """Files, with their bytes when an adapter is given them. The adapter refuses what the platform
    does not take (`hobnob.media.check`): a message never leaves without its files."""


class Speaker(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may have done while it answers."""

    name: str
    """1 to 64 letters, digits, _ and - of ASCII."""
    description: str
    parameters: str
    """The JSON schema of an object, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What a model wants done, as it wrote that: nothing in here has been checked."""

    id: str
    name: str
    arguments: str
    """JSON, if the model knows how to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a prompt, in the shape that chat templates take."""

    role: Speaker
    content: str
    images: tuple[Image, ...] = ()
    """Shown before the text; `content` has words for them all the same."""
    calls: tuple[ToolCall, ...] = ()
    """Of the assistant's message: what it wants done. Of a tool's: the one call it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an engine picks tokens. temperature 0 is greedy."""

    max_new_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 0.9
    repetition_penalty: float = 1.0
    """Above 1, tokens of the prompt and of the answer so far become less likely (Keskar et al.,
    2019, arXiv:1909.05858)."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer and are not part of it."""
    schema: str = ""
    """A JSON schema as text: the answer is JSON of this shape. "": any text."""
