"""Weights in 8 bit: half the memory, and twice the speed where reading them is what takes long.

Each row of a weight matrix has its own scale; activations stay as they are, so an answer depends
on no other one in the batch. What it does to answers is measured in docs/decisions.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

FEW = 16
"""Up to so many tokens, the product with 8-bit weights is faster than unpacking them first."""


def quantise(model: Any) -> None:
    """Replace all linear layers of `model`, one after the other, embeddings left as they are."""
    import torch

    class Int8Linear(torch.nn.Module):
        """A linear layer whose weight is `weight` (out, in) in int8 times `scale` (out,)."""

        def __init__(self, linear: "nn.Linear") -> None:
            super().__init__()
            self.in_features, self.out_features = linear.in_features, linear.out_features
            whole = linear.weight.detach().float()
            scale = whole.abs().amax(dim=1).clamp(min=1e-12) / 127
            rounded = (whole / scale[:, None]).round().to(torch.int8)
            self.register_buffer("weight8", rounded)
            self.register_buffer("scale", scale.to(linear.weight.dtype))
            self.bias = linear.bias

        def forward(self, x: "Tensor") -> "Tensor":
            weight8: Tensor = self.get_buffer("weight8")
            scale = self.get_buffer("scale")
            rows = x.reshape(-1, self.in_features)
            if len(rows) <= FEW and x.device.type == "cpu":
                out: Tensor = torch.ops.aten._weight_int8pack_mm(rows, weight8, scale)
            else:
                out = torch.nn.functional.linear(rows, weight8.to(x.dtype)) * scale
            if self.bias is not None:
                out = out + self.bias
            return out.view(*x.shape[:-1], self.out_features)

    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is torch.nn.Linear:
                setattr(parent, name, Int8Linear(child))
