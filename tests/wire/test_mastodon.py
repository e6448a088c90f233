"""The adapter and the real client library, against a server in memory."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from hobnob.errors import AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Addressed, Event, Kind, Reply, Visibility
from hobnob_mastodon.adapter import MastodonAdapter, MastodonOptions
from tests.wire.fake_mastodon import FakeMastodon, Fault
from tests.wire.receiver import RecordingReceiver

SECONDS = 10.0


@pytest.fixture
async def server() -> AsyncIterator[FakeMastodon]:
    async with FakeMastodon() as opened:
        yield opened


@pytest.fixture
def receiver() -> RecordingReceiver:
    return RecordingReceiver()


def an_adapter(server: FakeMastodon, token: str = FakeMastodon.access_token) -> MastodonAdapter:
    options = MastodonOptions(base_url=server.base_url, access_token=SecretStr(token))
    return MastodonAdapter(options, retry_pauses=(0.05, 0.05))


@asynccontextmanager
async def running(
    server: FakeMastodon, receiver: RecordingReceiver
) -> AsyncIterator[MastodonAdapter]:
    """A connected adapter: what is said from now on is new."""
    adapter = an_adapter(server)
    task = asyncio.create_task(adapter.run(receiver))
    try:
        await until(lambda: bool(server.streams) or task.done())
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled(), task
    await until(lambda: not any(t.name.startswith("mastodon") for t in threading.enumerate()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def heard(server: FakeMastodon, receiver: RecordingReceiver, text: str = "hi") -> Event:
    count = len(receiver.events) + 1
    server.say("ann@far.example", text)
    await receiver.wait_for(count, SECONDS)
    return receiver.events[-1]


def answer(event: Event, text: str = "Hello!", **changes: object) -> Reply:
    reply = Reply(
        key=event.key,
        text=text,
        nonce="n" * 20,
        in_reply_to=event.message,
        mention=event.author.handle,
        visibility=event.visibility,
        warning=event.warning,
    )
    return replace(reply, **changes)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------- hearing


async def test_a_mention_arrives_and_the_answer_keeps_to_it(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        status = server.say("ann@far.example", "hello", visibility="private", warning="food")
        await receiver.wait_for(1, SECONDS)
        (event,) = receiver.events
        posted = await adapter.send(answer(event, "Hello!"))

    assert (event.text, event.message, event.addressed) == ("hello", status, Addressed.MENTION)
    assert event.author.handle == "@ann@far.example"
    (reply,) = server.replies
    assert reply.id == posted
    assert reply.text == "@ann@far.example Hello!"
    assert (reply.in_reply_to, reply.visibility, reply.warning) == (status, "private", "food")


async def test_a_direct_message_is_answered_directly(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        server.say("ann", "a secret", visibility="direct")
        await receiver.wait_for(1, SECONDS)
        (event,) = receiver.events
        await adapter.send(answer(event))

    assert (event.addressed, event.key.thread) == (Addressed.DIRECT, "direct")
    assert server.replies[0].visibility == "direct"


async def test_an_answer_to_us_is_a_reply(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        ours = await adapter.send(answer(await heard(server, receiver)))
        server.say("ann@far.example", "and?", in_reply_to=ours)
        await receiver.wait_for(2, SECONDS)

    assert (receiver.events[1].addressed, receiver.events[1].reply_to) == (Addressed.REPLY, ours)


async def test_the_first_run_does_not_answer_what_is_old(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    server.say("ann", "years ago")
    server.favourite("ann")

    async with running(server, receiver):
        await heard(server, receiver, "now")

    assert [event.text for event in receiver.events] == ["now"]


async def test_what_was_said_between_two_starts_is_new_even_if_nothing_was_before(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        pass
    server.say("ann", "while you were away")

    async with running(server, receiver):
        await receiver.wait_for(1, SECONDS)

    assert receiver.events[0].text == "while you were away"


async def test_what_was_missed_comes_in_order_and_once(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "0")
    for number in range(1, 100):  # more than two pages
        server.say("ann@far.example", str(number))
        server.favourite("bea")

    async with running(server, receiver):
        await receiver.wait_for(100, SECONDS)
        await heard(server, receiver, "100")

    assert [event.text for event in receiver.events] == [str(number) for number in range(101)]


async def test_what_is_said_while_the_stream_is_cut_arrives(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        server.cut_streams()
        await until(lambda: not server.streams)
        await heard(server, receiver, "did you hear?")

    assert receiver.events[0].text == "did you hear?"


async def test_a_server_that_was_away_is_found_again(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        await server.close()
        server.say("ann", "while it was down")
        await server.open()
        await receiver.wait_for(1, SECONDS)
        await adapter.send(answer(receiver.events[0]))

    assert len(server.replies) == 1


async def test_a_notification_that_the_list_has_passed_is_taken_from_the_stream(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    """Ids are given out before they are visible."""
    async with running(server, receiver):
        server.say("ann", "late", hidden=True)
        await heard(server, receiver, "early")
        server.reveal()
        await receiver.wait_for(2, SECONDS)
        await heard(server, receiver, "after")

    assert [event.text for event in receiver.events] == ["early", "late", "after"]


async def test_edits_and_deletions_are_handed_in(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        said = await heard(server, receiver, "helo")
        server.edit(said.message, "hello")
        await receiver.wait_for(2, SECONDS)
        server.delete(said.message)
        await receiver.wait_for(3, SECONDS)

    _, edit, deletion = receiver.events
    assert (edit.kind, edit.message, edit.text) == (Kind.EDIT, said.message, "hello")
    assert (deletion.kind, deletion.message, deletion.key) == (Kind.DELETE, said.message, said.key)


# --------------------------------------------------------------------------------------- saying


async def test_the_same_nonce_posts_once(server: FakeMastodon, receiver: RecordingReceiver) -> None:
    async with running(server, receiver) as adapter:
        reply = answer(await heard(server, receiver))
        first = await adapter.send(reply)
        again = await adapter.send(replace(reply, attempted=datetime.now(UTC)))

    assert first == again
    assert len(server.replies) == 1
    assert server.attempts == 2


async def test_a_part_follows_the_part_before(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        reply = answer(await heard(server, receiver))
        first = await adapter.send(reply)
        await adapter.send(replace(reply, nonce="m" * 20, follows=first))

    assert server.replies[1].in_reply_to == first


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.BROKEN_AFTER, Fault.DROPPED])
async def test_a_send_whose_end_is_unknown_is_repeated_and_posts_once(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.append(fault)
        posted = await adapter.send(answer(event))

    assert [reply.id for reply in server.replies] == [posted]
    assert server.attempts == 2


async def test_a_send_whose_end_stays_unknown_is_told_so(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.extend([Fault.BROKEN] * 3)
        with pytest.raises(SendUnknown, match="it answers 500: Something went wrong"):
            await adapter.send(answer(event))


async def test_a_limit_does_not_make_a_doubtful_send_certain(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.extend([Fault.DROPPED, Fault.LIMITED])
        posted = await adapter.send(answer(event))

    assert [reply.id for reply in server.replies] == [posted]


async def test_an_attempt_of_hours_ago_is_looked_for_before_it_is_made_again(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    old = datetime.now(UTC) - timedelta(hours=3)
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        reply = answer(event, "Hello @bea, [look](https://a.example)!")
        posted = await adapter.send(reply)
        for number in range(50):  # more than a page
            await adapter.send(answer(event, "another", nonce=f"{number:020}"))
        server.backdate(posted, timedelta(hours=3))
        server.forget_keys()

        assert await adapter.send(replace(reply, attempted=old)) == posted
        assert len(server.replies) == 51

        never_arrived = replace(reply, text="Something else", attempted=old)
        assert await adapter.send(never_arrived) == server.replies[51].id


async def test_a_rate_limit_is_honoured(server: FakeMastodon, receiver: RecordingReceiver) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.append(Fault.LIMITED)
        with pytest.raises(SendLater) as later:
            await adapter.send(answer(event))

    assert server.limited_seconds - 2 < later.value.retry_after < server.limited_seconds + 2
    assert not server.replies


async def test_a_server_that_is_away_gets_the_answer_later(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        await server.close()
        with pytest.raises(SendLater, match="can't be reached"):
            await adapter.send(answer(event))


async def test_an_answer_to_what_was_deleted_is_not_posted(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.delete(event.message)
        with pytest.raises(SendRefused, match="404: The post you are trying to reply to"):
            await adapter.send(answer(event))

    assert not server.replies


async def test_an_answer_that_is_too_long_is_refused(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        with pytest.raises(SendRefused, match="422"):
            await adapter.send(answer(event, "x" * 501))


async def test_a_long_warning_gives_way_to_the_text(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        await adapter.send(answer(event, "x" * 450, mention="", warning="w" * 100))

    assert server.replies[0].warning == "w" * 49 + "…"


async def test_a_model_cannot_notify_others(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        await adapter.send(answer(event, "@ann@far.example ask @bea and @carl@x.example"))

    assert server.replies[0].text == ("@ann@far.example ask @\u200bbea and @\u200bcarl@x.example")


async def test_a_post_with_no_visibility_is_unlisted(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        reply = answer(event, in_reply_to="", mention="", visibility=None)
        await adapter.send(reply)
        await adapter.send(replace(reply, nonce="m" * 20, visibility=Visibility.PUBLIC))

    assert [reply.visibility for reply in server.replies] == ["unlisted", "public"]


async def test_a_send_waits_until_connected(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        event = await heard(server, receiver)
    adapter = an_adapter(server)
    sending = asyncio.create_task(adapter.send(answer(event)))
    run = asyncio.create_task(adapter.run(receiver))

    async with asyncio.timeout(SECONDS):
        await sending
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)

    assert len(server.replies) == 1


async def test_a_server_that_hangs_does_not_keep_us_from_stopping(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(server)
    run = asyncio.create_task(adapter.run(receiver))
    await until(lambda: bool(server.streams))
    event = await heard(server, receiver)
    server.faults.append(Fault.HANGS)
    sending = asyncio.create_task(adapter.send(answer(event)))
    await until(lambda: server.attempts == 1)

    run.cancel()
    async with asyncio.timeout(SECONDS / 2):
        await asyncio.gather(run, return_exceptions=True)

    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_writing_shows_nothing(server: FakeMastodon, receiver: RecordingReceiver) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        async with adapter.composing(event) as draft:
            draft("Hel")

    assert not server.attempts


# ------------------------------------------------------------------------------- account and owner


async def test_limits_come_from_the_server(receiver: RecordingReceiver) -> None:
    async with FakeMastodon(max_characters=5000) as server:
        assert an_adapter(server).limits.max_length == 500
        async with running(server, receiver) as adapter:
            assert adapter.limits.max_length == 5000
            assert adapter.limits.length("https://example.com/" + "x" * 90) == 23


async def test_a_wrong_token_stops_the_adapter_and_is_not_told(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    with pytest.raises(AdapterStopped, match="does not accept the access token") as stopped:
        async with asyncio.timeout(SECONDS):
            await an_adapter(server, "wrong-token").run(receiver)

    assert "access_token" in str(stopped.value)
    assert "wrong-token" not in str(stopped.value)


async def test_a_token_that_is_revoked_stops_the_adapter(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    task = asyncio.create_task(an_adapter(server).run(receiver))
    await until(lambda: bool(server.streams))

    server.access_token = "another"
    server.cut_streams()
    server.say("ann", "hello?")

    with pytest.raises(AdapterStopped):
        async with asyncio.timeout(SECONDS):
            await task


async def test_check_is_content_with_an_account_in_order(server: FakeMastodon) -> None:
    found = await an_adapter(server).check()

    assert [finding.ok for finding in found] == [True] * 4
    assert "@bot" in found[0].what
    assert "500 characters" in found[1].what


async def test_check_tells_what_to_switch_on() -> None:
    async with FakeMastodon(bot_flag=False) as server:
        server.private_mentions = "filter"
        found = await an_adapter(server).check()

    wrong = [finding for finding in found if not finding.ok]
    assert ["automated account" in wrong[0].fix, "Accept" in wrong[1].fix] == [True, True]
    assert len(wrong) == 2


async def test_check_tells_a_wrong_token(server: FakeMastodon) -> None:
    *_, last = await an_adapter(server, "wrong-token").check()

    assert not last.ok
    assert "does not accept the access token (it answers 401" in last.what
    assert "Preferences, Development" in last.fix
    assert "wrong-token" not in last.what + last.fix


async def test_check_tells_a_server_that_is_not_there(server: FakeMastodon) -> None:
    await server.close()

    (finding,) = await an_adapter(server).check()

    assert not finding.ok
    assert "can't be reached" in finding.what
    assert "base_url" in finding.fix


def test_options_are_checked_and_hide_the_token() -> None:
    options = MastodonOptions(base_url="here.example/", access_token=SecretStr("s3cret"))

    assert options.base_url == "https://here.example"
    assert "s3cret" not in repr(options)
    for wrong in ("ftp://here.example", "https://", "https://here.example/@robin", ""):
        with pytest.raises(ValidationError, match="address of a server"):
            MastodonOptions(base_url=wrong, access_token=SecretStr("s3cret"))
    with pytest.raises(ValidationError, match="access token"):
        MastodonOptions(base_url="here.example", access_token=SecretStr("two\nlines"))
    with pytest.raises(ValidationError) as error:
        MastodonOptions.model_validate({"base_url": "here.example", "access_token": "s3 cret"})
    assert "s3" not in str(error.value)
