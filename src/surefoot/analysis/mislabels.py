"""Whose label is in doubt, how many labels are wrong, and what looking at them costs.

Our own reading of Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels; the parts that we use are
forty lines of NumPy, so no dependency was taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from surefoot.analysis.intervals import find_units, share_interval, wilson
from surefoot.data.predictions import load_predictions
from surefoot.data.readers.repairs import Repair
from surefoot.types.context import Store
from surefoot.types.error_reports import Mislabel
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured
from surefoot.types.reports import BaselineReport, TuneReport

SECONDS_PER_ITEM = 5.0
"""What a person takes to look at one suspect and decide; classic error analysis of 100 items takes under ten minutes."""

_SUREST, _CONTRADICTED, _AGREED = 0.1, 0.05, 0.8


class Suspects(NamedTuple):
    """Items whose label the models doubt, the most doubtful first: row, prob of the given label, class they say instead."""

    rows: np.ndarray
    scores: np.ndarray
    suggested: np.ndarray


def mislabel_scores(targets: np.ndarray, probs: np.ndarray, parts: np.ndarray | None = None) -> Suspects:
    """Confident learning: items that lie off the diagonal of the confident joint.

    A class is confidently said of an item when its prob reaches the mean prob that the items labelled so get; the item is
    suspect when the most probable such class is not the one given, and more probable than it.

    Args:
        targets: int64 (N,) given labels. probs: (N, K) of models that did not train on the item (out of fold).
        parts: (N,) which model said it: each is as sure as it is, so bars are set for each apart.

    Returns:
        Only the suspects; `scores` is self-confidence, the prob of the given label.

    Raises:
        UsageError: the items carry several labels each.

    Source: Northcutt, Jiang and Chuang 2021, Confident Learning.
    """
    _check(targets)
    given = probs[np.arange(len(targets)), targets]
    suggested, most = _find_confident(targets, probs, parts)
    rows = np.flatnonzero((most > given) & (suggested != targets))
    rows = rows[np.argsort(given[rows], kind="stable")]
    return Suspects(rows, given[rows], suggested[rows])


def doubt(targets: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """How doubtful each label is, float64 (N,), in [-1, 1]: the prob of the likeliest other class minus that of the given one (normalised margin).

    It ranks all items, not only the suspects: the review queue, and what detection is measured by.
    """
    _check(targets)
    others = probs.copy()
    here = np.arange(len(targets)), targets
    given = probs[here]
    others[here] = -np.inf
    return others.max(1) - given


def count_wrong(predictions: Predictions) -> Measured:
    """The share of labels that are wrong, as the calibrated confident joint has it: counts per given class are scaled to those that there are.

    The interval is Wilson's of so many of all units (items, or groups of them): it knows the noise of counting, not that of the models.

    Returns:
        `n` counts the items, each once, however many folds speak of it.
    """
    targets, probs, parts = predictions.targets, predictions.outputs, predictions.folds
    _check(targets)
    size = probs.shape[1]
    confident, most = _find_confident(targets, probs, parts)
    known = most > 0
    joint = np.zeros((size, size))
    np.add.at(joint, (targets[known], confident[known]), 1.0)
    joint[np.arange(size), np.arange(size)] += joint.sum(1) == 0  # a class of which nothing is said confidently is taken at its word
    joint *= (np.bincount(targets, minlength=size) / joint.sum(1))[:, None]
    wrong = float(joint.sum() - np.trace(joint))
    share = wrong / len(targets) if len(targets) else 0.0
    num_units = len(find_units(predictions))
    return Measured(value=share, interval=wilson(share * num_units, num_units), n=count_items(predictions))


def count_items(predictions: Predictions | None) -> int:
    """Items that were asked about, each once, however many folds speak of it; 0 where none were."""
    return 0 if predictions is None else len(np.unique(predictions.ids.astype(str)))


def are_surest_contradicted(predictions: Predictions) -> bool:
    """Whether even the items that the models are surest of, a tenth of those said to be in each class, surely have more than 5 % other labels.

    Hard data has easy items too: where labels follow the probs, spread evenly over [0, 1], of the surest tenth 2.5 % are others. Where labels are mixed up,
    nothing is sure. (Or nothing in the inputs could make it so, as where all that is known is one column of two values: labels alone can't tell these apart.)
    """
    targets, probs = predictions.targets, predictions.outputs
    preds, sure = probs.argmax(axis=1), probs.max(axis=1)
    surest = np.zeros(len(preds), bool)
    for said in np.unique(preds):
        rows = np.flatnonzero(preds == said)
        surest[rows[np.argsort(-sure[rows], kind="stable")][: math.ceil(_SUREST * len(rows))]] = True
    return share_interval(preds != targets, surest, find_units(predictions))[0] > _CONTRADICTED


def is_seconded(store: Store, tune: TuneReport, baseline: BaselineReport, val: Predictions) -> bool:
    """Whether a model of another kind gives the winner's answers on val: what is wrong with labels is an error of both, and both say the same instead.

    A model that knows too little errs in its own way. With a third of the labels of four kinds mixed up, a net and a linear model, each right on 68 % of them,
    agree by 0.98; on 400 photos of flowers, where a net of 66 % gets a quarter of its surest tenth wrong, it and the best simple model agree by 0.33.

    Args:
        val: what the winner says.
    """
    refs = {name: scored.predictions for name, scored in baseline.models.items()} | {"net": tune.net.predictions}
    others = [load_predictions(store, ref) for name, ref in refs.items() if ref and name != tune.winner]
    return any(measure_agreement(val, other) >= _AGREED for other in others if np.array_equal(other.ids, val.ids))


def measure_agreement(one: Predictions, other: Predictions) -> float:
    """How far two models of the same items agree, labels left aside: 0 as always giving the other's commonest answer would, 1 on every item."""
    first, second = one.outputs.argmax(axis=1), other.outputs.argmax(axis=1)
    by_chance = np.bincount(second).max() / len(second)
    return float(((first == second).mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else 0.0


def _find_confident(targets: np.ndarray, probs: np.ndarray, parts: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The most probable class among those whose prob reaches its bar, and that prob; -1 where none does. Both (N,)."""
    parts = np.zeros(len(targets), np.int64) if parts is None else parts
    bars = np.empty(probs.shape)
    given = probs[np.arange(len(targets)), targets]
    for part in np.unique(parts):
        here = parts == part
        counts = np.bincount(targets[here], minlength=probs.shape[1])
        mean = np.full(probs.shape[1], np.inf)
        np.divide(np.bincount(targets[here], given[here], probs.shape[1]), counts, out=mean, where=counts > 0)
        bars[here] = mean
    confident = np.where(probs >= bars, probs, -1.0)
    return confident.argmax(axis=1), confident.max(axis=1)


def _check(targets: np.ndarray) -> None:
    if targets.ndim != 1:
        raise UsageError("Label errors are sought where each item has one class.", next="Skip this for multilabel tasks.")


def review_minutes(num: int) -> float:
    """What looking at so many suspects costs a person, in minutes."""
    return num * SECONDS_PER_ITEM / 60


def suggest_repairs(mislabels: Iterable[Mislabel]) -> list[Repair]:
    """Suggested labels as lines of a repairs file: a person strikes those that are wrong, and the next round applies the rest."""
    return [
        Repair(0, one.place, "relabel", one.suggested, f"labelled {one.given}, to which the models give a prob of {one.score:.3g}", one.id) for one in mislabels
    ]
