"""The table of errors, human, train, train_dev, val, and later test and wild, and the gaps between its rows.

Source: Ng, Machine Learning Yearning, ch. 40 to 42 (bias, variance, data mismatch; general and practical data); Newcombe 1998 and Zou and Donner 2008,
Construction of confidence limits about effect measures (intervals of differences, also of correlated ones).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from surefoot.analysis.intervals import measure, resampled_scores, unit_names
from surefoot.analysis.jackknife import influence
from surefoot.analysis.units import are_among, units_of
from surefoot.metrics.metric import Metric, as_error
from surefoot.randomness import stream
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

Errors = dict[str, Measured | None]
Grid = dict[str, dict[str, Measured | None]]
"""Row of the table -> `general` and `practical` -> error, None where nothing of that kind was measured."""

SMALL, SMALL_SHARE = 0.02, 0.1
LEAST = 2
"""Items without which a cell of the table stays empty."""
_SHARED_SAMPLES = 200
"""Joint draws for the correlation of two errors; its standard error is then under 0.08."""


def gap_table(
    *, human: float | Measured | None, train: Predictions, train_dev: Predictions | None, val: Predictions, metric: Metric, seed: int
) -> tuple[Errors, Errors, str]:
    """Errors, gaps and verdict of one model.

    Args:
        human: the value of the metric (not the error) that a careful person reaches, or the error that one was measured at, or None.
        train: predictions for the items it was trained on. train_dev: for held-out items from where the train set is from.
        val: for held-out items from where the model will be used.
        metric: with its threshold fixed, `metric.at(threshold)`.

    Returns:
        errors: human, train, train_dev, val. gaps and verdict: see `gaps_of`.
    """
    errors: Errors = {
        "human": human if isinstance(human, Measured) else None if human is None else Measured(value=float(as_error(metric, human))),
        "train": measure_error(metric, train, seed=seed),
        "train_dev": None if train_dev is None else measure_error(metric, train_dev, seed=seed),
        "val": measure_error(metric, val, seed=seed),
    }
    unseen = val if train_dev is None else train_dev
    shared = {"variance": correlation(metric, unseen, train, seed=seed)}
    if train_dev is not None:
        shared["mismatch"] = correlation(metric, val, train_dev, seed=seed)
    return errors, *gaps_of(errors, shared)


def measure_error(metric: Metric, predictions: Predictions, *, seed: int) -> Measured:
    """The metric as an error (0 at best) with its interval."""
    return to_error(metric, measure(metric, predictions, seed=seed))


def to_error(metric: Metric, measured: Measured) -> Measured:
    """A value of the metric with its interval, as an error."""
    ends = sorted(float(as_error(metric, end)) for end in measured.interval) if measured.interval is not None else None
    return Measured(value=float(as_error(metric, measured.value)), interval=(ends[0], ends[1]) if ends else None, n=measured.n, items=measured.items)


def gaps_of(errors: Errors, shared: Mapping[str, float] | None = None) -> tuple[Errors, str]:
    """The gaps between the errors, and the largest that is more than noise.

    bias = train - human; variance = (train_dev, or val without it) - train; mismatch = val - train_dev. Without a human
    level, bias is taken against an error of 0: an upper bound of the avoidable part, which no verdict rests on.

    Args:
        shared: gap -> correlation of its two errors, where they were measured on the same items.

    Returns:
        gaps: bias, variance, mismatch, None where they can't be had. verdict: as `verdict_of` gives it.
    """
    shared = shared or {}
    human, train, train_dev, val = (errors[name] for name in ("human", "train", "train_dev", "val"))
    floor = human if human is not None else Measured(value=0.0)
    gaps: Errors = {
        "bias": subtract(train, floor),
        "variance": subtract(val if train_dev is None else train_dev, train, shared.get("variance", 0.0)),
        "mismatch": subtract(val, train_dev, shared.get("mismatch", 0.0)),
    }
    return gaps, verdict_of(gaps, has_human=human is not None)


def late_gaps(metric: Metric, *, val: Measured, tuned: Measured | None, published: Measured, wild: Measured | None) -> Errors:
    """The two gaps that only the test set can show: what was fitted to val (tuned model: test - val) and the wild gap (final model: wild - test).

    Args:
        val, tuned, published, wild: values of the metric with intervals, each on items of its own.
    """
    on_val, on_test, final, outside = (None if one is None else to_error(metric, one) for one in (val, tuned, published, wild))
    return {"val_overfit": subtract(on_test, on_val), "wild_gap": subtract(outside, final)}


def verdict_of(gaps: Errors, *, has_human: bool) -> str:
    """The name of the largest gap whose interval lies above 0, or `none`; bias against no human level does not count."""
    sure = {name: gap.value for name, gap in gaps.items() if gap is not None and gap.interval is not None and gap.interval[0] > 0}
    if not has_human:
        sure.pop("bias", None)
    return max(sure, key=sure.__getitem__, default="none")


def tabulate(errors: Errors, parts: Mapping[str, tuple[Predictions, np.ndarray]], metric: Metric, *, seed: int) -> Grid:
    """The table with its two columns: general data, of which there is much, and practical data, on which the model will be judged.

    Args:
        errors: row -> error, as `gap_table` gives them.
        parts: row -> its predictions, and bool (N,) which of them are practical. A row that is not among them is practical as a whole (a person's error,
            a set that came from where the model will be used).
    """
    grid: Grid = {}
    for row, error in errors.items():
        if row not in parts:
            grid[row] = {"general": None, "practical": error}
            continue
        predictions, is_practical = parts[row]
        grid[row] = {name: _measure_some(metric, predictions, here, error, seed) for name, here in (("general", ~is_practical), ("practical", is_practical))}
    return grid


def _measure_some(metric: Metric, predictions: Predictions, here: np.ndarray, whole: Measured | None, seed: int) -> Measured | None:
    if here.all():
        return whole
    return measure_error(metric, predictions.some(here), seed=seed) if here.sum() >= LEAST else None


def correlation(metric: Metric, left: Predictions, right: Predictions, *, seed: int) -> float:
    """How far two errors go up and down together, in [-1, 1], because they were measured on the same items; 0 where they share none.

    That is what the paired bootstrap finds, in which items of both (in K-fold each is train in some folds and val in one) are drawn together. Where it
    is known what each item does to the metric, it is known without drawing; a metric that gives its value and no more is drawn.
    """
    sides = (left, right)
    names = [np.unique(unit_names(side)) for side in sides]
    both, *places = np.intersect1d(names[0], names[1], assume_unique=True, return_indices=True)
    if not len(both):
        return 0.0
    moves = [influence(metric, side.targets, side.outputs, units_of(unit_names(side), len(side))) for side in sides]
    if moves[0] is None or moves[1] is None:
        return _correlate_draws(metric, sides, both, seed)
    apart = [one - one.mean() for one in moves if one is not None]
    alone = math.sqrt(float(apart[0] @ apart[0]) * float(apart[1] @ apart[1]))
    return float(np.clip(apart[0][places[0]] @ apart[1][places[1]] / alone, -1.0, 1.0)) if alone > 0 else 0.0


def _correlate_draws(metric: Metric, sides: tuple[Predictions, Predictions], both: np.ndarray, seed: int) -> float:
    samples = _draw_scores(metric, sides, [are_among(unit_names(side), both) for side in sides], stream(seed, "analysis.correlation", metric.name))
    samples = samples[np.isfinite(samples).all(1)]
    if len(samples) < 2 or not (samples.std(0) > 0).all():
        return 0.0
    return float(np.clip(np.corrcoef(samples.T)[0, 1], -1.0, 1.0))


def _draw_scores(metric: Metric, sides: tuple[Predictions, Predictions], shared: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The two scores of a metric that is no mean, on joint draws of the items that both have, (S, 2)."""
    kept = [side.some(here) for side, here in zip(sides, shared, strict=True)]
    units = [units_of(unit_names(side), len(side)) for side in kept]

    def score(side: int, drawn: np.ndarray) -> float:
        rows = units[side].rows(drawn)
        return metric.score(kept[side].targets[rows], kept[side].outputs[rows])

    drawn: list[np.ndarray] = []

    def first(one: np.ndarray) -> float:
        drawn.append(one)
        return score(0, one)

    left = resampled_scores(first, units[0], rng, num=_SHARED_SAMPLES, width=2 * kept[0].outputs.shape[1] * metric.cost)
    right = np.array([score(1, one) for one in drawn[: len(left)]])
    return np.stack([left, right], 1)


