"""Optimizers and schedules. A user's own is a function with the signature of those here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from surefoot.optim.optimizers import parameter_groups
from surefoot.refs import resolve

__all__ = ["get_optimizer", "get_schedule", "parameter_groups"]


def get_optimizer(name: str, folder: Path | None = None) -> Callable:
    """`(parameters, *, lr, weight_decay, momentum) -> torch.optim.Optimizer` of this short name, or the user's `file:name`.

    Raises:
        UsageError: there is none.
    """
    return resolve(name, kind="optimizer", folder=folder)


def get_schedule(name: str, folder: Path | None = None) -> Callable[[int], Callable[[int], float]]:
    """`num_steps -> (step -> factor in [0, 1])` of this short name, or the user's `file:name`.

    Raises:
        UsageError: there is none.
    """
    return resolve(name, kind="schedule", folder=folder)
