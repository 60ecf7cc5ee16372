"""How sure precision and recall of each class are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.analysis.intervals import Interval, wilson
from surefoot.metrics.decisions import count_outcomes
from surefoot.types.examples import Threshold


def class_intervals(targets: np.ndarray, outputs: np.ndarray, classes: Sequence[str], threshold: Threshold = 0.5) -> dict[str, dict[str, Interval]]:
    """Class -> 95 % intervals of `precision` (of the items that are called so) and `recall` (of those that are so): Wilson's."""
    counts = count_outcomes(targets, outputs, threshold)
    return {
        name: {"precision": wilson(right, right + extra), "recall": wilson(right, right + missed)}
        for name, (right, extra, missed) in zip(classes, counts.tolist(), strict=True)
    }
