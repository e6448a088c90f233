"""Attention for one step over many sequences at once, registered with transformers.

A step is one forward pass over the new tokens of all sequences, laid end to end: (1, tokens). The
model's linear layers see one large matrix; only attention has to know which token is whose. Each
sequence's keys and values are in two pieces: a base that many sequences share (the persona), and a
tail of its own. Each token attends to both apart, and the two results are merged by their
log-sum-exps, which is exact ("cascade inference"; Milakov and Gimelshein, 2018, arXiv:1805.02867).

https://huggingface.co/docs/transformers/main/en/attention_interface
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

NAME = "hobnob"
"""Of the attention implementation, for `model.set_attn_implementation`."""
LOWEST = -1e9
"""Added to the score of a key that a token may not see: its weight is 0, and no NaN comes of a
token that sees none."""


class Keys(Protocol):
    """Where the keys and values of some sequences are, for each layer."""

    @property
    def keys(self) -> "Sequence[Tensor]": ...

    @property
    def values(self) -> "Sequence[Tensor]": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePart:
    """Tokens whose sequences share the first `length` positions of a base.

    `base` holds (heads, positions, size) for each layer; `tokens` are indices into the step's
    tokens, None for all of them.
    """

    base: Keys
    length: int
    tokens: "Tensor | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailPart:
    """Tokens `start` to `stop` of the step, and the tails that they attend to and are added to.

    Either one new token of each of several sequences: `tails` holds (rows, heads, capacity, size)
    for each layer, the tokens are those of rows 0, 1, 2 ... and go to the positions `at`. Or
    several new tokens of one sequence: one row, and `at` holds consecutive positions.
    `offset` is how many positions come before each token's tail.
    """

    tails: Keys
    start: int
    stop: int
    rows: "Tensor | None"
    """0, 1, 2 ...; None where there is one row."""
    at: "Tensor"
    offset: "Tensor"
    longest: int
    """Positions of the tails that are in use, with the new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who attends to what in one step."""

    positions: "Tensor"
    """(tokens,): of each token in its own sequence."""
    bases: Sequence[BasePart]
    tails: Sequence[TailPart]
    masks: "dict[tuple[int, int | None, bool], Tensor | None]" = field(default_factory=dict)
    """Made at the first layer that asks, for all that follow."""


def register() -> None:
    """Make NAME known to transformers. It gets no mask from there: the plan says who sees what."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)


