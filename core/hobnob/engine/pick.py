"""Picks the next token of each answer from what the model says of all tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hobnob.engine.grammar import Grammar
from hobnob.engine.writer import Request

if TYPE_CHECKING:
    from torch import Tensor

LIKELY = 256
"""The smallest set of tokens with a total of top_p is looked for among this many first: sorting a
whole vocabulary takes longer than a step of a small model."""


def pick(logits: "Tensor", requests: Sequence[Request]) -> list[int]:
    """A token for each request from `logits` (requests, vocabulary), after its own sampling.

    In the order of transformers' `generate`: repetition penalty, what a grammar allows,
    temperature, top_p.
    """
    picked: list[int] = logits.argmax(dim=-1).tolist()
    for index, request in enumerate(requests):
        sampling = request.sampling
        penalty = sampling.repetition_penalty != 1
        if penalty or request.grammar or sampling.temperature > 0:
            scores = logits[index].float()
            if penalty:
                scores = _penalised(scores, request.tokens, sampling.repetition_penalty)
            if request.grammar:
                scores = _allowed(scores, request.grammar, request.written)
            if sampling.temperature > 0:
                picked[index] = _drawn(scores / sampling.temperature, sampling.top_p)
            else:
                picked[index] = int(scores.argmax())
    return picked


def _penalised(scores: "Tensor", tokens: Sequence[int], penalty: float) -> "Tensor":
    import torch

    seen = torch.tensor(tokens, device=scores.device)
    theirs = scores[seen]
    return scores.index_put((seen,), torch.where(theirs < 0, theirs * penalty, theirs / penalty))


def _allowed(scores: "Tensor", grammar: Grammar, written: Sequence[int]) -> "Tensor":
    import torch

    allowed = torch.from_numpy(grammar.allowed(written, len(scores)))
    return scores.masked_fill(~allowed.to(scores.device), -torch.inf)


def _drawn(scores: "Tensor", top_p: float) -> int:
    import torch

    chances = torch.softmax(scores, dim=-1)
    if top_p < 1:
        likely, tokens = chances.topk(min(LIKELY, len(chances)))
        if float(likely.sum()) < top_p:
            likely, tokens = chances.sort(descending=True)
        before = likely.cumsum(dim=-1) - likely
        likely = likely.masked_fill(before >= top_p, 0.0)
        return int(tokens[torch.multinomial(likely, 1)])
    return int(torch.multinomial(chances, 1))
