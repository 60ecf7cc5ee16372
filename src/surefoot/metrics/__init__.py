"""Metrics: numbers that are reported. NumPy only; a user's own is a plain function `(targets, outputs) -> float`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from surefoot.metrics.decisions import confusion, decide, per_class, task_of
from surefoot.metrics.metric import Metric, as_error, as_metric, better, giving_number
from surefoot.refs import resolve
from surefoot.types.examples import Threshold

__all__ = ["Metric", "as_error", "better", "confusion", "decide", "evaluate", "get", "per_class", "task_of"]


def get(name: str, folder: Path | None = None) -> Metric:
    """The metric of this short name, or the user's own `file:Name` in `folder`.

    Raises:
        UsageError: there is none, or it is no metric.
    """
    metric = as_metric(resolve(name, kind="metric", folder=folder), name)
    if ":" not in name:
        return metric
    return replace(metric, name=name, score=giving_number(metric.score, name))  # whatever the user calls it, reports know it by the name in the settings


def evaluate(names: Iterable[str | Metric], targets: np.ndarray, outputs: np.ndarray, threshold: Threshold = 0.5) -> dict[str, float]:
    """The value of each metric by its name; NaN where these items leave it undefined (an AUC without positives)."""
    metrics = [get(name) if isinstance(name, str) else name for name in names]
    return {metric.name: float(metric.score(targets, outputs, threshold=threshold)) for metric in metrics}
