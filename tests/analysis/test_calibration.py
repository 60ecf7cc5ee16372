"""Temperature, calibration error and thresholds."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot import metrics
from surefoot.analysis.calibration import best_threshold, ece_by_chance, fit_chances, fit_temperature, measure_ece, reliability
from surefoot.engine.predict import activate
from surefoot.types.examples import Predictions


def probs_of(logits, temperature, task):
    return activate(SimpleNamespace(task=task), logits, temperature)


def drawn(task, temperature, n=4000, seed=0):
    """Logits, and targets drawn from the probs that the logits mean at this temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n, {"binary": 1, "multiclass": 5, "multilabel": 3}[task]))
    probs = probs_of(logits, temperature, task)
    if task == "multiclass":
        return logits, (probs.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 4)
    draws = (rng.random(logits.shape) < (probs if task == "multilabel" else probs[:, 1:])).astype(np.int64)
    return logits, draws if task == "multilabel" else draws[:, 0]


def said(targets, probs, groups=None):
    return Predictions(np.arange(len(targets)).astype(str), probs, targets, groups=groups)


def ece(targets, probs, bins=15):
    return measure_ece(said(targets, probs), bins).value


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(task, temperature):
    logits, targets = drawn(task, temperature)
    assert fit_temperature(logits.astype(np.float32), targets, task) == pytest.approx(temperature, rel=0.1)


def test_temperature_mends_overconfidence_and_leaves_the_preds():
    logits, targets = drawn("multiclass", 3.0)
    before = probs_of(logits, 1.0, "multiclass")
    after = probs_of(logits, fit_temperature(logits, targets, "multiclass"), "multiclass")
    assert ece(targets, before) > 0.15
    assert ece(targets, after) < 0.03
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_a_few_right_answers_do_not_make_a_model_certain():
    logits = 2.0 * np.eye(3)[[0, 1, 2] * 5]
    temperature = fit_temperature(logits, np.array([0, 1, 2] * 5), "multiclass")
    top = probs_of(logits, temperature, "multiclass").max(axis=1)
    assert 0.9 < top[0] < 0.99


def test_temperatures_stay_in_bounds_whatever_the_labels():
    logits = np.array([[8.0, 0.0], [8.0, 0.0]])
    assert fit_temperature(logits, np.array([1, 1]), "multiclass") == pytest.approx(20, rel=0.01)
    assert fit_temperature(np.full((5000, 1), 0.01), np.ones(5000, np.int64), "binary") == pytest.approx(0.05, rel=0.01)


def test_regression_and_nothing_have_no_temperature():
    assert fit_temperature(np.ones((3, 1)), np.ones((3, 1)), "regression") == 1.0
    assert fit_temperature(np.ones((0, 3)), np.ones(0, np.int64), "multiclass") == 1.0


def test_probs_come_in_the_columns_of_predictions():
    np.testing.assert_allclose(probs_of(np.array([[np.log(3.0)]]), 1.0, "binary"), [[0.25, 0.75]])
    np.testing.assert_allclose(probs_of(np.array([[0.0, np.log(4.0)]]), 2.0, "multiclass"), [[1 / 3, 2 / 3]])
    np.testing.assert_allclose(probs_of(np.array([[0.0, np.log(3.0)]]), 1.0, "multilabel"), [[0.5, 0.75]])


def test_reliability_by_hand():
    probs = np.array([[0.9, 0.1], [0.95, 0.05], [0.4, 0.6], [0.35, 0.65]])
    rows = reliability(np.array([0, 1, 1, 1]), probs, bins=10)
    assert [count for _, _, count in rows] == [2, 2]
    assert rows[0] == pytest.approx((0.625, 1.0, 2))
    assert rows[1] == pytest.approx((0.925, 0.5, 2))
    assert ece(np.array([0, 1, 1, 1]), probs, bins=10) == pytest.approx((0.375 + 0.425) / 2)


def test_certainty_that_is_right_is_calibrated():
    assert ece(np.array([0, 1]), np.eye(2)) == 0.0
    assert reliability(np.array([0, 1]), np.eye(2)) == ((1.0, 1.0, 2),)


def test_each_label_is_a_forecast_of_its_own():
    rows = reliability(np.array([[1, 0], [0, 0]]), np.array([[0.5, 0.1], [0.5, 0.1]]), bins=5)
    assert rows == (pytest.approx((0.1, 0.0, 2)), pytest.approx((0.5, 0.5, 2)))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 2**31))
