"""From which prob on the positive class, or a label, is said: by what mistakes cost, by the precision or recall that is due, or by the metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.analysis.calibration import best_threshold
from surefoot.analysis.intervals import find_units, share_interval
from surefoot.analysis.units import Units
from surefoot.metrics.metric import Metric
from surefoot.types.configs import ProblemConfig
from surefoot.types.examples import Predictions, Threshold
from surefoot.types.findings import Measured
from surefoot.types.reports import ThresholdChoice

THRESHOLD_METRICS = ("f1", "f1_macro", "balanced_accuracy")
"""Metrics that a threshold of 0.5 does not serve: they are best elsewhere wherever one class is rare."""
LABEL_METRICS = ("f1_macro", "f1_micro")
"""The same where items carry several labels."""
LEAST_POSITIVES = 10
"""Items of a label without which its threshold stays at 0.5: the best of so few is luck (Lipton, Elkan and Naryanaswamy 2014)."""
_MOST_ROUNDS = 20


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

    def f1(self) -> np.ndarray:
        """(T,), 0 where nothing is due."""
        return np.divide(2 * self.right, self.right + self.alarms + self.due, out=np.zeros(len(self.right)), where=self.due > 0)

    def cost(self, rules: ProblemConfig) -> np.ndarray:
        """Mean cost of an item, (T,)."""
        return (rules.miss_cost * (self.due - self.right) + rules.alarm_cost * self.alarms) / max(self.num, 1)


def sweep(targets: np.ndarray, probs: np.ndarray, also: float = 0.5) -> Sweep:
    """Counts at thresholds between all distinct probs, at 0.5, at another one, and above the highest.

    Args:
        targets: int64 (N,) of 0 and 1. probs: (N, 2).
    """
    scores = probs[:, 1]
    distinct = np.unique(scores)
    tried = np.unique(np.concatenate([[0.0, 0.5, also], (distinct[1:] + distinct[:-1]) / 2, [1.0]]))
    positives, negatives = (np.sort(scores[targets == kind]) for kind in (1, 0))
    right, alarms = (len(side) - np.searchsorted(side, tried, "left") for side in (positives, negatives))
    return Sweep(tried, right, alarms, len(positives), len(targets))


def has_rule(rules: ProblemConfig) -> bool:
    """Whether the settings say how the threshold is chosen."""
    return rules.threshold is not None or bool(rules.miss_cost or rules.alarm_cost or rules.least_precision or rules.least_recall)


def choose(rules: ProblemConfig, metric: Metric, targets: np.ndarray, probs: np.ndarray) -> Threshold:
    """The decision threshold of the positive class, or of each label, in [0, 1], chosen on held-out items.

    What the settings say goes first: a threshold; what mistakes cost (the cheapest on these items; Elkan 2001 gives
    alarm / (alarm + miss) for probs that are chances); the precision that is due (the highest recall that keeps it), or the recall
    (the highest precision that keeps it). Else the metric's best, for those that 0.5 does not serve; else 0.5.

    Args:
        targets: int64 (N,) of 0 and 1, probs (N, 2); several labels: both (N, K).
    """
    return (_choose_each if targets.ndim == 2 else _choose_one)(rules, metric, targets, probs)


def _choose_each(rules: ProblemConfig, metric: Metric, targets: np.ndarray, probs: np.ndarray) -> Threshold:
    """One threshold per label by the settings' rule, or such as the metric is best with; labels of few items keep 0.5."""
    if rules.threshold is not None:
        return rules.threshold
    if not has_rule(rules) and metric.name not in LABEL_METRICS:
        return 0.5
    enough = [k for k in range(targets.shape[1]) if targets[:, k].sum() >= LEAST_POSITIVES]
    if not enough:
        return 0.5
    columns = {k: (targets[:, k], np.stack([1 - probs[:, k], probs[:, k]], axis=1)) for k in enough}
    if has_rule(rules):
        found = {k: _choose_one(rules, metric, *columns[k]) for k in enough}
    else:
        found = _serve_f1([sweep(*columns[k]) for k in enough], enough, is_micro=metric.name == "f1_micro")
    return tuple(found.get(k, 0.5) for k in range(targets.shape[1]))


def _serve_f1(sweeps: list[Sweep], names: list[int], *, is_micro: bool) -> dict[int, float]:
    """Thresholds with which the F1 of each label, or of all decisions pooled, is best on these items.

    Pooled, F1 is a ratio of sums over labels: each label is given what is best at the ratio reached so far, until that stands (Dinkelbach 1967).
    """
    if not is_micro:
        return {k: _nearest_best(one, one.f1(), np.ones(len(one.thresholds), bool)) for k, one in zip(names, sweeps, strict=True)}
    due, reached, chosen = sum(one.due for one in sweeps), 0.0, list[float]()
    for _ in range(_MOST_ROUNDS):
        merits = [2 * one.right - reached * (one.right + one.alarms) for one in sweeps]
        chosen = [_nearest_best(one, merit, np.ones(len(merit), bool)) for one, merit in zip(sweeps, merits, strict=True)]
        at = [int(np.searchsorted(one.thresholds, threshold)) for one, threshold in zip(sweeps, chosen, strict=True)]
        right, said = (sum(int(counts) for counts in side) for side in zip(*((s.right[i], s.right[i] + s.alarms[i]) for s, i in zip(sweeps, at, strict=True))))
        before, reached = reached, 2 * right / (due + said)
        if reached <= before:
            break
    return dict(zip(names, chosen, strict=True))


