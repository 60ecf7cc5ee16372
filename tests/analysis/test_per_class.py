"""Precision and recall of each class are as sure as the units that speak of it."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.intervals import wilson
from surefoot.analysis.per_class import class_intervals, class_scores
from surefoot.types.examples import Predictions

CLASSES = ("cat", "dog", "cow")


def said(num=300, seed=0, labels=False):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (num, 3)) if labels else rng.integers(0, 3, num)
    sure = (targets if labels else np.eye(3)[targets]) + rng.normal(0, 0.5, (num, 3))
    probs = 1 / (1 + np.exp(1 - 2 * sure))
    return Predictions(np.arange(num).astype(str), probs if labels else probs / probs.sum(1, keepdims=True), targets)


@pytest.mark.parametrize("labels", [False, True])
def test_independent_items_get_wilsons_of_their_counts(labels):
    one = said(labels=labels)
    found = class_intervals(one, CLASSES)
    for name, scores in metrics.per_class(one.targets, one.outputs, CLASSES).items():
        due = scores["support"]
        assert found[name]["recall"] == pytest.approx(wilson(scores["recall"] * due, due))
        low, high = found[name]["precision"]
        assert low < scores["precision"] < high


def test_an_item_that_three_folds_speak_of_is_one_item():
    once = said()
    thrice = Predictions(np.tile(once.ids, 3), np.tile(once.outputs, (3, 1)), np.tile(once.targets, 3))
    first, again, rows = (class_intervals(one, CLASSES) for one in (once, thrice, Predictions(np.arange(900), thrice.outputs, thrice.targets)))
    for name in CLASSES:
        for kind in ("precision", "recall"):
            assert again[name][kind] == pytest.approx(first[name][kind], abs=0.02)
            assert np.ptp(rows[name][kind]) < 0.65 * np.ptp(again[name][kind])


def test_rows_of_one_group_are_one_unit():
    few = said(15)
    rows = Predictions(np.arange(300).astype(str), np.repeat(few.outputs, 20, axis=0), np.repeat(few.targets, 20), groups=np.arange(300) // 20)
    alone, grouped = class_intervals(few, CLASSES), class_intervals(rows, CLASSES)
    for name in CLASSES:
        assert np.ptp(grouped[name]["recall"]) == pytest.approx(np.ptp(alone[name]["recall"]), rel=0.4)


@pytest.mark.parametrize("labels", [False, True])
def test_the_support_of_a_class_counts_its_items_and_not_how_often_folds_speak_of_them(labels):
    once = said(labels=labels)
    thrice = Predictions(np.tile(once.ids, 3), np.tile(once.outputs, (3, 1)), np.concatenate([once.targets] * 3))
    assert class_scores(thrice, CLASSES) == class_scores(once, CLASSES) == metrics.per_class(once.targets, once.outputs, CLASSES)
