"""From which prob on the positive class is said: by what mistakes cost, by the precision or recall that is due, or by the metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.analysis.calibration import best_threshold
from surefoot.analysis.intervals import wilson
from surefoot.metrics.metric import Metric
from surefoot.types.configs import ProblemConfig
from surefoot.types.findings import Measured
from surefoot.types.reports import ThresholdChoice

THRESHOLD_METRICS = ("f1", "f1_macro", "balanced_accuracy")
"""Metrics that a threshold of 0.5 does not serve: they are best elsewhere wherever one class is rare."""


@dataclass(frozen=True)
class Sweep:
    """What every threshold comes to: those tried, in ascending order, and how many items each says rightly and wrongly.

    Attributes:
        thresholds: float64 (T,). right, alarms: int64 (T,) positives and negatives said positive. due, num: positives and items.
    """

    thresholds: np.ndarray
    right: np.ndarray
    alarms: np.ndarray
    due: int
    num: int

    def precision(self) -> np.ndarray:
        """(T,), 1 where nothing is said."""
        said = self.right + self.alarms
        return np.divide(self.right, said, out=np.ones(len(said)), where=said > 0)

    def recall(self) -> np.ndarray:
        """(T,)."""
        return self.right / max(self.due, 1)

    def cost(self, rules: ProblemConfig) -> np.ndarray:
        """Mean cost of an item, (T,)."""
        return (rules.miss_cost * (self.due - self.right) + rules.alarm_cost * self.alarms) / max(self.num, 1)


def sweep(targets: np.ndarray, probs: np.ndarray) -> Sweep:
    """Counts at thresholds between all distinct probs, at 0.5, and above the highest.

    Args:
        targets: int64 (N,) of 0 and 1. probs: (N, 2).
    """
    scores = probs[:, 1]
    distinct = np.unique(scores)
    tried = np.unique(np.concatenate([[0.0, 0.5], (distinct[1:] + distinct[:-1]) / 2, [1.0]]))
    positives, negatives = (np.sort(scores[targets == kind]) for kind in (1, 0))
    right, alarms = (len(side) - np.searchsorted(side, tried, "left") for side in (positives, negatives))
    return Sweep(tried, right, alarms, len(positives), len(targets))


def has_rule(rules: ProblemConfig) -> bool:
    """Whether the settings say how the threshold is chosen."""
    return rules.threshold is not None or bool(rules.miss_cost or rules.alarm_cost or rules.least_precision or rules.least_recall)


def choose(rules: ProblemConfig, metric: Metric, targets: np.ndarray, probs: np.ndarray) -> float:
    """The decision threshold of the positive class, in [0, 1], chosen on held-out items.

    What the settings say goes first: a threshold; what mistakes cost (the cheapest on these items; Elkan 2001 gives
    alarm / (alarm + miss) for probs that are chances); the precision that is due (the highest recall that keeps it), or the recall
    (the highest precision that keeps it). Else the metric's best, for those that 0.5 does not serve; else 0.5.

    Args:
        targets: int64 (N,) of 0 and 1. probs: (N, 2).
    """
    if rules.threshold is not None:
        return rules.threshold
    if not has_rule(rules):
        return best_threshold(metric, targets, probs) if metric.name in THRESHOLD_METRICS else 0.5
    found = sweep(targets, probs)
    if rules.miss_cost or rules.alarm_cost:
        return _nearest_best(found, -found.cost(rules), np.ones(len(found.thresholds), bool))
    keeps = (found.precision() >= rules.least_precision) & (found.recall() >= rules.least_recall)
    if not keeps.any():  # what is asked for can't be had: come as near to it as possible
        short = np.maximum(rules.least_precision - found.precision(), 0) + np.maximum(rules.least_recall - found.recall(), 0)
        return _nearest_best(found, -short, np.ones(len(found.thresholds), bool))
    return _nearest_best(found, found.recall() if rules.least_precision else found.precision(), keeps)


def _nearest_best(found: Sweep, merit: np.ndarray, allowed: np.ndarray) -> float:
    """Of the best the nearest to 0.5."""
    best = allowed & np.isclose(merit, merit[allowed].max(), rtol=0, atol=1e-12)
    tried = found.thresholds[best]
    return float(tried[np.abs(tried - 0.5).argmin()])


def list_choices(rules: ProblemConfig, metric: Metric, targets: np.ndarray, probs: np.ndarray, used: float) -> tuple[ThresholdChoice, ...]:
    """The threshold in use beside 0.5, the one that serves F1 best, and the one that serves both classes alike best: to be compared before one is set.

    Args:
        used: the threshold that ships.
    """
    found = sweep(targets, probs)
    precision, recall = found.precision(), found.recall()
    quiet = 1 - found.alarms / max(found.num - found.due, 1)
    f1 = np.divide(2 * found.right, found.right + found.alarms + found.due, out=np.zeros(len(recall)), where=found.due > 0)
    everywhere = np.ones(len(recall), bool)
    wanted = {
        "in use": used,
        "even": 0.5,
        "best F1": _nearest_best(found, f1, everywhere),
        "both classes alike": _nearest_best(found, recall + quiet, everywhere),
    }
    if rules.miss_cost or rules.alarm_cost:
        wanted["cheapest"] = _nearest_best(found, -found.cost(rules), everywhere)
    choices = []
    for rule, threshold in wanted.items():
        at = min(int(np.searchsorted(found.thresholds, threshold, "left")), len(found.thresholds) - 1)
        right, said = int(found.right[at]), int(found.right[at] + found.alarms[at])
        choices.append(
            ThresholdChoice(
                rule=rule,
                threshold=threshold,
                value=metric.score(targets, probs, threshold=threshold),
                precision=Measured(value=float(precision[at]), interval=wilson(right, said), n=said),
                recall=Measured(value=float(recall[at]), interval=wilson(right, found.due), n=found.due),
                cost=float(found.cost(rules)[at]) if rules.miss_cost or rules.alarm_cost else None,
            )
        )
    first: dict[float, ThresholdChoice] = {}
    for choice in choices:
        first.setdefault(choice.threshold, choice)
    return tuple(first.values())
