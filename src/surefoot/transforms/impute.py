"""Gaps guessed from the other columns by a linear model, fitted on train rows and part of the exported graph.

Letters: N rows, F columns.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

_ROUNDS, _STEPS = 10, 6
"""Rounds of fitting, after which the guesses of a table with a fifth of gaps no longer move by a thousandth, and steps of guessing several gaps of one row."""
_RIDGE = 0.01
"""In variances of a column: keeps columns that repeat each other apart."""
_FAR = 10.0
"""Scales from the median beyond which a value tells no more than that it is far out."""


def fit(values: np.ndarray, median: np.ndarray, scale: np.ndarray, modelled: np.ndarray) -> dict[str, np.ndarray]:
    """Fits a column's mean given the others, as in a normal distribution: by turns the covariance of the filled rows, and the gaps given it.

    Source: the EM algorithm for a normal distribution with gaps (Little and Rubin 2002, chapter 11), each column a ridge regression on all others.

    Args:
        values: float64 (N, F), NaN where missing. median, scale: (F,). modelled: bool (F,), the columns whose gaps are to be guessed.

    Returns:
        `impute.columns` bool (F,), `impute.weights` (F, F), zero on the diagonal, `impute.mean` (F,), and the observed range `impute.low`, `impute.high` (F,),
        all in scales from the median; `impute.median`, `impute.scale`.
    """
    known = ~np.isnan(values)
    seen = np.where(known, np.clip((values - median) / scale, -_FAR, _FAR), 0.0)
    low, high = np.where(known, seen, 0.0).min(0), np.where(known, seen, 0.0).max(0)
    filled = seen
    for _ in range(_ROUNDS):
        mean = filled.mean(0)
        centred = filled - mean
        precision = np.linalg.inv(centred.T @ centred / len(filled) + _RIDGE * np.eye(filled.shape[1]))
        weights = -precision / np.diag(precision)
        np.fill_diagonal(weights, 0.0)
        filled = np.where(known, seen, np.clip(centred @ weights + mean, low, high))
    return {
        "impute.columns": modelled, "impute.weights": weights, "impute.mean": mean, "impute.low": low, "impute.high": high,
        "impute.median": median, "impute.scale": scale,
    }  # fmt: skip


class Impute(nn.Module):
    """float (B, F) with its gaps filled in somehow, and where they were -> the gaps of the modelled columns guessed from the other columns."""

    columns: Tensor
    weights: Tensor
    mean: Tensor
    low: Tensor
    high: Tensor
    median: Tensor
    scale: Tensor

    def __init__(self, statistics: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.register_buffer("columns", torch.tensor(statistics["impute.columns"]))
        for name in ("weights", "mean", "low", "high", "median", "scale"):
            self.register_buffer(name, torch.tensor(statistics[f"impute.{name}"], dtype=torch.float32))

    def forward(self, filled: Tensor, missing: Tensor) -> Tensor:
        known = ((filled - self.median) / self.scale).clamp(-_FAR, _FAR)
        guess = self.mean.expand_as(known)
        for step in range(_STEPS):
            now = torch.where(missing, guess, known)
            wanted = torch.minimum(torch.maximum((now - self.mean) @ self.weights + self.mean, self.low), self.high)
            guess = wanted if step == 0 else (guess + wanted) / 2  # half a step each, for two gaps that lean on each other would swing
        return torch.where(missing & self.columns, guess * self.scale + self.median, filled)
