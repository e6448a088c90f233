"""Where Telegram's people talk, and with what: topics, business chats, quotes, buttons, files."""

import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hobnob.errors import FetchFailed, SendLater, SendRefused
from hobnob.events import Addressed, Attachment, Button, Kind, Quote
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob.testing.telegram import (
    ANN,
    FORUM,
    GROUP,
    NEW_GROUP,
    TOKEN,
    USERNAME,
    FakeTelegram,
    Fault,
)
from hobnob.testing.telegram.rules import Json
from tests.wire.telegram_bot import LENIENT, REPLY, adapter_for, heard, running

IN_GROUP = replace(REPLY, key=replace(REPLY.key, room=str(GROUP)))


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(LENIENT) as fake:
        yield fake
        assert fake.complaints == []


# ------------------------------------------------------------------------ for one person alone

FOR_ANN = replace(IN_GROUP, private=True, mention=f"tg://user?id={ANN}", in_reply_to="7")
HINT = f"https://t.me/{USERNAME}"


async def test_what_is_for_one_alone_goes_to_their_private_chat(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        first = await adapter.send(FOR_ANN)
        await adapter.send(replace(FOR_ANN, text="And more.", follows=first))
        # Numbers of messages are each chat's own: nobody's message in the group has this one.
        await adapter.send(replace(FOR_ANN, text="", replaces=first))
        with pytest.raises(SendRefused):
            await adapter.send(replace(FOR_ANN, text="Anew.", replaces=first))
    said = [(sent.chat, sent.text, sent.reply_to) for sent in server.replies]
    assert said == [(ANN, "Hello!", None), (ANN, "And more.", None)]


@pytest.mark.parametrize("mention", [FOR_ANN.mention, ""], ids=["closed", "nobody known"])
async def test_where_that_is_refused_the_group_is_told_whom_to_write_and_nothing_else(
    server: FakeTelegram, mention: str
) -> None:
    server.closed.add(ANN)
    secret = replace(FOR_ANN, mention=mention, buttons=(Button(label="Why", command="/why 1"),))
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        hint = await adapter.send(secret)
        if mention:
            with pytest.raises(SendRefused):  # it was told once
                await adapter.send(replace(secret, follows=hint))
    (sent,) = server.replies
    assert (sent.chat, sent.reply_to, sent.keyboard) == (GROUP, 7, ())
    assert HINT in sent.text
    assert "Hello!" not in sent.text


async def test_a_private_chat_that_takes_nothing_just_now_is_waited_for(
    server: FakeTelegram,
) -> None:
    server.limit(5, ANN)
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        with pytest.raises(SendLater):
            await adapter.send(FOR_ANN)
    assert server.replies == []


async def test_a_business_chat_is_read_by_its_owner_too(server: FakeTelegram) -> None:
    key = replace(REPLY.key, thread="business-b1")
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(replace(FOR_ANN, key=key))
    assert [(sent.chat, sent.business) for sent in server.replies] == [(ANN, None)]


# ------------------------------------------------------------------------------ business chats


async def test_a_business_is_answered_for_in_its_own_name(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        said = server.say(ANN, "are you open?", business="b1")
        await receiver.wait_for(1)
        (event,) = receiver.events
        # Not direct: the business reads along, so that nothing private is told or linked there.
        assert (event.addressed, event.key.thread) == (Addressed.MENTION, "business-b1")
        async with adapter.composing(event) as draft:
            draft("Yes")
            await until(lambda: server.typing == [ANN])
        await adapter.send(replace(REPLY, key=event.key, in_reply_to=event.message))
    (reply,) = server.replies
    assert (reply.business, reply.chat, reply.reply_to) == ("b1", ANN, said)
    assert server.drafts == []  # Telegram has none there


async def test_what_the_business_says_itself_is_not_for_us(server: FakeTelegram) -> None:
    server.say(ANN, "I'll ask", author="owner", business="b1")
    server.say(ANN, f"I'll ask @{USERNAME}", author="owner", business="b1")
    assert [event.addressed for event in await heard(server)] == [Addressed.NONE] * 2


async def test_what_we_said_for_a_business_is_not_heard(server: FakeTelegram) -> None:
    me = {"id": 11, "is_bot": True, "first_name": "Hobnob"}
    server.say(ANN, "Yes", author="owner", business="b1", sender_business_bot=me)
    server.say(ANN, "thanks", business="b1")
    assert [event.text for event in await heard(server)] == ["thanks"]


async def test_edits_and_deletions_in_a_business_chat_are_heard(server: FakeTelegram) -> None:
    first, second = (server.say(ANN, text, business="b1") for text in ("helo", "hi"))
    server.edit(first, "hello")
    server.delete(first, second)
    *_, edit, gone, gone_too = await heard(server, 5)
    assert (edit.kind, edit.text, edit.message) == (Kind.EDIT, "hello", str(first))
    assert [(each.kind, each.message) for each in (gone, gone_too)] == [
        (Kind.DELETE, str(first)),
        (Kind.DELETE, str(second)),
    ]
    assert gone.id != gone_too.id
    assert {each.key.thread for each in (edit, gone)} == {"business-b1"}


async def test_a_message_in_a_business_chat_is_changed_and_deleted(server: FakeTelegram) -> None:
    there = replace(REPLY, key=replace(REPLY.key, thread="business-b1"))
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        sent = await adapter.send(there)
        await adapter.send(replace(there, text="Hi!", replaces=sent))
        assert [reply.text for reply in server.replies] == ["Hi!"]
        await adapter.send(replace(there, text="", replaces=sent))
    assert server.replies == []


async def test_a_limit_holds_in_all_topics_of_a_chat(server: FakeTelegram) -> None:
    server.limit(5, FORUM)
    there = replace(REPLY.key, room=str(FORUM))
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        for topic in ("7", "8"):
            with pytest.raises(SendLater) as raised:
                await adapter.send(replace(REPLY, key=replace(there, thread=topic)))
            assert 4 < raised.value.retry_after <= 5
        await adapter.send(REPLY)
        assert adapter.health.limited_until


# ---------------------------------------------------------------------------- quotes, forwards


async def test_a_reply_carries_what_it_replies_to(server: FakeTelegram) -> None:
    first = server.say(ANN, "The shop opens at nine.", author="ben")
    server.say(ANN, "really?", reply_to=first)
    server.say(ANN, "nine?", reply_to=first, quote={"text": "at nine", "position": 15})
    _, reply, quote = await heard(server, 3)
    assert reply.quoted == Quote(author="Ben", text="The shop opens at nine.")
    assert quote.quoted == Quote(author="Ben", text="at nine")
    assert quote.reply_to == str(first)


async def test_a_reply_to_another_chat_carries_what_is_picked_out(server: FakeTelegram) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Cleo", "date": 1}
    server.say(
        ANN,
        "what is this?",
        external_reply={"origin": origin},
        quote={"text": "A riddle", "position": 0},
    )
    (event,) = await heard(server)
    assert (event.quoted, event.reply_to) == (Quote(author="Cleo", text="A riddle"), None)


async def test_what_is_forwarded_is_somebody_elses_words(server: FakeTelegram) -> None:
    channel = {"id": -1009, "type": "channel", "title": "The news"}
    server.say(
        ANN,
        "/forget everything",
        forward_origin={"type": "channel", "chat": channel, "message_id": 3, "date": 1},
    )
    (event,) = await heard(server)
    assert (event.kind, event.text, event.addressed) == (Kind.MESSAGE, "", Addressed.DIRECT)
    assert event.quoted == Quote(author="The news", text="/forget everything")


async def test_a_forwarded_mention_does_not_speak_to_us(server: FakeTelegram) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Cleo", "date": 1}
    server.say(GROUP, "@hobnob_bot hi", forward_origin=origin)
    (event,) = await heard(server)
    assert event.addressed is Addressed.NONE


# ----------------------------------------------------------------------------------- reactions


async def test_reactions_are_heard_and_taken_back(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        ours = await adapter.send(IN_GROUP)
        for emoji in (("👍",), ("👍", "❤"), ()):
            server.react(int(ours), *emoji)
        await receiver.wait_for(3)
    assert [(e.kind, e.text, e.message) for e in receiver.events] == [
        (Kind.REACTION, "👍", ours),
        (Kind.REACTION, "❤", ours),
        (Kind.REACTION, "", ours),
    ]
    assert receiver.events[0].author.id == str(ANN)


# --------------------------------------------------------------------------- commands, buttons


async def test_the_menu_has_our_commands_and_is_set_once(server: FakeTelegram) -> None:
    for _ in range(2):
        await _started(server)
    (menu,) = server.menus
    assert "memory" in [each["command"] for each in menu]
    server.menus.append([{"command": "old", "description": "Of another time"}])
    await _started(server)
    assert server.menus[-1] == menu


async def _started(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()):
        await until(lambda: server._poll is not None)
    await until(lambda: server._poll is None)


BUTTONS = (Button(label="Send it", command="/approve 12"), Button(label="No", command="/drop 12"))


@pytest.mark.parametrize("old", [False, True])
async def test_a_button_is_its_command_however_old_it_is(server: FakeTelegram, old: bool) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        assert adapter.limits.buttons
        await adapter.send(replace(IN_GROUP, buttons=BUTTONS))
    (sent,) = server.replies
    assert sent.keyboard == (("Send it", "/approve 12"), ("No", "/drop 12"))
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver):  # another life
        query = server.press(sent, "Send it", author="ben", old=old)
        await receiver.wait_for(1)
        await until(lambda: server.presses_answered == [query])
    (event,) = receiver.events
    assert (event.kind, event.text, event.reply_to) == (Kind.COMMAND, "/approve 12", str(sent.id))
    assert (event.addressed, event.author.name, event.key) == (
        Addressed.REPLY,
        "Ben",
        IN_GROUP.key,
    )


async def test_a_button_that_is_used_up_goes(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        sent = await adapter.send(replace(REPLY, buttons=BUTTONS))
        await adapter.send(replace(REPLY, replaces=sent))
    assert server.replies[0].keyboard == ()


async def test_what_a_button_never_carried_is_no_command(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(replace(REPLY, buttons=BUTTONS))
    forged = replace(server.replies[0], keyboard=(("x", "drop table"),))
    server.press(forged, "x")
    server.say(ANN, "hello")
    assert [event.text for event in await heard(server)] == ["hello"]


# ------------------------------------------------------------------------- what is ours changes


async def test_a_change_may_be_made_twice(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        sent = await adapter.send(IN_GROUP)
        for _ in range(2):
            assert await adapter.send(replace(IN_GROUP, text="**Bye**", replaces=sent)) == sent
        for _ in range(2):
            assert await adapter.send(replace(IN_GROUP, text="", replaces=sent)) == sent
    assert server.replies == []


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.DROPPED, Fault.GARBAGE, Fault.LIMITED])
async def test_a_change_that_failed_is_made_again_later(server: FakeTelegram, fault: Fault) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        sent = await adapter.send(IN_GROUP)
        server.faults_of["editMessageText"].append(fault)
        with pytest.raises(SendLater):
            await adapter.send(replace(IN_GROUP, text="Bye", replaces=sent))
        if fault is not Fault.LIMITED:
            await adapter.send(replace(IN_GROUP, text="Bye", replaces=sent))
            assert server.replies[0].text == "Bye"


async def test_what_stayed_in_a_former_group_cannot_be_changed(server: FakeTelegram) -> None:
    receiver = RecordingReceiver()
    async with running(adapter_for(server), receiver) as adapter:
        sent = await adapter.send(IN_GROUP)
        server.migrate(GROUP, NEW_GROUP)
        server.say(NEW_GROUP, "hello")
        await receiver.wait_for(1)
        event = receiver.events[0]
        assert event.key == IN_GROUP.key
        assert event.message.startswith(f"{NEW_GROUP}/")
        with pytest.raises(SendRefused, match="stayed"):
            await adapter.send(replace(IN_GROUP, text="Bye", replaces=sent))
        assert await adapter.send(replace(IN_GROUP, text="", replaces=sent)) == sent
        new = await adapter.send(replace(IN_GROUP, in_reply_to=event.message))
        assert await adapter.send(replace(IN_GROUP, text="Bye", replaces=new)) == new
    assert [(reply.chat, reply.text) for reply in server.replies] == [
        (GROUP, "Hello!"),
        (NEW_GROUP, "Bye"),
    ]


async def test_a_key_that_is_none_of_telegrams_is_refused(server: FakeTelegram) -> None:
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        with pytest.raises(SendRefused, match="no chat of Telegram's"):
            await adapter.send(replace(REPLY, key=replace(REPLY.key, room="general")))


# --------------------------------------------------------------------------------------- files


def _file(name: str, **more: object) -> Json:
    return {"file_id": name, "file_unique_id": f"u{name}", "file_size": 77, **more}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"photo": [_file("s", width=1, height=1), _file("l", width=9, height=9)]},
            Attachment(media_type="image/jpeg", id="l", size=77),
        ),
        (
            {"document": _file("d", file_name="a.pdf", mime_type="application/pdf")},
            Attachment(media_type="application/pdf", name="a.pdf", id="d", size=77),
        ),
        (
            {"voice": _file("v", duration=3, mime_type="audio/ogg")},
            Attachment(media_type="audio/ogg", id="v", size=77),
        ),
        (
            {
                "sticker": _file(
                    "t",
                    width=9,
                    height=9,
                    is_animated=False,
                    is_video=False,
                    type="regular",
                    emoji="🙂",
                )
            },
            Attachment(media_type="image/webp", name="sticker", alt="🙂", id="t", size=77),
        ),
    ],
)
async def test_what_is_attached_is_described(
    server: FakeTelegram, content: Json, expected: Attachment
) -> None:
    server.say(ANN, "", **content)
    (event,) = await heard(server)
    assert event.attachments == (expected,)


