"""Metrics of numbers: targets and outputs float64 (N, T) in the target's own units."""

from __future__ import annotations

import numpy as np

from surefoot.metrics.decisions import divide, mean_defined
from surefoot.metrics.metric import REGRESSION, Metric, complement, mean_of, undecided


@undecided
def _squared_error(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return ((outputs - targets) ** 2).mean(axis=1)


@undecided
def _absolute_error(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.abs(outputs - targets).mean(axis=1)


def _distances(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.abs(outputs - targets)


def _median_ae(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Median absolute error of each target, mean over targets."""
    return float(np.median(np.abs(outputs - targets), axis=0).mean()) if len(targets) else float("nan")


def _r2(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Share of each target's variance that is explained, mean over the targets that vary; below 0: worse than their mean."""
    if len(targets) < 2:
        return float("nan")
    left = ((outputs - targets) ** 2).sum(axis=0)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    varies = np.ptp(targets, axis=0) > 0
    return mean_defined(1.0 - divide(left, np.where(varies, total, 0.0), float("nan")))


def _r2_sums(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Squared residual, distance from the mean of all, and its square, per target, and one for each item: (N, 3 T + 1)."""
    apart = targets - targets.mean(axis=0)
    return np.concatenate([(outputs - targets) ** 2, apart, apart**2, np.ones((len(targets), 1))], axis=1)


def _r2_from_sums(sums: np.ndarray) -> np.ndarray:
    left, apart, squares = np.split(sums[..., :-1], 3, axis=-1)
    total = squares - divide(apart**2, np.broadcast_to(sums[..., -1:], apart.shape), float("nan"))
    explained = 1.0 - divide(left, np.where(total > 1e-12 * squares, total, 0.0), float("nan"))
    known = ~np.isnan(explained)
    return divide(np.where(known, explained, 0.0).sum(-1), known.sum(-1), float("nan"))


RMSE = Metric("rmse", "Root mean squared error", False, mean_of(_squared_error, np.sqrt), _squared_error, np.sqrt, tasks=REGRESSION)
MAE = Metric("mae", "Mean absolute error", False, mean_of(_absolute_error), _absolute_error, tasks=REGRESSION)
MEDIAN_AE = Metric("median_ae", "Median absolute error", False, undecided(_median_ae), tasks=REGRESSION, median_of=_distances)
R2 = Metric("r2", "R²", True, undecided(_r2), error=complement, tasks=REGRESSION, sums=_r2_sums, from_sums=_r2_from_sums)
