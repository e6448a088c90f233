"""One measurement of the engine benchmark, in a process of its own: so its peak memory is its own.

    python benchmarks/measure.py SYSTEM CONVERSATIONS|second-turns

Prints a JSON object. Ends with MISSING, and the reason on standard error, if this machine does not
have the system.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import llama_cpp
import load
import machine
from hobnob import registry
from hobnob.engine import weights
from hobnob.errors import HobnobError
from hobnob.ports import ModelOptions
from naive import Naive

MODEL = "starter"
SECOND_TURNS = "second-turns"
MISSING = 3

ENGINES = {
    "torch": ("transformers", "bfloat16"),
    "openvino": ("openvino", "auto"),
}
"""Ours, by engine and dtype."""
SYSTEMS = ("naive", *ENGINES, "llama.cpp")


@asynccontextmanager
async def opened(system: str) -> AsyncIterator[load.Model]:
    """The system, ready to answer."""
    if system == "naive":
        yield Naive(weights.find(MODEL, report).folder)
    elif system == "llama.cpp":
        async with llama_cpp.running(weights.starter()) as server:
            yield server
    else:
        name, dtype = ENGINES[system]
        options = ModelOptions(name=MODEL, dtype=dtype, report=report)
        async with registry.engine(name, options) as engine:
            yield engine


async def measure(system: str, what: str) -> dict[str, Any]:
    async with opened(system) as model:
        await load.warm_up(model)
        neighbours = machine.Neighbours()
        if what == SECOND_TURNS:
            reused, anew = await load.second_turns(model)
            return {"reused": reused, "anew": anew, "others": neighbours.processors()}
        told = await load.everybody(model, int(what))
        others = neighbours.processors()
        return {
            "seconds": told.seconds,
            "replies": len(told.replies),
            "tokens": tokens(told.replies),
            "waits": told.waits,
            "peak_mb": machine.peak_mb(),
            "others": others,
        }


def tokens(texts: list[str]) -> int:
    """What was really written: a reply can end before its limit."""
    from tokenizers import Tokenizer

    folder = weights.find(MODEL, report).folder
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return sum(len(row.ids) for row in tokenizer.encode_batch(texts))


def report(what: str) -> None:
    print(what, file=sys.stderr)


async def main() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    print(json.dumps(await measure(*sys.argv[1:])))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (HobnobError, FileNotFoundError) as error:
        report(str(error))
        sys.exit(MISSING)