def _choose_one(rules: ProblemConfig, metric: Metric, targets: np.ndarray, probs: np.ndarray) -> float:
    if rules.threshold is not None:
        return rules.threshold
    if not has_rule(rules):
        return best_threshold(metric, targets, probs) if metric.name in THRESHOLD_METRICS else 0.5
    found = sweep(targets, probs)
    if rules.miss_cost or rules.alarm_cost:
        return _nearest_best(found, -found.cost(rules), np.ones(len(found.thresholds), bool))
    speaks = found.right + found.alarms > 0  # who never says yes has no false alarm, and is no use
    if not speaks.any():
        return 0.5
    keeps = speaks & (found.precision() >= rules.least_precision) & (found.recall() >= rules.least_recall)
    if not keeps.any():  # what is asked for can't be had: come as near to it as possible
        short = np.maximum(rules.least_precision - found.precision(), 0) + np.maximum(rules.least_recall - found.recall(), 0)
        return _nearest_best(found, -short, speaks)
    return _nearest_best(found, found.recall() if rules.least_precision else found.precision(), keeps)


def _nearest_best(found: Sweep, merit: np.ndarray, allowed: np.ndarray) -> float:
    """Of the best the nearest to 0.5."""
    best = allowed & np.isclose(merit, merit[allowed].max(), rtol=0, atol=1e-12)
    tried = found.thresholds[best]
    return float(tried[np.abs(tried - 0.5).argmin()])


@dataclass(frozen=True)
class _Asked:
    """The positive class, or a label, on held-out items: bool (N,) whether it is due, its probs float64 (N,), their units, and what thresholds come to."""

    due: np.ndarray
    probs: np.ndarray
    units: Units
    swept: Sweep


def list_choices(rules: ProblemConfig, metric: Metric, said: Predictions, used: float) -> tuple[ThresholdChoice, ...]:
    """The threshold in use beside 0.5, the one that serves F1 best, and the one that serves both classes alike best: to be compared before one is set.

    Args:
        said: by a binary model, about held-out items. used: the threshold that ships.
    """
    targets, probs = said.targets, said.outputs
    found = sweep(targets, probs, used)
    asked = _Asked(targets == 1, probs[:, 1], find_units(said), found)
    quiet = 1 - found.alarms / max(found.num - found.due, 1)
    everywhere = np.ones(len(quiet), bool)
    wanted = {
        "in use": used,
        "even": 0.5,
        "best F1": _nearest_best(found, found.f1(), everywhere),
        "both classes alike": _nearest_best(found, found.recall() + quiet, everywhere),
    }
    if rules.miss_cost or rules.alarm_cost:
        wanted["cheapest"] = _nearest_best(found, -found.cost(rules), everywhere)
    choices = [_tell(asked, rules, rule, threshold, metric.score(targets, probs, threshold=threshold)) for rule, threshold in wanted.items()]
    first: dict[float, ThresholdChoice] = {}
    for choice in choices:
        first.setdefault(choice.threshold, choice)
    return tuple(first.values())


def list_label_choices(rules: ProblemConfig, labels: Sequence[str], said: Predictions, used: Threshold) -> tuple[ThresholdChoice, ...]:
    """The threshold in use of each label, and beside it 0.5 and the one that serves its F1 best."""
    own = used if isinstance(used, tuple) else (used,) * len(labels)
    targets, probs, units = said.targets, said.outputs, find_units(said)
    choices = []
    for k, label in enumerate(labels):
        found = sweep(targets[:, k], np.stack([1 - probs[:, k], probs[:, k]], axis=1), own[k])
        asked = _Asked(targets[:, k] == 1, probs[:, k], units, found)
        best = _nearest_best(found, found.f1(), np.ones(len(found.thresholds), bool))
        wanted = {threshold: rule for rule, threshold in (("best F1", best), ("even", 0.5), ("in use", own[k]))}
        for threshold, rule in reversed(wanted.items()):
            choices.append(_tell(asked, rules, rule, threshold, float(found.f1()[_at(found, threshold)])).model_copy(update={"label": label}))
    return tuple(choices)


def _at(found: Sweep, threshold: float) -> int:
    return min(int(np.searchsorted(found.thresholds, threshold, "left")), len(found.thresholds) - 1)


def _tell(asked: _Asked, rules: ProblemConfig, rule: str, threshold: float, value: float) -> ThresholdChoice:
    found, due, said = asked.swept, asked.due, asked.probs >= threshold
    at = _at(found, threshold)
    return ThresholdChoice(
        rule=rule,
        threshold=threshold,
        value=value,
        precision=Measured(value=float(found.precision()[at]), interval=share_interval(due, said, asked.units), n=int(said.sum())),
        recall=Measured(value=float(found.recall()[at]), interval=share_interval(said, due, asked.units), n=found.due),
        cost=float(found.cost(rules)[at]) if rules.miss_cost or rules.alarm_cost else None,
    )
