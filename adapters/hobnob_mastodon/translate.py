"""From what Mastodon tells to events. Pure; nothing of Mastodon's own goes further.

A conversation is one person and one class of visibility: what was said privately is never in the
memory that a public answer is written from. https://docs.joinmastodon.org/entities/Notification/
"""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Visibility
from hobnob_mastodon.markup import clean, to_text

PLATFORM = "mastodon"
_VISIBILITIES = {
    "public": Visibility.PUBLIC,
    "unlisted": Visibility.UNLISTED,
    "private": Visibility.FOLLOWERS,
    "direct": Visibility.DIRECT,
}
_THREADS = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "public",
    Visibility.FOLLOWERS: "followers",
    Visibility.DIRECT: "direct",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Our own account."""

    id: str
    acct: str
    """The name on our own server, without the @."""
    url: str
    """Its page, which is what a mention of us links to."""

    @classmethod
    def of(cls, account: Mapping[str, Any]) -> "Me":
        return cls(id=f"{account['id']}", acct=f"{account['acct']}", url=f"{account.get('url')}")


def to_event(notification: Mapping[str, Any], me: Me) -> Event | None:
    """The message that a notification of a mention carries; None for every other notification."""
    if notification.get("type") != "mention" or not notification.get("status"):
        return None
    return _event(notification["status"], me, Kind.MESSAGE, f"n{notification['id']}", "created_at")


def to_edit(status: Mapping[str, Any], me: Me) -> Event | None:
    """The edit that a changed status is; None if it doesn't mention us."""
    if not status.get("edited_at") or me.id not in _mentioned(status):
        return None
    edited = _time(status["edited_at"]).isoformat()
    return _event(status, me, Kind.EDIT, f"e{status['id']}-{edited}", "edited_at")


def to_deletion(message: str, key: ConversationKey, author: Author, at: datetime) -> Event:
    """The deletion of a message, of which Mastodon tells nothing but the id."""
    return Event(id=f"d{message}", kind=Kind.DELETE, key=key, author=author, at=at, message=message)


def _event(status: Mapping[str, Any], me: Me, kind: Kind, event_id: str, time: str) -> Event:
    account: Mapping[str, Any] = status["account"]
    # Anything that we do not know (a fork's own idea) is treated as the most private.
    visibility = _VISIBILITIES.get(f"{status.get('visibility')}", Visibility.DIRECT)
    author = f"{account['id']}"
    return Event(
        id=event_id,
        kind=kind,
        key=ConversationKey(
            platform=PLATFORM, account=me.id, room=author, thread=_THREADS[visibility]
        ),
        author=Author(
            id=author,
            name=clean(account.get("display_name")).strip() or clean(account["acct"]),
            is_bot=bool(account.get("bot")),
            handle=f"@{clean(account['acct'])}",
        ),
        at=_time(status.get(time)),
        message=f"{status['id']}",
        text=_text(status, me),
        addressed=_addressed(status, me, visibility),
        reply_to=f"{status['in_reply_to_id']}" if status.get("in_reply_to_id") else None,
        attachments=tuple(_attachment(media) for media in status.get("media_attachments") or ()),
        visibility=visibility,
        warning=clean(status.get("spoiler_text")).strip(),
    )


def _mentioned(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Who is mentioned, by account id."""
    return {f"{mention.get('id')}": mention for mention in status.get("mentions") or ()}


def _text(status: Mapping[str, Any], me: Me) -> str:
    """What it says, without the mention of us at its beginning."""
    mentions = {
        f"{mention.get('url')}": f"@{clean(mention.get('acct'))}"
        for mention in _mentioned(status).values()
    }
    text = to_text(f"{status.get('content') or ''}", mentions)
    beginning = re.match(r"(?:@[\w.@-]+[,:]?(?:\s+|$))*", text)
    end = beginning.end() if beginning else 0
    name = f"@{me.acct}".casefold()
    ours = (name, f"{name}@{urlsplit(me.url).hostname}")
    others = [word for word in text[:end].split() if word.rstrip(",:").casefold() not in ours]
    return " ".join([*others, text[end:]]).strip()


def _addressed(status: Mapping[str, Any], me: Me, visibility: Visibility) -> Addressed:
    if visibility is Visibility.DIRECT:
        return Addressed.DIRECT
    answered = f"{status.get('in_reply_to_account_id')}"
    return Addressed.REPLY if answered == me.id else Addressed.MENTION


def _attachment(media: Mapping[str, Any]) -> Attachment:
    url = clean(media.get("url") or media.get("remote_url"))
    guessed, _ = mimetypes.guess_type(url.partition("?")[0].rpartition("/")[2])
    return Attachment(
        media_type=guessed or clean(media.get("type")) or "unknown",
        alt=clean(media.get("description")).strip(),
        url=url,
    )


def _time(value: object) -> datetime:
    """A time of Mastodon's, which its library hands out as it came or as a datetime. What can't
    be read happened now, as far as anybody can tell."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        return datetime.now(UTC)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
