"""What production throws at the Mastodon adapter; `server` (conftest.py) keeps the ledger."""

import asyncio
import logging
import traceback
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from hobnob.errors import AdapterStopped, SendLater, SendRefused, SendUnknown
from hobnob.events import Event
from hobnob.health import State
from hobnob.ports import Cursor
from hobnob.testing.live import until
from hobnob.testing.mastodon import FakeMastodon, Fault
from hobnob.testing.receiver import RecordingReceiver
from hobnob_mastodon.adapter import MastodonAdapter
from hobnob_mastodon.server import Pace
from tests.wire.mastodon_kit import SECONDS, an_adapter, answer, heard, running


class Answering(RecordingReceiver):
    """Answers what it hears, each person in turn, and waits where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.adapter: MastodonAdapter
        self.connected = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        new = await super().put(event, cursor)
        if new:
            self.tasks.append(asyncio.create_task(self._answer(event)))
        return new

    async def done(self) -> None:
        async with asyncio.timeout(60):
            await asyncio.gather(*self.tasks)

    async def _answer(self, event: Event) -> None:
        async with self._turns[event.author.id]:
            await self.connected.wait()
            while True:
                try:
                    reply = answer(event, f"to {event.text}", nonce=f"{event.message:0>20}")
                    await self.adapter.send(reply)
                    return
                except SendLater as later:
                    await asyncio.sleep(later.retry_after)


def answered(server: FakeMastodon) -> list[str | None]:
    return [reply.in_reply_to for reply in server.replies]


# ------------------------------------------------------------------------------------- hearing


async def test_a_stream_that_falls_silent_is_opened_again(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver, silence=1.5):
        server.silent = True
        server.say("ann", "do you hear me?")
        first = set(server.streams)
        # Silent until the new stream is there: what was said may have come with the first look
        # at the notifications, and a stream that speaks again in time is not opened again.
        await until(lambda: bool(server.streams - first))
        server.silent = False
        await receiver.wait_for(1, SECONDS)
        await heard(server, receiver, "and now?")

    assert [event.text for event in receiver.events] == ["do you hear me?", "and now?"]


async def test_nothing_makes_a_message_heard_twice(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        said = (await heard(server, receiver, "first")).message
        server.notify_again(said)
        server.boost("bea", said)
        server.notify_other("quote", "bea", said)
        server.notify_other("update", "ann@far.example", said)
        server.cut_streams()
        await heard(server, receiver, "second")
    async with running(server, receiver):
        server.notify_again(said)
        await heard(server, receiver, "third")

    assert [event.text for event in receiver.events] == ["first", "second", "third"]


async def test_a_favourite_is_a_reaction(server: FakeMastodon, receiver: RecordingReceiver) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        posted = await adapter.send(answer(event))
        server.favourite("bea", posted)
        await receiver.wait_for(2, SECONDS)

    reaction = receiver.events[1]
    assert (reaction.message, reaction.text, reaction.key) == (posted, "⭐", event.key)
    assert reaction.author.name == "Bea"


async def test_what_somebody_answers_comes_along(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        tea = server.say("bea", "Tea is better than coffee.", to_bot=False)
        private = server.say("bea", "I hate coffee.", to_bot=False, visibility="private")
        first = server.say("ann", "is that so?", in_reply_to=tea)
        await receiver.wait_for(1, SECONDS)
        ours = await adapter.send(answer(receiver.events[0]))
        server.say("ann", "and that?", in_reply_to=private)
        server.say("ann", "really?", in_reply_to=ours)
        server.say("ann", "I mean", in_reply_to=first)
        server.say("ann", "what was it?", in_reply_to="4711")
        server.say("ann", "see this", quote=tea)
        await receiver.wait_for(6, SECONDS)

    quoted = [event.quoted.text if event.quoted else "" for event in receiver.events]
    assert quoted == ["Tea is better than coffee.", "", "", "", "", "Tea is better than coffee."]
    parents = [what for what in server.ledger.requests if what.startswith("GET /api/v1/statuses/")]
    assert parents == [f"GET /api/v1/statuses/{id_}" for id_ in (tea, private, "4711")]


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.PAGE, Fault.PAGE_200, Fault.LIMITED])
async def test_a_server_that_reads_badly_is_asked_again_when_it_is_time(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    server.limited_seconds = 1.5
    async with running(server, receiver) as adapter:
        await heard(server, receiver, "before")
        server.read_faults.append(fault)
        server.cut_streams()
        server.say("ann", "meanwhile")
        await receiver.wait_for(2, SECONDS)
        health = adapter.health

    assert [event.text for event in receiver.events] == ["before", "meanwhile"]
    assert (health.errors > 1) == (fault is not Fault.LIMITED)


@pytest.mark.parametrize(
    "odd",
    [
        {"account": None},
        {"created_at": "yesterday", "content": None, "visibility": 7, "spoiler_text": ["x"]},
        {"mentions": "everybody"},
        {"media_attachments": [None, "x"], "quote": {"quoted_status": {"account": "ann"}}},
        {"id": None, "in_reply_to_id": {"a": 1}},
    ],
)
async def test_what_nobody_can_read_does_not_hold_up_what_follows(
    server: FakeMastodon, receiver: RecordingReceiver, odd: dict[str, object]
) -> None:
    async with running(server, receiver):
        await heard(server, receiver, "before")
    server.statuses[server.say("ann", "odd")] |= odd
    async with running(server, receiver):
        server.say("ann@far.example", "missed")
        server.statuses[server.say("ann", "odd", hidden=True)] |= odd
        server.reveal()
        server.say("ann@far.example", "after")
        await until(lambda: any(event.text == "after" for event in receiver.events))


# --------------------------------------------------------------------------------------- saying


@pytest.mark.parametrize("fault", [Fault.PAGE, Fault.PAGE_200])
async def test_a_page_of_html_is_no_answer_and_the_post_is_made_once(
    server: FakeMastodon, receiver: RecordingReceiver, fault: Fault
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.append(fault)
        await adapter.send(answer(event))

    assert answered(server) == [event.message]


async def test_nobody_sends_before_the_limit_ends(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.limit(1.5)
        waits = []
        for number in range(3):
            with pytest.raises(SendLater) as later:
                await adapter.send(answer(event, nonce=f"{number:020}"))
            waits.append(later.value.retry_after)
        assert adapter.health.limited_until is not None
        await asyncio.sleep(waits[0])
        await adapter.send(answer(event))

    assert server.attempts == 2
    assert 1 < min(waits) <= max(waits) < 3


async def test_a_doubtful_send_under_a_long_limit_is_given_up_and_said_so(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.limited_seconds = 3 * 3600
        server.faults.extend([Fault.DROPPED, Fault.LIMITED])
        with pytest.raises(SendUnknown, match="look at the account's posts"):
            await adapter.send(answer(event))


async def test_a_busy_day(server: FakeMastodon) -> None:
    """Many people, faults, cuts, a limit, a restart: each is answered once, in their order, with
    fewer requests than a server allows."""
    receiver = Answering()
    said: dict[str, list[str]] = defaultdict(list)
    server.limited_seconds = 1.0
    parent = server.say("zoe", "Is it raining?", to_bot=False)

    def crowd(first: int, last: int) -> None:
        for number in range(first, last):
            name = f"p{number % 12}@far.example"
            answers = parent if first < 30 else None
            said[name].append(server.say(name, f"{number}", in_reply_to=answers))

    for begin in (0, 70):
        crowd(begin and begin - 10, begin)  # while we are away
        async with running(server, receiver) as receiver.adapter:
            receiver.connected.set()
            for number in range(begin, begin + 60, 10):
                await receiver.done()  # else one message could have all the faults
                server.faults.extend([Fault.DROPPED, Fault.BROKEN_AFTER])
                crowd(number, number + 10)
                if number % 30 == 20:
                    server.cut_streams()
                    server.faults.append(Fault.LIMITED)
                everyone = sum(map(len, said.values()))
                await receiver.wait_for(everyone, 30)
            await receiver.done()
            receiver.connected.clear()

    assert Counter(answered(server)) == Counter(id_ for ids in said.values() for id_ in ids)
    for ids in said.values():
        assert [id_ for id_ in answered(server) if id_ in ids] == ids
    assert server.ledger.most < 300


async def test_what_others_asked_with_the_same_token_counts(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    """As after a restart, or with a second program of the owner's."""
    server.ledger.window = 3.0
    server.ledger.spend(290)
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        while True:
            try:
                await adapter.send(answer(event))
                break
            except SendLater as later:
                await asyncio.sleep(later.retry_after)

    assert answered(server) == [event.message]
    assert server.ledger.most <= 300


