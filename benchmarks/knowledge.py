"""How well a bot finds the answer in its documents, and how well it knows when there is none.

    python benchmarks/knowledge.py [--embedder starter|none|...] [--json]

The documents (benchmarks/data/knowledge/shop) are read as a bot reads them, and each question of
questions.toml is searched for. hit@k: an excerpt that answers is among the first k. Wrong answers:
the best excerpt counts as an answer, though none is. Wrongly refused: it does not, though one is.
Talk refused: what is no question about the shop is taken for one that no document answers. The
weights and the floors in knowledge/ranking.py were fitted on the first half of the questions; the
second half was held out.
"""

import argparse
import asyncio
import json
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hobnob.knowledge import asking
from hobnob.knowledge.library import Hit, Library
from hobnob.knowledge.sync import Keeper
from hobnob.memory.embedder import SentenceModel
from hobnob.memory.words import is_latin
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.knowledge import SqlKnowledge
from hobnob.terminal import show

DATA = Path(__file__).parent / "data" / "knowledge"
HALVES = {"tuned on": 0, "held out": 1}


async def measure(embedder: str) -> list[dict[str, Any]]:
    table = tomllib.loads((DATA / "questions.toml").read_text())
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        database = await stack.enter_async_context(Database(f"sqlite:///{folder}/bot.db"))
        await migrate.upgrade(database)
        model = None if embedder == "none" else SentenceModel(embedder)
        if model is not None:
            stack.push_async_callback(model.close)
        store = SqlKnowledge(database)
        keeper = Keeper(DATA / "shop", store, model)
        async for document in keeper.sync(await keeper.changes()):
            assert not document.error, document.error
        library = Library(store, model)
        found = {
            question: await library.search(question, 5)
            for question in [*(q for *_, q in table["answerable"]), *table["unanswerable"]]
        }
    return [
        _row(f"{half}, {script}", table, found, start, latin=script == "Latin")
        for half, start in HALVES.items()
        for script in ("Latin", "Chinese")
    ]


def _row(
    name: str, table: dict[str, Any], found: dict[str, Sequence[Hit]], start: int, *, latin: bool
) -> dict[str, Any]:
    answerable = [row for row in table["answerable"] if is_latin(row[2]) is latin][start::2]
    unanswerable = [each for each in table["unanswerable"] if is_latin(each) is latin][start::2]
    talk = [each for each in table["talk"] if is_latin(each) is latin][start::2]
    ranks = [_rank(found[question], path, words) for path, words, question in answerable]
    return {
        "questions": name,
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        "hit@1": _share(rank == 0 for rank in ranks),
        "hit@5": _share(rank is not None for rank in ranks),
        "wrong answers": _share(found[each][0].fits for each in unanswerable),
        "wrongly refused": _share(not found[question][0].fits for *_, question in answerable),
        "talk": len(talk),
        "talk refused": _share(map(asking.asks, talk)),
    }


def _rank(hits: Sequence[Hit], path: str, words: str) -> int | None:
    for rank, hit in enumerate(hits):
        if hit.excerpt.path == path and words in f"{hit.excerpt.heading}\n{hit.excerpt.text}":
            return rank
    return None


def _share(of: Any) -> str:
    values = list(of)
    return f"{sum(values) / len(values):.2f}" if values else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedder", default="starter")
    parser.add_argument("--json", action="store_true", help="also as JSON, in the last line")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.embedder))
    show(rows, as_json=False)
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
