"""Mastodon (https://docs.joinmastodon.org/api/), and servers that speak its API."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from mastodon.errors import MastodonError
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from hobnob.errors import FetchFailed, SendLater, SendRefused, SendUnknown
from hobnob.events import Attachment, Event, Reply
from hobnob.health import Health, Pulse, State
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_mastodon import check, media, posting
from hobnob_mastodon.plain import Counting
from hobnob_mastodon.reader import Reader
from hobnob_mastodon.server import Limited, Server, counting, library, never_sent, status_code
from hobnob_mastodon.stream import SILENCE_SECONDS, Stream
from hobnob_mastodon.translate import PLATFORM, Me

KEY_LASTS = timedelta(minutes=55)
"""The server drops a second post with the same Idempotency-Key for an hour."""
RETRY_PAUSES = (1.0, 5.0, 20.0, 60.0)
"""Seconds before a send that may have arrived is repeated, which the key makes safe."""
UNREACHABLE_SECONDS = 30.0
LOOK_BACK = timedelta(minutes=10)
"""How far the server's clock may be behind ours."""


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
        self,
        options: MastodonOptions,
        *,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._options = options
        self._retry_pauses = retry_pauses
        self._silence = silence
        self._connected = asyncio.Event()
        self._pulse = Pulse()
        self._server: Server
        self._stream: Stream
        self._me: Me
        self._counts(Counting(plainly=True))

    @property
    def health(self) -> Health:
        return self._pulse.health

    async def run(self, receiver: Receiver) -> None:
        options = self._options
        self._pulse.turned(State.CONNECTING)
        try:
            async with Server(options.base_url, options.access_token, self._pulse) as server:
                account = await server.insist(lambda api: api.account_verify_credentials())
                self._me, self._server = Me.of(account), server
                self._counts(await counting(server, self._counting))
                reader = Reader(server, receiver, self._me)
                await reader.open()
                api = library(options.base_url, options.access_token)
                async with Stream(api, self._silence, self._pulse) as self._stream:
                    self._connected.set()
                    await reader.read(self._stream)
        finally:
            self._connected.clear()
            self._pulse.turned(State.STOPPED)

    async def send(self, reply: Reply) -> str:
        if reply.replaces:
            return await self._change(reply)
        doubt: MastodonError | None = None
        pauses, began = iter(self._retry_pauses), datetime.now(UTC)
        while True:
            try:
                if (reply.attempted or doubt) and (
                    found := await self._posted(reply, reply.attempted or began)
                ):
                    return found
                return await self._ask(reply)
            except SendLater as later:
                if doubt is None:
                    raise
                pause, why = later.retry_after, f"{later}"
                if datetime.now(UTC) + timedelta(seconds=pause) > began + KEY_LASTS:
                    raise _unknown(why) from doubt
            except MastodonError as error:
                doubt, why = error, self._why(error)
                pause = next(pauses, 0.0)
                if not pause:
                    raise _unknown(why) from error
            await asyncio.sleep(pause)

    @asynccontextmanager
    async def composing(self, event: Event) -> AsyncIterator[Draft]:
        """Mastodon shows no typing, and an edit of a post notifies people: nothing is shown."""
        yield lambda text: None

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        if not attachment.url:
            raise FetchFailed("the account's server keeps no copy of it")
        return await media.fetch(attachment.url, most, self._options.base_url)

    async def check(self) -> Sequence[Finding]:
        async with Server(self._options.base_url, self._options.access_token, Pulse()) as server:
            return [finding async for finding in check.examine(server)]

    @property
    def _is_mastodon(self) -> bool:
        """Not another server that speaks Mastodon's API: what those do is not known so well."""
        return not self._counting.plainly

    def _counts(self, how: Counting) -> None:
        self._counting = how
        self.limits = Limits(max_length=how.most, length=how.length)

    async def _ask(self, reply: Reply) -> str:
        """Post or change, once. Raises SendLater or SendRefused, and MastodonError where nobody
        knows what became of it."""
        server = await self._when_connected()
        if wait := server.full():
            raise SendLater(f"{server.base_url} was asked too much lately", retry_after=wait)
        call = posting.change if reply.replaces else posting.post
        try:
            return await server.ask(lambda api: call(api, reply, self._counting), writes=True)
        except Limited as limited:
            raise SendLater(self._why(limited), retry_after=limited.seconds) from limited
        except MastodonError as error:
            code = status_code(error)
            if code == 401:  # whoever reads finds out, and stops the whole
                self._stream.look()
                raise SendLater(self._why(error), retry_after=UNREACHABLE_SECONDS) from error
            if 400 <= code < 500:
                self._pulse.failed(server.reason(error))
                if code in (400, 422):  # perhaps it takes less than it did
                    self._counts(await counting(server, self._counting))
                raise SendRefused(self._why(error)) from error
            if never_sent(error):
                raise SendLater(self._why(error), retry_after=UNREACHABLE_SECONDS) from error
            raise

    async def _change(self, reply: Reply) -> str:
        server = await self._when_connected()
        if reply.text and not self._is_mastodon and posting.visibility(reply) != "public":
            raise SendRefused(
                f"{server.base_url} is not known to keep a post as private as it was when it is "
                "changed; it was left as it is"
            )
        try:
            return await self._ask(reply)
        except SendRefused as refused:
            cause = refused.__cause__
            gone = isinstance(cause, MastodonError) and status_code(cause) in (404, 410)
            if gone and not reply.text:
                return reply.replaces
            raise
        except MastodonError as error:
            raise SendLater(self._why(error), retry_after=UNREACHABLE_SECONDS) from error

    async def _posted(self, reply: Reply, attempted: datetime) -> str | None:
        """The id of a post of ours with this text in the same place, from the attempt on. None
        also where the server drops a double by itself."""
        server, since = await self._when_connected(), attempted - LOOK_BACK
        if self._is_mastodon and datetime.now(UTC) - attempted < KEY_LASTS:
            return None
        try:
            found = await server.ask(lambda api: posting.find(api, self._me.id, reply, since))
        except MastodonError as error:
            why = f"{self._why(error)}, when asked whether it has the post already"
            if 400 <= status_code(error) < 500:
                raise SendUnknown(f"{why}. Look at the account's posts.") from error
            wait = error.seconds if isinstance(error, Limited) else UNREACHABLE_SECONDS
            raise SendLater(why, retry_after=wait) from error
        if not found and not self._is_mastodon and posting.visibility(reply) != "public":
            raise _unknown(f"{server.base_url} does not list posts that are not public")
        return found

    def _why(self, error: MastodonError) -> str:
        return f"{self._server.base_url}: {self._server.reason(error)}"

    async def _when_connected(self) -> Server:
        await self._connected.wait()
        return self._server


def _unknown(why: str) -> SendUnknown:
    return SendUnknown(f"{why}. It may have the post all the same; look at the account's posts.")
