"""From probs to preds, and from preds to counts: `N` items, `K` classes or labels, `T` regression targets."""

from __future__ import annotations

import numpy as np

from surefoot.types.errors import UsageError
from surefoot.types.examples import Threshold


def task_of(targets: np.ndarray, outputs: np.ndarray) -> str:
    """The task that arrays of these shapes and dtypes belong to; two classes are `binary`."""
    if targets.dtype.kind == "f":
        return "regression" if outputs.ndim == 1 or outputs.shape[1] == 1 else "vector_regression"
    if targets.ndim == 2:
        return "multilabel"
    return "binary" if outputs.shape[1] == 2 else "multiclass"


def decide(task: str, outputs: np.ndarray, threshold: Threshold = 0.5) -> np.ndarray:
    """What is said in the end.

    Args:
        outputs: probs (N, K), or values (N, T) for regression.
        threshold: the positive class (binary) or a label (multilabel) is said from this prob on, several: each label from its own; multiclass takes
            the most probable.

    Returns:
        int64 (N,); multilabel int64 (N, K) of 0 and 1; regression the outputs themselves.
    """
    if task == "multiclass":
        return outputs.argmax(axis=1)
    if task == "binary":
        return (outputs[:, 1] >= np.asarray(threshold)).astype(np.int64)
    if task == "multilabel":
        return (outputs >= np.asarray(threshold)).astype(np.int64)
    return outputs


def confusion(targets: np.ndarray, outputs: np.ndarray, threshold: Threshold = 0.5) -> np.ndarray:
    """Counts of items by class, int64 (K, K): row = target, column = pred.

    Raises:
        UsageError: the items carry several labels each, so there is no such table.
    """
    task = task_of(targets, outputs)
    if task not in ("binary", "multiclass"):
        raise UsageError(f"A confusion matrix needs one class per item; this is {task}.", next="Use `per_class` for several labels per item.")
    size = outputs.shape[1]
    cells = targets * size + decide(task, outputs, threshold)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def count_outcomes(targets: np.ndarray, outputs: np.ndarray, threshold: Threshold = 0.5) -> np.ndarray:
    """True positives, false positives and false negatives of each class or label, float64 (K, 3)."""
    if targets.ndim == 2:
        is_said, is_due = outputs >= np.asarray(threshold), targets == 1
        said, due, right = (np.count_nonzero(cells, axis=0) for cells in (is_said, is_due, is_said & is_due))
    else:
        table = confusion(targets, outputs, threshold)
        said, due, right = table.sum(axis=0), table.sum(axis=1), np.diagonal(table)
    return np.stack([right, said - right, due - right], axis=1).astype(np.float64)


def divide(numerator: np.ndarray, denominator: np.ndarray, undefined: float) -> np.ndarray:
    """Quotients, and `undefined` where the denominator is 0."""
    result = np.full(np.shape(denominator), undefined)
    return np.divide(numerator, denominator, out=result, where=np.asarray(denominator) != 0)


def mean_defined(values: np.ndarray) -> float:
    """The mean of those that are defined; NaN where none is."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def per_class(targets: np.ndarray, outputs: np.ndarray, classes: tuple[str, ...] | list[str], threshold: Threshold = 0.5) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support (items that have it) of each class or label; 0 where nothing was said or due.

    Raises:
        UsageError: there are more or fewer names than classes.
    """
    counts = count_outcomes(targets, outputs, threshold)
    if len(classes) != len(counts):
        raise UsageError(f"{len(classes)} class names for {len(counts)} classes.", where=", ".join(classes), next="Give one name per column of the outputs.")
    right, extra, missed = counts.T
    columns = {
        "precision": divide(right, right + extra, 0.0),
        "recall": divide(right, right + missed, 0.0),
        "f1": divide(2 * right, 2 * right + extra + missed, 0.0),
        "support": right + missed,
    }
    return {name: {key: float(column[i]) for key, column in columns.items()} for i, name in enumerate(classes)}
