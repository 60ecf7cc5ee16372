"""What each item does to a metric, and the intervals that follow from it without resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from surefoot.analysis.units import Units
from surefoot.metrics.decisions import divide
from surefoot.metrics.metric import Metric, complement, identity

LEVEL = 0.95
Interval = tuple[float, float]


@dataclass(frozen=True)
class Spread:
    """What the moves of U units say of a number.

    Attributes:
        error: its standard error. skew: of the moves. freedom: degrees of freedom that the error is known with, at least 1.
    """

    error: float
    skew: float
    freedom: float
    num: int

    def quantile(self, level: float) -> float:
        """Student's t, two-sided."""
        return float(special.stdtrit(self.freedom, 0.5 + level / 2))


def wilson(k: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a proportion, k of n; (0, 1) when n is 0.

    It holds its level for few items and near 0 and 1, where the textbook interval shrinks to nothing.
    Source: Wilson 1927; Brown, Cai and DasGupta 2001.
    """
    if n <= 0:
        return 0.0, 1.0
    low, high = around_share(k / n, n, float(special.ndtri(0.5 + level / 2)))
    return (0.0 if k <= 0 else low), (1.0 if k >= n else high)


def around_share(share: float, n: float, z: float) -> Interval:
    """Wilson's interval of a share, as sure as one of n trials is; z is the quantile of the normal law, or of Student's where n was estimated."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(0.0, share * (1 - share)) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def influence(metric: Metric, targets: np.ndarray, outputs: np.ndarray, units: Units) -> np.ndarray | None:
    """How far each unit moves the metric (a mean: moves what `from_mean` takes), U times over, float64 (U,).

    None where the metric has no quick way to leave one out; NaNs where it is undefined without one of them.
    Source: Tukey 1958; Efron and Stein 1981 (the variance that the jackknife gives errs upwards).
    """
    num = len(units)
    if metric.per_item is not None:
        columns = [metric.per_item(targets, outputs), np.ones(len(targets))]
    elif metric.trials is not None:
        hit, counted = metric.trials(targets, outputs)
        columns = [hit & counted, counted]
    elif metric.sums is not None:
        columns = list(metric.sums(targets, outputs).T)
    elif metric.without is not None:
        left = metric.without(targets, outputs)
        return units.sums(left.mean() - left) * (len(left) - 1) * num / len(left)
    else:
        return None
    sums = np.stack([units.sums(column.astype(np.float64)) for column in columns], axis=1)
    total, value_of = sums.sum(axis=0), metric.from_sums or _ratio
    return (num - 1) * (value_of(total) - value_of(total - sums))


def spread_of(moves: np.ndarray) -> Spread:
    """Error, skewness and degrees of freedom from what U units do, (U,); U is 2 or more.

    An error that rests on few of the units is known as badly as one from so few: its degrees of freedom follow from the fourth moment.
    Source: Satterthwaite 1946 (the chi square law with the mean and the variance of the estimated one).
    """
    num, apart = len(moves), moves - moves.mean()
    squares = float(apart @ apart)
    if not squares > 0:
        return Spread(0.0 if squares == 0 else math.nan, 0.0, num - 1.0, num)
    tails = num * float((apart**4).sum()) / squares**2
    skew = float((apart**3).mean()) / (squares / num) ** 1.5
    return Spread(math.sqrt(squares / (num - 1) / num), skew, min(num - 1.0, max(1.0, 2 * num / max(tails - 1, 1e-9))), num)


def from_influence(metric: Metric, targets: np.ndarray, outputs: np.ndarray, value: float, moves: np.ndarray, level: float) -> Interval:
    """The interval of a metric of this value by what its units do to it; NaNs where that is unknown.

    What lies in [0, 1] gets Wilson's interval for as many trials as would give its error; a mean of other values Hall's; a share that is left
    unexplained (R²) the t interval of its log; all else the t interval.

    Source: Korn and Graubard 1998, Dean and Pagano 2015 (effective trials); Hall 1992.
    """
    if len(moves) < 2 or not np.isfinite(moves).all():
        return math.nan, math.nan
    spread = spread_of(moves)
    if metric.per_item is not None and not is_share(metric):
        low, high = around_mean(metric.per_item(targets, outputs), spread, level)
        return float(metric.from_mean(low)), float(metric.from_mean(high))
    half = spread.quantile(level) * spread.error
    if spread.error and metric.bounded:
        return around_share(value, value * (1 - value) / spread.error**2, spread.quantile(level))
    if metric.error is complement and value < 1:
        left = 1 - value
        return 1 - left * math.exp(min(half / left, 700.0)), 1 - left * math.exp(-half / left)
    return value - half, value + half


def around_mean(values: np.ndarray, spread: Spread, level: float) -> Interval:
    """Of the mean of values (N,): the t interval with the skewness taken out by a monotone cubic; never below 0 where no value is.

    Source: Hall 1992, On the Removal of Skewness by Transformation.
    """
    mean, skew = float(values.mean()), spread.skew if abs(spread.skew) > 1e-6 else 1e-6
    scale, reach = spread.error * math.sqrt(spread.num), spread.quantile(level) / math.sqrt(spread.num)
    low, high = (mean - scale * 3 / skew * (math.cbrt(1 + skew * (x - skew / (6 * spread.num))) - 1) for x in (reach, -reach))
    return (max(0.0, low) if values.min() >= 0 else low), high


def is_share(metric: Metric) -> bool:
    """Whether the metric is a mean of values in [0, 1]."""
    return metric.per_item is not None and metric.bounded and metric.from_mean is identity


def _ratio(sums: np.ndarray) -> np.ndarray:
    return divide(sums[..., 0], sums[..., 1], math.nan)
