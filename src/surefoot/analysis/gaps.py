"""The table of errors: human, train, train_dev, val, and the gaps between them.

Source: Ng, Machine Learning Yearning, ch. 40 (bias, variance, data mismatch); Newcombe 1998 and Zou and Donner 2008 (intervals).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from surefoot.analysis.intervals import measure
from surefoot.metrics.metric import Metric, as_error
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

Errors = dict[str, Measured | None]

SMALL, SMALL_SHARE = 0.02, 0.1


def gap_table(
    *, human: float | None, train: Predictions, train_dev: Predictions | None, val: Predictions, metric: Metric, seed: int
) -> tuple[Errors, Errors, str]:
    """Errors, gaps and verdict of one model.

    Args:
        human: the value of the metric (not the error) that a careful person reaches, or None.
        train: predictions for the items it was trained on. train_dev: for held-out items from where the train set is from.
        val: for held-out items from where the model will be used.
        metric: with its threshold fixed, `metric.at(threshold)`.

    Returns:
        errors: human, train, train_dev, val. gaps and verdict: see `gaps_of`.
    """
    errors: Errors = {
        "human": None if human is None else Measured(value=float(as_error(metric, human))),
        "train": measure_error(metric, train, seed=seed),
        "train_dev": None if train_dev is None else measure_error(metric, train_dev, seed=seed),
        "val": measure_error(metric, val, seed=seed),
    }
    return errors, *gaps_of(errors)


def measure_error(metric: Metric, predictions: Predictions, *, seed: int, groups: Mapping[str, str] | None = None) -> Measured:
    """The metric as an error (0 at best) with its interval.

    Args:
        groups: id -> group, where the data has groups.
    """
    measured = measure(metric, predictions, seed=seed, groups=groups)
    if measured.interval is not None:
        low, high = sorted(float(as_error(metric, end)) for end in measured.interval)
        return Measured(value=float(as_error(metric, measured.value)), interval=(low, high), n=measured.n)
    return Measured(value=float(as_error(metric, measured.value)), n=measured.n)


def gaps_of(errors: Errors) -> tuple[Errors, str]:
    """The gaps between the errors, and the largest that is more than noise.

    bias = train - human; variance = (train_dev, or val without it) - train; mismatch = val - train_dev. Without a human
    level, bias is taken against an error of 0: an upper bound of the avoidable part, which no verdict rests on.

    Returns:
        gaps: bias, variance, mismatch, None where they can't be had. verdict: the name of the largest gap whose interval
        lies above 0, or `none`.
    """
    human, train, train_dev, val = (errors[name] for name in ("human", "train", "train_dev", "val"))
    floor = human if human is not None else Measured(value=0.0)
    gaps: Errors = {
        "bias": subtract(train, floor),
        "variance": subtract(val if train_dev is None else train_dev, train),
        "mismatch": subtract(val, train_dev),
    }
    sure = {name: gap.value for name, gap in gaps.items() if gap is not None and gap.interval is not None and gap.interval[0] > 0}
    if human is None:
        sure.pop("bias", None)
    return gaps, max(sure, key=sure.__getitem__, default="none")


def is_small(gaps: Errors, errors: Errors, verdict: str, *, is_amount: bool) -> bool:
    """Whether the largest gap, real as it is, is under two points (of an amount: under a tenth of the val error)."""
    gap, val = gaps.get(verdict), errors.get("val")
    if gap is None:
        return False
    return gap.value < (SMALL_SHARE * val.value if is_amount and val else SMALL)


def subtract(left: Measured | None, right: Measured | None) -> Measured | None:
    """left - right, measured on different items, with the interval that follows from both of theirs.

    Each side's distance to the end of its own interval is squared and added, so a lopsided interval (an error near 0) stays
    so. A side without items (`n` 0) is taken as exact; one whose interval is unknown leaves the difference without.
    """
    if left is None or right is None:
        return None
    value = left.value - right.value
    ends = [side.interval or ((side.value, side.value) if side.n == 0 else None) for side in (left, right)]
    if ends[0] is None or ends[1] is None:
        return Measured(value=value, n=max(left.n, right.n))
    (left_low, left_high), (right_low, right_high) = ends[0], ends[1]
    low = value - math.hypot(left.value - left_low, right_high - right.value)
    high = value + math.hypot(left_high - left.value, right.value - right_low)
    counts = [side.n for side in (left, right) if side.n]
    return Measured(value=value, interval=(low, high), n=min(counts, default=0))
