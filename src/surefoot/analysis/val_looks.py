"""What many looks at val cost: the best of many is better than it is, by luck."""

from __future__ import annotations

from surefoot.analysis.intervals import LEVEL, measure
from surefoot.metrics.metric import Metric
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured


def correct_for_looks(metric: Metric, predictions: Predictions, looks: int, *, seed: int) -> Measured:
    """The metric with an interval that holds for the best of `looks` models with 95 %, however they were chosen (Bonferroni).

    Source: Dunn 1961, Multiple Comparisons Among Means; Dwork et al. 2015, The Reusable Holdout (why reuse must be counted).

    Args:
        looks: how often val was looked at, as the ledger counts it.
    """
    return measure(metric, predictions, seed=seed, level=1 - (1 - LEVEL) / max(1, looks))


def correct_p(p_value: float, looks: int) -> float:
    """A p value that holds although the comparison is one of so many (Bonferroni)."""
    return min(1.0, p_value * max(1, looks))
