"""Mastodon (https://docs.joinmastodon.org/api/), and servers that speak its API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from mastodon import Mastodon
from mastodon.errors import MastodonError
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from hobnob.errors import FetchFailed, SendLater, SendRefused, SendUnknown
from hobnob.events import Attachment, Event, Media, Reply
from hobnob.health import Health, Pulse, State
from hobnob.media import check as check_media
from hobnob.ports import Draft, Finding, Limits, Receiver
from hobnob_mastodon import check, instance, media, posting
from hobnob_mastodon.instance import Takes
from hobnob_mastodon.plain import Counting
from hobnob_mastodon.reader import Reader
from hobnob_mastodon.server import (
    Limited,
    Server,
    growing_pauses,
    library,
    never_sent,
    status_code,
)
from hobnob_mastodon.stream import SILENCE_SECONDS, Stream
from hobnob_mastodon.translate import PLATFORM, Me

KEY_LASTS = timedelta(minutes=55)
"""The server drops a second post with the same Idempotency-Key for an hour."""
RETRY_PAUSES = (1.0, 5.0, 20.0, 60.0)
"""Seconds before a send that may have arrived is repeated, which the key makes safe."""
UNREACHABLE_SECONDS = 30.0
PROCESSING_SECONDS = 300.0
"""How long the server may take to process a file."""
LONGEST_PROCESSING_PAUSE = 15.0
LOOK_BACK = timedelta(minutes=10)
"""How far the server's clock may be behind ours."""
T = TypeVar("T")


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
        processing_pause: float = 1.0,
    ) -> None:
        """`processing_pause`: seconds before the server is first asked again whether it is done
        with a file."""
        self._options = options
        self._processing_pause = processing_pause
        self._retry_pauses = retry_pauses
        self._silence = silence
        self._connected = asyncio.Event()
        self._pulse = Pulse()
        self._server: Server
        self._stream: Stream
        self._me: Me
        self._found(Takes(counting=Counting(plainly=True)))

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
                self._found(await instance.ask(server, self._takes))
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
        files: Sequence[str] = ()
        doubt: MastodonError | None = None
        pauses, began = iter(self._retry_pauses), datetime.now(UTC)
        while True:
            try:
                if (reply.attempted or doubt) and (
                    found := await self._posted(reply, reply.attempted or began)
                ):
                    return found
                files = files or await self._uploaded(reply)
                return await self._ask(reply, files)
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
        return not self._takes.counting.plainly

    def _found(self, takes: Takes) -> None:
        self._takes = takes
        self.limits: Limits = takes.limits

    async def _uploaded(self, reply: Reply) -> Sequence[str]:
        """The server's ids of the files, ready for a post. Nothing is posted: raises SendLater or
        SendRefused, unless an earlier attempt may have posted."""
        if not reply.media:
            return ()
        try:
            await self._when_connected()
            check_media(reply.media, self.limits)
            return [await self._upload(file) for file in reply.media]
        except SendRefused as refused:
            if reply.attempted:
                raise _unknown(f"{refused}") from refused
            raise
        except MastodonError as error:
            raise SendLater(self._why(error), retry_after=UNREACHABLE_SECONDS) from error

    async def _upload(self, file: Media) -> str:
        try:
            made, done = await self._call(lambda api: posting.upload(api, file), writes=True)
            pauses, waited = growing_pauses(self._processing_pause, LONGEST_PROCESSING_PAUSE), 0.0
            while not done:
                if waited > PROCESSING_SECONDS:
                    where = self._server.base_url
                    raise SendRefused(f"{where} is not done with it after {waited:.0f} s")
                pause = next(pauses)
                await asyncio.sleep(pause)
                waited += pause
                done = await self._call(lambda api: posting.is_ready(api, made))
        except SendRefused as refused:
            raise SendRefused(f"{file.file}: {refused}") from refused.__cause__
        return made

    async def _ask(self, reply: Reply, files: Sequence[str] = ()) -> str:
        """Post or change, once. Raises SendLater or SendRefused, and MastodonError where nobody
        knows what became of it."""
        counting = self._takes.counting
        if reply.replaces:
            return await self._call(lambda api: posting.change(api, reply, counting), writes=True)
        return await self._call(lambda api: posting.post(api, reply, counting, files), writes=True)

    async def _call(self, call: Callable[[Mastodon], T], *, writes: bool = False) -> T:
        """Ask the server once. Raises SendLater or SendRefused, and MastodonError where nobody
        knows what became of it."""
        server = await self._when_connected()
        if wait := server.full():
            raise SendLater(f"{server.base_url} was asked too much lately", retry_after=wait)
        try:
            return await server.ask(call, writes=writes)
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
                    self._found(await instance.ask(server, self._takes))
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
