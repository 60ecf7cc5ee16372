"""Points to draw, and the learning curve's law."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares
from sklearn.metrics import precision_recall_curve, roc_curve

from surefoot.randomness import stream
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

Points = tuple[tuple[float, float], ...]
LEAST_POINTS = 3
_LEAST_ROWS, _SHOWN_CLASSES = 16, 12
_REFITS = 100


def roc(targets: np.ndarray, scores: np.ndarray, max_points: int = 200) -> Points:
    """(false positive rate, true positive rate) from (0, 0) to (1, 1); empty unless both classes are there.

    Args:
        targets: (N,) 0 and 1, or bool. scores: (N,), higher is more positive.
    """
    targets = np.asarray(targets).astype(bool)
    if targets.all() or not targets.any():
        return ()
    false_rate, true_rate, _ = roc_curve(targets, scores)
    return _thin(false_rate, true_rate, max_points)


def pr(targets: np.ndarray, scores: np.ndarray, max_points: int = 200) -> Points:
    """(recall, precision) from recall 0 upwards; empty without positives.

    Args:
        targets: (N,) 0 and 1, or bool. scores: (N,), higher is more positive.
    """
    targets = np.asarray(targets).astype(bool)
    if not targets.any():
        return ()
    precision, recall, _ = precision_recall_curve(targets, scores)
    return _thin(recall[::-1], precision[::-1], max_points)


def draw_classes(classes: Sequence[str], predictions: Predictions, points: Callable[[np.ndarray, np.ndarray], Points]) -> dict[str, Points]:
    """One curve per class (binary: of the positive one; at most twelve), each class against the rest."""
    targets, outputs = predictions.targets, predictions.outputs
    shown = [1] if targets.ndim == 1 and len(classes) == 2 else range(min(len(classes), _SHOWN_CLASSES))
    return {classes[k]: points(targets[:, k] if targets.ndim == 2 else (targets == k).astype(int), outputs[:, k]) for k in shown}


def sample_residuals(predictions: Predictions, *, seed: int) -> Points:
    """(target, prediction) of at most 500 items, for the scatter plot."""
    rows = stream(seed, "residuals").permutation(len(predictions))[:500]
    return tuple((float(target), float(said)) for target, said in zip(predictions.targets[rows, 0], predictions.outputs[rows, 0]))


def _thin(x: np.ndarray, y: np.ndarray, max_points: int) -> Points:
    """At most `max_points` of the points, the first and the last among them, evenly by rank."""
    kept = np.unique(np.linspace(0, len(x) - 1, max_points).round().astype(np.int64))
    return tuple(zip(x[kept].tolist(), y[kept].tolist(), strict=True))


def part_sizes(num: int, shares: Iterable[float]) -> dict[str, int]:
    """The points of a learning curve below 1: their real share of the rows, as it is written -> rows, ascending, each once.

    A part has 16 rows at least: of 64, an eighth and a quarter are the same rows.

    Args:
        num: rows that the whole was trained on. shares: that are asked for, in (0, 1).
    """
    sizes = sorted({max(_LEAST_ROWS, int(share * num)) for share in shares})
    return {f"{size / num:g}": size for size in sizes if size < num}


class PowerLaw(NamedTuple):
    """error = a · size^-b + c: c is what no amount of such data removes."""

    a: float
    b: float
    c: float

    def at(self, size: float) -> float:
        """The error that this many train items would give."""
        return self.a * size**-self.b + self.c


def power_law(sizes: Sequence[float], errors: Sequence[float], near: PowerLaw | None = None) -> PowerLaw:
    """Fits a learning curve.

    Relative errors are fitted with a loss that a single odd run can't bend (soft L1). With two sizes c is 0: a straight line
    on a doubly logarithmic plot. A curve that does not fall has b = 0.

    Args:
        sizes: train items, above 0; at least two distinct ones. errors: val error at each, at least 0.
        near: a law that is nearly right: then one fit, begun there, is enough.

    Raises:
        UsageError: there are fewer than two distinct sizes.

    Source: Hestness et al. 2017, Deep Learning Scaling is Predictable, Empirically.
    """
    x, y = np.asarray(sizes, np.float64), np.maximum(np.asarray(errors, np.float64), 1e-9)
    if len(np.unique(x)) < 2:
        raise UsageError("A learning curve needs at least two train sizes.", where=f"sizes = {list(sizes)}", next="Train on several shares of the train set.")
    top, low = x.max(), y.min()
    has_floor = len(np.unique(x)) > 2

    def misses(law: np.ndarray) -> np.ndarray:
        amount, slope, floor = law
        return np.log(amount * (x / top) ** -slope + floor * has_floor) - np.log(y)

    starts = [(low * (1 - share), slope, low * share) for share in (0.0, 0.5, 0.9) for slope in (0.1, 0.5, 1.0)]
    if near is not None:
        starts = [(near.a * top**-near.b, near.b, near.c)]
    bounds = ([low * 1e-6, 0.0, 0.0], [y.max() * 2, 3.0, low])
    fits = [least_squares(misses, np.clip(start, *bounds), bounds=bounds, loss="soft_l1", f_scale=0.05) for start in starts]
    amount, slope, floor = min(fits, key=lambda fit: fit.cost).x
    return PowerLaw(float(amount * top**slope), float(slope), float(floor * has_floor))


def forecast(curve: Mapping[float, Measured], factor: float, *, seed: int) -> Measured | None:
    """What the val error would become with `factor` times the data, by the power law, with its interval.

    The interval is the parametric bootstrap's: each point of the curve is drawn anew within its own interval (on the log scale), and the law is fitted again.
    It holds what val's noise leaves open, and not whether the law goes on beyond the data.

    Args:
        curve: size (any unit) -> val error with interval.
        factor: of the largest size.

    Returns:
        None for fewer than three sizes, or where an error is 0.
    """
    points = sorted(curve.items())
    if len(points) < LEAST_POINTS or min(point.value for _, point in points) <= 0:
        return None
    sizes, values = [size for size, _ in points], np.array([point.value for _, point in points])
    law = power_law(sizes, values.tolist())
    spread = np.array([_spread(point) for _, point in points])
    rng = stream(seed, "analysis.forecast")
    drawn = values * np.exp(spread * rng.normal(size=(_REFITS, len(values))))
    ahead = [power_law(sizes, one.tolist(), law).at(factor * sizes[-1]) for one in drawn]
    low, high = np.quantile(ahead, [0.025, 0.975])
    value = law.at(factor * sizes[-1])
    return Measured(value=value, interval=(min(float(low), value), max(float(high), value)), n=points[-1][1].n)


def _spread(point: Measured) -> float:
    """Standard error of the logarithm of a measured error."""
    if point.interval is None:
        return 0.1
    low, high = (max(end, point.value / 10) for end in point.interval)
    return float(np.log(high / low) / (2 * 1.96))
