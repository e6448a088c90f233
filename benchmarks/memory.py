"""How well the bot's memory finds what was said, in a file of LoCoMo's format.

    python benchmarks/memory.py DATA [--embedder starter|none|...] [--scale 100000 1000000] [--json]

Everything goes the way of a live bot: each turn comes in through the inbox and is learned; each
question is asked as a message. R@k is the share of the turns that hold the answer among the first
k, the mean over questions; adversarial questions, which have no answer, are left out. DATA is a
file such as benchmarks/data/chinese.json, or LoCoMo's own (Maharana et al., ACL 2024).

With --scale, a second table: the same questions in a database of so many turns (in conversations
like those of DATA, and all in one conversation), with copies of DATA's turns.

`factory` is for other people's evaluations: factory(conversation) learns `conversation.turns` and
returns search(question, k), the ids of the turns found.
"""

import argparse
import asyncio
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import sqlalchemy as sa

from hobnob.clock import SystemClock
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Role, Turn
from hobnob.memory.embedder import SentenceModel
from hobnob.memory.recall import Remembering
from hobnob.ports import Outcome
from hobnob.prompt import said
from hobnob.recollection import Scope
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.terminal import show

BOTS = {"assistant", "bot", "chatbot", "ai", "support", "robin"}
"""Speakers with such a name are the bot; the others are people."""
CATEGORIES = {4: "single-hop", 1: "multi-hop", 2: "temporal", 3: "open-domain"}
TURN_SECONDS = 30
KS = (5, 10, 25)
MODELS: dict[str, SentenceModel] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A turn of the data."""

    id: str
    speaker: str
    text: str
    at: datetime
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    category: str
    evidence: frozenset[str]
    outdated: frozenset[str] = frozenset()
    """What the evidence replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    name: str
    turns: Sequence[Said]
    questions: Sequence[Question]


