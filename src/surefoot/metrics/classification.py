"""Metrics of binary and multiclass predictions, and those multilabel shares. `N` items, `K` classes or labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from surefoot.metrics.decisions import confusion, count_outcomes, decide, divide, mean_defined, task_of
from surefoot.metrics.metric import CLASSIFICATION, SINGLE_LABEL, Metric, mean_of, undecided
from surefoot.types.errors import UsageError

NAN = float("nan")


def one_hot(targets: np.ndarray, size: int) -> np.ndarray:
    """Targets as bool (N, K); multilabel targets are so already."""
    return targets.astype(bool) if targets.ndim == 2 else targets[:, None] == np.arange(size)


def _is_right(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    return (decide(task_of(targets, outputs), outputs, threshold) == targets).astype(np.float64)


@undecided
def _is_among_two(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Whether fewer than two classes come before the target; among equal probs the first class does, as in argmax."""
    given = outputs[np.arange(len(targets)), targets][:, None]
    first = np.arange(outputs.shape[1]) < targets[:, None]
    before = ~(outputs <= given) | ((outputs == given) & first)
    return (before.sum(axis=1) < 2).astype(np.float64)


def _balanced_accuracy(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    table = confusion(targets, outputs, threshold)
    return mean_defined(divide(np.diagonal(table), table.sum(axis=1), NAN))


def _positive_counts(targets: np.ndarray, outputs: np.ndarray, threshold: float) -> np.ndarray:
    """Outcomes of the positive class, float64 (3,)."""
    if task_of(targets, outputs) != "binary":
        raise UsageError(
            "f1, precision and recall speak of one positive class; these predictions have several.", next="Choose f1_macro, f1_micro or balanced_accuracy."
        )
    return count_outcomes(targets, outputs, threshold)[1]


def _count_binary(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Whether each item is a true positive, false positive, false negative; (N, 3)."""
    said, due = outputs[:, 1] >= threshold, targets == 1
    return np.stack([said & due, said & ~due, ~said & due], axis=1).astype(np.float64)


def _count_classes(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """The same for each class or label: (N, 3 K), true positives first."""
    due = one_hot(targets, outputs.shape[1])
    said = outputs >= np.asarray(threshold) if targets.ndim == 2 else one_hot(decide(task_of(targets, outputs), outputs, threshold), outputs.shape[1])
    return np.concatenate([said & due, said & ~due, ~said & due], axis=1).astype(np.float64)


def _is_counted(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Whether the positive class is said or due of each item, (N,)."""
    return _count_binary(targets, outputs, threshold).sum(axis=1) > 0


def _is_any_counted(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Whether any class or label is said or due of each item, (N,)."""
    return _count_classes(targets, outputs, threshold).sum(axis=1) > 0


def _mean_where_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaNs."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(-1), known.sum(-1), NAN)


def _f1_from_sums(sums: np.ndarray) -> np.ndarray:
    return _f1_of(sums[..., 0], sums[..., 1], sums[..., 2])


def _f1_macro_from_sums(sums: np.ndarray) -> np.ndarray:
    return _mean_where_defined(_f1_of(*np.split(sums, 3, axis=-1)))


def _f1_micro_from_sums(sums: np.ndarray) -> np.ndarray:
    return _f1_of(*(part.sum(-1) for part in np.split(sums, 3, axis=-1)))


def _balanced_from_sums(sums: np.ndarray) -> np.ndarray:
    right, _, missed = np.split(sums, 3, axis=-1)
    return _mean_where_defined(divide(right, right + missed, NAN))


def _said(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    return targets == 1, outputs[:, 1] >= threshold


def _due(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    return outputs[:, 1] >= threshold, targets == 1


def _f1_of(right: np.ndarray, extra: np.ndarray, missed: np.ndarray) -> np.ndarray:
    return divide(2 * right, 2 * right + extra + missed, NAN)


def _f1(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    return float(_f1_of(*_positive_counts(targets, outputs, threshold)))


def _precision(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    """0 where the model never says the positive class: one that never dares earns nothing."""
    right, extra, _ = _positive_counts(targets, outputs, threshold)
    return float(divide(right, right + extra, 0.0)) if len(targets) else NAN


def _recall(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    right, _, missed = _positive_counts(targets, outputs, threshold)
    return float(divide(right, right + missed, NAN))


def _f1_macro(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    """Mean over the classes that were said or due at all."""
    return mean_defined(_f1_of(*count_outcomes(targets, outputs, threshold).T))


def _f1_micro(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
    return float(_f1_of(*count_outcomes(targets, outputs, threshold).sum(axis=0)))


def area_under_roc(is_positive: np.ndarray, scores: np.ndarray) -> float:
    """The chance that a positive scores above a negative, ties counting half; NaN without both.

    Source: Mann-Whitney U; Hanley and McNeil 1982.
    """
    positives, negatives = scores[is_positive], np.sort(scores[~is_positive])
    if not len(positives) or not len(negatives):
        return NAN
    below = np.searchsorted(negatives, positives, "left") + np.searchsorted(negatives, positives, "right")
    return float(below.sum() / (2.0 * len(positives) * len(negatives)))


def _auc_without(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The area without each item; NaN where it was the last of its kind. Source: DeLong, DeLong and Clarke-Pearson 1988 (placements)."""
    area, result = area_under_roc(is_positive, scores), np.full(len(scores), NAN)
    for here, sign in ((is_positive, 1), (~is_positive, -1)):
        others, num = np.sort(sign * scores[~here]), int(here.sum())
        if len(others) and num > 1:
            below = np.searchsorted(others, sign * scores[here], "left") + np.searchsorted(others, sign * scores[here], "right")
            result[here] = (num * area - below / (2 * len(others))) / (num - 1)
    return result


def _mean_without(one: Callable[[np.ndarray, np.ndarray], np.ndarray], targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Of the positive class, or the mean over the classes against the rest that are defined then; float64 (N,)."""
    if task_of(targets, outputs) == "binary":
        return one(targets == 1, outputs[:, 1])
    truth = one_hot(targets, outputs.shape[1])
    return _mean_where_defined(np.stack([one(truth[:, k], outputs[:, k]) for k in range(outputs.shape[1])], axis=1))


def average_precision(is_positive: np.ndarray, scores: np.ndarray) -> float:
    """Precision at each step of recall, weighted by the step, equal scores taken together; NaN without positives."""
    order = np.argsort(-scores)
    ends = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    right = np.cumsum(is_positive[order])[ends]
    if not len(right) or not right[-1]:
        return NAN
    said = (np.arange(len(order)) + 1)[ends]
    return float((np.diff(right, prepend=0) * right / said).sum() / right[-1])


def _precision_without(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision without each item; NaN where it was the last positive.

    Of the positives that score above an item nothing changes; at each of the others one fewer is said, and, without a positive, one fewer is right.
    """
    order, num_due = np.argsort(-scores, kind="stable"), int(is_positive.sum())
    due = is_positive[order].astype(np.float64)
    _, tie, size = np.unique(-scores[order], return_inverse=True, return_counts=True)
    end = np.cumsum(size)[tie]  # equal scores are said together
    first = end - size[tie]
    right, fewer = np.cumsum(due)[end - 1], np.maximum(end - 1, 1)
    above = np.append(0.0, np.cumsum(due * right / end))[first]
    below, lost = (np.append(np.cumsum(values[::-1])[::-1], 0.0)[first] for values in (due * right / fewer, due / fewer))
    itself = due * (right - 1) / fewer
    result = np.empty(len(scores))
    result[order] = divide(above + below - due * lost - itself, num_due - due, NAN)
    return result


def _roc_without(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return _mean_without(_auc_without, targets, outputs)


def precision_without(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """The mean average precision without each item, float64 (N,)."""
    return _mean_without(_precision_without, targets, outputs)


def _roc_auc(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Binary: of the positive class. Otherwise one against the rest, mean over the classes that have both."""
    if task_of(targets, outputs) == "binary":
        return area_under_roc(targets == 1, outputs[:, 1])
    truth = one_hot(targets, outputs.shape[1])
    return mean_defined(np.array([area_under_roc(truth[:, k], outputs[:, k]) for k in range(outputs.shape[1])]))


def mean_average_precision(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Average precision of each class or label against the rest, mean over those that have positives."""
    truth = one_hot(targets, outputs.shape[1])
    return mean_defined(np.array([average_precision(truth[:, k], outputs[:, k]) for k in range(outputs.shape[1])]))


def _pr_auc(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Binary: average precision of the positive class; otherwise the mean over classes."""
    if task_of(targets, outputs) == "binary":
        return average_precision(targets == 1, outputs[:, 1])
    return mean_average_precision(targets, outputs)


@undecided
def _surprise(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Minus log prob of the truth in nats; multilabel: mean over labels. Probs are kept off 0 by the float64 epsilon."""
    if targets.ndim == 2:
        given = np.where(targets == 1, outputs, 1.0 - outputs)
    else:
        given = outputs[np.arange(len(targets)), targets][:, None]
    return -np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)).mean(axis=1)


@undecided
def _squared_prob_error(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Half the squared distance of probs and truth, so that two classes give (p - y)²; multilabel: mean over labels of (p - y)²."""
    squares = (outputs - one_hot(targets, outputs.shape[1])) ** 2
    return squares.mean(axis=1) if targets.ndim == 2 else squares.sum(axis=1) / 2


ACCURACY = Metric("accuracy", "Accuracy", True, mean_of(_is_right), _is_right, bounded=True, tasks=SINGLE_LABEL)
_COUNTED: dict[str, Any] = {"bounded": True, "sums": _count_classes}
BALANCED_ACCURACY = Metric("balanced_accuracy", "Balanced accuracy", True, _balanced_accuracy, tasks=SINGLE_LABEL, from_sums=_balanced_from_sums, **_COUNTED)
TOP2_ACCURACY = Metric("top2_accuracy", "Top-2 accuracy", True, mean_of(_is_among_two), _is_among_two, bounded=True, tasks=SINGLE_LABEL)
F1 = Metric("f1", "F1", True, _f1, bounded=True, tasks=("binary",), sums=_count_binary, from_sums=_f1_from_sums, counted=_is_counted)
PRECISION = Metric("precision", "Precision", True, _precision, bounded=True, tasks=("binary",), trials=_said)
RECALL = Metric("recall", "Recall", True, _recall, bounded=True, tasks=("binary",), trials=_due)
F1_MACRO = Metric("f1_macro", "F1, mean over classes", True, _f1_macro, tasks=CLASSIFICATION, from_sums=_f1_macro_from_sums, **_COUNTED)
F1_MICRO = Metric(
    "f1_micro", "F1, all decisions pooled", True, _f1_micro, tasks=CLASSIFICATION, from_sums=_f1_micro_from_sums, counted=_is_any_counted, **_COUNTED
)
ROC_AUC = Metric("roc_auc", "Area under the ROC curve", True, undecided(_roc_auc), bounded=True, tasks=CLASSIFICATION, cost=5, without=_roc_without)
PR_AUC = Metric("pr_auc", "Average precision", True, undecided(_pr_auc), bounded=True, tasks=CLASSIFICATION, cost=5, without=precision_without)
LOG_LOSS = Metric("log_loss", "Log loss", False, mean_of(_surprise), _surprise, tasks=CLASSIFICATION)
BRIER = Metric("brier", "Brier score", False, mean_of(_squared_prob_error), _squared_prob_error, bounded=True, tasks=CLASSIFICATION)
