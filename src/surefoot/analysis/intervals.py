"""How sure a number is: 95 % intervals of metrics from the items they were measured on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from surefoot.analysis.units import MOST_UNITS, Units, bundle, resampled_sums, units_of
from surefoot.metrics.metric import Metric, identity
from surefoot.randomness import stream
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

LEVEL = 0.95
NUM_SAMPLES = 1000
LEAST_SAMPLES = 200
MOST_CELLS = 80_000_000
"""Items x columns x samples x cost that a metric without `per_item` is computed on: about a second."""
MOST_COLUMNS = 120
"""Sums over items up to which they are resampled at once; a table of more classes is scored sample by sample."""

Interval = tuple[float, float]


def wilson(k: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a proportion, k of n; (0, 1) when n is 0.

    It holds its level for few items and near 0 and 1, where the textbook interval shrinks to nothing.
    Source: Wilson 1927; Brown, Cai and DasGupta 2001.
    """
    if n <= 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = k / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if k <= 0 else max(0.0, centre - half)), (1.0 if k >= n else min(1.0, centre + half))


def bootstrap(metric: Metric, targets: np.ndarray, outputs: np.ndarray, *, seed: int, groups: np.ndarray | None = None) -> Interval:
    """The 95 % bootstrap interval of a metric: BCa where it is a mean or another smooth function of sums over items, else by what is resampled.

    Groups are drawn whole. Where a metric is no mean and the items are many, fewer samples of fewer items are drawn and
    their spread is scaled back (m out of n). A decision threshold is fixed by `metric.at(threshold)`.

    Args:
        groups: (N,) of any dtype; rows of one value are drawn together: the data's groups, or the ids where iterated
            K-fold says an item several times.

    Returns:
        Lower and upper end; NaNs where there is but one unit, or the metric is undefined on most samples.

    Source: Efron 1987 (BCa); Bickel, Götze and van Zwet 1997 (m out of n); Boyd, Eng and Page 2013 (areas under curves: on the logit scale).
    """
    units = units_of(groups, len(targets))
    rng = stream(seed, "analysis.bootstrap", metric.name)
    if len(units) < 2:
        return math.nan, math.nan
    if metric.per_item is not None:
        columns = np.stack([units.sums(metric.per_item(targets, outputs)), units.sizes], axis=1)
        low, high = _interval_of_sums(columns, lambda sums: sums[..., 0] / sums[..., 1], rng)
        return float(metric.from_mean(low)), float(metric.from_mean(high))
    if metric.sums is not None and metric.from_sums is not None:
        columns = metric.sums(targets, outputs)
        if columns.shape[1] <= MOST_COLUMNS:
            return _interval_of_sums(np.stack([units.sums(column) for column in columns.T], axis=1), metric.from_sums, rng)

    def score(drawn: np.ndarray) -> float:
        rows = units.rows(drawn)
        return metric.score(targets[rows], outputs[rows])

    samples = resampled_scores(score, units, rng, num=NUM_SAMPLES, width=outputs.shape[1] * metric.cost)
    value = float(metric.score(targets, outputs))
    if metric.bounded and 0 < value < 1:
        return _interval_of_area(samples, value, 0.5 / len(units))
    return percentile_interval(samples)


def bootstrap_mean(values: np.ndarray, *, seed: int) -> Interval:
    """The 95 % interval of the mean of some values (BCa), (N,); NaNs for fewer than two."""
    if len(values) < 2:
        return math.nan, math.nan
    columns = np.stack([values, np.ones(len(values))], axis=1)
    return _interval_of_sums(columns, lambda sums: sums[..., 0] / sums[..., 1], stream(seed, "analysis.bootstrap_mean"))


def interval_for(metric: Metric, targets: np.ndarray, outputs: np.ndarray, *, seed: int, groups: np.ndarray | None = None, level: float = LEVEL) -> Measured:
    """The metric on these items with its 95 % interval.

    Wilson's for a proportion of independent items (accuracy, precision, recall); areas under curves by what each item adds to them, on the
    logit scale (DeLong 1988; Boyd, Eng and Page 2013); ranks for a median; the bootstrap otherwise. A perfect or a hopeless score shows
    resampling no spread, so there Wilson's for as many trials as there are units is given.

    Args:
        groups: as for `bootstrap`. level: of the interval, where it is not 95 %.

    Returns:
        `n` counts the units: items, or groups of them. `interval` is None where none could be estimated.
    """
    value = float(metric.score(targets, outputs))
    units = units_of(groups, len(targets))
    is_extreme = metric.bounded and value in (0.0, 1.0)
    is_plain = len(units) == len(targets)
    if metric.trials is not None and is_plain:
        hit, counted = metric.trials(targets, outputs)
        ends = wilson(int((hit & counted).sum()), int(counted.sum()), level)
    elif is_extreme or (is_plain and _is_proportion(metric, targets, outputs)):
        ends = wilson(value * len(units), len(units), level)
    elif metric.median_of is not None and is_plain and outputs.shape[1] == 1:
        ends = _interval_of_median(np.sort(metric.median_of(targets, outputs)[:, 0]), level)
    elif metric.influence is not None:
        ends = _interval_of_influence(units.sums(metric.influence(targets, outputs)) / max(len(targets), 1), value, level)
    else:
        ends = _stretch(value, bootstrap(metric, targets, outputs, seed=seed, groups=groups), level)
    return Measured(value=value, interval=ends if math.isfinite(ends[0]) and math.isfinite(ends[1]) else None, n=len(units))


