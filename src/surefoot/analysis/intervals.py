"""How sure a number is: 95 % intervals of metrics from the items they were measured on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from scipy import stats

from surefoot.analysis.jackknife import LEVEL, Interval, around_mean, around_share, from_influence, influence, is_share, spread_of, wilson
from surefoot.analysis.units import MOST_UNITS, Units, units_of
from surefoot.metrics.metric import Metric, undecided
from surefoot.randomness import stream
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

_SHARE = Metric(
    "share",
    "Share of the counted rows that hit",
    True,
    score=undecided(lambda hit, counted: float(hit[counted].mean())),
    bounded=True,
    trials=undecided(lambda hit, counted: (hit, counted)),
)
"""Of bool (N,) that hit, given as targets, and bool (N,) that are counted, given as outputs."""
NUM_SAMPLES = 1000
LEAST_SAMPLES = 200
MOST_CELLS = 80_000_000
"""Items x columns x samples x cost that a metric without `per_item` is computed on: about a second."""


def bootstrap(metric: Metric, targets: np.ndarray, outputs: np.ndarray, *, seed: int, groups: np.ndarray | None = None) -> Interval:
    """The 95 % bootstrap interval of any metric: it asks for nothing but its score.

    Groups are drawn whole. Where the items are many, fewer samples of fewer items are drawn and their spread is scaled back (m out of n).
    A decision threshold is fixed by `metric.at(threshold)`.

    Args:
        groups: (N,) of any dtype; rows of one value are drawn together: the data's groups, or the ids where iterated
            K-fold says an item several times.

    Returns:
        Lower and upper end; NaNs where there is but one unit, or the metric is undefined on most samples.

    Source: Efron 1979; Bickel, Götze and van Zwet 1997 (m out of n); Korn and Graubard 1998 (what lies in [0, 1]: Wilson's
        interval for as many trials as would give the spread).
    """
    units = units_of(groups, len(targets))
    if len(units) < 2:
        return math.nan, math.nan

    def score(drawn: np.ndarray) -> float:
        rows = units.rows(drawn)
        return metric.score(targets[rows], outputs[rows])

    rng = stream(seed, "analysis.bootstrap", metric.name)
    samples = resampled_scores(score, units, rng, num=NUM_SAMPLES, width=outputs.shape[1] * metric.cost)
    low, high = percentile_interval(samples)
    value, error = float(metric.score(targets, outputs)), float(np.nanstd(samples)) if high > low else 0.0
    if metric.bounded and 0 < value < 1 and error:
        return around_share(value, value * (1 - value) / error**2, float(stats.norm.ppf(0.5 + LEVEL / 2)))
    return low, high


def interval_of_mean(values: np.ndarray) -> Interval:
    """The 95 % interval of the mean of some values (Hall's), (N,); NaNs for fewer than two."""
    return around_mean(values, spread_of(values - values.mean()), LEVEL) if len(values) > 1 else (math.nan, math.nan)


def interval_for(metric: Metric, targets: np.ndarray, outputs: np.ndarray, *, seed: int, groups: np.ndarray | None = None, level: float = LEVEL) -> Measured:
    """The metric on these items with its 95 % interval.

    Wilson's for a proportion of independent items (accuracy, precision, recall); ranks for a median; the jackknife for what is a mean, another
    function of sums over items, or an area under a curve; the bootstrap for a metric that gives its value and no more. A perfect or a hopeless
    score shows no spread, so there Wilson's for as many trials as there are units that it rests on is given: with five positives of a thousand,
    none of them found, F1 is 0 [0, 0.43] and not 0 [0, 0.0038].

    Args:
        groups: as for `bootstrap`. level: of the interval, where it is not 95 %.

    Returns:
        `n` counts the units: items, or groups of them. `interval` is None where none could be estimated.
    """
    value = float(metric.score(targets, outputs))
    units = units_of(groups, len(targets))
    is_plain = len(units) == len(targets)
    if metric.trials is not None:
        ends = share_interval(*metric.trials(targets, outputs), units, level)
    elif metric.bounded and value in (0.0, 1.0):
        num = _count_resting(metric, targets, outputs, units)
        ends = wilson(value * num, num, level)
    elif is_plain and _is_proportion(metric, targets, outputs):
        ends = wilson(value * len(units), len(units), level)
    elif metric.median_of is not None and is_plain and outputs.shape[1] == 1:
        ends = _interval_of_median(np.sort(metric.median_of(targets, outputs)[:, 0]), level)
    elif (moves := influence(metric, targets, outputs, units)) is not None:
        ends = from_influence(metric, targets, outputs, value, moves, level)
    else:
        ends = _stretch(value, bootstrap(metric, targets, outputs, seed=seed, groups=groups), level)
    return Measured(value=value, interval=ends if math.isfinite(ends[0]) and math.isfinite(ends[1]) else None, n=len(units))


def share_interval(hit: np.ndarray, counted: np.ndarray, units: Units, level: float = LEVEL) -> Interval:
    """The 95 % interval of the share of the counted rows that hit (recall: of those that are due, the ones that are said).

    Wilson's where each row is a unit of its own, else Wilson's for as many trials as would give the spread over units. A share of 0 or 1 has none: it is as
    sure as the units that count are many.

    Args:
        hit, counted: bool (N,). level: of the interval, where it is not 95 %.

    Returns:
        Lower and upper end; (0, 1) where nothing is counted.
    """
    right, num = int((hit & counted).sum()), int(counted.sum())
    if len(units) == len(hit) or not num:
        return wilson(right, num, level)
    known = int((units.sums(counted) > 0).sum())
    if right in (0, num) or known < 2:
        return wilson(right / num * known, known, level)
    moves = influence(_SHARE, hit, counted, units)
    assert moves is not None
    return from_influence(_SHARE, hit, counted, right / num, moves, level)


def measure(metric: Metric, predictions: Predictions, *, seed: int, level: float = LEVEL) -> Measured:
    """`interval_for` on pooled held-out predictions: an id that several folds say, or a group, is one unit."""
    measured = interval_for(metric, predictions.targets, predictions.outputs, seed=seed, groups=unit_names(predictions), level=level)
    return measured.model_copy(update={"items": items_in_groups(predictions)})


def measure_all(metrics: Iterable[Metric], predictions: Predictions, *, seed: int) -> dict[str, Measured]:
    """Each metric by its name with its interval; those that these items leave undefined are left out."""
    found = {metric.name: measure(metric, predictions, seed=seed) for metric in metrics}
    return {name: measured for name, measured in found.items() if math.isfinite(measured.value)}


def unit_names(predictions: Predictions) -> np.ndarray:
    """The name of the unit each row belongs to: its group, or, without groups, its id; (N,)."""
    return predictions.ids.astype(str) if predictions.groups is None else predictions.groups


def items_in_groups(predictions: Predictions) -> int:
    """How many items the groups hold, each once, however many folds speak of it; 0 where nothing is grouped (`Measured.items`)."""
    return 0 if predictions.groups is None else len(np.unique(predictions.ids.astype(str)))


def find_units(predictions: Predictions) -> Units:
    """The units of pooled held-out predictions: what counts once, however many rows speak of it."""
    return units_of(unit_names(predictions), len(predictions))


def resampled_scores(score: Callable[[np.ndarray], float], units: Units, rng: np.random.Generator, *, num: int, width: int) -> np.ndarray:
    """What `score` gives on bootstrap samples of the units, float64 (at most num,); undefined ones (NaN) are left in.

    Args:
        score: int64 array of drawn units -> value.
        width: columns of the outputs times the metric's cost, for the estimate of the work.
    """
    size = min(len(units), MOST_UNITS)
    cells = size * len(units.order) / len(units) * width
    num = min(num, max(LEAST_SAMPLES, int(MOST_CELLS / cells)))
    samples = np.array([score(rng.integers(len(units), size=size)) for _ in range(num)])
    if size == len(units):
        return samples
    known = samples[np.isfinite(samples)]
    centre = known.mean() if len(known) else math.nan
    return score(np.arange(len(units))) + (samples - centre) * math.sqrt(size / len(units))


def percentile_interval(samples: np.ndarray) -> Interval:
    """The middle of bootstrap samples; NaNs where more than half of them are undefined."""
    known = samples[np.isfinite(samples)]
    if len(known) * 2 < len(samples):
        return math.nan, math.nan
    low, high = np.quantile(known, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def _interval_of_median(ordered: np.ndarray, level: float) -> Interval:
    """The two ranks between which the median lies with at least this chance, whatever the law (Conover 1999, Practical Nonparametric Statistics)."""
    rank = int(stats.binom.ppf(0.5 - level / 2, len(ordered), 0.5))
    return (float(ordered[rank - 1]), float(ordered[len(ordered) - rank])) if rank >= 1 else (math.nan, math.nan)


def _stretch(value: float, ends: Interval, level: float) -> Interval:
    """A 95 % interval made as wide as another level asks for, each side by itself: a thousand samples know no far quantiles."""
    if level == LEVEL:
        return ends
    factor = float(stats.norm.ppf(0.5 + level / 2) / stats.norm.ppf(0.5 + LEVEL / 2))
    return value - (value - ends[0]) * factor, value + (ends[1] - value) * factor


def _count_resting(metric: Metric, targets: np.ndarray, outputs: np.ndarray, units: Units) -> int:
    """Units that a perfect or hopeless score rests on: all, for a mean over items; those that are counted, for what counts all alike (F1); else, for
    what is made of classes (an area under a curve, a mean over classes), those of the rarest class.
    """
    if metric.per_item is not None or targets.dtype.kind == "f":
        return len(units)
    if metric.counted is not None:
        return int((units.sums(metric.counted(targets, outputs)) > 0).sum())
    columns = targets.T == 1 if targets.ndim == 2 else targets == np.unique(targets)[:, None]
    sides = [side for column in columns for side in ((column, ~column) if targets.ndim == 2 else (column,))]
    return min((num for side in sides if (num := int((units.sums(side) > 0).sum()))), default=0)


def _is_proportion(metric: Metric, targets: np.ndarray, outputs: np.ndarray) -> bool:
    """Whether each item counts 0 or 1 and the metric is their mean."""
    values = metric.per_item(targets, outputs) if metric.per_item is not None and is_share(metric) else np.full(1, 0.5)
    return bool(((values == 0) | (values == 1)).all())
