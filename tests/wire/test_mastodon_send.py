"""What the Mastodon adapter posts, through the real client library."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hobnob.errors import SendLater, SendRefused, SendUnknown
from hobnob.events import Kind
from hobnob.testing.live import until
from hobnob.testing.mastodon import FakeMastodon, Fault
from hobnob.testing.mastodon.count import status_length
from hobnob.testing.receiver import RecordingReceiver
from tests.unit.test_mastodon_plain import nasty
from tests.wire.mastodon_kit import SECONDS, an_adapter, answer, heard, in_parts, running


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
        server.limited_seconds = 1.0
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


async def test_a_post_with_no_visibility_has_that_of_the_conversation(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        for number, thread in enumerate(("public", "followers", "direct", "")):
            await adapter.send(
                answer(
                    event,
                    nonce=f"{number:020}",
                    key=replace(event.key, thread=thread),
                    visibility=None,
                )
            )

    assert [reply.visibility for reply in server.replies] == [
        "unlisted", "private", "direct", "unlisted",
    ]  # fmt: skip


async def test_what_concerns_the_asker_alone_is_for_their_eyes_only(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, "memory")
        await adapter.send(answer(event, "I know 3 things.", private=True))

    assert event.kind is Kind.COMMAND
    assert [reply.visibility for reply in server.replies] == ["direct"]


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


# ------------------------------------------------------------------------------ changed, taken back


async def test_an_answer_is_changed_in_its_place(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        posted = await adapter.send(answer(event, "Cats.", warning="pets"))
        change = answer(event, "**Dogs.**", warning="pets", nonce="m" * 20, replaces=posted)
        assert await adapter.send(change) == posted
        assert await adapter.send(change) == posted  # twice does no harm

    (reply,) = server.replies
    assert (reply.id, reply.text, reply.warning) == (posted, "@ann@far.example Dogs.", "pets")


async def test_an_answer_is_taken_back_and_to_find_it_gone_is_as_good(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        posted = await adapter.send(answer(event))
        removal = answer(event, "", replaces=posted)
        assert await adapter.send(removal) == posted
        assert not server.replies
        assert await adapter.send(removal) == posted
        with pytest.raises(SendRefused, match="404"):
            await adapter.send(answer(event, "changed", replaces=posted))


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.BROKEN_AFTER, Fault.DROPPED, Fault.PAGE])
async def test_a_change_whose_end_is_unknown_is_made_again_later(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        change = answer(event, "changed", replaces=await adapter.send(answer(event)))
        server.faults.append(fault)
        with pytest.raises(SendLater):
            await adapter.send(change)
        await adapter.send(change)

    assert [reply.text for reply in server.replies] == ["@ann@far.example changed"]


# ---------------------------------------------------------------------------------- length


async def test_an_instance_with_more_characters_gets_one_post(receiver: RecordingReceiver) -> None:
    async with FakeMastodon(max_characters=10_000) as server, running(server, receiver) as adapter:
        event = await heard(server, receiver, "tell me all")
        for reply in in_parts(event, "All is well. " * 700, adapter.limits):
            await adapter.send(reply)
        assert len(server.replies) == 1


async def test_a_long_answer_is_a_thread_of_full_posts(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    link = "https://example.com/" + "x" * 180
    before = ""
    async with running(server, receiver) as adapter:
        server.say("ann@far.example", "links?", visibility="private", warning="links")
        await receiver.wait_for(1, SECONDS)
        (event,) = receiver.events
        for reply in in_parts(event, f"See [this]({link}). " * 30, adapter.limits):
            before = await adapter.send(replace(reply, follows=before))

    posts = server.replies
    assert [post.in_reply_to for post in posts] == [event.message, *(p.id for p in posts[:-1])]
    assert {(post.visibility, post.warning) for post in posts} == {("private", "links")}
    assert sum(post.text.count(link) for post in posts) == 30
    assert all(status_length(post.text, post.warning) > 420 for post in posts[:-1])


async def test_an_answer_that_has_become_too_long_is_refused_and_the_next_one_fits(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.max_characters = 200
        with pytest.raises(SendRefused, match="422: Text character limit of 200 exceeded"):
            await adapter.send(answer(event, "x" * 400))
        parts = in_parts(event, "word " * 80, adapter.limits)
        for reply in parts:
            await adapter.send(reply)

    assert len(parts) == len(server.replies) == 3


@given(said=nasty, warning=st.text(max_size=40))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_that_a_model_writes_makes_a_send_fail(said: str, warning: str) -> None:
    async def send() -> None:
        receiver = RecordingReceiver()
        async with FakeMastodon() as server, running(server, receiver) as adapter:
            server.say("ann@far.example", "go on", warning=warning)
            await receiver.wait_for(1, SECONDS)
            (event,) = receiver.events
            parts = in_parts(event, said, adapter.limits)
            for part in parts:
                await adapter.send(part)
            assert len(server.replies) == len(parts)
            for post in server.replies:
                names = {mention["acct"] for mention in server.statuses[post.id]["mentions"]}
                assert names == {"ann@far.example"}

    asyncio.run(send())