def measure(metric: Metric, predictions: Predictions, *, seed: int, groups: Mapping[str, str] | None = None, level: float = LEVEL) -> Measured:
    """`interval_for` on pooled held-out predictions: an id that several folds say, or a group, is one unit.

    Args:
        groups: id -> group, where the data has groups.
    """
    return interval_for(metric, predictions.targets, predictions.outputs, seed=seed, groups=unit_names(predictions.ids, groups), level=level)


def measure_all(metrics: Iterable[Metric], predictions: Predictions, *, seed: int) -> dict[str, Measured]:
    """Each metric by its name with its interval; those that these items leave undefined are left out."""
    found = {metric.name: measure(metric, predictions, seed=seed) for metric in metrics}
    return {name: measured for name, measured in found.items() if math.isfinite(measured.value)}


def unit_names(ids: np.ndarray, groups: Mapping[str, str] | None) -> np.ndarray:
    """The name of the unit each row belongs to: its id, or its id's group; (N,)."""
    return ids if groups is None else np.array([groups[id] for id in ids.tolist()])


def from_folds(values: Sequence[float], num_train: float, num_val: float) -> tuple[float, Interval | None]:
    """Mean and 95 % interval of a difference that was measured on J folds.

    The folds share most of their train items, so the variance of the mean is (1 / J + num_val / num_train) · s², not s² / J,
    and the interval is Student's with J - 1 degrees of freedom. None for a single fold.

    Args:
        values: the difference on each fold (of K-fold, or of all iterations of it).
        num_train, num_val: items of one fold's train and val sets.

    Source: Nadeau and Bengio 2003, Inference for the Generalization Error.
    """
    mean, num = float(np.mean(values)), len(values)
    if num < 2:
        return mean, None
    half = float(stats.t.ppf(0.5 + LEVEL / 2, num - 1)) * math.sqrt((1 / num + num_val / num_train) * float(np.var(values, ddof=1)))
    return mean, (mean - half, mean + half)


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


def _interval_of_sums(columns: np.ndarray, value_of: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator) -> Interval:
    """BCa interval of a smooth function of the sums of columns (U, M) over units; the jackknife gives its acceleration."""
    columns = bundle(columns, rng)
    total = columns.sum(axis=0)
    value = float(value_of(total))
    samples = value_of(resampled_sums(columns, rng, NUM_SAMPLES))
    samples = samples[np.isfinite(samples)]
    without = value_of(total - columns)
    influence = (len(columns) - 1) * (value - without[np.isfinite(without)])
    if len(samples) * 2 < NUM_SAMPLES or not math.isfinite(value):
        return math.nan, math.nan
    num = len(samples)
    below = ((samples < value).sum() + (samples == value).sum() / 2) / num
    bias = stats.norm.ppf(np.clip(below, 0.5 / num, 1 - 0.5 / num))
    influence = influence - influence.mean() if len(influence) else influence
    spread = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + stats.norm.ppf([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    low, high = np.quantile(samples, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    return float(low), float(high)


def _interval_of_median(ordered: np.ndarray, level: float) -> Interval:
    """The two ranks between which the median lies with at least this chance, whatever the law (Conover 1999, Practical Nonparametric Statistics)."""
    rank = int(stats.binom.ppf(0.5 - level / 2, len(ordered), 0.5))
    return (float(ordered[rank - 1]), float(ordered[len(ordered) - rank])) if rank >= 1 else (math.nan, math.nan)


def _interval_of_influence(influence: np.ndarray, value: float, level: float) -> Interval:
    """The normal interval on the logit scale, from how far each unit moves the value."""
    num = len(influence)
    if num < 2 or not np.isfinite(influence).all():
        return math.nan, math.nan
    error = math.sqrt(float((influence**2).sum()) * num / (num - 1))
    return _from_logits(value, error / (value * (1 - value)), level)


def _interval_of_area(samples: np.ndarray, value: float, edge: float) -> Interval:
    """The normal interval on the logit scale, from the spread of bootstrap samples there; perfect ones count as half an item away from it."""
    inside = samples[np.isfinite(samples)].clip(edge, 1 - edge)
    if len(inside) * 2 < len(samples):
        return math.nan, math.nan
    return _from_logits(value, float(np.log(inside / (1 - inside)).std(ddof=1)), LEVEL)


def _stretch(value: float, ends: Interval, level: float) -> Interval:
    """A 95 % interval made as wide as another level asks for, each side by itself: a thousand samples know no far quantiles."""
    if level == LEVEL:
        return ends
    factor = float(stats.norm.ppf(0.5 + level / 2) / stats.norm.ppf(0.5 + LEVEL / 2))
    return value - (value - ends[0]) * factor, value + (ends[1] - value) * factor


def _from_logits(value: float, error: float, level: float) -> Interval:
    centre, half = math.log(value / (1 - value)), float(stats.norm.ppf(0.5 + level / 2)) * error
    low, high = (1 / (1 + math.exp(-max(-700.0, min(700.0, end)))) for end in (centre - half, centre + half))
    return low, high


def _is_proportion(metric: Metric, targets: np.ndarray, outputs: np.ndarray) -> bool:
    """Whether each item counts 0 or 1 and the metric is their mean."""
    if metric.per_item is None or not metric.bounded or metric.from_mean is not identity:
        return False
    values = metric.per_item(targets, outputs)
    return bool(np.isin(values, (0.0, 1.0)).all())