def test_no_more_is_asked_than_there_is_room_for() -> None:
    pace = Pace(3, 300.0)

    assert [pace.take(now) for now in (0.0, 10.0, 20.0)] == [0, 0, 0]
    assert pace.wait(30.0) == 270
    assert [pace.take(30.0), pace.take(30.0)] == [270, 280]  # they wait in a row
    assert pace.wait(1000.0) == 0


# ------------------------------------------------------------------------------------- the token


async def test_a_token_revoked_while_answering_stops_the_adapter_without_a_storm(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    adapter = an_adapter(server)
    task = asyncio.create_task(adapter.run(receiver))
    await until(lambda: bool(server.streams))
    event = await heard(server, receiver)
    server.access_token = "another"
    before = server.ledger.requests.total()

    with pytest.raises(SendLater, match="401"):
        await adapter.send(answer(event))
    with pytest.raises(AdapterStopped, match=r"does not accept the access token .*\. Make an app"):
        async with asyncio.timeout(SECONDS):
            await task

    assert server.ledger.requests.total() - before < 5
    assert adapter.health.state is State.STOPPED


async def test_the_token_is_in_no_log_and_no_traceback(
    server: FakeMastodon, receiver: RecordingReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver)
        server.faults.extend([Fault.BROKEN, Fault.DROPPED])
        await adapter.send(answer(event))
        server.cut_streams()
        server.delete(event.message)
        try:
            await adapter.send(answer(event, nonce="m" * 20))
        except SendRefused as refused:
            told.extend(traceback.format_exception(refused))
    server.access_token, ours = "another", server.access_token
    try:
        await an_adapter(server, ours).run(receiver)
    except AdapterStopped as stopped:
        told.extend(traceback.format_exception(stopped))

    assert any("urllib3" in record.name for record in caplog.records)
    assert len(told) > 2
    for text in (*told, caplog.text, repr(adapter)):
        assert ours not in text


# ---------------------------------------------------------------------------------------- health


async def test_health_says_how_the_connection_is_doing(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    start = datetime.now(UTC)
    assert an_adapter(server).health.state is State.CONNECTING
    async with running(server, receiver) as adapter:
        await heard(server, receiver)
        first = adapter.health
        await server.close()
        await until(lambda: adapter.health.state is State.RECONNECTING)
        away = adapter.health
        await server.open()
        await until(lambda: adapter.health.state is State.CONNECTED)

    assert first.state is State.CONNECTED
    assert first.last_event
    assert start < first.last_event < start + timedelta(minutes=1)
    assert first.lag is not None
    assert first.lag < 5
    assert away.errors >= 1
    assert "the stream ended" in away.last_error or "reached" in away.last_error
    assert adapter.health.state is State.STOPPED
