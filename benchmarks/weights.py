"""What the number format of the weights does to answers, speed aside.

    python benchmarks/weights.py [--name starter] [--dtypes float32 bfloat16 int8] [--json]

Perplexity on a fixed text (this project's own pages), and how many of 36 greedy answers of 32
tokens are the same as in float32, whole and token for token up to the first difference. Memory is
that of the weights. A minute or two for each format with the starter model.
"""

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any

from hobnob.engine import load
from hobnob.engine.torch_writer import torch_writer
from hobnob.engine.writer import Request
from hobnob.events import ChatMessage, Sampling, Speaker
from hobnob.ports import ModelOptions

os.environ.setdefault("HF_HUB_OFFLINE", "1")
ROOT = Path(__file__).parents[1]
TEXTS = ("README.md", "docs/discussion/the-path-of-a-message.md", "CONTRIBUTING.md")
WINDOW = 512
"""Tokens that the model sees at once."""
MOST_WINDOWS = 8
NEW_TOKENS = 32
THINGS = ["a fox", "the sea", "my cat", "cheese", "trains", "the moon", "books", "snow", "a garden"]
ASKS = (
    "Tell me about {}.",
    "Why do people like {}?",
    "Write two sentences about {}.",
    "I dreamt of {} last night. What does it mean?",
)


def perplexity(model: Any, tokenizer: Any) -> float:
    """exp of the mean negative log-likelihood of a token, given those before it in its window."""
    import torch

    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in TEXTS)
    ids = tokenizer(text)["input_ids"]
    total, count = 0.0, 0
    with torch.inference_mode():
        for start in range(0, min(len(ids), WINDOW * MOST_WINDOWS) - WINDOW + 1, WINDOW):
            window = torch.tensor([ids[start : start + WINDOW]])
            logits = model(input_ids=window, use_cache=False).logits[0, :-1].float()
            total += float(torch.nn.functional.cross_entropy(logits, window[0, 1:])) * (WINDOW - 1)
            count += WINDOW - 1
    return math.exp(total / count)


def answers(model: Any, tokenizer: Any, template: Any) -> list[list[int]]:
    writer = torch_writer(model, [tokenizer.eos_token_id])
    sampling = Sampling(temperature=0.0)
    requests = [
        Request(
            prompt=template.tokens((ChatMessage(role=Speaker.USER, content=ask.format(thing)),)),
            sampling=sampling,
            most=NEW_TOKENS,
        )
        for thing in THINGS
        for ask in ASKS
    ]
    for request in requests:
        writer.add(request)
    left = set(requests)
    while left:
        left -= {written.request for written in writer.step() if written.ended}
    return [request.written for request in requests]


def equal_share(one: list[int], other: list[int]) -> float:
    """The part of an answer up to the first difference."""
    equal = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return equal / max(len(one), len(other), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--name", default="starter")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16", "int8"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    reference: list[list[int]] = []
    print(f"{'format':10}{'perplexity':>12}{'same answers':>14}{'same tokens':>13}{'MB':>7}")
    for dtype in given.dtypes:
        model, tokenizer, template = load.read(
            ModelOptions(name=given.name, device="cpu", dtype=dtype)
        )
        tensors = {t.data_ptr(): t.nbytes for t in (*model.parameters(), *model.buffers())}
        row = {"dtype": dtype, "perplexity": round(perplexity(model, tokenizer), 3)}
        written = answers(model, tokenizer, template)
        reference = reference or written
        pairs = list(zip(written, reference, strict=True))
        row["same_answers"] = round(sum(a == b for a, b in pairs) / len(pairs), 3)
        row["same_tokens"] = round(sum(equal_share(a, b) for a, b in pairs) / len(pairs), 3)
        row["mb"] = round(sum(tensors.values()) / 1e6)
        rows.append(row)
        print("{:10}{:12}{:14}{:13}{:7}".format(*row.values()), flush=True)
    if given.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
