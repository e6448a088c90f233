"""What production throws at the Telegram adapter, with the chat and a database behind it.

Whatever happens: each message is answered once and in order, and Telegram finds nothing to
complain of.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from hobnob import app
from hobnob.chat import Chat
from hobnob.clock import SystemClock
from hobnob.settings import load
from hobnob.store.database import Database
from hobnob.store.schema import outbox
from hobnob.testing.engine import ScriptedEngine
from hobnob.testing.live import until
from hobnob.testing.telegram import ANN, BEN, GROUP, NEW_GROUP, TOKEN, FakeTelegram, Fault
from hobnob.testing.telegram.rules import Allowed
from hobnob_telegram.pace import Rates
from tests.wire.telegram_bot import FAST, LENIENT, adapter_for, running

BOT_TOML = """\
[bot]
name = "robin"
[engage]
disclose = false
burst_seconds = 0
per_user_per_minute = 0
per_chat_per_minute = 0
"""
PERSONA = '+++\nname = "Robin"\n+++\nYou are Robin.'
LONG = "Once upon a time there was a bot that never said anything twice."


class Life:
    """A bot that is started as often as one likes, and the Telegram that it lives on."""

    def __init__(self, server: FakeTelegram, database: Database, folder: Path) -> None:
        self.server = server
        self.database = database
        (folder / "bot.toml").write_text(BOT_TOML)
        (folder / "persona.md").write_text(PERSONA)
        self._bot = load(folder)

    @asynccontextmanager
    async def living(
        self, *answers: str, hold: asyncio.Event | None = None, rates: Rates = FAST
    ) -> AsyncIterator[ScriptedEngine]:
        adapter = adapter_for(self.server, rates=rates)
        engine, clock = ScriptedEngine(answers, hold=hold, piece=8), SystemClock()
        chat: Chat = app.build(
            self._bot,
            {adapter.name: adapter},
            rules=self._bot.rules,
            engine=engine,
            memory=app.open_memory(self._bot, self.database, clock, None),
            database=self.database,
            clock=clock,
        )
        async with running(adapter, chat.receiver(adapter.name)):
            await chat.resume(adapter.name)
            try:
                yield engine
            finally:
                await chat.close(5)

    def texts(self, chat: int) -> list[str]:
        return [sent.text for sent in self.server.replies if sent.chat == chat]

    async def states(self) -> list[str]:
        query = sa.select(outbox.c.state).order_by(outbox.c.id)
        return await self.database.read(lambda connection: list(connection.scalars(query)))


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(LENIENT) as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
def life(server: FakeTelegram, sqlite: Database, tmp_path: Path) -> Life:
    return Life(server, sqlite, tmp_path)


def ask(server: FakeTelegram, text: str, chat: int = GROUP) -> int:
    return server.say(chat, f"@hobnob_bot {text}" if chat < 0 else text)


# ------------------------------------------------------------------------------ while it grows


async def test_an_answer_in_a_group_grows_in_one_message(life: Life) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        hold.set()
        await until(lambda: life.texts(GROUP) == [LONG])
    assert life.server.replies[0].edits >= 1
    assert life.server.drafts == []


async def test_an_answer_in_private_is_a_draft_until_it_is_sent_once(life: Life) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, hold=hold):
        message = ask(life.server, "a story!", ANN)
        await until(lambda: life.server.drafting.get(ANN) == "Once upo")
        assert life.server.replies == []
        hold.set()
        await until(lambda: life.texts(ANN) == [LONG])
    assert {number for _, number, _ in life.server.drafts} == {message}
    assert life.server.replies[0].edits == 0


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.FORBIDDEN, Fault.LIMITED])
async def test_a_draft_that_fails_costs_nothing_but_itself(life: Life, fault: Fault) -> None:
    life.server.faults_of["sendMessageDraft"].append(fault)
    life.server.limited_seconds = 1
    hold = asyncio.Event()
    async with life.living(LONG, hold=hold):
        ask(life.server, "a story!", ANN)
        await until(lambda: not life.server.faults_of["sendMessageDraft"])
        hold.set()
        await until(lambda: life.texts(ANN) == [LONG])
    assert life.server.drafts == []


async def test_a_limit_in_the_middle_of_growing_is_kept(life: Life) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, "Hi Ann!", hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        life.server.limit(2, GROUP)
        hold.set()
        ask(life.server, "hello", ANN)
        await until(lambda: life.texts(ANN) == ["Hi Ann!"])
        assert life.texts(GROUP) == ["Once upo"]  # others need not wait
        await until(lambda: life.texts(GROUP) == [LONG])


@pytest.mark.parametrize("fault", [Fault.GONE, Fault.UNEDITABLE])
async def test_an_answer_whose_beginning_cannot_be_changed_comes_whole(
    life: Life, fault: Fault
) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        life.server.faults_of["editMessageText"].extend([fault] * 2)
        hold.set()
        await until(lambda: life.texts(GROUP)[-1] == LONG)
    assert life.texts(GROUP).count(LONG) == 1


async def test_a_beginning_in_doubt_is_the_only_thing_in_doubt(life: Life) -> None:
    hold = asyncio.Event()
    life.server.faults.append(Fault.DROPPED)
    async with life.living(LONG, hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        hold.set()
        await until(lambda: life.texts(GROUP) == ["Once upo", LONG])
        await until(lambda: life.server.unconfirmed == 0)
    assert sorted(await life.states()) == ["sent", "withdrawn"]


async def test_an_answer_that_a_stop_cut_off_is_finished_in_its_place(life: Life) -> None:
    async with life.living(LONG, hold=asyncio.Event()):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
    async with life.living("There was a fox."):
        await until(lambda: life.texts(GROUP) == ["There was a fox."])


# --------------------------------------------------------------------------------- the network


async def test_what_is_said_while_the_poll_is_cut_is_answered_once(life: Life) -> None:
    async with life.living("zero", "one", "two"):
        ask(life.server, "0", ANN)
        await until(lambda: life.texts(ANN) == ["zero"])
        await until(lambda: life.server._poll is not None)
        life.server.cut()
        ask(life.server, "1", ANN)
        ask(life.server, "2", ANN)
        await until(lambda: life.texts(ANN) == ["zero", "one", "two"])


async def test_updates_that_come_twice_or_out_of_order_are_answered_once(life: Life) -> None:
    said = [ask(life.server, str(number), chat) for number, chat in enumerate((ANN, BEN, ANN))]
    assert len(said) == 3
    life.server._updates = [life.server._updates[at] for at in (1, 0, 1, 2, 0, 2, 1)]
    async with life.living("one", "zero", "two"):
        await until(lambda: len(life.server.replies) == 3)
        await until(lambda: life.server.unconfirmed == 0)
    assert len(life.texts(ANN)) == 2
    assert len(life.texts(BEN)) == 1
    assert life.server.offsets == sorted(life.server.offsets)


async def test_a_token_in_an_error_is_in_no_log(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    life.server.faults.append(Fault.BROKEN)
    async with life.living("one", "two"):
        ask(life.server, "1", ANN)
        await until(lambda: "perhaps sent" in caplog.text)
        await until(lambda: life.server._poll is not None)
        life.server.cut()
        ask(life.server, "2", ANN)
        await until(lambda: life.texts(ANN) == ["two"])
        life.server.token = "999:another"
        await until(lambda: "refuses the token" in caplog.text or "polling failed" in caplog.text)
    assert TOKEN not in caplog.text


# -------------------------------------------------------------------------------------- limits


async def test_a_flooded_group_holds_nobody_else_up(sqlite: Database, tmp_path: Path) -> None:
    allowed = Allowed(in_all=30, chat_seconds=0.09, in_group=3, group_seconds=1.9)
    rates = Rates(in_all=28, chat_seconds=0.1, in_group=3, group_seconds=2.0)
    async with FakeTelegram(allowed) as server:
        life = Life(server, sqlite, tmp_path)
        async with life.living(*(f"answer {number}" for number in range(12)), rates=rates):
            for number in range(5):
                ask(server, str(number))
            await until(lambda: len(life.texts(GROUP)) == 3)
            for number in range(5):
                ask(server, str(number), ANN)
                ask(server, str(number), BEN) if number < 2 else None
            await until(lambda: len(life.texts(ANN)) == 5 and len(life.texts(BEN)) == 2)
            assert len(life.texts(GROUP)) == 3
            await until(lambda: len(life.texts(GROUP)) == 5)
        assert server.complaints == []
        order = [int(text.split()[1]) for text in life.texts(GROUP)]
        assert order == sorted(order)


async def test_a_limit_at_the_start_is_kept(life: Life) -> None:
    life.server.faults_of["getMe"].append(Fault.LIMITED)
    life.server.limited_seconds = 2
    ask(life.server, "1", ANN)
    async with life.living("one"):
        await until(lambda: life.texts(ANN) == ["one"])


async def test_a_limit_for_everybody_is_kept_by_everybody(life: Life) -> None:
    async with life.living("one", "two", "three"):
        life.server.limit(1)
        ask(life.server, "1", ANN)
        ask(life.server, "2", ANN)
        ask(life.server, "3", BEN)
        await until(lambda: len(life.server.replies) == 3)
    assert len(life.texts(ANN)) == 2


# ---------------------------------------------------------------------------- people and places


async def test_a_bot_that_is_blocked_goes_on_with_others(life: Life) -> None:
    life.server.faults.append(Fault.FORBIDDEN)
    async with life.living("one", "two"):
        ask(life.server, "1", ANN)
        await until(lambda: not life.server.faults)
        ask(life.server, "2", BEN)
        await until(lambda: life.texts(BEN) == ["two"])
    assert await life.states() == ["refused", "sent"]


async def test_a_bot_that_is_thrown_out_while_it_writes_goes_on_with_others(life: Life) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, "Hi!", hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        life.server.faults_of["editMessageText"].extend([Fault.FORBIDDEN] * 2)
        life.server.faults.append(Fault.FORBIDDEN)
        hold.set()
        await until(lambda: not life.server.faults)
        ask(life.server, "hello", BEN)
        await until(lambda: life.texts(BEN) == ["Hi!"])
    assert life.texts(GROUP) == ["Once upo"]


async def test_formatting_that_telegram_does_not_understand_is_left_out(life: Life) -> None:
    life.server.faults.append(Fault.ENTITIES)
    async with life.living("It is **bold**."):
        ask(life.server, "how is it?", ANN)
        await until(lambda: life.texts(ANN) == ["It is **bold**."])


async def test_a_group_that_becomes_a_supergroup_is_the_same_conversation(life: Life) -> None:
    async with life.living("one", "two") as engine:
        ask(life.server, "first")
        await until(lambda: life.texts(GROUP) == ["one"])
        life.server.migrate(GROUP, NEW_GROUP)
        ask(life.server, "second", NEW_GROUP)
        await until(lambda: life.texts(NEW_GROUP) == ["two"])
    assert [message.content for message in engine.prompts[1]][-3:] == [
        "Ann: first",
        "one",
        "Ann: second",
    ]
    async with life.living("three") as engine:  # and after a start
        third = ask(life.server, "third", NEW_GROUP)
        await until(lambda: life.texts(NEW_GROUP) == ["two", "three"])
    assert "Ann: first" in [message.content for message in engine.prompts[0]]
    assert life.server.replies[-1].reply_to == third


async def test_an_answer_to_a_group_that_has_moved_away_goes_where_it_is(life: Life) -> None:
    hold = asyncio.Event()
    async with life.living(LONG, "two", hold=hold):
        ask(life.server, "a story!")
        await until(lambda: life.texts(GROUP) == ["Once upo"])
        life.server.moved[GROUP] = NEW_GROUP  # nobody told us
        hold.set()
        await until(lambda: life.texts(NEW_GROUP) == [LONG])
        assert life.server.replies[-1].reply_to is None  # the question has stayed behind
        again = ask(life.server, "and then?", NEW_GROUP)
        await until(lambda: life.texts(NEW_GROUP) == [LONG, "two"])
        assert life.server.replies[-1].reply_to == again
