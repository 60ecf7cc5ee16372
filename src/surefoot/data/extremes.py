"""Numbers with which nets and trees, which have float32, can't compute: infinite ones, and finite ones beyond 1e30."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

LARGEST = float(np.float32(1e30))
"""The largest number that a model is given: float32 holds 3.4e38, but beyond this its products overflow in a layer or two."""
_HELD = float(np.finfo(np.float32).max)
_BLOCK = 1 << 16
"""Numbers that are looked at together."""


def find_unit(values: np.ndarray) -> float:
    """The power of ten in which a column is given to a model: 1, unless numbers lie beyond 1e30; then the magnitude of the median.

    What still lies beyond after dividing by it, a slip among ordinary numbers, counts as missing.

    Args:
        values: (N,) of any type; only numbers can need a unit.
    """
    if values.dtype.kind != "f" or not any((_sizes(block) > LARGEST).any() for block in _blocks(values)):
        return 1.0
    sizes = _sizes(values)
    return float(f"1e{max(0, math.floor(math.log10(np.median(sizes[sizes > 0]))))}")


def count_extremes(values: np.ndarray) -> tuple[int, int, int]:
    """How many numbers (N,) are infinite, how many are finite and too large to pass in silence, and how many of those are lost.

    Lost are those beyond 1e30 in the column's own unit. Too large are these, and what float32 can't hold: the masses of stars, 2e30 kg, are healthy.
    """
    unit, infinite, large, lost = find_unit(values), 0, 0, 0
    for block in _blocks(values):
        sizes = _sizes(block)
        infinite += int(np.isinf(block).sum())
        is_lost = sizes / unit > LARGEST
        large, lost = large + int((is_lost | (sizes > _HELD)).sum()), lost + int(is_lost.sum())
    return infinite, large, lost


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))


def _sizes(values: np.ndarray) -> np.ndarray:
    """float64 (M,): the sizes of the finite ones."""
    return np.abs(values[np.isfinite(values)].astype(np.float64))


def name_loss(value: str) -> str:
    """Why a cell where a number is due counts as missing."""
    try:
        number = float(value)
    except ValueError:
        return "are no numbers"
    if math.isnan(number):
        return "are no numbers"
    return "are infinite" if math.isinf(number) else f"are beyond what a model computes with ({LARGEST:.0e})"
