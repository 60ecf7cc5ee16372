"""Losses: what training minimises. A user's own is a plain function `(logits, targets, weights=None) -> scalar tensor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from surefoot.losses.own import adapt
from surefoot.losses.theory import balanced_weights, class_shares, expected_at_init, prior_bias, prior_shift
from surefoot.refs import resolve

__all__ = ["balanced_weights", "class_shares", "expected_at_init", "get", "prior_bias", "prior_shift"]


def get(name: str, folder: Path | None = None) -> Callable:
    """The loss of this short name, or the user's own `file:Name` in `folder`, with what it takes and returns checked.

    Raises:
        UsageError: there is none, or it is no function.
    """
    loss = resolve(name, kind="loss", folder=folder)
    return adapt(loss, name) if ":" in name else loss
