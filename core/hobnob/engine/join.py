"""One matrix product where a model makes several of the same input.

Queries, keys and values are projections of one input, and so are the gate and the way up of an
MLP. As one matrix they are read in one go: on a processor, fewer and larger steps are faster.
"""

from typing import Any

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""What transformers' models call the layers that get the same input."""


def join(model: Any) -> None:
    """Join such layers in `model`, wherever they stand side by side."""
    import torch

    class Joined(torch.nn.Module):
        """Several linear layers as one. Remembers the last input, for which it is asked again."""

        def __init__(self, linears: list[torch.nn.Linear]) -> None:
            super().__init__()
            self._sizes = [linear.out_features for linear in linears]
            weight = torch.cat([linear.weight.detach() for linear in linears])
            out, into = weight.shape
            self.linear = torch.nn.Linear(into, out, bias=False, device="meta")
            self.linear.weight = torch.nn.Parameter(weight, requires_grad=False)
            if all(linear.bias is not None for linear in linears):
                bias = torch.cat([linear.bias.detach() for linear in linears])
                self.linear.bias = torch.nn.Parameter(bias, requires_grad=False)
            self._last: tuple[Any, Any] = (None, None)

        def forward(self, x: Any) -> Any:
            if self._last[0] is not x:
                self._last = x, self.linear(x).split(self._sizes, dim=-1)
            return self._last[1]

    class Part(torch.nn.Module):
        """One of the layers, to whoever asks for it by its old name."""

        def __init__(self, joined: Joined, index: int) -> None:
            super().__init__()
            self._joined = [joined]  # in a list, so that it is not registered once more
            self._index = index
            self.out_features = joined._sizes[index]

        def forward(self, x: Any) -> Any:
            part = self._joined[0](x)[self._index]
            if self._index == len(self._joined[0]._sizes) - 1:
                self._joined[0]._last = (None, None)  # nothing is held on to after the last one
            return part

    for module in list(model.modules()):
        for names in TOGETHER:
            found = [getattr(module, name, None) for name in names]
            linears = [linear for linear in found if type(linear) is torch.nn.Linear]
            alike = len({linear.bias is None for linear in linears}) == 1
            if len(linears) == len(names) and alike:
                joined = Joined(linears)
                module.add_module("_".join(names), joined)
                for index, name in enumerate(names):
                    setattr(module, name, Part(joined, index))
