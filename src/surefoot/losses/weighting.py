"""What all losses share: the precision they count in, the shapes they demand, the weighted mean they return."""

from __future__ import annotations

import torch

from surefoot.types.errors import UsageError

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def widen(values: torch.Tensor) -> torch.Tensor:
    """Half precision as float32: logarithms and sums of a loss need its digits."""
    return values.float() if values.dtype in HALVES.values() else values


def weigh(targets: torch.Tensor, weights: torch.Tensor | None, class_weights: torch.Tensor | None) -> torch.Tensor | None:
    """What each item (B,), or each of its labels (B, K), weighs in a loss: its own weight times its class's; None where all weigh the same.

    Args:
        targets: int64 (B,) class indices, or float (B, K) of 0 and 1.
        weights: (B,) or None.
        class_weights: (K,) for class indices; (K, 2), or (2,) for all labels, the weight of 0s and of 1s; or None.
    """
    if class_weights is None:
        return weights
    if not targets.is_floating_point():
        given = class_weights[targets]
        return given if weights is None else weights * given
    given = torch.where(targets > 0.5, class_weights[..., 1], class_weights[..., 0])
    return given if weights is None else weights[:, None] * given


def average(values: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Σ w·l / Σ w over a batch's losses (B,); the plain mean without weights, 0 where all weights are 0.

    Dividing by the sum of the weights keeps the size of the gradient, hence the best lr, independent of their scale.
    """
    if weights is None:
        return values.mean()
    return (values * weights).sum() / weights.sum().clamp_min(torch.finfo(values.dtype).tiny)


def demand_same_shape(outputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Refuses (B, 1) against (B,): broadcasting would compare each item with every other, and nobody would notice.

    Raises:
        UsageError: the shapes differ.
    """
    if outputs.shape != targets.shape:
        raise UsageError(
            f"The net gives {tuple(outputs.shape)} and the targets are {tuple(targets.shape)}.",
            where="the loss",
            next="Give the net's last layer one output per target column.",
        )
