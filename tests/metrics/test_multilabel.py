"""Metrics of items with several labels."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, hamming_loss

from surefoot.metrics.multilabel import HAMMING_ACCURACY, MAP, SUBSET_ACCURACY

TARGETS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]])
PROBS = np.array([[0.9, 0.2, 0.7], [0.6, 0.8, 0.1], [0.4, 0.3, 0.2]])


def test_known_answers():
    assert SUBSET_ACCURACY.score(TARGETS, PROBS) == pytest.approx(1 / 3)
    assert HAMMING_ACCURACY.score(TARGETS, PROBS) == pytest.approx(6 / 9)
    assert MAP.score(TARGETS, PROBS) == pytest.approx(((1 + 2 / 3) / 2 + 1 + 1) / 3)


def test_they_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    targets, probs = rng.integers(0, 2, (60, 5)), rng.random((60, 5))
    preds = (probs >= 0.4).astype(int)
    assert SUBSET_ACCURACY.score(targets, probs, threshold=0.4) == pytest.approx(accuracy_score(targets, preds))
    assert HAMMING_ACCURACY.score(targets, probs, threshold=0.4) == pytest.approx(1 - hamming_loss(targets, preds))
    assert MAP.score(targets, probs) == pytest.approx(average_precision_score(targets, probs, average="macro"))


def test_a_label_nobody_has_is_left_out_of_the_mean():
    targets = TARGETS * np.array([1, 1, 0])
    assert MAP.score(targets, PROBS) == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
