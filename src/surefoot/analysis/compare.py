"""Is this better, or noise? Two models on the items held out in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from surefoot.analysis.intervals import NUM_SAMPLES, Interval, percentile_interval, resampled_scores, unit_names
from surefoot.analysis.units import Units, bundle, flipped_sums, resampled_sums, units_of
from surefoot.metrics.metric import Metric
from surefoot.randomness import stream
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured, Plain

ALPHA = 0.05
NUM_FLIPS = 2000


class Comparison(Plain):
    """What a paired test of model a against model b says.

    Attributes:
        difference: metric of a minus metric of b, with its 95 % interval; `n` counts the units held out in both.
        p_value: chance of a difference at least this large if the two were equally good.
        verdict: about a: `better` or `worse` where the interval excludes 0 and p < 0.05, else `within noise`.
        sentence: the same in plain words.
    """

    difference: Measured
    p_value: float
    verdict: Literal["better", "worse", "within noise"]
    sentence: str


def paired(
    metric: Metric, a: Predictions, b: Predictions, *, seed: int, groups: Mapping[str, str] | None = None, thresholds: tuple[float, float] | None = None
) -> Comparison:
    """Compares two models on the ids held out in both, both judged by a's targets (labels may have been mended since b).

    The interval is the paired bootstrap's. The p value is McNemar's exact one where each item is right or wrong once, that
    of a sign-flip permutation test for other means over items, and the bootstrap's for metrics that are no mean.

    Args:
        groups: id -> group, where the data has groups; they are drawn whole.
        thresholds: of a's and of b's decisions, where each has its own; None: the metric's.

    Raises:
        UsageError: no id was held out in both, or the two have different outputs.

    Source: McNemar 1947; Dietterich 1998; Phipson and Smyth 2010 (permutation p values are never 0).
    """
    a, b = _align(a, b)
    at = (metric, metric) if thresholds is None else (metric.at(thresholds[0]), metric.at(thresholds[1]))
    sides = [_Side(own, each, units_of(unit_names(each.ids, groups), len(each))) for own, each in zip(at, (a, b), strict=True)]
    rng = stream(seed, "analysis.paired", metric.name)
    interval, p_value = _test_means(sides, rng) if metric.per_item is not None else _test_scores(sides, rng)
    value = float(sides[0].score()) - float(sides[1].score())
    is_known = bool(np.isfinite(interval).all())
    measured = Measured(value=value, interval=interval if is_known else None, n=len(sides[0].units))
    return _conclude(metric, measured, p_value)


@dataclass(frozen=True)
class _Side:
    """One of the two: what it said, how that is judged, and which rows belong together."""

    metric: Metric
    predictions: Predictions
    units: Units

    def score(self, rows: np.ndarray | slice = slice(None)) -> float:
        """The metric on some rows."""
        return self.metric.score(self.predictions.targets[rows], self.predictions.outputs[rows])

    def items(self) -> np.ndarray:
        """What each row counts, (N,)."""
        assert self.metric.per_item is not None
        return self.metric.per_item(self.predictions.targets, self.predictions.outputs)


def _align(a: Predictions, b: Predictions) -> tuple[Predictions, Predictions]:
    """The rows of both whose id is in both; b's with the targets that a has."""
    if a.outputs.shape[1:] != b.outputs.shape[1:]:
        raise UsageError(
            f"One model gives {a.outputs.shape[1]} outputs and the other {b.outputs.shape[1]}.", next="Compare models of the same classes or targets."
        )
    ids, first = np.unique(a.ids, return_index=True)
    of_a, of_b = np.isin(a.ids, b.ids), np.isin(b.ids, a.ids)
    if not of_a.any():
        raise UsageError("No item was held out in both models.", next="Compare models whose val sets overlap.")
    targets = a.targets[first[np.searchsorted(ids, b.ids[of_b])]]
    return Predictions(a.ids[of_a], a.outputs[of_a], a.targets[of_a]), Predictions(b.ids[of_b], b.outputs[of_b], targets)


def _test_means(sides: list[_Side], rng: np.random.Generator) -> tuple[Interval, float]:
    """Interval and p value for a metric that is a mean over items."""
    values = [side.items() for side in sides]
    sums = [side.units.sums(value) for side, value in zip(sides, values, strict=True)]
    sizes = [side.units.sizes for side in sides]
    drawn = resampled_sums(bundle(np.stack([sums[0], sizes[0], sums[1], sizes[1]], axis=1), rng), rng, NUM_SAMPLES)
    from_mean = sides[0].metric.from_mean
    samples = from_mean(drawn[:, 0] / drawn[:, 1]) - from_mean(drawn[:, 2] / drawn[:, 3])
    is_single = all((size == 1).all() for size in sizes)
    if is_single and all(np.isin(value, (0.0, 1.0)).all() for value in values):
        return percentile_interval(samples), _mcnemar(*sums)
    shares = sums[0] / sizes[0].sum() - sums[1] / sizes[1].sum()
    return percentile_interval(samples), _flip_test(bundle(shares[:, None], rng)[:, 0], rng)


def _mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Exact two-sided p value from the items that only one of the two has right."""
    only_a, only_b = int((right_a > right_b).sum()), int((right_b > right_a).sum())
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _flip_test(differences: np.ndarray, rng: np.random.Generator) -> float:
    """Share of random sign patterns whose sum is as far from 0 as the one seen, that one counted in."""
    seen = abs(differences.sum())
    slack = 1e-9 * np.abs(differences).sum()
    as_far = np.abs(flipped_sums(differences, rng, NUM_FLIPS)) >= seen - slack
    return float((1 + as_far.sum()) / (1 + NUM_FLIPS))


def _test_scores(sides: list[_Side], rng: np.random.Generator) -> tuple[Interval, float]:
    """Interval and p value for a metric that is no mean, from the paired bootstrap."""

    def difference(drawn: np.ndarray) -> float:
        return sides[0].score(sides[0].units.rows(drawn)) - sides[1].score(sides[1].units.rows(drawn))

    width = 2 * sides[0].predictions.outputs.shape[1] * sides[0].metric.cost
    samples = resampled_scores(difference, sides[0].units, rng, num=NUM_SAMPLES, width=width)
    known = samples[np.isfinite(samples)]
    tail = min((known <= 0).sum(), (known >= 0).sum())
    return percentile_interval(samples), float(min(1.0, 2 * (1 + tail) / (1 + len(known))))


def _conclude(metric: Metric, measured: Measured, p_value: float) -> Comparison:
    low, high = measured.interval or (0.0, 0.0)
    is_sure = p_value < ALPHA and (low > 0 or high < 0)
    rises = (measured.value > 0) == metric.greater_is_better
    verdict: Literal["better", "worse", "within noise"] = "within noise" if not is_sure else "better" if rises else "worse"
    span = f"95 % interval {low:+.4g} to {high:+.4g}, " if measured.interval else ""
    chance = f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"
    sentence = f"{verdict}: {metric.title} differs by {measured.value:+.4g} ({span}{chance}, {measured.n:,} held out in both)"
    return Comparison(difference=measured, p_value=p_value, verdict=verdict, sentence=sentence)
