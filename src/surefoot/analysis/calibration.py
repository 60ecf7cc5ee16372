"""Whether 80 % sure is right 80 % of the time, and what to do when it is not."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from surefoot.analysis.intervals import unit_names
from surefoot.analysis.jackknife import LEVEL, spread_of
from surefoot.analysis.units import units_of
from surefoot.metrics.metric import Metric, better
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

COLDEST, HOTTEST = 0.05, 20.0
MOST_THRESHOLDS = 200
_QUANTILE = 1.96


def fit_temperature(logits: np.ndarray, targets: np.ndarray, task: str) -> float:
    """The number that held-out logits are divided by so that the probs fit best; the preds stay the same.

    One item's worth of evenly spread labels is added to the fit (as Platt does): without it, a handful of val items that
    are all right would drive the probs to 0 and 1.

    Args:
        logits: (N, K); binary (N, 1). targets: int64 (N,), multilabel (N, K).
        task: 1.0 is returned for regression, which has no probs.

    Returns:
        The temperature, between 0.05 and 20; 1.0 without items.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks; Platt 1999.
    """
    if task in ("regression", "vector_regression") or not len(targets):
        return 1.0
    logits = logits.astype(np.float64)
    found = minimize_scalar(lambda log: _surprise(logits / np.exp(log), targets, task), bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def fit_chances(logits: np.ndarray, shift: np.ndarray, targets: np.ndarray, task: str) -> tuple[float, float]:
    """Temperature and share under which the probs of `logits / temperature - share * shift` fit held-out items best, where training moved all logits.

    The shift comes off last: a net that is too sure is so of the world that it was shown. How much of it there is is fitted too, for it is seldom all of it.
    Losses divide by the weights of each batch, and a batch with a rare item has more: with 9 % rare ones in batches of 16 the logits move by 1.98 and not
    by ln w = 2.31. The loss is convex in the share and one over the temperature, so that there is one answer.

    Args:
        logits: (N, K); binary (N, 1). targets: int64 (N,).
        shift: (N, K), or (K,) for all items, as `losses.prior_shift` has it.

    Returns:
        The temperature, between 0.05 and 20, and the share, in [0, 1]; 1.0 and 1.0 without items.

    Source: Elkan 2001; Platt 1999 (a slope and an intercept); Byrd et al. 1995 (L-BFGS-B).
    """
    if not len(targets):
        return 1.0, 1.0
    logits, bounds = logits.astype(np.float64), [(np.log(COLDEST), np.log(HOTTEST)), (0.0, 1.0)]
    found = minimize(lambda at: _surprise(logits / np.exp(at[0]) - at[1] * shift, targets, task), (0.0, 1.0), method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), float(found.x[1])


def _surprise(logits: np.ndarray, targets: np.ndarray, task: str) -> float:
    """The mean log loss in nats, with one item's worth of evenly spread labels beside the true ones."""
    spread = 1.0 / (len(targets) + 1)
    if task == "multiclass":
        logs = log_softmax(logits, axis=1)
        given = logs[np.arange(len(targets)), targets]
        return -float((1 - spread) * given.mean() + spread * logs.mean())
    truth = (1 - spread) * targets.reshape(logits.shape) + spread / 2
    return float((np.logaddexp(0.0, -logits) + (1 - truth) * logits).mean())


def reliability(targets: np.ndarray, probs: np.ndarray, bins: int = 15) -> tuple[tuple[float, float, int], ...]:
    """(mean prob, share that is right, items) of each bin of equal width that holds any, from unsure to sure.

    Args:
        targets: int64 (N,): the prob of the class that is said counts, and whether it is right. (N, K) multilabel: the prob
            of each label, and whether the item has it.
    """
    sure, right, which = _cut(targets, probs, bins)
    counts = np.bincount(which, minlength=bins)
    kept = counts > 0
    means = np.bincount(which, sure, bins)[kept] / counts[kept]
    shares = np.bincount(which, right, bins)[kept] / counts[kept]
    return tuple(zip(means.tolist(), shares.tolist(), counts[kept].tolist(), strict=True))


