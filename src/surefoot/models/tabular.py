"""The default net for tables: each number and each category becomes a small vector, then a multilayer perceptron.

Axis letters: `B` batch, `F` numeric columns, `C` category columns, `K` outputs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from surefoot.models.convnet import start_small

_FREQUENCIES = 16
_SPREAD = 0.5
"""Standard deviation of the frequencies at the start, for columns of unit scale. R2 on hourly bike hires at 0.1: 0.948, 0.3: 0.955, 0.5: 0.956, 1: 0.956."""
_MOST_PER_NUMBER, _MOST_PER_CATEGORY = 16, 16
_MOST_FEATURES = 2048
"""Features that all numbers together become, at most; in a very wide table each gets fewer, and above this many columns none."""


class PeriodicEmbedding(nn.Module):
    """Each number as sines and cosines of learned frequencies, mixed by weights of its own: what a plain net can't bend to, it can now.

    On 8,000 rows of hourly bike hires this lifts R2 from 0.82 to 0.956 (gradient boosting: 0.957), on Adult accuracy from
    0.857 to 0.862.

    Args:
        num_numeric: F.
        num_features: that come out per number.

    Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", PLR.
    """

    def __init__(self, num_numeric: int, num_features: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(num_numeric, _FREQUENCIES) * _SPREAD)
        bound = 1 / math.sqrt(2 * _FREQUENCIES)
        self.weight = nn.Parameter(torch.empty(num_numeric, 2 * _FREQUENCIES, num_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_numeric, num_features).uniform_(-bound, bound))

    def forward(self, numeric: Tensor) -> Tensor:
        """(B, F) float -> (B, F * num_features)."""
        angles = 2 * math.pi * self.frequencies * numeric.unsqueeze(2)
        waves = torch.cat([angles.cos(), angles.sin()], 2)
        return (torch.einsum("bfi,fio->bfo", waves, self.weight) + self.bias).relu().flatten(1)


class ColumnEmbedding(nn.Module):
    """The numbers of a row, what `PeriodicEmbedding` makes of them, and a vector per category, side by side.

    Args:
        num_numeric: F, missing-indicator columns included; 0 where the table has no numbers.
        cardinalities: codes per category column; empty where it has none. Code 0 stands for unseen or missing.

    Attributes:
        size: how many numbers come out per row.
    """

    def __init__(self, num_numeric: int, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        num_features = min(_MOST_PER_NUMBER, _MOST_FEATURES // max(1, num_numeric))
        self.numbers = PeriodicEmbedding(num_numeric, num_features) if num_numeric and num_features else None
        self.categories = nn.ModuleList(_embed(cardinality) for cardinality in cardinalities)
        self.size: int = num_numeric * (1 + num_features) + sum(embedding.embedding_dim for embedding in self.categories)  # type: ignore[misc]

    def forward(self, *fields: Tensor) -> Tensor:
        """Numbers (B, F) float, then codes (B, C) int64, whichever the table has -> (B, size)."""
        numeric, codes = fields[0], fields[-1]
        parts = [numeric] if numeric.is_floating_point() else []
        if self.numbers is not None:
            parts.append(self.numbers(numeric))
        parts += [embedding(codes[:, number]) for number, embedding in enumerate(self.categories)]
        return torch.cat(parts, 1)


class TabularNet(nn.Module):
    """Embeddings of numbers and categories beside the numbers themselves, then [Linear -> ReLU -> Dropout]*depth -> Linear.

    Without a norm: with batch norm or residual blocks it was no better on Adult and hourly bike hires, and up to 40 % slower.

    Args:
        num_numeric: F, missing-indicator columns included; 0 where the table has no numbers.
        cardinalities: codes per category column; empty where it has none. Code 0 stands for unseen or missing.
        num_outputs: K.
        width: units of a hidden layer.
        depth: hidden layers.
        dropout: share of units dropped after each hidden layer.
    """

    def __init__(self, num_numeric: int, cardinalities: tuple[int, ...], num_outputs: int, width: int = 256, depth: int = 3, dropout: float = 0.1) -> None:
        super().__init__()
        self.columns = ColumnEmbedding(num_numeric, cardinalities)
        self.hidden = stack_layers(self.columns.size, width, depth, dropout)
        self.final = nn.Linear(width if depth else self.columns.size, num_outputs)
        start_small(self.final)

    def forward(self, *fields: Tensor) -> Tensor:
        """Numbers (B, F) float, then codes (B, C) int64, whichever the table has -> (B, K) raw outputs."""
        return self.final(self.hidden(self.columns(*fields)))


def stack_layers(size: int, width: int, depth: int, dropout: float) -> nn.Sequential:
    """[Linear -> ReLU -> Dropout]*depth over `size` inputs."""
    hidden: list[nn.Module] = []
    for units in [size, *[width] * (depth - 1)][:depth]:
        linear = nn.Linear(units, width)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        hidden += [linear, nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden)


def _embed(cardinality: int) -> nn.Embedding:
    """One vector per code. Code 0 starts at the origin, amid all others: where training never sees it, it says nothing."""
    embedding = nn.Embedding(cardinality, min(_MOST_PER_CATEGORY, 2 * math.ceil(math.sqrt(cardinality))))
    nn.init.normal_(embedding.weight, std=0.3)
    with torch.no_grad():
        embedding.weight[0] = 0
    return embedding
