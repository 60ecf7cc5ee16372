"""Parity allows 1e-4 of a logit's size, and the same decisions save ties."""

import numpy as np
import pytest

from surefoot.exporting.parity import compare


def test_equal_logits_are_equal():
    logits = np.random.default_rng(0).normal(size=(50, 4))
    assert compare(logits, logits, True).ok
    assert compare(logits, logits, True).max_abs == 0


@pytest.mark.parametrize(("logit", "apart", "ok"), [(0.5, 0.9e-4, True), (0.5, 1.1e-4, False), (-200.0, 0.019, True), (-200.0, 0.021, False)])
def test_the_bound_grows_with_the_logit_and_never_falls_below_one(logit, apart, ok):
    found = compare(np.array([[logit]]), np.array([[logit + apart]]), True)
    assert found.ok is ok
    assert found.max_abs == pytest.approx(apart)
    assert found.bound == pytest.approx(1e-4 * max(1, abs(logit)))


def test_a_tie_may_be_decided_either_way_and_nothing_else():
    tie = np.array([[1.0, 1.00005, 0.0]])
    assert compare(tie, tie[:, [1, 0, 2]], True).num_pred_differences == 0
    found = compare(np.array([[1.0, 1.01]]), np.array([[1.01, 1.0]]), True)
    assert (found.num_pred_differences, found.ok) == (1, False)


def test_one_column_is_decided_by_its_sign_and_labels_each_for_themselves():
    assert compare(np.array([[5e-5]]), np.array([[-4e-5]]), True).ok
    assert compare(np.array([[0.5]]), np.array([[-0.5]]), True).num_pred_differences == 1
    ours, theirs = np.array([[3.0, 0.5]]), np.array([[3.0, -0.5]])
    assert compare(ours, theirs, True).num_pred_differences == 0  # of two classes the first stays the larger
    assert compare(ours, theirs, True, independent=True).num_pred_differences == 1


def test_values_of_a_regression_decide_nothing():
    found = compare(np.array([[1e-5]]), np.array([[-1e-5]]), False)
    assert (found.num_pred_differences, found.ok) == (0, True)


def test_what_is_not_finite_never_agrees():
    for value in (np.nan, np.inf):
        found = compare(np.array([[value, 0.0]]), np.array([[value, 0.0]]), True)
        assert not found.ok
        assert found.max_abs == np.inf


def test_nothing_agrees_with_nothing_and_shapes_must_match():
    assert compare(np.zeros((0, 3)), np.zeros((0, 3)), True).ok
    with pytest.raises(ValueError, match=r"expected \(1, 3\), got \(1, 2\)"):
        compare(np.zeros((1, 3)), np.zeros((1, 2)), True)