def measure_ece(predictions: Predictions, bins: int = 15) -> Measured:
    """Expected calibration error in [0, 1]: mean distance of prob and share over the bins of `reliability`, by items; with its 95 % interval.

    In a bin that says too much an item adds its prob less its being right, in one that says too little the other way round; the interval is that of their
    mean. Which of the two a bin does is taken as known, so near 0, where it is not, the interval is too narrow: there `ece_by_chance` is the number to
    look at.

    Returns:
        `n` counts the units: items, or groups of them; no interval for fewer than two.

    Source: Naeini et al. 2015; Guo et al. 2017.
    """
    sure, right, which = _cut(predictions.targets, predictions.outputs, bins)
    apart = sure - right
    signs = np.sign(np.bincount(which, apart, bins))
    added = (signs[which] * apart).reshape(len(predictions.targets), -1).mean(axis=1)
    units = units_of(unit_names(predictions), len(added))
    value = float(added.mean()) if len(added) else 0.0
    if len(units) < 2:
        return Measured(value=value, n=len(units))
    spread = spread_of((units.sums(added) - value * units.sizes) * len(units) / len(added))
    half = spread.quantile(LEVEL) * spread.error
    return Measured(value=value, interval=(max(0.0, value - half), min(1.0, value + half)), n=len(units))


def ece_by_chance(predictions: Predictions, bins: int = 15) -> float:
    """What the calibration error would stay below in 97.5 % of such sets if each prob were the chance that it states: on few items it is well above 0.

    The distance of a bin is then the absolute value of a normal variable with variance p (1 - p) ÷ items; their sum is taken as normal. Rows of one unit
    (an item that several folds speak of, a group) come true together, as far as anyone knows: their standard deviations add up, not their variances.
    """
    sure, _, which = _cut(predictions.targets, predictions.outputs, bins)
    names = np.unique(unit_names(predictions), return_inverse=True)[1]
    labels = len(sure) // max(len(names), 1)  # each label of an item is a draw of its own
    draws = (np.repeat(names * labels, labels) + np.tile(np.arange(labels), len(names))) * bins + which
    drawn, at = np.unique(draws, return_inverse=True)
    together = np.bincount(at, np.sqrt(sure * (1 - sure)), len(drawn))
    deviations = np.sqrt(np.bincount(drawn % bins, together**2, bins)) / max(len(sure), 1)
    mean, spread = np.sqrt(2 / np.pi) * deviations.sum(), np.sqrt((1 - 2 / np.pi) * (deviations**2).sum())
    return float(mean + _QUANTILE * spread)


def _cut(targets: np.ndarray, probs: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each prob that was stated, whether it came true, and its bin: (N,), multilabel (N · K,)."""
    if targets.ndim == 2:
        sure, right = probs.ravel(), targets.ravel() == 1
    else:
        sure, right = probs.max(axis=1), probs.argmax(axis=1) == targets
    return sure, right, np.clip((sure * bins).astype(np.int64), 0, bins - 1)


def best_threshold(metric: Metric, targets: np.ndarray, probs: np.ndarray) -> float:
    """The decision threshold of the positive class under which the metric is best on these held-out items.

    At most 200 thresholds between distinct probs are tried, evenly by rank; of equally good ones the nearest to 0.5 is
    taken, so a metric that no threshold changes gives 0.5.

    Args:
        targets: int64 (N,) of 0 and 1. probs: (N, 2).
    """
    distinct = np.unique(probs[:, 1])
    middles = (distinct[1:] + distinct[:-1]) / 2
    if len(middles) > MOST_THRESHOLDS:
        middles = middles[np.linspace(0, len(middles) - 1, MOST_THRESHOLDS).astype(np.int64)]
    candidates = sorted([0.5, *middles.tolist()], key=lambda threshold: abs(threshold - 0.5))
    best, best_value = 0.5, float("nan")
    for threshold in candidates:
        value = metric.score(targets, probs, threshold=threshold)
        if better(metric, value, best_value):
            best, best_value = threshold, value
    return best