def tell_largest(gaps: Errors, errors: Errors, verdict: str, noise: Measured | None, *, is_amount: bool) -> dict[str, bool]:
    """Whether the largest gap `is_small`, and whether it `may_be_labels`."""
    return {"is_small": is_small(gaps, errors, verdict, is_amount=is_amount), "may_be_labels": may_be_labels(gaps, verdict, noise)}


def may_be_labels(gaps: Errors, verdict: str, noise: Measured | None) -> bool:
    """Whether labels that look wrong may be all of the bias: a net that learns them too learns them by heart, and no harder fit is any gain.

    Args:
        noise: share of val's labels that look wrong, as an error of them all.
    """
    bias = gaps.get("bias")
    return verdict == "bias" and bias is not None and noise is not None and noise.interval is not None and bias.value <= noise.interval[1]


def is_small(gaps: Errors, errors: Errors, verdict: str, *, is_amount: bool) -> bool:
    """Whether the largest gap, real as it is, is under two points (of an amount: under a tenth of the val error)."""
    gap, val = gaps.get(verdict), errors.get("val")
    if gap is None:
        return False
    return gap.value < (SMALL_SHARE * val.value if is_amount and val else SMALL)


def subtract(left: Measured | None, right: Measured | None, shared: float = 0.0) -> Measured | None:
    """left - right, with the interval that follows from both of theirs.

    Each side's distance to the end of its own interval is squared and added, so a lopsided interval (an error near 0) stays
    so. A side without items (`n` 0) is taken as exact; one whose interval is unknown leaves the difference without.

    Args:
        shared: correlation of the two, 0 where they were measured on different items.
    """
    if left is None or right is None:
        return None
    value = left.value - right.value
    ends = [side.interval or ((side.value, side.value) if side.n == 0 else None) for side in (left, right)]
    if ends[0] is None or ends[1] is None:
        return Measured(value=value, n=max(left.n, right.n))
    (left_low, left_high), (right_low, right_high) = ends[0], ends[1]
    low = value - _join(left.value - left_low, right_high - right.value, shared)
    high = value + _join(left_high - left.value, right.value - right_low, shared)
    counts = [side.n for side in (left, right) if side.n]
    return Measured(value=value, interval=(low, high), n=min(counts, default=0))


def _join(one: float, other: float, shared: float) -> float:
    return math.sqrt(max(0.0, one * one + other * other - 2 * shared * one * other))
