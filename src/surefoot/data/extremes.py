"""Numbers with which nets and trees, which have float32, can't compute: infinite ones, and finite ones beyond 1e30."""

from __future__ import annotations

import math

import numpy as np

LARGEST = float(np.float32(1e30))
"""The largest number that a model is given: float32 holds 3.4e38, but beyond this its products overflow in a layer or two."""
_HELD = float(np.finfo(np.float32).max)


def find_unit(values: np.ndarray) -> float:
    """The power of ten in which a column is given to a model: 1, unless numbers lie beyond 1e30; then the magnitude of the median.

    What still lies beyond after dividing by it, a slip among ordinary numbers, counts as missing.

    Args:
        values: (N,) of any type; only numbers can need a unit.
    """
    if values.dtype.kind != "f":
        return 1.0
    sizes = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
    if not len(sizes) or sizes.max() <= LARGEST:
        return 1.0
    return float(f"1e{max(0, math.floor(math.log10(np.median(sizes))))}")


def count_extremes(values: np.ndarray) -> tuple[int, int, int]:
    """How many numbers (N,) are infinite, how many are finite and too large to pass in silence, and how many of those are lost.

    Lost are those beyond 1e30 in the column's own unit. Too large are these, and what float32 can't hold: the masses of stars, 2e30 kg, are healthy.
    """
    sizes = np.abs(values.astype(np.float64))
    lost = np.isfinite(sizes) & (sizes / find_unit(values) > LARGEST)
    return int(np.isinf(sizes).sum()), int((lost | (np.isfinite(sizes) & (sizes > _HELD))).sum()), int(lost.sum())


def name_loss(value: str) -> str:
    """Why a cell where a number is due counts as missing."""
    try:
        number = float(value)
    except ValueError:
        return "are no numbers"
    if math.isnan(number):
        return "are no numbers"
    return "are infinite" if math.isinf(number) else f"are beyond what a model computes with ({LARGEST:.0e})"
