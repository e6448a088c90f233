"""Mastodon (https://docs.joinmastodon.org/api/), and servers that speak its API."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from mastodon import Mastodon
from mastodon.errors import MastodonError, MastodonRatelimitError
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Event, Reply, Visibility
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_mastodon import check
from hobnob_mastodon.markup import length, to_post
from hobnob_mastodon.reader import Reader
from hobnob_mastodon.server import (
    DEFAULT_LENGTH,
    Server,
    library,
    most_characters,
    never_sent,
    reason,
    status_code,
)
from hobnob_mastodon.stream import Stream
from hobnob_mastodon.translate import PLATFORM, Me

KEY_LASTS = timedelta(minutes=55)
"""The server drops a second post with the same Idempotency-Key for an hour."""
RETRY_PAUSES = (1.0, 5.0, 20.0, 60.0)
"""Seconds before a send that may have arrived is repeated, which the key makes safe."""
UNREACHABLE_SECONDS = 30.0
LOOK_BACK = timedelta(minutes=10)
"""How far the server's clock may be behind ours."""

# A post with no visibility of its own (scheduled, or where the room decides) can be seen by
# everybody, but is not pushed into the public timelines.
_VISIBILITIES = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
    None: "unlisted",
}


class MastodonOptions(BaseModel):
    """`[platforms.mastodon]` of bot.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    """The server, like "https://example.social"."""
    access_token: SecretStr

    @field_validator("base_url")
    @classmethod
    def _a_server(cls, url: str) -> str:
        url = url if "://" in url else f"https://{url}"
        scheme, _, host = url.rstrip("/").partition("://")
        if scheme not in ("https", "http") or not host or set(host) & set("/@?# "):
            raise ValueError('must be the address of a server, like "https://example.social".')
        return f"{scheme}://{host}"

    @field_validator("access_token")
    @classmethod
    def _a_token(cls, token: SecretStr) -> SecretStr:
        value = token.get_secret_value()
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("must be an access token: one line of letters, digits, - and _.")
        return token


class MastodonAdapter:
    """One account. See `hobnob.ports.Adapter`."""

    Options = MastodonOptions
    name = PLATFORM

    def __init__(
        self, options: MastodonOptions, *, retry_pauses: Sequence[float] = RETRY_PAUSES
    ) -> None:
        self._options = options
        self._retry_pauses = retry_pauses
        self._connected = asyncio.Event()
        self._pulse = Pulse()
        self._server: Server
        self._me: Me
        self.limits = Limits(max_length=DEFAULT_LENGTH, length=length)

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        options = self._options
        async with Server(options.base_url, options.access_token) as server:
            self._me = Me.of(await server.insist(lambda api: api.account_verify_credentials()))
            self.limits = Limits(max_length=await most_characters(server), length=length)
            self._server = server
            self._connected.set()
            self._pulse.turned(State.CONNECTED)
            try:
                reader = Reader(server, receiver, self._me)
                await reader.open()
                async with Stream(library(options.base_url, options.access_token)) as stream:
                    await reader.read(stream)
            finally:
                self._connected.clear()

    async def send(self, reply: Reply) -> str:
        text = _compose(reply)
        if reply.attempted and datetime.now(UTC) - reply.attempted > KEY_LASTS:
            found = await self._posted(reply, text, reply.attempted)
            if found:
                return found
        doubtful = False
        for pause in (*self._retry_pauses, None):
            server = await self._when_connected()
            try:
                return await server.ask(lambda api: self._post(api, reply, text))
            except MastodonError as error:
                why = f"{server.base_url}: {reason(error)}"
                if 400 <= status_code(error) < 500:
                    raise SendRefused(why) from error
                if not doubtful and isinstance(error, MastodonRatelimitError):
                    raise SendLater(why, retry_after=server.seconds_to_reset()) from error
                if not doubtful and never_sent(error):
                    raise SendLater(why, retry_after=UNREACHABLE_SECONDS) from error
                doubtful = True
                if pause is None:
                    raise SendUnknown(
                        f"{why}. It may have the post all the same; look at the account's posts."
                    ) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        """Mastodon shows no typing, and an edit of a post notifies people: nothing is shown."""
        yield lambda text: None

    async def check(self) -> Sequence[Finding]:
        async with Server(self._options.base_url, self._options.access_token) as server:
            return [finding async for finding in check.examine(server)]

    def _post(self, api: Mastodon, reply: Reply, text: str) -> str:
        room = self.limits.max_length - Mastodon.get_status_length(text)
        status = api.status_post(
            text,
            in_reply_to_id=_answered(reply),
            visibility=_VISIBILITIES[reply.visibility],
            spoiler_text=_cut(reply.warning, room) or None,
            idempotency_key=reply.nonce,
        )
        return f"{status['id']}"

    async def _posted(self, reply: Reply, text: str, attempted: datetime) -> str | None:
        """The id of a post of ours with this text in the same place, from the attempt on."""
        server, since = await self._when_connected(), attempted - LOOK_BACK
        try:
            return await server.ask(lambda api: _find(api, self._me.id, reply, text, since))
        except MastodonError as error:
            why = f"{server.base_url}: {reason(error)}, when asked whether it has the post already"
            if 400 <= status_code(error) < 500:
                raise SendUnknown(f"{why}. Look at the account's posts.") from error
            raise SendLater(why, retry_after=UNREACHABLE_SECONDS) from error

    async def _when_connected(self) -> Server:
        await self._connected.wait()
        return self._server


def _compose(reply: Reply) -> str:
    """The text to post: to whoever asked, and mentioning nobody else."""
    text = to_post(reply.text, keep=reply.mention)
    if not reply.mention or text.split(maxsplit=1)[:1] == [reply.mention]:
        return text
    return f"{reply.mention} {text}"


def _answered(reply: Reply) -> str | None:
    return reply.follows or reply.in_reply_to or None


def _cut(warning: str, room: int) -> str:
    """A content warning counts against the limit like the text; a long one gives way to it."""
    return warning if len(warning) <= room else f"{warning[: max(0, room - 1)]}…"


def _find(api: Mastodon, account: str, reply: Reply, text: str, since: datetime) -> str | None:
    """The id of the account's post since then that says the same in answer to the same."""
    oldest = None
    while page := api.account_statuses(account, exclude_reblogs=True, max_id=oldest, limit=40):
        for status in page:
            if status["created_at"] < since:
                return None
            parent = status.get("in_reply_to_id")
            if (f"{parent}" if parent else None) != _answered(reply):
                continue
            if api.status_source(status["id"])["text"].strip() == text.strip():
                return f"{status['id']}"
        oldest = page[-1]["id"]
    return None