class Bot:
    """A bot's memory with its database, in a folder of its own."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._stack = AsyncExitStack()
        self._numbers = iter(range(1 << 40))

    async def __aenter__(self) -> "Bot":
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self.file = Path(folder) / "hobnob.db"
        url = f"sqlite:///{self.file}"
        self.database = await self._stack.enter_async_context(Database(url))
        await migrate.upgrade(self.database)
        self.inbox = SqlInbox(self.database, SystemClock())
        self.store = SqlMemory(self.database, SystemClock())
        self.memory = Remembering(self.store, embedder=model(self._embedder))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def hear(self, key: ConversationKey, turns: Sequence[Said]) -> None:
        """Take the turns in: what people say as messages, what the bot says as answers."""
        for each in turns:
            event = _event(key, each, next(self._numbers))
            turn = Turn(
                role=Role.ASSISTANT if event.author.is_bot else Role.USER,
                author=event.author,
                text=said(event),
                at=each.at,
                message=each.id,
            )
            if turn.role is Role.USER:
                await self.inbox.receive(event)
            rows = (await self.inbox.todo(key)).waiting
            await self.inbox.finish(
                Outcome(
                    rows=tuple(row.row for row in rows) or (0,),
                    key=key,
                    decision="answer",
                    reason="benchmark",
                    turns=(turn,),
                )
            )

    async def learn(self) -> None:
        while await self.memory.learner.some():
            pass

    async def search(
        self, key: ConversationKey, asker: Author, at: datetime, question: str, k: int
    ) -> Sequence[str]:
        asked = Event(
            id="question",
            kind=Kind.MESSAGE,
            key=key,
            author=asker,
            at=at,
            message="question",
            text=question,
            addressed=Addressed.DIRECT,
        )
        scope = Scope(key=key, asker=asker.id, direct=True)
        hits = await self.memory.search(scope, asked, k)
        found = await self.store.passages(scope, [hit.id for hit in hits], 0)
        return [found[hit.id][0].message for hit in hits]


def model(name: str) -> SentenceModel | None:
    """Loaded once for all."""
    if name == "none":
        return None
    if name not in MODELS:
        MODELS[name] = SentenceModel(name)
    return MODELS[name]


def factory(conversation: Any, embedder: str = "starter") -> Callable[[str, int], Sequence[str]]:
    """For evaluations that hand in a conversation with `turns` (dia_id, session, when, speaker,
    text, caption) and `cid`."""
    runner = asyncio.Runner()
    bot = Bot(embedder)
    turns = list(_placed(conversation.turns))
    key = ConversationKey(platform="benchmark", account="bot", room=str(conversation.cid))

    async def learn() -> None:
        await bot.__aenter__()
        await bot.hear(key, turns)
        await bot.learn()

    runner.run(learn())
    asker, at = _asker(turns), turns[-1].at + timedelta(days=1)
    return lambda question, k: runner.run(bot.search(key, asker, at, question, k))


def load(path: Path) -> Iterator[Sample]:
    for sample in json.loads(path.read_text()):
        talk = sample["conversation"]
        sessions = sorted(int(m[1]) for key in talk if (m := re.fullmatch(r"session_(\d+)", key)))
        turns = []
        for number in sessions:
            at = _time(talk.get(f"session_{number}_date_time", ""), number)
            for place, turn in enumerate(talk[f"session_{number}"]):
                turns.append(
                    Said(
                        id=turn["dia_id"],
                        speaker=turn["speaker"],
                        text=turn["text"],
                        at=at + timedelta(seconds=TURN_SECONDS * place),
                        caption=turn.get("blip_caption", ""),
                    )
                )
        known = {turn.id for turn in turns}
        yield Sample(
            name=sample["sample_id"],
            turns=turns,
            questions=[
                Question(
                    text=each["question"],
                    category=CATEGORIES[each["category"]],
                    evidence=ids,
                    outdated=frozenset(each.get("outdated", ())),
                )
                for each in sample["qa"]
                if each["category"] in CATEGORIES and (ids := _evidence(each) & known)
            ],
        )


async def measure(
    samples: Sequence[Sample], embedder: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One row for each category and one for all; what it costs."""
    results: list[tuple[str, Sequence[float]]] = []
    seconds: list[float] = []
    newer: list[bool] = []
    taking = size = count = 0.0
    for sample in samples:
        key = ConversationKey(platform="benchmark", account="bot", room=sample.name)
        async with Bot(embedder) as bot:
            if loaded := model(embedder):
                await loaded.query("load before it is measured")
            began = time.perf_counter()
            await bot.hear(key, sample.turns)
            await bot.learn()
            taking += time.perf_counter() - began
            await bot.store.scrub()
            size += bot.file.stat().st_size
            count += len(sample.turns)
            asker, at = _asker(sample.turns), sample.turns[-1].at + timedelta(days=1)
            for question in sample.questions:
                began = time.perf_counter()
                found = await bot.search(key, asker, at, question.text, max(KS))
                seconds.append(time.perf_counter() - began)
                results.append((question.category, _scores(found, question.evidence)))
                if question.outdated:
                    either = question.evidence | question.outdated
                    first = next((id_ for id_ in found if id_ in either), "")
                    newer.append(first in question.evidence)
        print(f"{sample.name}: {len(sample.turns)} turns", file=sys.stderr)
    rows = []
    for category in ("all", *CATEGORIES.values()):
        some = [scores for name, scores in results if category in ("all", name)]
        if some:
            r5, r10, r25, ndcg = (mean(column) for column in zip(*some, strict=True))
            rows.append(
                {
                    "questions": category,
                    "n": len(some),
                    "r5": round(r5, 3),
                    "r10": round(r10, 3),
                    "r25": round(r25, 3),
                    "ndcg10": round(ndcg, 3),
                }
            )
    return rows, {
        **({"newer_first": round(mean(newer), 3)} if newer else {}),
        "ingest_ms": round(1000 * taking / count, 2),
        "query_p50_ms": round(1000 * _quantile(seconds, 0.5), 1),
        "query_p95_ms": round(1000 * _quantile(seconds, 0.95), 1),
        "bytes_per_turn": round(size / count),
    }


