"""How well facts are found in what people say: by rules, and by a model.

    python benchmarks/facts.py [--model starter] [--engine transformers] [--base-url URL] [--most N]

Two sets of messages. "rules" is the table by which the rules are tested (tests/unit/facts.toml),
so that they know all of it; what people ask of the bot for good, and feelings, are left out of it:
no model is asked for them. "trial" is what a model has to pass before `[memory] facts = "model"`
trusts it (hobnob/memory/facts/probes.toml): no rule knows any of it.

precision: of the facts found, how many were stated. recall: of those stated, how many were found.
"unchecked" is what the model says by itself, if all of it were believed that quotes anything in the
message; below the table it says why it wasn't.
"""

import argparse
import asyncio
import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hobnob import registry
from hobnob.events import Turn
from hobnob.memory.facts import asking, trust
from hobnob.memory.facts.extract import extract
from hobnob.memory.facts.found import Found
from hobnob.memory.words import terms
from hobnob.ports import Engine, ModelOptions
from hobnob.terminal import show

TABLE = Path(__file__).parents[1] / "tests" / "unit" / "facts.toml"
NOT_ASKED = ("instruction:", "feeling:")

Told = Mapping[str, Sequence[str]]
"""Messages, each with its facts as "slot: words"."""


@dataclass(kw_only=True)
class Score:
    """How many were found, how many of them were stated, how many of those stated were found."""

    found: int = 0
    right: int = 0
    met: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def add(self, found: Sequence[str], facts: Sequence[str], *, slots: Sequence[str]) -> None:
        """`found` are values; `slots` the slot that each takes, "" for none."""
        pairs = list(zip(found, slots, strict=True))
        self.found += len(pairs)
        self.right += sum(any(_is(*pair, fact) for fact in facts) for pair in pairs)
        self.met += sum(any(_is(*pair, fact) for pair in pairs) for fact in facts)

    def row(self, messages: str, by: str, stated: int) -> dict[str, Any]:
        return {
            "messages": messages,
            "by": by,
            "stated": stated,
            "found": self.found,
            "right": self.right,
            "precision": round(self.right / self.found, 2) if self.found else "-",
            "recall": round(self.met / stated, 2),
        }


def _is(value: str, slot: str, fact: str) -> bool:
    """Whether what was found is this fact: its words are among it, or it among its words."""
    place, _, words = fact.partition(": ")
    one, other = {*terms(value)}, {*terms(words)}
    return slot in ("", place.lstrip("-")) and bool(one) and (one <= other or other <= one)


def rules_table(most: int) -> Told:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    told = {
        text: [fact for fact in facts if not fact.startswith(NOT_ASKED)]
        for text, facts in table["said"].items()
    }
    told |= {text: [] for texts in table["nothing"].values() for text in texts}
    asked = {text: facts for text, facts in told.items() if facts or not table["said"].get(text)}
    step = max(1, len(asked) // most) if most else 1
    return dict(list(asked.items())[::step])


def trial() -> Told:
    return {
        text: [fact if ": " in fact else f": {fact}"] if fact else []
        for text, fact in trust.probes().items()
    }


def by_rules(told: Told) -> Score:
    score = Score()
    for turn, facts in zip(_turns(told), told.values(), strict=True):
        found = [fact for fact in extract(turn) if not fact.attribute.startswith(NOT_ASKED)]
        score.add([fact.text for fact in found], facts, slots=[_slot(fact) for fact in found])
    return score


async def by_model(engine: Engine, told: Told) -> tuple[Score, Score]:
    """With and without the check."""
    checked, unchecked = Score(), Score()
    turns, facts = _turns(told), list(told.values())
    for start in range(0, len(turns), asking.AT_ONCE):
        part = turns[start : start + asking.AT_ONCE]
        found: list[list[Found]] = [[] for _ in part]
        raw: list[list[str]] = [[] for _ in part]
        for line in await asking.said(engine, part):
            fact = asking.supported(line, part)
            if isinstance(fact, Found):
                found[line.message - 1].append(fact)
            else:
                checked.why[fact] += 1
            if line.message <= len(part):
                raw[line.message - 1].append(line.statement)
        for number, stated in enumerate(facts[start : start + asking.AT_ONCE]):
            kept = asking.besides([], found[number])
            values = [fact.value for fact in kept]
            checked.add(values, stated, slots=[_slot(fact) for fact in kept])
            unchecked.add(raw[number], stated, slots=[""] * len(raw[number]))
    return checked, unchecked


def _slot(fact: Found) -> str:
    return "" if ":" in fact.attribute else fact.attribute


def _turns(told: Told) -> Sequence[Turn]:
    return trust.turns([(text, "") for text in told])


async def main(options: argparse.Namespace) -> None:
    sets = {"rules": rules_table(options.most), "trial": trial()}
    stated = {name: sum(map(len, told.values())) for name, told in sets.items()}
    rows = [by_rules(told).row(name, "rules", stated[name]) for name, told in sets.items()]
    why: Counter[str] = Counter()
    if options.model:
        made = ModelOptions(name=options.model, base_url=options.base_url)
        async with registry.engine(options.engine, made) as engine:
            for name, told in sets.items():
                checked, unchecked = await by_model(engine, told)
                rows.append(checked.row(name, options.model, stated[name]))
                rows.append(unchecked.row(name, f"{options.model}, unchecked", stated[name]))
                why += checked.why
    show(rows, False)
    for reason, count in why.most_common():
        print(f"{count} refused: {reason}")
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="", help="starter, a hub id, a path, a server's name")
    parser.add_argument("--engine", default="transformers")
    parser.add_argument("--base-url", default="")
    parser.add_argument("--most", type=int, default=0, help='so many messages of "rules"')
    parser.add_argument("--json", action="store_true")
    asyncio.run(main(parser.parse_args()))
