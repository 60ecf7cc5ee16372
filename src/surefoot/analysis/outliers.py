"""Numbers that stand apart from all others of their column."""

from __future__ import annotations

import numpy as np

_SHARE = 0.01
_TAIL = 0.005
_FEW, _DISTINCT = 20, 10


def find_apart(values: np.ndarray) -> np.ndarray:
    """Rows whose number lies farther beyond the next one than all the others span; at most a hundredth on each side, as int64.

    A gap needs no normal distribution: of a hypothyroid's 3,771 ages from 1 to 94, the one of 455 stands apart. Columns of no negative number that are
    skewed are judged by their logarithm, in which a long tail has no gaps (a power transform makes quartiles symmetric; Hinkley 1975).

    Args:
        values: float64 (N,), NaN where missing.
    """
    rows = np.flatnonzero(np.isfinite(values))
    known = values[rows].astype(np.float64)
    if len(known) < _FEW or len(np.unique(known)) < _DISTINCT:
        return np.zeros(0, np.int64)
    scaled = np.log1p(known) if known.min() >= 0 and _is_skewed(known) else known
    apart = np.zeros(len(known), bool)
    for sign in (1, -1):
        apart |= sign * scaled >= _find_gap(np.sort(sign * scaled))
    return rows[apart]


def _is_skewed(values: np.ndarray) -> bool:
    """Whether the logarithm's quartiles are the more symmetric (Bowley's skewness); where most numbers are equal they say nothing, and it is taken."""
    skews = []
    for scaled in (values, np.log1p(values)):
        low, middle, high = np.quantile(scaled, (0.25, 0.5, 0.75))
        if high <= low:
            return True
        skews.append(abs(high + low - 2 * middle) / (high - low))
    return bool(skews[1] < skews[0])


def _find_gap(ordered: np.ndarray) -> float:
    """The smallest number beyond the lowest gap of the uppermost hundredth that is wider than all below it; infinity where there is none."""
    last = max(int(len(ordered) * _SHARE), 1)
    bottom = ordered[int(len(ordered) * _TAIL)]
    with np.errstate(over="ignore", invalid="ignore"):
        gaps, spans = ordered[-last:] - ordered[-last - 1 : -1], ordered[-last - 1 : -1] - bottom
    wide = np.flatnonzero((gaps > spans) & (spans > 0))
    return float(ordered[-last:][wide[0]]) if len(wide) else float("inf")
