"""How sure precision and recall of each class are."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.analysis.intervals import Interval, find_units, share_interval
from surefoot.metrics.decisions import decide, task_of
from surefoot.types.examples import Predictions, Threshold


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
