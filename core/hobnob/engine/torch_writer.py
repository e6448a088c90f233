"""Chooses how a torch model writes: many answers at once where that is proven to be right."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hobnob.engine import attention
from hobnob.engine.batch import BatchWriter
from hobnob.engine.grammar import Grammars
from hobnob.engine.kv import Layout, Tails
from hobnob.engine.single import SingleWriter
from hobnob.engine.writer import Writer

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

PROBE_TOKENS = 24
CACHE_SHARE = 8
"""Keys and values may take this part of the memory."""
CGROUP = Path("/sys/fs/cgroup/memory.max")


def torch_writer(
    model: "PreTrainedModel",
    end_tokens: Sequence[int],
    tokenizer: "PreTrainedTokenizerBase | None" = None,
) -> Writer:
    """A writer for a loaded model, which may be changed: `BatchWriter` if the model computes the
    same with its attention as with its own, else `SingleWriter`. Without its tokenizer it follows
    no schemas."""
    grammars = Grammars(tokenizer, end_tokens)
    device, dtype = model.device, model.dtype
    what = f"torch on {device} in {str(dtype).removeprefix('torch.')}"
    if any(name.endswith("weight8") for name, _ in model.named_buffers()):
        what += " with weights in int8"
    layout = batched(model)
    if layout is None:
        return SingleWriter(
            model,
            device=device,
            end_tokens=end_tokens,
            grammars=grammars,
            what=f"{what}, one answer at a time ({model.config.model_type} can't be batched)",
        )
    return BatchWriter(
        model,
        layout=layout,
        end_tokens=end_tokens,
        grammars=grammars,
        budget=cache_bytes(device),
        what=what,
    )


def batched(model: "PreTrainedModel") -> Layout | None:
    """Switch `model` to our attention, if it then says the same of two texts; None and unchanged
    if it doesn't or can't: architectures differ in more ways than can be listed."""
    import torch

    before = str(model.config._attn_implementation)
    probe: Any = model
    vocabulary: int = probe.get_input_embeddings().weight.shape[0]
    texts = torch.arange(2 * PROBE_TOKENS, device=model.device).view(2, -1) * 7919 % vocabulary
    try:
        with torch.inference_mode():
            plain = probe(input_ids=texts, use_cache=True)
            layout = _layout(plain.past_key_values, model)
            attention.register()
            model.set_attn_implementation(attention.NAME)
            ours = _read_together(probe, layout, texts)
        expected = plain.logits[:, -1]
        apart = float((ours - expected).abs().max())
        allowed = 1e-3 if model.dtype is torch.float32 else 5e-2
        if not apart <= allowed * float(expected.abs().max()):
            raise ValueError(f"logits differ by {apart:.2g}")
    except Exception as error:
        log.info("%s is not batched: %s", model.config.model_type, error)
        model.set_attn_implementation(before)
        return None
    return layout


def _layout(cache: Any, model: "PreTrainedModel") -> Layout:
    """Raises AttributeError or ValueError for a cache that is not all keys and values."""
    layers = []
    for layer in cache.layers:
        (_, heads, _, key), value = layer.keys.shape, layer.values.shape[-1]
        layers.append((heads, key, value))
    return Layout(layers=tuple(layers), dtype=model.dtype, device=model.device)


def _read_together(model: Any, layout: Layout, texts: "Tensor") -> "Tensor":
    """The logits (2, vocabulary) at the end of two texts, the first of which is read in two pieces,
    the second piece together with the other text: what nothing but attention may notice."""
    import torch

    tails = [Tails(layout, 1, PROBE_TOKENS) for _ in texts]
    half = PROBE_TOKENS // 2

    def part(row: int, at: int, first: int, last: int) -> attention.TailPart:
        positions = torch.arange(first, last, device=layout.device)
        return attention.TailPart(
            tails=tails[row],
            start=at,
            stop=at + last - first,
            rows=None,
            at=positions,
            offset=torch.zeros_like(positions),
            longest=last,
        )

    def read(rows: list[int], *parts: attention.TailPart) -> Any:
        where = torch.cat([part.at for part in parts])
        plan = attention.Plan(positions=where, bases=(), tails=parts)
        tokens = torch.cat([texts[row][part.at] for row, part in zip(rows, parts, strict=True)])
        asked = torch.tensor([part.stop - 1 for part in parts], device=layout.device)
        return model(
            input_ids=tokens[None],
            position_ids=where[None],
            use_cache=False,
            logits_to_keep=asked,
            plan=plan,
        ).logits[0]

    read([0], part(0, 0, 0, half))
    both = part(0, 0, half, PROBE_TOKENS), part(1, half, 0, PROBE_TOKENS)
    logits: Tensor = read([0, 1], *both)
    return logits


def cache_bytes(device: "torch.device") -> int:
    """What keys and values may take: an eighth of this machine's memory, or of what its container
    may use; of a graphics card, half of what the model left free."""
    import torch

    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free // 2
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # there is none
        memory = min(memory, int(CGROUP.read_text(encoding="ascii")))
    return memory // CACHE_SHARE
