"""A plain multilayer perceptron: the net for a row of numbers, and the yardstick for everything else.

Axis letters: `B` batch, `K` outputs.
"""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from surefoot.models.convnet import start_small


class MLP(nn.Module):
    """[Linear -> BN -> ReLU -> Dropout] * depth -> Linear, over flattened inputs.

    Args:
        input_shape: of one item.
        num_outputs: K.
        width, depth: units per hidden layer, and how many of them.
        dropout: share of units dropped after each hidden layer.
    """

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, width: int = 128, depth: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        sizes = [math.prod(input_shape), *[width] * depth]
        hidden: list[nn.Module] = []
        for size, units in itertools.pairwise(sizes):
            hidden += [nn.Linear(size, units, bias=False), nn.BatchNorm1d(units), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        self.hidden = nn.Sequential(nn.Flatten(), *hidden)
        self.final = nn.Linear(sizes[-1], num_outputs)
        for module in self.hidden:
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        start_small(self.final)

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) float -> (B, K) raw outputs."""
        return self.final(self.hidden(x))