def test_reliability_counts_every_item_once(n, k, seed):
    rng = np.random.default_rng(seed)
    targets, probs = rng.integers(0, k, n), rng.dirichlet(np.ones(k), n)
    rows = reliability(targets, probs)
    assert sum(count for _, _, count in rows) == n
    assert sum(count * share for _, share, count in rows) == pytest.approx((probs.argmax(axis=1) == targets).sum())
    assert 0 <= ece(targets, probs) <= 1


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_the_interval_of_the_calibration_error_holds_the_true_one(task):
    """Of probs from logits taken three times too far; the true error is that of 60,000 items."""

    def draw(num, seed):
        logits, targets = drawn(task, 3.0, num, seed)
        return said(targets, probs_of(logits, 1.0, task))

    true = measure_ece(draw(60_000, 1)).value
    found = [measure_ece(draw(400, seed)) for seed in range(2, 202)]
    held = np.mean([one.interval[0] <= true <= one.interval[1] for one in found])
    assert 0.9 <= held <= 0.99
    assert {one.n for one in found} == {400}


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("num", [60, 1_000])
def test_chances_that_are_right_seldom_err_by_more_than_chance_allows(task, num):
    worse = 0
    for seed in range(200):
        logits, targets = drawn(task, 1.0, num, seed)
        probs = probs_of(logits, 1.0, task)
        worse += ece(targets, probs) > ece_by_chance(said(targets, probs))
    assert worse <= 14


def test_items_of_one_group_make_the_calibration_error_no_surer():
    logits, targets = drawn("multiclass", 3.0, 300)
    probs = probs_of(logits, 1.0, "multiclass")
    once = measure_ece(said(targets, probs))
    again = measure_ece(said(np.tile(targets, 4), np.tile(probs, (4, 1)), groups=np.tile(np.arange(300), 4)))
    assert (again.value, again.n) == (pytest.approx(once.value), 300)
    assert again.interval == pytest.approx(once.interval)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_an_item_that_several_folds_speak_of_makes_chance_no_smaller(task):
    logits, targets = drawn(task, 1.0, 300)
    once = said(targets, probs_of(logits, 1.0, task))
    thrice = Predictions(np.tile(once.ids, 3), np.tile(once.outputs, (3, 1)), np.concatenate([targets] * 3))
    assert ece_by_chance(thrice) == pytest.approx(ece_by_chance(once))
    assert ece_by_chance(said(thrice.targets, thrice.outputs)) < 0.7 * ece_by_chance(once)


def columns(positive):
    positive = np.asarray(positive, np.float64)
    return np.stack([1 - positive, positive], axis=1)


def test_the_best_threshold_parts_what_can_be_parted():
    targets, probs = np.array([0, 0, 0, 1, 1]), columns([0.05, 0.1, 0.15, 0.25, 0.3])
    threshold = best_threshold(metrics.get("f1"), targets, probs)
    assert threshold == pytest.approx(0.2)
    assert metrics.get("f1").score(targets, probs, threshold=threshold) == 1.0


def test_a_good_half_stays_half():
    targets, probs = np.array([0, 0, 1, 1]), columns([0.1, 0.2, 0.8, 0.9])
    assert best_threshold(metrics.get("accuracy"), targets, probs) == 0.5
    assert best_threshold(metrics.get("roc_auc"), targets, probs) == 0.5
    assert best_threshold(metrics.get("accuracy"), targets, columns([0.7] * 4)) == 0.5


def test_many_probs_are_tried_in_steps():
    rng = np.random.default_rng(0)
    positive = rng.random(5000)
    targets = (positive > 0.83).astype(np.int64)
    assert best_threshold(metrics.get("f1"), targets, columns(positive)) == pytest.approx(0.83, abs=0.01)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize(("temperature", "share"), [(1.0, 1.0), (2.5, 0.8), (0.6, 0.0)])
def test_the_temperature_and_the_share_of_a_shift_that_made_the_labels_are_found(task, temperature, share):
    logits, targets = drawn(task, 1.0, n=20_000)
    shift = np.linspace(-1.0, 2.0, logits.shape[1]) if task == "multiclass" else np.array([2.3])
    found = fit_chances((logits + share * shift) * temperature, shift, targets, task)
    assert found == (pytest.approx(temperature, rel=0.05), pytest.approx(share, abs=0.05))


def test_a_shift_of_nothing_leaves_the_temperature_what_it_is():
    logits, targets = drawn("multiclass", 2.0)
    assert fit_chances(logits, np.zeros(5), targets, "multiclass")[0] == pytest.approx(fit_temperature(logits, targets, "multiclass"), rel=1e-3)
    assert fit_chances(np.ones((0, 3)), np.zeros(3), np.zeros(0, np.int64), "multiclass") == (1.0, 1.0)
