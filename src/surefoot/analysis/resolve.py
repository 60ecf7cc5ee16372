"""What a val set can and can't tell apart."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from surefoot.analysis.belonging import measure_groups

LEVEL = 0.95
_Z = float(stats.norm.ppf(0.5 + LEVEL / 2))


def smallest_difference(metric_value: float, n: int) -> float:
    """The smallest difference between two accuracies that n val items tell from noise at the 95 % level.

    It is that of two independent samples of n items, z · sqrt(2 p (1 - p) / n). Models that are tested on the same items
    and err on the same ones differ significantly by less, so it is on the safe side; the paired test says more once there
    are two models. Two items of each outcome are added, so that p = 1 does not promise infinite resolution.

    Args:
        metric_value: the accuracy p, in [0, 1], around which models are compared.
        n: items in val.

    Returns:
        A difference of accuracy in [0, 1]; 1 without items.

    Source: Dietterich 1998 (difference of two proportions); Agresti and Caffo 2000 (the added items); Ng, Machine Learning
    Yearning, ch. 7: 100 examples can't show a gain of 0.1 %.
    """
    if n <= 0:
        return 1.0
    share = (metric_value * n + 2) / (n + 4)
    return min(1.0, _Z * math.sqrt(2 * share * (1 - share) / n))


def smallest_share(n: int) -> float:
    """The smallest share by which two root mean squared errors differ that n val items tell from noise at the 95 % level.

    The standard error of the logarithm of such an error is 1 / sqrt(2 n) for residuals near the normal law, and that of
    the difference of two is sqrt(2) times as large: z / sqrt(n).

    Args:
        n: items in val.

    Returns:
        A share of the error, in [0, 1]; 1 without items.
    """
    return min(1.0, _Z / math.sqrt(n)) if n > 0 else 1.0


def count_independent(of: np.ndarray, targets: np.ndarray) -> int:
    """How many independent items tell as much as these, of which some belong together: n / (1 + (m - 1) · likeness), for m items in a group on average.

    The likeness is that of the targets; errors within a group are hardly more alike, so it is on the safe side.

    Args:
        of: int (N,), numbers of the groups from 0 up. targets: float (N, K), centred.

    Source: Kish 1965, Survey Sampling (the design effect); groups of unequal size weigh by their squares.
    """
    counts = np.bincount(of)
    beside = float((counts**2).sum()) / max(len(of), 1) - 1
    return round(len(of) / (1 + beside * min(max(measure_groups(of, targets), 0.0), 1.0))) if beside > 0 else len(of)
