"""The Telegram adapter, with the real client library against a local server."""

import asyncio
import logging
import random
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from hobnob.errors import AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Addressed, Event, Kind
from hobnob.health import State
from hobnob.ports import Cursor
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.telegram import ANN, FORUM, GROUP, TOKEN, FakeTelegram, Fault
from hobnob_telegram.adapter import TelegramAdapter, TelegramOptions
from tests.unit.test_telegram_markup import NASTY
from tests.wire.telegram_bot import LENIENT, REPLY, adapter_for, heard, running


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(LENIENT) as fake:
        yield fake
        assert fake.complaints == []


# ------------------------------------------------------------------------------------- hearing


async def test_a_private_message_is_answered_where_it_was_said(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        message = server.say(ANN, "hello")
        await receiver.wait_for(1)
        (event,) = receiver.events
        assert (event.text, event.addressed, event.kind) == (
            "hello",
            Addressed.DIRECT,
            Kind.MESSAGE,
        )
        assert (event.author.name, event.message) == ("Ann", str(message))
        sent = await adapter.send(replace(REPLY, key=event.key, in_reply_to=event.message))
    (reply,) = server.replies
    assert (reply.chat, reply.text, reply.reply_to) == (ANN, "Hello!", message)
    assert sent == str(reply.id)


@pytest.mark.parametrize(
    ("text", "addressed", "kind", "read"),
    [
        ("@hobnob_bot hi there", Addressed.MENTION, Kind.MESSAGE, "hi there"),
        ("@HOBNOB_BOT: hi", Addressed.MENTION, Kind.MESSAGE, "hi"),
        ("🙂🙂 ask @hobnob_bot", Addressed.MENTION, Kind.MESSAGE, "🙂🙂 ask @hobnob_bot"),
        ("@somebody hi", Addressed.NONE, Kind.MESSAGE, "@somebody hi"),
        ("lunch?", Addressed.NONE, Kind.MESSAGE, "lunch?"),
        ("/start", Addressed.NONE, Kind.COMMAND, "/start"),
        ("/start@hobnob_bot now", Addressed.MENTION, Kind.COMMAND, "/start now"),
        ("/start@other_bot", Addressed.NONE, Kind.COMMAND, "/start"),
    ],
)
async def test_in_a_group_it_is_known_who_is_spoken_to(
    server: FakeTelegram, text: str, addressed: Addressed, kind: Kind, read: str
) -> None:
    server.say(GROUP, text)
    (event,) = await heard(server)
    assert (event.addressed, event.kind, event.text) == (addressed, kind, read)
    assert event.key.room == str(GROUP)


async def test_a_reply_to_us_speaks_to_us(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        ours = await adapter.send(replace(REPLY, key=replace(REPLY.key, room=str(GROUP))))
        server.say(GROUP, "really?", reply_to=int(ours))
        await receiver.wait_for(1)
    assert receiver.events[0].addressed is Addressed.REPLY
    assert receiver.events[0].reply_to == ours


async def test_a_topic_is_a_conversation_of_its_own(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        server.say(FORUM, "@hobnob_bot hi", topic=7)
        await receiver.wait_for(1)
        key = receiver.events[0].key
        await adapter.send(replace(REPLY, key=key))
    assert (key.room, key.thread) == (str(FORUM), "7")
    assert (server.replies[0].chat, server.replies[0].topic) == (FORUM, 7)


async def test_an_edit_names_its_message_and_has_the_new_text(server: FakeTelegram) -> None:
    message = server.say(ANN, "helo")
    server.edit(message, "hello")
    first, edit = await heard(server, 2)
    assert (edit.kind, edit.message, edit.text) == (Kind.EDIT, first.message, "hello")
    assert edit.id != first.id


async def test_a_command_in_private_is_for_us(server: FakeTelegram) -> None:
    server.say(ANN, "/start")
    (event,) = await heard(server)
    assert (event.kind, event.addressed) == (Kind.COMMAND, Addressed.DIRECT)


async def test_another_bot_is_known_as_one(server: FakeTelegram) -> None:
    server.say(GROUP, "beep", bot=True)
    (event,) = await heard(server)
    assert event.author.is_bot


async def test_an_anonymous_admin_is_the_chat_and_no_bot(server: FakeTelegram) -> None:
    chat = {"id": GROUP, "type": "group", "title": "The group"}
    server.say(GROUP, "hi", author="anonymous", bot=True, sender_chat=chat)
    (event,) = await heard(server)
    assert (event.author.id, event.author.name) == (f"chat:{GROUP}", "The group")
    assert not event.author.is_bot


async def test_a_picture_is_described_with_its_caption(server: FakeTelegram) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 77}]
    server.say(ANN, "", photo=photo, caption="look", caption_entities=[])
    (event,) = await heard(server)
    assert event.text == "look"
    assert [(a.media_type, a.size) for a in event.attachments] == [("image/jpeg", 77)]


async def test_what_does_not_concern_us_is_passed_over(server: FakeTelegram) -> None:
    server.update({"poll": {"id": "1"}})
    server.update({"message": {"nonsense": True}})
    server.say(GROUP, "", new_chat_title="Tea")
    server.say(ANN, "hello")
    assert [event.text for event in await heard(server)] == ["hello"]


async def test_everything_said_while_away_comes_in_order(server: FakeTelegram) -> None:
    for number in range(130):
        server.say(ANN, f"line {number}")
    events = await heard(server, 130)
    assert [event.text for event in events] == [f"line {number}" for number in range(130)]


async def test_answers_that_make_no_sense_lose_nothing(server: FakeTelegram) -> None:
    server.strange += ["<html>bad day</html>", '{"ok": true, "result": {"update_id": 1}}']
    server.say(ANN, "hello")
    assert [event.text for event in await heard(server)] == ["hello"]
    assert not server.strange


class SlowReceiver(RecordingReceiver):
    """Stores when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.allowed = asyncio.Event(), asyncio.Event()

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        self.asked.set()
        await self.allowed.wait()
        return await super().put(event, cursor)


async def test_nothing_is_confirmed_before_it_is_stored(server: FakeTelegram) -> None:
    server.say(ANN, "hello")
    slow = SlowReceiver()
    async with running(adapter_for(server), slow):
        await slow.asked.wait()
        assert (server.offsets, server.unconfirmed) == ([], 1)
        slow.allowed.set()
        await until(lambda: server.unconfirmed == 0)


async def test_what_was_being_stored_at_the_end_comes_again(server: FakeTelegram) -> None:
    server.say(ANN, "hello")
    slow = SlowReceiver()
    async with running(adapter_for(server), slow):
        await slow.asked.wait()
    assert slow.events == []
    assert [event.text for event in await heard(server)] == ["hello"]


async def test_an_update_that_comes_again_has_the_same_id(server: FakeTelegram) -> None:
    server.say(ANN, "hello")
    slow = SlowReceiver()
    async with running(adapter_for(server), slow):
        await slow.asked.wait()
    (first,) = await heard(server)
    server.update({"message": server._messages[int(first.message)]}, number=int(first.id))
    (again,) = await heard(server)
    assert again.id == first.id


async def test_a_second_program_with_the_token_is_reported(
    server: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as first:
        await until(lambda: server._poll is not None)
        async with running(adapter_for(server), RecordingReceiver()):
            await until(lambda: "another program polls" in caplog.text)
            assert "another program polls" in first.health.last_error
            assert first.health.state is State.RECONNECTING


# ------------------------------------------------------------------------------------- sending


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.LIMITED, SendLater),
        (Fault.FORBIDDEN, SendRefused),
        (Fault.BROKEN, SendUnknown),
        (Fault.DROPPED, SendUnknown),
        (Fault.GARBAGE, SendUnknown),
    ],
)
async def test_a_failed_send_is_what_it_is(
    server: FakeTelegram, fault: Fault, error: type[Exception]
) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        server.faults.append(fault)
        with pytest.raises(error) as raised:
            await adapter.send(REPLY)
    assert TOKEN not in str(raised.value)
    if isinstance(raised.value, SendLater):
        assert raised.value.retry_after == 7


async def test_an_attempt_in_doubt_is_not_made_again(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        with pytest.raises(SendUnknown, match="can't tell"):
            await adapter.send(replace(REPLY, attempted=datetime.now(UTC)))
    assert server.replies == []


async def test_a_server_that_is_not_there_has_certainly_got_nothing(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(REPLY)  # so it is connected
        bot = adapter._bot
        assert bot is not None
        await server._runner.cleanup()
        await bot._request[1].shutdown()  # no connection is kept
        await bot._request[1].initialize()
        with pytest.raises(SendLater):
            await adapter.send(REPLY)


async def test_any_text_a_model_writes_can_be_sent(server: FakeTelegram) -> None:
    text = "*a _b `c [d](e <f> & **g** ||h|| ~ # + - = { } . ! 🙂"
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(replace(REPLY, text=text))
    assert server.replies[0].text == text.replace("**", "")


async def test_no_markdown_makes_a_send_fail(
    server: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(7)
    texts = ["".join(chance.choices(NASTY, k=chance.randint(1, 60))) for _ in range(150)]
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        for text in texts:
            sent = await adapter.send(replace(REPLY, text=text))
            await adapter.send(replace(REPLY, text=text[::-1], replaces=sent))
    assert len(server.replies) == len(texts)
    assert "without its formatting" not in caplog.text


async def test_length_is_counted_in_utf16_units(server: FakeTelegram) -> None:
    limits = adapter_for(server).limits
    assert limits.length("🙂é") == 3
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(replace(REPLY, text="🙂" * 2048))
    assert limits.parallel_sends == 1


async def test_typing_is_shown_while_an_answer_is_written(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        server.say(ANN, "hello")
        await receiver.wait_for(1)
        async with adapter.composing(receiver.events[0]):
            await until(lambda: server.typing == [ANN])


# --------------------------------------------------------------------------- token and health


async def test_a_wrong_token_stops_us_and_is_never_shown(
    server: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = "999:a-secret-that-is-wrong"
    adapter = adapter_for(server, secret)
    async with asyncio.timeout(10):
        with pytest.raises(AdapterStopped, match="BotFather") as raised:
            await adapter.run(RecordingReceiver())
    trace = "".join(traceback.format_exception(raised.value))
    assert secret not in f"{trace} {caplog.text} {adapter._options!r}"


async def test_the_token_is_in_no_log_line(
    server: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.say(ANN, "hello")
    await heard(server)
    assert TOKEN not in caplog.text


async def test_doctor_is_told_what_is_right(server: FakeTelegram) -> None:
    (finding,) = await adapter_for(server).check()
    assert finding.ok
    assert "@hobnob_bot" in finding.what


async def test_doctor_is_told_what_is_wrong(server: FakeTelegram) -> None:
    server.webhook = "https://example.org/hook"
    server.reads_groups = False
    token, webhook = await adapter_for(server).check()
    assert "privacy mode" in token.what
    assert not webhook.ok
    assert "removes the webhook" in webhook.fix
    (wrong,) = await adapter_for(server, "999:wrong").check()
    assert not wrong.ok
    nowhere = TelegramOptions(token=SecretStr(TOKEN), base_url="http://127.0.0.1:9")
    (unreachable,) = await TelegramAdapter(nowhere).check()
    assert not unreachable.ok
    assert TOKEN not in str(unreachable)
