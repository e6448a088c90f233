"""The people of a Mastodon server in memory, what they say, and what its account, @bot, hears."""

import asyncio
import html
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

BOT = "bot"
_MENTION = re.compile(r"(?<![=/\w])@(\w+(?:@[\w.-]+\w)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A post of the bot's. `visibility` in Mastodon's words."""

    id: str
    text: str
    in_reply_to: str | None
    visibility: str
    warning: str
    alts: tuple[str, ...] = ()
    """Of its files."""


class MastodonTown:
    """Accounts, posts and notifications, as entities of the API."""

    def __init__(self, *, bot_flag: bool = True) -> None:
        self.streams: set[asyncio.Queue[bytes | None]] = set()
        self.statuses: dict[str, dict[str, Any]] = {}
        self.notifications: list[dict[str, Any]] = []
        self._hidden: deque[dict[str, Any]] = deque()
        self._accounts: dict[str, dict[str, Any]] = {}
        self._ids = iter(range(1000, 10**9))
        self.account(BOT, bot_flag)

    @property
    def replies(self) -> list[Posted]:
        """What the bot has posted and not deleted, oldest first, as it is now."""
        return [
            Posted(
                id=status["id"],
                text=status["_source"],
                in_reply_to=status["in_reply_to_id"],
                visibility=status["visibility"],
                warning=status["spoiler_text"],
                alts=tuple(file["description"] for file in status["media_attachments"]),
            )
            for status in self.statuses.values()
            if status["account"]["acct"] == BOT
        ]

    # ------------------------------------------------------------------------ what people do

    def say(
        self,
        author: str,
        text: str,
        *,
        visibility: str = "public",
        warning: str = "",
        in_reply_to: str | None = None,
        attachments: tuple[Mapping[str, Any], ...] = (),
        quote: str = "",
        bot: bool = False,
        to_bot: bool = True,
        hidden: bool = False,
    ) -> str:
        """Somebody ("ann" is local, "ann@other.example" is not) says something to the bot; returns
        the id of the status. "@bot " is put in front unless it stands in the text. `hidden`:
        neither list nor stream know of it until `reveal`, as while its transaction is open."""
        text = text if f"@{BOT}" in text or not to_bot else f"@{BOT} {text}"
        status = self.new_status(self.account(author, bot), text, visibility, warning, in_reply_to)
        status["media_attachments"] = list(attachments)
        if quote:
            status["quote"] = {"state": "accepted", "quoted_status": self.statuses[quote]}
        if to_bot:
            notification = self._notification("mention", status["account"], status)
            if hidden:
                self._hidden.append(notification)
            else:
                self.notify(notification)
        return str(status["id"])

    def reveal(self) -> None:
        while self._hidden:
            self.notify(self._hidden.popleft())

    def edit(self, status_id: str, text: str) -> None:
        """As the followed see it: the stream tells."""
        text = text if f"@{BOT}" in text else f"@{BOT} {text}"
        self.push("status.update", self.change_status(status_id, text))

    def delete(self, status_id: str) -> None:
        del self.statuses[status_id]
        self.notifications = [
            n for n in self.notifications if n.get("status", {}).get("id") != status_id
        ]
        self.push("delete", status_id)

    def favourite(self, author: str, status_id: str) -> None:
        self._about("favourite", author, status_id)

    def boost(self, author: str, status_id: str) -> None:
        self._about("reblog", author, status_id)

    def notify_again(self, status_id: str) -> None:
        """Once more of the same mention: the same notification in the stream, and a new one."""
        first = next(
            n
            for n in self.notifications
            if n["type"] == "mention" and n["status"]["id"] == status_id
        )
        self.push("notification", first)
        self.notify(first | {"id": self.next_id()})

    def notify_other(self, kind: str, author: str, status_id: str) -> None:
        """Of a kind that is neither a mention nor a favourite: "quote", "update" ..."""
        self._about(kind, author, status_id)

    def backdate(self, status_id: str, by: timedelta) -> None:
        """Make a post that much older than it is."""
        status = self.statuses[status_id]
        status["created_at"] = (datetime.fromisoformat(status["created_at"]) - by).isoformat()

    # ------------------------------------------------------------------------------ entities

    def new_status(
        self,
        account: Mapping[str, Any],
        text: str,
        visibility: str,
        warning: str,
        in_reply_to: Any,
    ) -> dict[str, Any]:
        answered = self.statuses.get(in_reply_to or "")
        status = {
            "id": self.next_id(),
            "created_at": now(),
            "edited_at": None,
            "account": account,
            "content": self._html(text),
            "visibility": visibility,
            "spoiler_text": warning,
            "in_reply_to_id": in_reply_to,
            "in_reply_to_account_id": answered["account"]["id"] if answered else None,
            "media_attachments": [],
            "mentions": self._mentions(text),
            "_source": text,
        }
        self.statuses[status["id"]] = status
        return status

    def change_status(self, status_id: str, text: str) -> dict[str, Any]:
        changed = {"content": self._html(text), "mentions": self._mentions(text)}
        self.statuses[status_id] |= {**changed, "edited_at": now(), "_source": text}
        return self.statuses[status_id]

    def account(self, acct: str, bot: bool = False) -> dict[str, Any]:
        if acct not in self._accounts:
            username, _, domain = acct.partition("@")
            self._accounts[acct] = {
                "id": self.next_id(),
                "username": username,
                "acct": acct,
                "url": f"https://{domain or 'fake.example'}/@{username}",
                "display_name": username.capitalize(),
                "bot": bot,
            }
        return self._accounts[acct]

    def next_id(self) -> str:
        return str(next(self._ids))

    def notify(self, notification: dict[str, Any]) -> None:
        self.notifications.append(notification)
        self.push("notification", notification)

    def push(self, event: str, payload: Any) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        for stream in self.streams:
            stream.put_nowait(f"event: {event}\ndata: {data}\n\n".encode())

    def _about(self, kind: str, author: str, status_id: str) -> None:
        status = self.statuses[status_id]
        self.notify(self._notification(kind, self.account(author), status))

    def _notification(
        self, kind: str, account: Mapping[str, Any], status: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "id": self.next_id(),
            "type": kind,
            "created_at": now(),
            "account": account,
            "status": status,
        }

    def _mentions(self, text: str) -> list[dict[str, Any]]:
        return [self.account(name) for name in dict.fromkeys(_MENTION.findall(text))]

    def _html(self, text: str) -> str:
        def link(match: re.Match[str]) -> str:
            account = self.account(match[1])
            return (
                f'<span class="h-card"><a href="{account["url"]}" class="u-url mention">'
                f"@<span>{account['username']}</span></a></span>"
            )

        paragraphs = _MENTION.sub(link, html.escape(text)).split("\n\n")
        return "".join(f"<p>{p}</p>" for p in paragraphs).replace("\n", "<br>")


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