def attend(
    module: Any,
    query: "Tensor",
    key: "Tensor",
    value: "Tensor",
    _mask: object,
    scaling: float | None = None,
    sliding_window: int | None = None,
    *,
    plan: Plan,
    **_: object,
) -> "tuple[Tensor, None]":
    """Shapes: query (1, heads, tokens, size), key and value (1, key heads, tokens, size); returns
    (1, tokens, heads, size). Grouped queries (Ainslie et al., 2023, arXiv:2305.13245) are handled
    as more queries of the same head, so that no key is ever copied."""
    import torch

    heads, tokens, size = query.shape[1:]
    groups = key.shape[1]
    scale = size**-0.5 if scaling is None else scaling
    q = query[0].view(groups, heads // groups, tokens, size)
    layer: int = module.layer_idx

    found = []
    for index, part in enumerate(plan.tails):
        _write(part, layer, key[0], value[0])
        mask = _tail_mask(plan, index, sliding_window, q)
        found.append(_tail(part, layer, q[:, :, part.start : part.stop], mask, scale))
    out = torch.cat([its_out for its_out, _ in found]) if len(found) > 1 else found[0][0]
    weight = torch.cat([its_weight for _, its_weight in found]) if len(found) > 1 else found[0][1]

    for index, shared in enumerate(plan.bases):
        who = shared.tokens
        mask = _base_mask(plan, index, sliding_window, q)
        mine = q if who is None else q[:, :, who]
        there, its_weight = _base(shared, layer, mine, mask, scale)
        here, my_weight = (out, weight) if who is None else (out[who], weight[who])
        share = torch.sigmoid(my_weight - its_weight)[..., None].to(out.dtype)
        merged = torch.lerp(there, here, share)
        out = merged if who is None else out.index_copy(0, who, merged)
    return out.reshape(1, tokens, heads, -1), None


def _write(part: TailPart, layer: int, key: "Tensor", value: "Tensor") -> None:
    """Add the new keys and values, (key heads, tokens, size), to the tails."""
    for new, tails in ((key, part.tails.keys[layer]), (value, part.tails.values[layer])):
        new = new[:, part.start : part.stop]
        if part.rows is None:
            tails[0, :, part.longest - new.shape[1] : part.longest] = new
        else:
            tails[part.rows, :, part.at] = new.transpose(0, 1)


def _tail(
    part: TailPart, layer: int, q: "Tensor", mask: "Tensor | None", scale: float
) -> "tuple[Tensor, Tensor]":
    """`_softmax` of (groups, heads of each, tokens, size) over the tails: (tokens, groups, heads of
    each, size), and without size."""
    rows = 1 if part.rows is None else len(part.rows)
    k = part.tails.keys[layer][:rows, :, : part.longest]
    v = part.tails.values[layer][:rows, :, : part.longest]
    if part.rows is None:
        return _one_row(q, k, v, mask, scale)
    return _softmax(q.permute(2, 0, 1, 3), k, v, mask, scale)


def _base(
    part: BasePart, layer: int, q: "Tensor", mask: "Tensor | None", scale: float
) -> "tuple[Tensor, Tensor]":
    """Like `_tail`, over a base."""
    k = part.base.keys[layer][None, :, : part.length]
    v = part.base.values[layer][None, :, : part.length]
    return _one_row(q, k, v, mask, scale)


def _one_row(
    q: "Tensor", k: "Tensor", v: "Tensor", mask: "Tensor | None", scale: float
) -> "tuple[Tensor, Tensor]":
    """Many tokens and one row of keys: all heads of a group and all tokens are its queries."""
    groups, each, tokens, size = q.shape
    out, weight = _softmax(q.reshape(1, groups, each * tokens, size), k, v, mask, scale)
    out = out.reshape(groups, each, tokens, -1).permute(2, 0, 1, 3)
    return out, weight.reshape(groups, each, tokens).permute(2, 0, 1)


def _softmax(
    q: "Tensor", k: "Tensor", v: "Tensor", mask: "Tensor | None", scale: float
) -> "tuple[Tensor, Tensor]":
    """softmax(q k) v, and the log-sum-exp of the scores: (rows, heads, queries)."""
    import torch

    if q.device.type == "cpu" and q.shape[-1] == v.shape[-1]:
        # What scaled_dot_product_attention calls on a processor; it drops the second result.
        out, weight = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            q, k, v, attn_mask=mask, scale=scale
        )
        return out, weight
    scores = torch.matmul(q, k.transpose(-1, -2)).float() * scale
    if mask is not None:
        scores = scores + mask
    weight = torch.logsumexp(scores, dim=-1)
    return torch.matmul(torch.exp(scores - weight[..., None]).to(v.dtype), v), weight


def _tail_mask(plan: Plan, index: int, window: int | None, q: "Tensor") -> "Tensor | None":
    """(rows, 1, 1, keys), or for tokens of one sequence (1, 1, heads of a group x tokens, keys)."""
    import torch

    at = (index, window, True)
    if at not in plan.masks:
        part = plan.tails[index]
        keys = torch.arange(part.longest, device=q.device)
        seen = keys <= part.at[:, None]
        if window is not None:
            seen &= part.offset[:, None] + keys > (part.offset + part.at)[:, None] - window
        mask = torch.where(seen, 0.0, LOWEST).to(q.dtype)
        plan.masks[at] = (
            mask.repeat(q.shape[1], 1)[None, None] if part.rows is None else mask[:, None, None]
        )
    return plan.masks[at]


def _base_mask(plan: Plan, index: int, window: int | None, q: "Tensor") -> "Tensor | None":
    """(1, 1, heads of a group x tokens, keys); None where every token sees all of the base."""
    import torch

    at = (index, window, False)
    if at not in plan.masks:
        part = plan.bases[index]
        positions = plan.positions if part.tokens is None else plan.positions[part.tokens]
        if window is None or int(positions.max()) < window:
            plan.masks[at] = None
        else:
            seen = torch.arange(part.length, device=q.device) > positions[:, None] - window
            mask = torch.where(seen, 0.0, LOWEST).to(q.dtype)
            plan.masks[at] = mask.repeat(q.shape[1], 1)[None, None]
    return plan.masks[at]
