"""From a browser's frames to our events, and from our replies to frames. Pure.

A frame is one JSON object in one text message of the WebSocket. docs/how-to/connect-your-site.md
lists them.
"""

import base64
import hashlib
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Event, Kind, Media, Reply
from hobnob.ports import MediaLimits

PLATFORM, ACCOUNT = "web", "site"
LONGEST = 4000
"""Characters of a message, theirs or ours."""
MEDIA = MediaLimits(most=4, largest={"image/": 500_000})
"""Browsers keep 5 MB for a site, as text."""

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,40}$")]
"""Made by the browser: a frame that comes again has the same."""
Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Frame(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Hello(Frame):
    """The first frame: who this browser is."""

    type: Literal["hello"]
    visitor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", repr=False)]
    """The secret that the browser keeps: 32 random bytes. Whoever shows it is that visitor."""

    @property
    def room(self) -> str:
        """What we call the visitor: the secret itself is neither stored nor logged."""
        return hashlib.sha256(self.visitor.encode()).hexdigest()[:32]


class Got(Frame):
    """What came under this number is kept by the browser."""

    type: Literal["got"]
    number: int


class Say(Frame):
    type: Literal["say"]
    id: Id
    text: Text


class Edit(Frame):
    type: Literal["edit"]
    id: Id
    message: Id
    text: Text


class Delete(Frame):
    type: Literal["delete"]
    id: Id
    message: Id


class Press(Frame):
    """A button under a message of ours."""

    type: Literal["press"]
    id: Id
    message: Id
    command: Annotated[str, Field(pattern=r"^/[ -~]{1,59}$")]


Said = Say | Edit | Delete | Press
_FRAME: TypeAdapter[Hello | Got | Said] = TypeAdapter(
    Annotated[Hello | Got | Said, Field(discriminator="type")]
)


class BadFrame(Exception):
    """What came is no frame. The message may be told to whoever sent it."""


def read(data: str) -> Hello | Got | Said:
    """Raises BadFrame."""
    try:
        return _FRAME.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        raise BadFrame(f"{where or 'frame'}: {first['msg']}"[:120]) from None


def to_event(frame: Said, room: str, now: datetime) -> Event:
    """What a visitor did. A frame that comes again makes an event with the same id."""
    kind, message, text, reply_to = Kind.MESSAGE, frame.id, "", None
    match frame:
        case Say():
            text = _clean(frame.text)
            kind = Kind.COMMAND if text.startswith("/") else Kind.MESSAGE
        case Edit():
            kind, message, text = Kind.EDIT, frame.message, _clean(frame.text)
        case Delete():
            kind, message = Kind.DELETE, frame.message
        case Press():
            kind, text, reply_to = Kind.COMMAND, frame.command, frame.message
    return Event(
        id=f"{room}-{frame.id}",
        kind=kind,
        key=ConversationKey(platform=PLATFORM, account=ACCOUNT, room=room),
        author=Author(id=room, name="Visitor"),
        at=now,
        message=message,
        text=text,
        addressed=Addressed.DIRECT,
        reply_to=reply_to,
    )


def shown_as(reply: Reply) -> str:
    """The id of the message that people see."""
    return reply.replaces or reply.nonce


def to_frame(reply: Reply) -> dict[str, Any]:
    """A message as it is now, or that it is gone."""
    if not reply.text and not reply.media:
        return {"type": "gone", "id": shown_as(reply)}
    return {
        "type": "message",
        "id": shown_as(reply),
        "text": reply.text,
        "buttons": [{"label": b.label, "command": b.command} for b in reply.buttons],
        "media": [{"alt": file.alt, "src": _data_url(file)} for file in reply.media],
    }


def _data_url(file: Media) -> str:
    """The whole picture: the browser keeps it, so that we need not serve it."""
    return f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"


def _clean(text: str) -> str:
    """Without control characters, which mean nothing in a message."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
