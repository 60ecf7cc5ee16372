"""Losses of numbers: outputs and targets (B, T), as the net sees them (standardised)."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from surefoot.losses.weighting import average, demand_same_shape, widen


def mse(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared error: its best constant is the mean. Weights (B,) or None; a scalar.

    Raises:
        UsageError: outputs and targets differ in shape.
    """
    demand_same_shape(outputs, targets)
    return average(F.mse_loss(widen(outputs), widen(targets), reduction="none").mean(dim=1), weights)


def mae(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean absolute error: its best constant is the median, so outliers pull less. Weights (B,) or None; a scalar.

    Raises:
        UsageError: outputs and targets differ in shape.
    """
    demand_same_shape(outputs, targets)
    return average(F.l1_loss(widen(outputs), widen(targets), reduction="none").mean(dim=1), weights)


def huber(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Squared up to one unit (one standard deviation of the target), absolute beyond (Huber 1964). Weights (B,) or None; a scalar.

    Raises:
        UsageError: outputs and targets differ in shape.
    """
    demand_same_shape(outputs, targets)
    return average(F.huber_loss(widen(outputs), widen(targets), reduction="none").mean(dim=1), weights)
