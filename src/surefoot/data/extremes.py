"""Numbers that float32, in which nets and trees compute, can't hold: infinite ones, and finite ones beyond 3.4e38."""

from __future__ import annotations

import math

import numpy as np

LARGEST = float(np.finfo(np.float32).max)


def find_unit(values: np.ndarray) -> float:
    """The power of ten in which a column is given to a model: 1, unless numbers lie beyond float32; then the magnitude of the median.

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
    """How many numbers (N,) are infinite, how many are finite and beyond float32, and how many of those are so in the column's unit too."""
    sizes = np.abs(values.astype(np.float64))
    beyond = np.isfinite(sizes) & (sizes > LARGEST)
    return int(np.isinf(sizes).sum()), int(beyond.sum()), int((sizes[beyond] / find_unit(values) > LARGEST).sum())


def name_loss(value: str) -> str:
    """Why a cell where a number is due counts as missing."""
    try:
        number = float(value)
    except ValueError:
        return "are no numbers"
    if math.isnan(number):
        return "are no numbers"
    return "are infinite" if math.isinf(number) else f"are beyond what float32 holds ({LARGEST:.1e})"
