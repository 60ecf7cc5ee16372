"""Which errors to look at, and what mending them brings."""

import numpy as np
import pytest

from surefoot.analysis.errors import amount_ceilings, ceilings, item_losses, sample_wrong, worst, wrong_rows
from surefoot.analysis.intervals import wilson
from surefoot.types.error_reports import ErrorRow
from surefoot.types.examples import Predictions


def binary(positive, targets, ids=None):
    positive = np.asarray(positive, np.float64)
    ids = np.arange(len(positive)).astype(str) if ids is None else np.asarray(ids)
    return Predictions(ids, np.stack([1 - positive, positive], axis=1), np.asarray(targets, np.int64))


def numbers(targets, outputs):
    targets, outputs = np.asarray(targets, np.float64), np.asarray(outputs, np.float64)
    return Predictions(np.arange(len(targets)).astype(str), outputs, targets)


def test_wrong_is_what_the_threshold_decides_against_the_target():
    predictions = binary([0.9, 0.4, 0.2, 0.7], [1, 1, 1, 0])
    np.testing.assert_array_equal(wrong_rows("binary", predictions), [1, 2, 3])
    np.testing.assert_array_equal(wrong_rows("binary", predictions, 0.3), [2, 3])


def test_one_wrong_label_makes_an_item_wrong():
    predictions = Predictions(np.array(["a", "b"]), np.array([[0.9, 0.1], [0.9, 0.8]]), np.array([[1, 0], [1, 0]]))
    np.testing.assert_array_equal(wrong_rows("multilabel", predictions), [1])


def test_the_worst_tenth_of_a_regression_counts_as_wrong():
    outputs = np.zeros((40, 1))
    outputs[[3, 8, 21, 30, 35], 0] = [5, -9, 7, 6, -8]
    np.testing.assert_array_equal(wrong_rows("regression", numbers(np.linspace(-1, 1, 40)[:, None] * 0.1, outputs)), [8, 21, 30, 35])


def test_targets_of_different_size_weigh_the_same():
    targets = np.stack([np.tile([-1.0, 1.0], 10), np.tile([-1000.0, 1000.0], 10)], axis=1)
    outputs = targets.copy()
    outputs[4, 0] += 3
    outputs[7, 1] += 100
    np.testing.assert_array_equal(worst(numbers(targets, outputs), 2), [4, 7])


def test_an_id_that_several_folds_get_wrong_is_shown_once():
    predictions = binary([0.1, 0.9, 0.2, 0.1, 0.05], [1, 1, 1, 1, 1], ids=["a", "b", "c", "a", "c"])
    np.testing.assert_array_equal(wrong_rows("binary", predictions), [0, 2])
    np.testing.assert_array_equal(worst(predictions, 5), [4, 0, 1])


def test_the_sample_is_seeded_and_takes_every_wrong_item_in_its_turn():
    predictions = binary([0.1] * 300 + [0.9] * 300, [1] * 600)
    rows = sample_wrong("binary", predictions, num=100, seed=0)
    assert len(set(rows.tolist())) == 100
    assert (np.diff(rows) > 0).all()
    assert rows.max() < 300
    np.testing.assert_array_equal(rows, sample_wrong("binary", predictions, num=100, seed=0))
    seen = set().union(*(sample_wrong("binary", predictions, num=100, seed=seed).tolist() for seed in range(40)))
    assert seen == set(range(300))


def test_the_sample_is_not_the_worst_by_loss():
    positive = np.linspace(0.01, 0.49, 500)
    rows = sample_wrong("binary", binary(positive, [1] * 500), num=100, seed=0)
    assert positive[rows].mean() == pytest.approx(positive.mean(), abs=0.05)


def test_few_wrong_items_are_all_taken():
    np.testing.assert_array_equal(sample_wrong("binary", binary([0.1, 0.9, 0.2], [1, 1, 1]), num=100, seed=0), [0, 2])
    assert len(sample_wrong("binary", binary([0.9], [1]), num=100, seed=0)) == 0


def test_the_worst_come_first():
    predictions = binary([0.9, 0.01, 0.4, 0.2], [1, 1, 1, 1])
    np.testing.assert_array_equal(worst(predictions, 3), [1, 3, 2])
    np.testing.assert_allclose(item_losses(predictions), -np.log([0.9, 0.01, 0.4, 0.2]))


def test_a_ceiling_is_the_tags_share_of_the_wrong_items():
    result = ceilings({"blurry": 61, "dog": 8, "none": 0}, 100, 0.10)
    assert result["blurry"].value == pytest.approx(0.061)
    assert result["dog"].interval == pytest.approx(tuple(0.1 * end for end in wilson(8, 100)))
    assert result["none"].value == 0.0
    assert result["none"].interval[1] > 0
    assert result["blurry"].n == 100


def test_no_rows_leave_the_ceiling_open():
    assert ceilings({"blurry": 0}, 0, 0.2)["blurry"].interval == (0.0, 0.2)


def test_the_ceiling_of_an_amount_is_the_share_of_the_error_that_a_tag_carries():
    """Twenty items: one off by 6, one by 2, and eighteen by 1, of which the two are the worst tenth: 8 of 26; dark ones carry 6 of these 8."""
    off = np.array([6.0, 2.0, *[1.0] * 18])[:, None]
    targets = np.arange(20.0)[:, None]
    said = Predictions(np.arange(20).astype(str), targets + off, targets)
    losses = item_losses(said)
    rows = [ErrorRow(id=str(k), place="", target="", pred="", loss=losses[k], tags=tags) for k, tags in enumerate([("dark", "odd"), ("odd",)])]
    found = amount_ceilings(rows, said)
    assert (found["dark"].value, found["odd"].value) == pytest.approx((6 / 26, 8 / 26))
    assert found["dark"].interval[0] < 6 / 26 < found["dark"].interval[1] <= 8 / 26 + 1e-9
    assert found["dark"].n == 2
    thrice = Predictions(np.tile(said.ids, 3), np.tile(said.outputs, (3, 1)), np.tile(targets, (3, 1)))
    assert amount_ceilings(rows, thrice)["dark"].value == pytest.approx(6 / 26)
    assert amount_ceilings([], said) == {}
