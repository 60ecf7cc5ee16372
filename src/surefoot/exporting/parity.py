"""Whether the exported model says what the trained one says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4
"""Of a logit's size, and at least of 1: float32 sums in another order differ by some 1e-6; 1e-4 leaves room for fused kernels."""


@dataclass(frozen=True)
class Parity:
    """How far two models are apart on the same items.

    Attributes:
        max_abs: largest difference of a logit; infinite where one is not finite.
        bound: what was allowed for that logit.
        num_pred_differences: items decided differently, ties excepted.
        num_compared: items.
    """

    max_abs: float
    bound: float
    num_pred_differences: int
    num_compared: int
    ok: bool


def compare(expected: np.ndarray, got: np.ndarray, classification: bool, *, independent: bool = False) -> Parity:
    """Compares logits, |difference| <= 1e-4 * max(1, |expected|) each, and what they decide.

    A tie is an item whose deciding logits are closer to each other than the differences allowed for both: either decision is right.

    Args:
        expected, got: (B, K): one column is a sigmoid's logit, more are a softmax's.
        classification: False leaves the decisions out.
        independent: each column is decided for itself (multilabel).
    """
    expected, got = np.asarray(expected, np.float64), np.asarray(got, np.float64)
    if expected.shape != got.shape:
        raise ValueError(f"expected {expected.shape}, got {got.shape}")
    if expected.size == 0:
        return Parity(0.0, TOLERANCE, 0, 0, True)
    are_finite = np.isfinite(expected) & np.isfinite(got)
    expected, got = np.where(are_finite, expected, 0.0), np.where(are_finite, got, 0.0)
    allowed = TOLERANCE * np.maximum(1.0, np.abs(expected))
    apart = np.where(are_finite, np.abs(expected - got), np.inf)
    worst = np.unravel_index(np.argmax(apart / allowed), apart.shape)
    differences = 0
    if classification:
        differ = _differ_by_sign(expected, got, allowed) if independent or expected.shape[1] == 1 else _differ_by_class(expected, got, allowed)
        differences = int(differ.sum())
    ok = bool((apart <= allowed).all()) and differences == 0
    return Parity(float(apart[worst]), float(allowed[worst]), differences, len(expected), ok)


def _differ_by_sign(expected: np.ndarray, got: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    return (((expected > 0) != (got > 0)) & (np.abs(expected) > allowed)).any(1)


def _differ_by_class(expected: np.ndarray, got: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    rows = np.arange(len(expected))
    ours, theirs = expected.argmax(1), got.argmax(1)
    margin = expected[rows, ours] - expected[rows, theirs]
    return (ours != theirs) & (margin > allowed[rows, ours] + allowed[rows, theirs])
