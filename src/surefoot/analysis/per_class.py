"""Precision, recall and support of each class, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.analysis.intervals import Interval, find_units, share_interval
from surefoot.metrics.decisions import decide, per_class, task_of
from surefoot.types.examples import Predictions, Threshold


def class_scores(predictions: Predictions, classes: Sequence[str], threshold: Threshold = 0.5) -> dict[str, dict[str, float]]:
    """What `metrics.per_class` says of all answers, with the support in items: one that several folds speak of is one."""
    _, first = np.unique(predictions.ids.astype(str), return_index=True)
    targets = predictions.targets[first]
    supports = (targets == 1).sum(axis=0) if targets.ndim == 2 else np.bincount(targets, minlength=len(classes))
    scores = per_class(predictions.targets, predictions.outputs, list(classes), threshold)
    return {name: row | {"support": float(support)} for (name, row), support in zip(scores.items(), supports, strict=True)}


def class_intervals(predictions: Predictions, classes: Sequence[str], threshold: Threshold = 0.5) -> dict[str, dict[str, Interval]]:
    """Class -> 95 % intervals of `precision` (of the items that are called so) and `recall` (of those that are so), as `share_interval` has them: an item
    that several folds speak of, or a group, is one unit.
    """
    targets, units = predictions.targets, find_units(predictions)
    preds = decide(task_of(targets, predictions.outputs), predictions.outputs, threshold)
    found = {}
    for number, name in enumerate(classes):
        due, called = (values[:, number] == 1 if values.ndim == 2 else values == number for values in (targets, preds))
        found[name] = {"precision": share_interval(due, called, units), "recall": share_interval(called, due, units)}
    return found
