"""What hobnob adds around the model: events through inbox, policy, memory, prompt and outbox.

    python benchmarks/path.py [--url URL] [--conversations 1 16] [--events 200] [--json]

The engine is echo and the platform is in memory, so all that is measured is the path with its full
guarantees. Each line is the median of three runs on a fresh database. Latency is from handing an
event in to the end of its reply's sending. With --json the last line is a JSON list of rows.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from hobnob import app, settings
from hobnob.clock import SystemClock
from hobnob.engine.echo import EchoEngine
from hobnob.policy import Rules
from hobnob.ports import ModelOptions
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.testing.adapter import FakeAdapter

RULES = Rules(burst_seconds=0, per_user_per_minute=0, per_chat_per_minute=0)


async def once(url: str, conversations: int, events: int) -> tuple[float, list[float]]:
    """Events per second, and the latency of each in seconds."""
    platform = FakeAdapter()
    latencies: list[float] = []
    async with Database(url) as database:
        await migrate.upgrade(database)
        chat = app.build(
            settings.load(settings.ready_bots()["friend"]),
            {platform.name: platform},
            rules=RULES,
            engine=EchoEngine(ModelOptions()),
            database=database,
            clock=SystemClock(),
        )
        run = time.time_ns()  # a database that is used again has seen the ids of other runs

        async def converse(number: int) -> None:
            for turn in range(events // conversations):
                unique = f"{run}-{number}-{turn}"
                event = platform.event(
                    f"hello {turn}", room=f"{run}-{number}", id=unique, message=unique
                )
                began = time.perf_counter()
                await chat.receive(event, None)
                await chat.settled(event.key)
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(converse(number) for number in range(conversations)))
        took = time.perf_counter() - began
        await chat.close(timeout=1)
    return len(latencies) / took, latencies


def measure(url: str | None, conversations: int, events: int) -> dict[str, Any]:
    rates, latencies = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            database = url or f"sqlite:///{Path(folder) / 'path.db'}"
            rate, each = asyncio.run(once(database, conversations, events))
        rates.append(rate)
        latencies += each
    latencies.sort()
    return {
        "database": "postgresql" if url else "sqlite",
        "conversations": conversations,
        "events_per_s": round(statistics.median(rates), 1),
        "p50_ms": round(1e3 * latencies[len(latencies) // 2], 2),
        "p95_ms": round(1e3 * latencies[int(len(latencies) * 0.95)], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="a PostgreSQL URL; SQLite in a temporary file if left out")
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [measure(given.url, number, given.events) for number in given.conversations]
    print(f"{'database':12}{'conversations':>14}{'events/s':>10}{'p50 ms':>9}{'p95 ms':>9}")
    for row in rows:
        print("{:12}{:14}{:10}{:9}{:9}".format(*row.values()))
    if given.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