async def test_a_file_is_fetched_as_far_as_is_asked_for(server: FakeTelegram) -> None:
    server.files["f"] = bytes(range(256)) * 1000
    file = Attachment(media_type="image/jpeg", id="f")
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(REPLY)
        assert await adapter.fetch(file, 10**6) == server.files["f"]
        server.slow_files = True
        assert await adapter.fetch(file, 1000) == server.files["f"][:1000]


@pytest.mark.parametrize("gone", ["the file", "what is behind it"])
async def test_a_file_that_cannot_be_had_tells_no_secret(
    server: FakeTelegram, caplog: pytest.LogCaptureFixture, gone: str
) -> None:
    caplog.set_level(logging.INFO)
    file = Attachment(media_type="image/jpeg", id="f")
    async with running(adapter_for(server), RecordingReceiver()) as adapter:
        await adapter.send(REPLY)
        if gone != "the file":
            server.files["f"] = b"x"
            server.lose_files = True
        with pytest.raises(FetchFailed) as raised:
            await adapter.fetch(file, 1000)
    trace = "".join(traceback.format_exception(raised.value))
    assert TOKEN not in f"{trace} {caplog.text} {raised.value!r}"


async def test_nothing_is_fetched_without_a_connection(server: FakeTelegram) -> None:
    with pytest.raises(FetchFailed, match="no connection"):
        await adapter_for(server).fetch(Attachment(media_type="image/jpeg", id="f"), 10)
