"""How well times are read, in each language: right, asked back, and silently wrong.

    python benchmarks/when.py [--wrong seen|unseen|later] [--json]

The phrases are those of tests/unit/when. "right": the time, the rule and the task are what was
meant, or it was asked back where it must be, or it was seen that nobody asks to be reminded.
"asked": it was asked back without need. "missed": somebody asked to be reminded, and it was not
seen. "wrong": another time, or another task, without a word of doubt.
"""

import argparse
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hobnob.assistant.when import Reading, When, request
from hobnob.terminal import show

TABLES = Path(__file__).parents[1] / "tests" / "unit" / "when"
NOW = datetime(2026, 11, 25, 10)  # noqa: DTZ001 - in each table's own zone


@dataclass(frozen=True, kw_only=True)
class Phrase:
    language: str
    zone: str
    half: str
    text: str
    meant: str


def phrases() -> Iterator[Phrase]:
    for path in sorted(TABLES.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for half in ("seen", "unseen", "later"):
            for text, meant in table[half].items():
                yield Phrase(
                    language=table["language"],
                    zone=table["zone"],
                    half=half,
                    text=text,
                    meant=meant,
                )


def outcome(phrase: Phrase) -> tuple[str, str]:
    """Right, asked, missed or wrong; and what was read, as the tables write it."""
    now = NOW.replace(tzinfo=ZoneInfo(phrase.zone))
    reading = request(phrase.text, now, phrase.zone, [phrase.language])
    got = said(reading)
    meant, _, task = (part.strip() for part in phrase.meant.partition("|"))
    if reading is None:
        return ("right" if meant == "-" else "missed"), got
    if meant == "-" or (task and reading.task != task):
        return "wrong", got
    whens = got.partition("|")[0].strip()
    if meant in ("?", "? past"):  # what it could mean is not compared
        return ("right" if whens.startswith(meant) else "wrong"), got
    if reading.doubt and not meant.startswith("?"):
        return "asked", got
    return ("right" if whens == meant else "wrong"), got


def said(reading: Reading | None) -> str:
    if reading is None:
        return "-"
    whens = ", ".join(map(_written, reading.whens))
    if reading.doubt:
        past = "past" if reading.doubt == "past" else ""
        whens = " ".join(word for word in ("?", past, whens) if word)
    return f"{whens} | {reading.task}"


def _written(when: When) -> str:
    rule = when.rule.partition("RRULE:")[2]
    return f"{when.due:%Y-%m-%d %H:%M}" + (f" {rule}" if rule else "")


def main(options: argparse.Namespace) -> None:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for phrase in phrases():
        result, got = outcome(phrase)
        counts.setdefault((phrase.language, phrase.half), Counter())[result] += 1
        if options.wrong == phrase.half and result != "right":
            print(f"{result}: {phrase.text}\n    meant: {phrase.meant}\n    read:  {got}")
    rows: list[dict[str, Any]] = [
        {
            "language": language,
            "phrases": half,
            "all": sum(count.values()),
            **{name: count[name] for name in ("right", "asked", "missed", "wrong")},
        }
        for (language, half), count in sorted(counts.items())
    ]
    show(rows, False)
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--wrong", default="", help="show what was not right: seen, unseen or later"
    )
    parser.add_argument("--json", action="store_true")
    main(parser.parse_args())
