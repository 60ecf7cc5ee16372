"""The default net for tables: numbers and categories are embedded, then a residual MLP.

Axes: B batch, F numeric columns, C category columns.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from surefoot.models.convnet import start_small

_LARGEST = 16
"""Numbers per category at most: enough for the 40-odd countries of Adult, more only overfits (measured in LOG.md)."""


class PeriodicEmbedding(nn.Module):
    """Each number as sines and cosines of learned frequencies, mixed to a few features (Gorishniy et al. 2022, "PLR(lite)").

    Args:
        num_features: F. num_frequencies: per feature. size: features that come out per number.
        spread: standard deviation of the frequencies at the start; inputs have unit scale.
    """

    def __init__(self, num_features: int, num_frequencies: int, size: int, spread: float = 0.1) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(num_features, num_frequencies) * spread)
        self.mix = nn.Linear(2 * num_frequencies, size)

    def forward(self, numeric: Tensor) -> Tensor:
        """(B, F) -> (B, F * size)."""
        angles = 2 * math.pi * self.frequencies * numeric.unsqueeze(2)
        return torch.relu(self.mix(torch.cat([angles.sin(), angles.cos()], 2))).flatten(1)


class ResidualBlock(nn.Module):
    """x + W2 dropout(relu(W1 norm(x))): (B, width) -> (B, width)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class TabularNet(nn.Module):
    """Embeddings, residual blocks, one linear layer.

    Args:
        num_numeric: F, missing indicators included; 0 where the table has no numbers.
        cardinalities: codes per category column; empty where it has none.
        num_outputs: size of the last layer.
        width, depth: of the residual MLP. dropout: inside its blocks.
        num_embedding: features per number.
    """

    def __init__(
        self, num_numeric: int, cardinalities: tuple[int, ...], num_outputs: int, width: int = 128, depth: int = 2, dropout: float = 0.1, num_embedding: int = 8
    ) -> None:
        super().__init__()
        self.numbers = PeriodicEmbedding(num_numeric, 16, num_embedding) if num_numeric else None
        sizes = [min(_LARGEST, 2 * math.ceil(cardinality**0.5)) for cardinality in cardinalities]
        self.categories = nn.ModuleList(nn.Embedding(cardinality, size) for cardinality, size in zip(cardinalities, sizes))
        self.first = nn.Linear(num_numeric * (num_embedding + 1) + sum(sizes), width)
        self.blocks = nn.Sequential(*(ResidualBlock(width, dropout) for _ in range(depth)), nn.LayerNorm(width), nn.ReLU())
        self.final = nn.Linear(width, num_outputs)
        start_small(self.final)

    def forward(self, *fields: Tensor) -> Tensor:
        """numeric (B, F) float and category (B, C) int64, whichever the table has -> (B, num_outputs)."""
        parts = []
        if self.numbers is not None:
            parts += [fields[0], self.numbers(fields[0])]
        parts += [embedding(fields[-1][:, number]) for number, embedding in enumerate(self.categories)]
        return self.final(self.blocks(self.first(torch.cat(parts, 1))))
