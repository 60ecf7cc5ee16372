"""Metrics of numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from surefoot.metrics.regression import MAE, MEDIAN_AE, R2, RMSE


def column(*values):
    return np.array(values, np.float64)[:, None]


def test_known_answers():
    targets, outputs = column(1, 2, 3, 4), column(1, 3, 3, 8)
    assert MAE.score(targets, outputs) == 1.25
    assert MEDIAN_AE.score(targets, outputs) == 0.5
    assert RMSE.score(targets, outputs) == pytest.approx(np.sqrt(17 / 4))
    assert R2.score(targets, outputs) == pytest.approx(1 - 17 / 5)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(2, 50), st.integers(1, 4), st.integers(0, 2**31))
def test_they_agree_with_scikit_learn(n, t, seed):
    rng = np.random.default_rng(seed)
    targets, outputs = rng.normal(3, 10, (n, t)), rng.normal(3, 10, (n, t))
    assert MAE.score(targets, outputs) == pytest.approx(theirs.mean_absolute_error(targets, outputs))
    assert MEDIAN_AE.score(targets, outputs) == pytest.approx(theirs.median_absolute_error(targets, outputs))
    assert RMSE.score(targets, outputs) == pytest.approx(np.sqrt(theirs.mean_squared_error(targets, outputs)))
    assert R2.score(targets, outputs) == pytest.approx(theirs.r2_score(targets, outputs))


def test_predicting_the_mean_explains_nothing():
    targets = column(1, 2, 6)
    assert R2.score(targets, np.full((3, 1), 3.0)) == pytest.approx(0.0)


def test_a_constant_target_has_no_variance_to_explain():
    assert np.isnan(R2.score(column(0.1, 0.1, 0.1), column(1, 2, 3)))
    targets = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]])
    assert R2.score(targets, targets + np.array([[1.0, 0.0]])) == 1.0


def test_one_item_has_no_r2():
    assert np.isnan(R2.score(column(1), column(1)))


def test_sums_over_items_give_r2_itself():
    rng = np.random.default_rng(0)
    targets = rng.normal(1000, 3, (80, 2))
    outputs = targets + rng.normal(size=(80, 2))
    metric = R2
    assert metric.from_sums(metric.sums(targets, outputs).sum(0)) == pytest.approx(metric.score(targets, outputs))
