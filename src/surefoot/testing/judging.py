"""The exam of metrics. `N` items, `K` classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from surefoot.metrics.metric import Metric, as_metric, better
from surefoot.testing.questions import Question

_N, _K = 60, 4
Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def _cases() -> dict[str, Case]:
    """Task -> targets, perfect outputs, random outputs."""
    generator = np.random.default_rng(0)
    classes, coins = np.arange(_N) % _K, np.arange(_N) % 2
    labels, values = generator.integers(0, 2, (_N, _K)), generator.normal(10.0, 3.0, (_N, 1))
    vectors = generator.normal(size=(_N, 3))
    return {
        "binary": (coins, np.eye(2)[coins], _probs(generator, 2)),
        "multiclass": (classes, np.eye(_K)[classes], _probs(generator, _K)),
        "multilabel": (labels, labels.astype(float), generator.random((_N, _K))),
        "regression": (values, values.copy(), values + generator.normal(0, 5.0, values.shape)),
        "vector_regression": (vectors, vectors.copy(), generator.normal(size=vectors.shape)),
        "detection": _boxes(generator),
    }


def _boxes(generator: np.random.Generator) -> Case:
    """Boxes as `metrics.detection` takes them."""
    corners = generator.random((2, _N, 4)) * 50
    corners[..., 2:] += corners[..., :2]
    named = np.stack([np.arange(_N) // 3, np.arange(_N) % _K], 1)
    targets = np.concatenate([named, corners[0], np.zeros((_N, 2))], 1)
    perfect, random = (np.concatenate([named, one, generator.random((_N, 1))], 1) for one in corners)
    return targets, perfect, random


def _probs(generator: np.random.Generator, num: int) -> np.ndarray:
    raw = generator.random((_N, num))
    return raw / raw.sum(1, keepdims=True)


def _fitting(part: Any) -> Iterator[tuple[Metric, Case]]:
    """The metric with the cases of each task it judges; a plain function judges those that it does not refuse.

    Raises:
        Exception: what it said to the last task, where it refuses all.
    """
    metric, error, fits = as_metric(part, getattr(part, "__name__", "metric")), None, 0
    for task in metric.tasks:
        case = _cases()[task]
        try:
            metric.score(case[0], case[2])
        except Exception as raised:
            if isinstance(part, Metric):
                raise
            error = raised
            continue
        fits += 1
        yield metric, case
    if not fits:
        raise error or ValueError("it judges no task")


def _judges(part: Any) -> str:
    values = [metric.score(case[0], case[2]) for metric, case in _fitting(part)]
    odd = [value for value in values if not isinstance(value, float | int | np.floating) or not math.isfinite(value)]
    return f"{odd[0]!r} for random outputs" if odd else ""


def _prefers_right(part: Any) -> str:
    """On no task worse, on one at least better: the top two of two classes are always right."""
    is_better_somewhere = False
    for metric, (targets, perfect, random) in _fitting(part):
        right, guessed = metric.score(targets, perfect), metric.score(targets, random)
        if better(metric, right, guessed):
            is_better_somewhere = True
        elif right != guessed:
            side = "better" if metric.greater_is_better else "worse"
            return f"{right:.4g} for perfect outputs, {guessed:.4g} for random ones; greater is said to be {side}"
    return "" if is_better_somewhere else "the same value for perfect and for random outputs"


def _stays_in_bounds(part: Any) -> str:
    for metric, (targets, perfect, random) in _fitting(part):
        values = [metric.score(targets, outputs) for outputs in (perfect, random)]
        if metric.bounded and not all(-1e-9 <= value <= 1 + 1e-9 for value in values):
            return f"{values}, and it is said to lie in [0, 1]"
    return ""


def _ignores_order(part: Any) -> str:
    for metric, (targets, _, random) in _fitting(part):
        one, other = metric.score(targets, random), metric.score(targets[::-1], random[::-1])
        if not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12):
            return f"{one:.6g}, and {other:.6g} in reverse"
    return ""


def _keeps_inputs(part: Any) -> str:
    for metric, (targets, _, random) in _fitting(part):
        given = targets.copy(), random.copy()
        metric.score(*given)
        if not (np.array_equal(given[0], targets) and np.array_equal(given[1], random)):
            return "the targets or outputs it was given are changed"
    return ""


def _agrees_with_items(part: Any) -> str:
    for metric, (targets, _, random) in _fitting(part):
        if metric.per_item is None:
            continue
        items, whole = np.asarray(metric.per_item(targets, random)), metric.score(targets, random)
        mean = float(metric.from_mean(items.mean()))
        if items.shape != (len(targets),) or not math.isclose(mean, whole, rel_tol=1e-9, abs_tol=1e-12):
            return f"{whole:.6g} as a whole, {mean:.6g} from {items.shape} values per item"
    return ""


METRIC = (
    Question("gives a finite number for random outputs", _judges, "Sign it (targets, outputs) -> float: probs (N, K) or values (N, T).", True),
    Question("is better for perfect outputs than for random ones", _prefers_right, "Set greater_is_better = False on it where smaller is better."),
    Question("lies in the bounds it claims", _stays_in_bounds, "Set bounded = True only where all values lie in [0, 1]."),
    Question("does not depend on the order of the items", _ignores_order, "Treat items as a set."),
    Question("leaves what it was given as it is", _keeps_inputs, "Work on copies."),
    Question("agrees with its values per item", _agrees_with_items, "from_mean(per_item(...).mean()) must be the metric."),
)
