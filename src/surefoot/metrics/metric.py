"""What a metric is: a number that is reported, never minimised. NumPy only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any

import numpy as np

from surefoot.tasks import TASKS
from surefoot.types.errors import UsageError
from surefoot.types.examples import Threshold

ALL_TASKS = tuple(task for task in TASKS if task != "detection")
"""Those in which an item is a row of the targets and a row of the outputs; of boxes an item has any number."""
SINGLE_LABEL = ("binary", "multiclass")
CLASSIFICATION = ("binary", "multiclass", "multilabel")
REGRESSION = ("regression", "vector_regression")

Values = Any
"""A float, or a float64 array of them."""


def identity(value: Values) -> Values:
    """The value itself."""
    return value


def complement(value: Values) -> Values:
    """One minus the value: accuracy to error rate, R² to the unexplained share."""
    return 1.0 - value


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are.

    Targets and outputs are those of `types.examples.Predictions`.

    Attributes:
        name: short name in `parts.py`; title: what people read.
        score: (targets, outputs, threshold=0.5) -> float; NaN where these items leave it undefined (an AUC of one class), without a warning.
        per_item: (targets, outputs, threshold=0.5) -> float64 (N,), where `from_mean(its mean)` is the metric; None where
            the metric is no mean over items (AUC, F1). It makes intervals and paired tests fast.
        from_mean: increasing function from the mean of `per_item` to the metric (rmse: the square root).
        sums: (targets, outputs, threshold=0.5) -> float64 (N, M), and from_sums: float64 (..., M) -> (...): the metric is a smooth
            function of sums over items (F1, R²). It makes intervals fast.
        trials: (targets, outputs, threshold=0.5) -> bool (N,), bool (N,): the metric is the share of the second that are in the first (precision).
        counted: (targets, outputs, threshold=0.5) -> bool (N,): the items that it looks at, all alike (F1: those said or due); None: all of them for a mean
            over items, else each class counts by itself. A perfect score is as sure as these are many.
        without: (targets, outputs) -> float64 (N,): its value without each of the items (AUC), NaN where it is undefined then; its interval needs no
            resampling.
        median_of: (targets, outputs) -> float64 (N, T): the metric is their median, for one target; its interval is exact then.
        error: from the metric to an error, 0 at best; None: `as_error` chooses by the next two.
        bounded: its values lie in [0, 1].
        tasks: the tasks it can judge.
        cost: time of a score relative to one look at each output; what sorts them is dearer and is resampled less often.
    """

    name: str
    title: str
    greater_is_better: bool
    score: Callable[..., float]
    per_item: Callable[..., np.ndarray] | None = None
    from_mean: Callable[[Values], Values] = identity
    error: Callable[[Values], Values] | None = None
    bounded: bool = False
    tasks: tuple[str, ...] = ALL_TASKS
    cost: int = 1
    sums: Callable[..., np.ndarray] | None = None
    from_sums: Callable[[np.ndarray], np.ndarray] | None = None
    trials: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None
    without: Callable[..., np.ndarray] | None = None
    median_of: Callable[..., np.ndarray] | None = None
    counted: Callable[..., np.ndarray] | None = None

    def at(self, threshold: Threshold) -> Metric:
        """The same metric with its decision threshold fixed, for intervals and tests that pass none."""
        deciding = ("score", "per_item", "sums", "trials", "counted")
        fixed: dict[str, Any] = {name: partial(part, threshold=threshold) for name in deciding if (part := getattr(self, name))}
        return replace(self, **fixed)


def mean_of(per_item: Callable[..., np.ndarray], from_mean: Callable[[Values], Values] = identity) -> Callable[..., float]:
    """The score whose value is `from_mean` of the mean of `per_item`; NaN without items."""

    def score(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> float:
        values = per_item(targets, outputs, threshold=threshold)
        return float(from_mean(values.mean())) if len(values) else float("nan")

    return score


def undecided(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function of (targets, outputs) the common signature: it looks at probs or values, so no threshold changes it."""

    @wraps(function)
    def anyway(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> Any:
        return function(targets, outputs)

    return anyway


def giving_number(score: Callable[..., Any], name: str) -> Callable[..., float]:
    """A user's score that must give one number, as a Python float; raises UsageError where it gives anything else."""

    @wraps(score)
    def checked(*args: Any, **named: Any) -> float:
        value = score(*args, **named)
        try:
            return float(np.asarray(value).item())
        except (TypeError, ValueError) as error:
            shape = getattr(value, "shape", None)
            given = f"an array of shape {tuple(shape)}" if shape else f"a {type(value).__name__}"
            advice = "Return one number for all items, e.g. their mean: float(values.mean())."
            raise UsageError(f"The metric {name} returned {given}; one number is due.", where=f"metric = {name!r}", next=advice) from error

    return checked


def as_metric(part: Any, name: str) -> Metric:
    """A `Metric` as it is, or a user's plain function `(targets, outputs) -> float` made into one.

    A plain function says what can't be guessed as attributes of its own: `greater_is_better` (default True) and
    `bounded` (its values lie in [0, 1]; default False). It may take `threshold`.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(part, Metric):
        return part
    if not callable(part) or isinstance(part, type):
        raise UsageError(
            f"{name} is no metric but a {type(part).__name__}.",
            where=f"metric = {name!r}",
            next="Give a function (targets, outputs) -> float, or a surefoot.metrics.Metric.",
        )
    short = getattr(part, "__name__", name)
    return Metric(
        name=name,
        title=short.replace("_", " "),
        greater_is_better=bool(getattr(part, "greater_is_better", True)),
        score=part if "threshold" in inspect.signature(part).parameters else undecided(part),
        bounded=bool(getattr(part, "bounded", False)),
    )


def better(metric: Metric, a: float, b: float) -> bool:
    """Whether `a` is a better value than `b`; an undefined (NaN) value is worse than any other."""
    if np.isnan(a) or np.isnan(b):
        return bool(np.isnan(b) and not np.isnan(a))
    return a > b if metric.greater_is_better else a < b


def as_error(metric: Metric, value: Values) -> Values:
    """The metric's value as an error, where smaller is better.

    One minus the value where greater is better and values lie in [0, 1]; the value itself where smaller is better; its
    negative for a reward without an upper bound, whose zero then means nothing.
    """
    if metric.error is not None:
        return metric.error(value)
    if not metric.greater_is_better:
        return value
    return 1.0 - value if metric.bounded else -value
