"""Telegram tells by itself what happened: the webhook."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from hobnob.errors import AdapterStopped
from hobnob.health import State
from hobnob.ports import Cursor
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.telegram import ANN, TOKEN, FakeTelegram
from hobnob_telegram.adapter import TelegramAdapter, TelegramOptions
from tests.wire.telegram_bot import LENIENT, REPLY, adapter_for, running
from tests.wire.test_telegram import SlowReceiver

GIVEN = "a-secret-of-our-own"


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(LENIENT) as fake:
        yield fake
        assert fake.complaints == []


def address() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


@asynccontextmanager
async def hooked(
    server: FakeTelegram, receiver: RecordingReceiver, *, secret: str | None = GIVEN
) -> AsyncIterator[TelegramAdapter]:
    listen = address()
    adapter = adapter_for(
        server,
        webhook_url=f"http://{listen}/telegram",
        webhook_listen=listen,
        webhook_secret=secret,
    )
    async with running(adapter, receiver):
        await until(lambda: server.webhook == f"http://{listen}/telegram")
        yield adapter


async def handed_in(server: FakeTelegram, update: object, secret: str, **more: object) -> int:
    async with aiohttp.ClientSession() as session:
        return await server.hand_in(session, update, secret, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", [GIVEN, None])
async def test_what_telegram_hands_in_is_heard_and_answered(
    server: FakeTelegram, secret: str | None
) -> None:
    receiver = RecordingReceiver()
    async with hooked(server, receiver, secret=secret) as adapter:
        server.say(ANN, "hello")
        await receiver.wait_for(1)
        await adapter.send(replace(REPLY, key=receiver.events[0].key))
        await until(lambda: server.unconfirmed == 0)
        assert adapter.health.state is State.CONNECTED
        assert adapter.health.last_event
    assert len(server._secret) >= 16
    assert [reply.text for reply in server.replies] == ["Hello!"]


@pytest.mark.parametrize("secret", ["", "a-guess", GIVEN + "x", "é"])
async def test_who_does_not_know_the_secret_is_not_heard(server: FakeTelegram, secret: str) -> None:
    receiver = RecordingReceiver()
    update = {"update_id": 1, "message": {"message_id": 1}}
    async with hooked(server, receiver) as adapter:
        assert await handed_in(server, update, secret.encode().decode("latin-1")) == 403
        server.say(ANN, "hello")
        await receiver.wait_for(1)
        assert adapter.health.errors == 0
    assert [event.text for event in receiver.events] == ["hello"]


async def test_nothing_is_acknowledged_before_it_is_stored(server: FakeTelegram) -> None:
    slow = SlowReceiver()
    async with hooked(server, slow):
        server.say(ANN, "hello")
        await slow.asked.wait()
        for _ in range(3):  # so there was time enough
            assert await handed_in(server, {}, "a-guess") == 403
        assert (server.webhook_statuses, server.unconfirmed) == ([403] * 3, 1)
        slow.allowed.set()
        await until(lambda: server.webhook_statuses == [403] * 3 + [200])


async def test_what_was_being_stored_at_the_end_comes_again(server: FakeTelegram) -> None:
    slow = SlowReceiver()
    async with hooked(server, slow):
        server.say(ANN, "hello")
        await slow.asked.wait()
    assert slow.events == []
    assert server.unconfirmed == 1
    server._stop_pushing()
    receiver = RecordingReceiver()
    async with hooked(server, receiver):
        await receiver.wait_for(1)
    assert [event.text for event in receiver.events] == ["hello"]


class FailingReceiver(RecordingReceiver):
    """Fails once: a bug of ours."""

    failed = False

    async def put(self, event: object, cursor: Cursor | None = None) -> bool:
        if not self.failed:
            self.failed = True
            raise RuntimeError("a bug")
        return await super().put(event, cursor)  # type: ignore[arg-type]


async def test_what_a_bug_kept_from_being_stored_comes_again(server: FakeTelegram) -> None:
    receiver = FailingReceiver()
    async with hooked(server, receiver):
        server.say(ANN, "hello")
        await receiver.wait_for(1)
    assert server.webhook_statuses[0] == 500


@pytest.mark.parametrize(
    ("body", "status"),
    [("[]", 400), ("{", 400), ('{"update_id": "x"}', 400), ('{"update_id": 9}', 200)],
)
async def test_what_is_no_update_stops_nothing(
    server: FakeTelegram, body: str, status: int
) -> None:
    receiver = RecordingReceiver()
    async with hooked(server, receiver), aiohttp.ClientSession() as session:
        headers = {"X-Telegram-Bot-Api-Secret-Token": GIVEN}
        async with session.post(server.webhook, data=body, headers=headers) as answer:
            assert answer.status == status
        server.say(ANN, "hello")
        await receiver.wait_for(1)


async def test_a_body_without_end_is_not_read(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    huge = b'{"update_id": 1, "junk": "' + b"x" * 2_000_000
    async with hooked(server, receiver), aiohttp.ClientSession() as session:
        headers = {"X-Telegram-Bot-Api-Secret-Token": GIVEN}
        async with session.post(server.webhook, data=io.BytesIO(huge), headers=headers) as answer:
            assert answer.status == 413
        server.say(ANN, "hello")
        await receiver.wait_for(1)


async def test_polling_removes_a_webhook(server: FakeTelegram) -> None:
    async with hooked(server, RecordingReceiver()):
        pass
    assert server.webhook
    server.say(ANN, "hello")
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver):
        await receiver.wait_for(1)
    assert server.webhook == ""


async def test_a_port_that_is_taken_is_said_so(server: FakeTelegram) -> None:
    listen = server.base_url.removeprefix("http://")
    adapter = adapter_for(server, webhook_url="http://127.0.0.1/x", webhook_listen=listen)
    async with asyncio.timeout(10):
        with pytest.raises(AdapterStopped, match="webhook_listen"):
            await adapter.run(RecordingReceiver())


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"webhook_url": "http://x.org/t"}, "https"),
        ({"webhook_url": "https:///t"}, "https"),
        ({"webhook_listen": "127.0.0.1:80"}, "only with"),
        ({"webhook_secret": "abc"}, "only with"),
        ({"webhook_url": "https://x.org/t", "webhook_listen": "8080"}, "a host and a port"),
        ({"webhook_url": "https://x.org/t", "webhook_listen": "h:99999"}, "a host and a port"),
        ({"webhook_url": "https://x.org/t", "webhook_secret": "not this!"}, "letters"),
    ],
)
def test_settings_that_make_no_sense_are_errors(options: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong) as raised:
        TelegramOptions(token=SecretStr(TOKEN), **options)  # type: ignore[arg-type]
    assert "not this!" not in str(raised.value)


async def test_doctor_sees_whether_updates_arrive(server: FakeTelegram) -> None:
    listen = address()
    asked = adapter_for(server, webhook_url=f"http://{listen}/t", webhook_listen=listen)
    _, finding = await asked.check()
    assert finding.ok
    assert "not set yet" in finding.what
    server.webhook = f"http://{listen}/t"
    _, finding = await asked.check()
    assert (finding.ok, listen in finding.what) == (True, True)
    server.webhook_statuses = [502]
    for _ in range(101):
        server.say(ANN, "hello")
    _, _, trouble, waiting = await asked.check()
    assert not trouble.ok
    assert "502" in trouble.what
    assert "101 updates" in waiting.what
    server.webhook = "https://example.org/other"
    _, finding = await asked.check()
    assert not finding.ok
