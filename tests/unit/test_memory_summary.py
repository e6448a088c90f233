"""What was said before the window, in short."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Role, Turn
from hobnob.memory import summary
from hobnob.memory.learn import SUMMED_UP, WINDOW, Learner
from hobnob.ports import Outcome
from hobnob.recollection import Scope
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

ANN, ME = Author(id="id-ann", name="Ann"), Author(id="bot", name="Robin", is_bot=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = Scope(key=key("ann"), asker=ANN.id, direct=True)
people = FakeAdapter()


def said(text: str, by: Author = ANN, day: int = 0) -> Turn:
    role = Role.ASSISTANT if by is ME else Role.USER
    return Turn(role=role, author=by, text=text, at=NOON + timedelta(days=day))


def test_what_says_most_is_kept_dated_and_in_order() -> None:
    turns = [
        said("My sister Mia lives in Lisbon with two cats."),
        said("How lovely! Do you visit her in Lisbon?", ME),
        said("ok"),
        said("lol yes"),
        said("Do you like the sea?"),
        said("I start my job at the harbour museum in May.", day=9),
    ]
    assert summary.extract(turns) == (
        "1 March 2026, Ann: My sister Mia lives in Lisbon with two cats.\n"
        "10 March 2026, Ann: I start my job at the harbour museum in May."
    )


@pytest.mark.parametrize("turns", [[], [said("ok")], [said("🙂" * 50)], [said("", ME)]])
def test_where_nothing_was_said_nothing_is_summed_up(turns: list[Turn]) -> None:
    assert summary.extract(turns) == ""


def test_it_is_short_however_much_was_said() -> None:
    turns = [said(f"I saw {n} ships called number{n} in harbour{n} today.") for n in range(500)]
    assert 0 < len(summary.extract(turns)) <= summary.MOST_CHARACTERS


def test_what_a_model_adds_of_its_own_is_left_out() -> None:
    sources = ["Ann: My sister Mia lives in Lisbon.", "Ann: I work at the museum."]
    written = (
        "Ann's sister Mia lives in Lisbon. Ann works at the museum. Ann has a yacht in Monaco."
    )
    assert summary.supported(written, sources) == (
        "Ann's sister Mia lives in Lisbon.\nAnn works at the museum."
    )


def test_what_a_model_mostly_invents_is_not_used_at_all() -> None:
    written = "Mia lives in Lisbon. She has a yacht. She owns a bank. She flies to Mars."
    assert summary.supported(written, ["Ann: My sister Mia lives in Lisbon."]) == ""


class Talk:
    """A long conversation with Ann."""

    def __init__(self, database: Database) -> None:
        self.inbox = SqlInbox(database, FakeClock())
        self.memory = SqlMemory(database, FakeClock())
        self.key: ConversationKey = SCOPE.key

    async def say(self, *texts: str) -> None:
        for text in texts:
            event = people.event(text)
            await self.inbox.receive(event)
            rows = (await self.inbox.todo(self.key)).waiting
            turn = Turn(
                role=Role.USER, author=event.author, text=text, at=event.at, message=event.message
            )
            await self.inbox.finish(
                Outcome(
                    rows=tuple(row.row for row in rows),
                    key=self.key,
                    decision="answer",
                    reason="",
                    turns=(turn,),
                )
            )

    async def summary(self) -> str:
        return (await self.memory.recent(SCOPE, 8)).summary


@pytest.fixture
async def talk(sqlite: Database) -> Talk:
    talk = Talk(sqlite)
    await talk.say("My sister Mia lives in Lisbon with her cats.")
    await talk.say(*(f"And then number {n} came along." for n in range(SUMMED_UP + WINDOW)))
    return talk


async def learn(learner: Learner) -> None:
    while await learner.some():
        pass


async def test_what_leaves_the_window_is_summed_up(talk: Talk) -> None:
    await learn(Learner(talk.memory, None))
    assert "Mia lives in Lisbon" in await talk.summary()


async def test_a_model_may_write_it(talk: Talk) -> None:
    engine = ScriptedEngine(["Mia lives in Lisbon with cats."] * 9)
    await learn(Learner(talk.memory, None, engine))
    assert await talk.summary() == "Mia lives in Lisbon with cats."
    assert "My sister Mia lives in Lisbon" in engine.prompts[0][-1].content


async def test_a_model_that_talks_nonsense_is_not_believed(talk: Talk) -> None:
    await learn(Learner(talk.memory, None, ScriptedEngine(["Elephants rule Jupiter."] * 9)))
    assert "Mia lives in Lisbon with her cats" in await talk.summary()


async def test_forgetting_reaches_the_summary(talk: Talk) -> None:
    await learn(Learner(talk.memory, None))
    await talk.memory.forget_person("fake", "bot", "id-ann")
    assert await talk.summary() == ""


async def test_what_was_forgotten_while_it_was_summed_up_stays_forgotten(talk: Talk) -> None:
    overflow = await talk.memory.overflow(1, WINDOW, SUMMED_UP)
    assert overflow is not None
    await talk.memory.forget_person("fake", "bot", "id-ann")
    await talk.memory.sum_up(overflow, "Mia lives in Lisbon")
    assert await talk.summary() == ""


async def test_no_byte_of_a_forgotten_summary_stays(talk: Talk, tmp_path: Path) -> None:
    await learn(Learner(talk.memory, None))
    await talk.memory.forget_person("fake", "bot", "id-ann")
    await talk.memory.scrub()
    assert b"Lisbon" not in _bytes(tmp_path)


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())
