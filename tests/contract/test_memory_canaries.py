"""Nothing that was said in one place is ever in a prompt for another: tried with canaries."""

import random
from dataclasses import dataclass, replace

from hobnob import prompt
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, ChatMessage, Event, Role, Turn
from hobnob.memory.recall import Remembering
from hobnob.notes import Budget
from hobnob.persona import Persona
from hobnob.ports import Outcome
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock

ROBIN = Persona(name="Robin", text="You are Robin.")
ME = Author(id="bot", name="Robin", is_bot=True)
PEOPLE = tuple(Author(id=f"id-{name}", name=name) for name in ("Ann", "Ben", "Cleo", "Dan", "Eve"))
ROOMS = tuple(key(f"room {number}") for number in range(3))
CANARIES, QUESTIONS = 200, 100
BUDGET = Budget(tokens=3000, count=lambda messages: sum(len(each.content) for each in messages))
TOPICS = ("locker", "bicycle", "garden", "piano", "attic", "boat", "oven", "camera", "tent", "desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Something that one person said in one place."""

    word: str
    topic: str
    by: Author
    place: ConversationKey
    fact: bool
    """It was said so that it is learned as a fact about them."""

    @property
    def text(self) -> str:
        if self.fact:
            return f"Remember that my {self.topic} code is {self.word}"
        return f"The code of my {self.topic} is {self.word}, they told me"


class Town:
    def __init__(self, database: Database) -> None:
        self.random = random.Random(7)
        self.platform = FakeAdapter()
        self.inbox = SqlInbox(database, FakeClock())
        self.memory = Remembering(SqlMemory(database, FakeClock()))
        self.canaries: list[Canary] = []

    def place(self, person: Author) -> ConversationKey:
        return self.random.choice((key(person.name), *ROOMS))

    def event(self, text: str, by: Author, place: ConversationKey) -> Event:
        addressed = Addressed.MENTION if place in ROOMS else Addressed.DIRECT
        return self.platform.event(text, author=by, key=place, addressed=addressed)

    async def say(self, canary: Canary) -> None:
        text = canary.text
        event = self.event(text, canary.by, canary.place)
        await self.inbox.receive(event)
        rows = (await self.inbox.todo(canary.place)).waiting
        said = Turn(role=Role.USER, author=canary.by, text=text, at=event.at, message=event.message)
        ours = Turn(role=Role.ASSISTANT, author=ME, text=f"Noted: {canary.word}.", at=event.at)
        await self.inbox.finish(
            Outcome(
                rows=tuple(row.row for row in rows),
                key=canary.place,
                decision="answer",
                reason="",
                turns=(said, ours),
            )
        )
        self.canaries.append(canary)

    async def fill(self) -> None:
        for number in range(CANARIES):
            by = self.random.choice(PEOPLE)
            topic = f"{TOPICS[number % len(TOPICS)]}{number // len(TOPICS)}"
            word = "canary" + "".join(self.random.choices("abcdefgh", k=12))
            place, fact = self.place(by), number % 3 == 0
            await self.say(Canary(word=word, topic=topic, by=by, place=place, fact=fact))
        while await self.memory.learner.some():
            pass

    async def prompt_for(self, event: Event) -> tuple[str, str]:
        """What the model would be shown, and what is known of the person alone."""
        memory = prompt.fit(ROBIN, await self.memory.snapshot([event]), [event], BUDGET)
        recalled = await self.memory.recall([event], memory.turns)
        full = prompt.build(ROBIN, replace(memory, recalled=recalled), [event], BUDGET)
        return _text(full), " ".join(fact.text for fact in memory.facts)


def _text(messages: tuple[ChatMessage, ...]) -> str:
    return "\n".join(message.content for message in messages)


async def test_canaries_stay_where_they_were_said(database: Database) -> None:
    """20,000 triples of asker, place and memory, and each that should be found is asked for too."""
    town = Town(database)
    await town.fill()
    looked_at = 0
    for _ in range(QUESTIONS):
        aim, asker = town.random.choice(town.canaries), town.random.choice(PEOPLE)
        event = town.event(f"What is the code of my {aim.topic}?", asker, town.place(asker))
        shown, known = await town.prompt_for(event)
        for canary in town.canaries:
            looked_at += 1
            if canary.place != event.key:
                assert canary.word not in shown, (canary, event)
            theirs = canary.by == asker and canary.place == event.key
            assert (canary.word in known) == (canary.fact and theirs), (canary, event)
    assert looked_at >= 10_000

    found = 0
    for canary in town.canaries[::4]:
        event = town.event(f"What is the code of my {canary.topic}?", canary.by, canary.place)
        shown, _ = await town.prompt_for(event)
        found += canary.word in shown
    assert found >= 0.95 * len(town.canaries[::4])


async def test_with_our_own_filter_gone_the_server_still_keeps_them_apart(
    ordinary: Database,
) -> None:
    """Each conversation's view, asked for everything there is, holds its own canaries only."""
    import sqlalchemy as sa

    from hobnob.store.memory import restrict
    from hobnob.store.schema import fact, turn

    town = Town(ordinary)
    await town.fill()
    looked_at = 0
    for asker in PEOPLE:
        for where in (key(asker.name), *ROOMS):
            event = town.event("hello", asker, where)
            scope = town.memory._scope(event)
            places = list(await SqlMemory(ordinary, FakeClock()).news(scope, {}, 0))

            def everything(
                connection: sa.Connection, places: list[int] = places, scope: object = scope
            ) -> tuple[str, str]:
                restrict(connection, places, scope)  # type: ignore[arg-type]
                said = connection.scalars(sa.select(turn.c.text))
                known = connection.scalars(sa.select(fact.c.text))
                return " ".join(said), " ".join(known)

            said, known = await ordinary.view(everything)
            for canary in town.canaries:
                looked_at += 1
                assert (canary.word in said) == (canary.place == where), (canary, where)
                theirs = canary.by == asker and canary.place == where
                assert (canary.word in known) == (canary.fact and theirs), (canary, where, asker)
    assert looked_at >= 4000