async def scale(sample: Sample, embedder: str, total: int, *, one: bool) -> dict[str, Any]:
    """A database of `total` turns: in conversations as long as the sample, or all in one."""
    key = ConversationKey(platform="benchmark", account="bot", room="0")
    async with Bot(embedder) as bot:
        await bot.hear(key, sample.turns)
        await bot.learn()
        await bot.database.write(lambda connection: _multiply(connection, total, one=one))
        more = [
            Said(id=f"more {n}", speaker=turn.speaker, text=turn.text, at=turn.at)
            for n, turn in enumerate(sample.turns[:256])
        ]
        other = ConversationKey(platform="benchmark", account="bot", room="more")
        began = time.perf_counter()
        await bot.hear(other, more)
        await bot.learn()
        taking = (time.perf_counter() - began) / len(more)
        asker, at = _asker(sample.turns), sample.turns[-1].at + timedelta(days=1)
        seconds = []
        for number, question in enumerate(sample.questions[:200]):
            room = 0 if one else number % max(1, total // len(sample.turns))
            where = ConversationKey(platform="benchmark", account="bot", room=str(room))
            began = time.perf_counter()
            await bot.search(where, asker, at, question.text, 10)
            seconds.append(time.perf_counter() - began)
        await bot.store.scrub()
        return {
            "turns": total,
            "in": "one conversation" if one else f"{total // len(sample.turns)} conversations",
            "first_ms": round(1000 * seconds[0]),
            "query_p50_ms": round(1000 * _quantile(seconds[1:], 0.5), 1),
            "query_p95_ms": round(1000 * _quantile(seconds[1:], 0.95), 1),
            "ingest_ms": round(1000 * taking, 1),
            "turns_per_s": round(1 / taking),
            "MB": round(bot.file.stat().st_size / 1e6),
        }


def _multiply(connection: sa.Connection, total: int, *, one: bool) -> None:
    """Copy the first conversation until there are `total` turns."""
    count = int(connection.scalar(sa.text("SELECT count(*) FROM turn")) or 1)
    for number in range(1, math.ceil(total / count)):
        shift = {"by": number * count, "room": str(number), "place": 1, "days": f"+{number} days"}
        if not one:
            shift["place"] = connection.scalar(
                sa.text(
                    "INSERT INTO conversation (platform, account, room, thread, direct, incognito,"
                    " forgotten) VALUES ('benchmark', 'bot', :room, '', 1, 0, 0) RETURNING id"
                ),
                shift,
            )
        at = "strftime('%Y-%m-%d %H:%M:%f000', at, :days)" if one else "at"
        for statement in (
            "INSERT INTO turn (id, conversation_id, position, role, author, name, text, at,"
            " message, learned) SELECT id + :by, :place, position + :by, role, author, name, text,"
            f" {at}, message, learned FROM turn WHERE id <= :count",
            "INSERT INTO recall SELECT turn_id + :by, :place, terms, vector FROM recall"
            " WHERE turn_id <= :count",
            "INSERT INTO recall_tokens SELECT turn_id + :by, :place, tokens FROM recall_tokens"
            " WHERE turn_id <= :count",
        ):
            connection.execute(sa.text(statement), {**shift, "count": count})


# ------------------------------------------------------------------------------------ the data


def _event(key: ConversationKey, said: Said, number: int) -> Event:
    picture = Attachment(media_type="image/jpeg", alt=said.caption)
    return Event(
        id=f"{key.room} {number}",
        kind=Kind.MESSAGE,
        key=key,
        author=_author(said.speaker),
        at=said.at,
        message=said.id,
        text=said.text,
        addressed=Addressed.DIRECT,
        attachments=(picture,) if said.caption else (),
    )


def _author(name: str) -> Author:
    return Author(id=name, name=name, is_bot=name.casefold() in BOTS)


def _asker(turns: Sequence[Said]) -> Author:
    """Who talks with the bot; where two people talk, nobody of them asks."""
    people = {turn.speaker for turn in turns if turn.speaker.casefold() not in BOTS}
    return _author(people.pop()) if len(people) == 1 else Author(id="", name="")


def _placed(turns: Sequence[Any]) -> Iterator[Said]:
    """Turns of an evaluation, with a time for each."""
    place, session = 0, None
    for turn in turns:
        place = place + 1 if turn.session == session else 0
        session = turn.session
        at = turn.when.replace(tzinfo=UTC) if turn.when else _time("", turn.session)
        yield Said(
            id=turn.dia_id,
            speaker=turn.speaker,
            text=turn.text,
            at=at + timedelta(seconds=TURN_SECONDS * place),
            caption=turn.caption,
        )


def _time(text: str, session: int) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    except ValueError:
        return datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=session)


def _evidence(question: dict[str, Any]) -> frozenset[str]:
    """The lists hold typing errors, such as 'D:11:26' and 'D8:6; D9:17'."""
    found = re.findall(r"D:?(\d+):(\d+)", " ".join(map(str, question.get("evidence") or [])))
    return frozenset(f"D{int(session)}:{int(turn)}" for session, turn in found)


def _scores(found: Sequence[str], evidence: frozenset[str]) -> list[float]:
    shares = [len(evidence.intersection(found[:k])) / len(evidence) for k in KS]
    gains = [1 / math.log2(place + 2) for place, id_ in enumerate(found[:10]) if id_ in evidence]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(evidence))))
    return [*shares, sum(gains) / ideal]


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--embedder", default="starter")
    parser.add_argument("--scale", type=int, nargs="+", default=[], metavar="TURNS")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    samples = list(load(options.data))
    rows, costs = asyncio.run(measure(samples, options.embedder))
    show(rows, False)
    print()
    show([costs], False)
    large = [
        asyncio.run(scale(samples[0], options.embedder, total, one=one))
        for total in options.scale
        for one in (False, True)
    ]
    if large:
        print()
        show(large, False)
    if options.json:
        print(json.dumps({**rows[0], **costs, "categories": rows[1:], "scale": large}))


if __name__ == "__main__":
    main()
