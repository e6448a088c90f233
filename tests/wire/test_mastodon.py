"""What the Mastodon adapter hears, through the real client library."""

from hobnob.events import Addressed, Kind
from hobnob.testing.live import until
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.mastodon_kit import SECONDS, answer, heard, running


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
    server.boost("ann", server.say("bea", "older"))

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
        said = await heard(server, receiver, "0")
    for number in range(1, 100):  # more than two pages
        server.say("ann@far.example", str(number))
        server.boost("bea", said.message)

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
