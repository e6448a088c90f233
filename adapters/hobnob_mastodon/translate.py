"""From what Mastodon tells to events. Pure; nothing of Mastodon's own goes further.

A conversation is one person and one class of visibility: what was said privately is never in the
memory that a public answer is written from. https://docs.joinmastodon.org/entities/Notification/
"""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Quote, Visibility
from hobnob.ports import Command
from hobnob_mastodon.markup import clean, to_text

PLATFORM = "mastodon"
TYPES = ("mention", "favourite")
"""The notifications that are events. Boosts, edits and quotes of posts are none: whoever speaks to
us in one mentions us."""
STAR = "⭐"
_LONGEST_QUOTE = 2000
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


def to_event(
    notification: Mapping[str, Any], me: Me, commands: Sequence[Command] = ()
) -> Event | None:
    """The message that a notification of a mention carries, or the reaction that a favourite is;
    None for every other notification."""
    status = notification.get("status")
    if not status or notification.get("type") not in TYPES:
        return None
    if notification["type"] == "favourite":
        return _reaction(notification, me)
    # By the message, not by the notification: a server may notify of one twice.
    event = _event(status, me, Kind.MESSAGE, f"m{status['id']}", "created_at")
    command = _command(event.text, commands)
    return replace(event, kind=Kind.COMMAND, text=command) if command else event


def to_edit(status: Mapping[str, Any], me: Me) -> Event | None:
    """The edit that a changed status is; None if it doesn't mention us."""
    if not status.get("edited_at") or me.id not in _mentioned(status):
        return None
    edited = _time(status["edited_at"]).isoformat()
    return _event(status, me, Kind.EDIT, f"e{status['id']}-{edited}", "edited_at")


def to_deletion(message: str, key: ConversationKey, author: Author, at: datetime) -> Event:
    """The deletion of a message, of which Mastodon tells nothing but the id."""
    return Event(id=f"d{message}", kind=Kind.DELETE, key=key, author=author, at=at, message=message)


def to_quote(status: Mapping[str, Any], me: Me, event: Event) -> Quote | None:
    """What a post that `event` refers to says. None if it is our own, which the conversation has,
    or if fewer people may see it than the event: what it says must not come out in the answer."""
    account = status.get("account")
    if not isinstance(account, Mapping):
        return None
    told = event.visibility or Visibility.PUBLIC
    if f"{account['id']}" == me.id or _privacy(_visibility(status)) > _privacy(told):
        return None
    text = _text(status, me)[:_LONGEST_QUOTE].strip()
    return Quote(author=_author(account).name, text=text) if text else None


def _reaction(notification: Mapping[str, Any], me: Me) -> Event:
    """It belongs where the post of ours was said: to the one whom it mentions."""
    status, author = notification["status"], _author(notification["account"])
    person = next((person for person in _mentioned(status) if person != me.id), author.id)
    return Event(
        id=f"f{status['id']}-{author.id}",
        kind=Kind.REACTION,
        key=_key(me, person, _visibility(status)),
        author=author,
        at=_time(notification.get("created_at")),
        message=f"{status['id']}",
        text=STAR,
    )


def _event(status: Mapping[str, Any], me: Me, kind: Kind, event_id: str, time: str) -> Event:
    visibility = _visibility(status)
    author = _author(status["account"])
    event = Event(
        id=event_id,
        kind=kind,
        key=_key(me, author.id, visibility),
        author=author,
        at=_time(status.get(time)),
        message=f"{status['id']}",
        text=_text(status, me),
        addressed=_addressed(status, me, visibility),
        reply_to=f"{status['in_reply_to_id']}" if status.get("in_reply_to_id") else None,
        attachments=tuple(_attachment(media) for media in status.get("media_attachments") or ()),
        visibility=visibility,
        warning=clean(status.get("spoiler_text")).strip(),
    )
    quote = status.get("quote")
    quoted = quote.get("quoted_status") if isinstance(quote, Mapping) else None
    if not isinstance(quoted, Mapping):
        return event
    return replace(event, quoted=to_quote(quoted, me, event))


def _author(account: Mapping[str, Any]) -> Author:
    return Author(
        id=f"{account['id']}",
        name=clean(account.get("display_name")).strip() or clean(account["acct"]),
        is_bot=bool(account.get("bot")),
        handle=f"@{clean(account['acct'])}",
    )


def _key(me: Me, person: str, visibility: Visibility) -> ConversationKey:
    return ConversationKey(
        platform=PLATFORM, account=me.id, room=person, thread=_THREADS[visibility]
    )


def _visibility(status: Mapping[str, Any]) -> Visibility:
    """Anything that we do not know (a fork's own idea) is treated as the most private."""
    return _VISIBILITIES.get(f"{status.get('visibility')}", Visibility.DIRECT)


def _privacy(visibility: Visibility) -> int:
    return list(_THREADS.values()).index(_THREADS[visibility])


def _command(text: str, commands: Sequence[Command]) -> str:
    """The command that a text is, written "/forget everything"; "" if it is none. Without the slash
    the words must be nothing but the command: somebody may well begin with "help"."""
    name, *rest = text.strip().rstrip(".!").split() or [""]
    command = next((c for c in commands if c.name == name.removeprefix("/").casefold()), None)
    if command is None:
        return ""
    choices = {choice.casefold() for choice in command.choices}
    said = " ".join(rest)
    plain = not rest or said.casefold() in choices or _NUMBERED.fullmatch(said)
    return f"/{command.name} {said}".strip() if name.startswith("/") or plain else ""


_NUMBERED = re.compile(r"(?:why )?\d{1,6}", re.IGNORECASE)


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
    url, remote = clean(media.get("url")), clean(media.get("remote_url"))
    kind = clean(media.get("type")) or "unknown"
    return Attachment(
        media_type=_media_type(url) or _media_type(remote) or _KINDS.get(kind, kind),
        alt=clean(media.get("description")).strip(),
        # Where our own server has no copy, a stranger's would have to be asked.
        url=url if url != remote else "",
        id=f"{media.get('id') or ''}",
    )


_KINDS = {"image": "image/*", "gifv": "video/mp4", "video": "video/*", "audio": "audio/*"}


def _media_type(url: str) -> str | None:
    return mimetypes.guess_type(url.partition("?")[0].rpartition("/")[2])[0]


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
