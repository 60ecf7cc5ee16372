"""Metrics of classes: known answers, scikit-learn's answers, and what happens at the edges."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from surefoot.metrics import classification as ours
from surefoot.metrics import get
from surefoot.types.errors import UsageError

NAN = float("nan")


def two_columns(positive):
    positive = np.asarray(positive, np.float64)
    return np.stack([1 - positive, positive], axis=1)


def test_known_answers_of_a_binary_model():
    targets = np.array([1, 1, 1, 0, 0])
    probs = two_columns([0.9, 0.8, 0.3, 0.6, 0.1])
    assert ours.ACCURACY.score(targets, probs) == pytest.approx(3 / 5)
    assert ours.PRECISION.score(targets, probs) == pytest.approx(2 / 3)
    assert ours.RECALL.score(targets, probs) == pytest.approx(2 / 3)
    assert ours.F1.score(targets, probs) == pytest.approx(2 / 3)
    assert ours.BALANCED_ACCURACY.score(targets, probs) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert ours.ROC_AUC.score(targets, probs) == pytest.approx(5 / 6)
    assert ours.BRIER.score(targets, probs) == pytest.approx((0.01 + 0.04 + 0.49 + 0.36 + 0.01) / 5)
    assert ours.LOG_LOSS.score(targets, probs) == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.4, 0.9]).mean())


def test_the_threshold_moves_decisions_and_leaves_probs_alone():
    targets, probs = np.array([1, 0]), two_columns([0.4, 0.2])
    assert ours.ACCURACY.score(targets, probs, threshold=0.3) == 1.0
    assert ours.F1.score(targets, probs, threshold=0.3) == 1.0
    assert ours.LOG_LOSS.score(targets, probs, threshold=0.3) == ours.LOG_LOSS.score(targets, probs)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(4, 80), st.integers(0, 2**31), st.sampled_from([0.2, 0.5, 0.8]))
def test_binary_metrics_agree_with_scikit_learn(n, seed, threshold):
    rng = np.random.default_rng(seed)
    targets = np.concatenate([[0, 1], rng.integers(0, 2, n - 2)])
    positive = rng.random(n).round(1)
    probs, preds = two_columns(positive), (positive >= threshold).astype(int)
    due = {
        ours.ACCURACY: theirs.accuracy_score(targets, preds),
        ours.BALANCED_ACCURACY: theirs.balanced_accuracy_score(targets, preds),
        ours.F1: theirs.f1_score(targets, preds),
        ours.PRECISION: theirs.precision_score(targets, preds, zero_division=0.0),
        ours.RECALL: theirs.recall_score(targets, preds),
        ours.ROC_AUC: theirs.roc_auc_score(targets, positive),
        ours.PR_AUC: theirs.average_precision_score(targets, positive),
        ours.LOG_LOSS: theirs.log_loss(targets, probs),
        ours.BRIER: theirs.brier_score_loss(targets, positive),
    }
    for metric, value in due.items():
        assert metric.score(targets, probs, threshold=threshold) == pytest.approx(value), metric.name


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(3, 6), st.integers(10, 80), st.integers(0, 2**31))
def test_multiclass_metrics_agree_with_scikit_learn(k, n, seed):
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    probs = rng.dirichlet(np.ones(k), len(targets))
    preds = probs.argmax(axis=1)
    due = {
        ours.ACCURACY: theirs.accuracy_score(targets, preds),
        ours.BALANCED_ACCURACY: theirs.balanced_accuracy_score(targets, preds),
        ours.TOP2_ACCURACY: theirs.top_k_accuracy_score(targets, probs, k=2),
        ours.F1_MACRO: theirs.f1_score(targets, preds, average="macro"),
        ours.F1_MICRO: theirs.f1_score(targets, preds, average="micro"),
        ours.ROC_AUC: theirs.roc_auc_score(targets, probs, multi_class="ovr", average="macro"),
        ours.PR_AUC: theirs.average_precision_score(np.eye(k)[targets], probs, average="macro"),
        ours.LOG_LOSS: theirs.log_loss(targets, probs),
        ours.BRIER: ((probs - np.eye(k)[targets]) ** 2).sum(axis=1).mean() / 2,
    }
    for metric, value in due.items():
        assert metric.score(targets, probs) == pytest.approx(value), metric.name


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(10, 60), st.integers(0, 2**31))
def test_label_metrics_agree_with_scikit_learn(k, n, seed):
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.zeros((1, k), int), np.ones((1, k), int), rng.integers(0, 2, (n, k))])
    probs = rng.random(targets.shape)
    preds = (probs >= 0.5).astype(int)
    due = {
        ours.F1_MACRO: theirs.f1_score(targets, preds, average="macro"),
        ours.F1_MICRO: theirs.f1_score(targets, preds, average="micro"),
        ours.ROC_AUC: theirs.roc_auc_score(targets, probs, average="macro"),
        ours.PR_AUC: theirs.average_precision_score(targets, probs, average="macro"),
        ours.LOG_LOSS: np.mean([theirs.log_loss(targets[:, j], probs[:, j]) for j in range(k)]),
        ours.BRIER: ((probs - targets) ** 2).mean(),
    }
    for metric, value in due.items():
        assert metric.score(targets, probs) == pytest.approx(value), metric.name


def test_equal_scores_are_a_coin_toss():
    targets, probs = np.array([0, 1, 1, 0, 0]), two_columns([0.5] * 5)
    assert ours.ROC_AUC.score(targets, probs) == 0.5
    assert ours.PR_AUC.score(targets, probs) == pytest.approx(0.4)


def test_among_equal_probs_the_first_two_classes_count():
    probs = np.full((4, 4), 0.25)
    assert ours.TOP2_ACCURACY.score(np.arange(4), probs) == 0.5
    np.testing.assert_array_equal(ours.TOP2_ACCURACY.per_item(np.arange(4), probs), [1, 1, 0, 0])


def test_probs_that_are_not_numbers_are_never_among_the_two():
    assert ours.TOP2_ACCURACY.score(np.array([0, 2]), np.full((2, 4), NAN)) == 0.0


def test_a_sure_error_costs_a_lot_but_not_everything():
    value = ours.LOG_LOSS.score(np.array([0]), np.array([[0.0, 1.0]]))
    assert value == pytest.approx(-np.log(np.finfo(np.float64).eps))


def test_what_the_items_leave_undefined_is_nan_without_a_warning():
    only_negatives, probs = np.array([0, 0, 0]), two_columns([0.1, 0.2, 0.3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in (ours.ROC_AUC, ours.PR_AUC, ours.RECALL, ours.F1):
            assert np.isnan(metric.score(only_negatives, probs)), metric.name


def test_a_model_that_never_dares_has_no_precision_and_no_f1():
    targets, probs = np.array([1, 0]), two_columns([0.1, 0.1])
    assert ours.PRECISION.score(targets, probs) == 0.0
    assert ours.F1.score(targets, probs) == 0.0


def test_absent_classes_are_left_out_of_means_over_classes():
    targets = np.array([0, 0, 1, 1])
    probs = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    f1_of_0, f1_of_1 = 4 / 5, 2 / 3
    assert ours.BALANCED_ACCURACY.score(targets, probs) == pytest.approx(0.75)
    assert ours.F1_MACRO.score(targets, probs) == pytest.approx((f1_of_0 + f1_of_1) / 2)
    assert ours.ROC_AUC.score(targets, probs) == pytest.approx(1.0)
    assert np.isfinite(ours.PR_AUC.score(targets, probs))


@pytest.mark.parametrize("metric", [ours.F1, ours.PRECISION, ours.RECALL])
def test_metrics_of_one_positive_class_refuse_several(metric):
    with pytest.raises(UsageError, match="one positive class"):
        metric.score(np.array([0, 1, 2]), np.eye(3))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(2, 50), st.integers(0, 2**31))
def test_ranking_metrics_do_not_change_under_a_rising_function(n, seed):
    rng = np.random.default_rng(seed)
    is_positive = np.concatenate([[False, True], rng.random(n) < 0.5])
    scores = rng.random(n + 2).round(1)
    for area in (ours.area_under_roc, ours.average_precision):
        assert area(is_positive, scores) == pytest.approx(area(is_positive, np.exp(3 * scores)))
    assert ours.area_under_roc(is_positive, scores) == pytest.approx(1 - ours.area_under_roc(is_positive, -scores))


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "f1_micro"])
def test_sums_over_items_give_the_score_itself(name):
    rng = np.random.default_rng(0)
    targets, probs = rng.integers(0, 3, 90), rng.dirichlet(np.ones(3), 90)
    metric = get(name)
    assert metric.from_sums(metric.sums(targets, probs).sum(0)) == pytest.approx(metric.score(targets, probs))


def test_the_sums_of_f1_know_the_threshold():
    rng = np.random.default_rng(0)
    positive = rng.random(90)
    targets, probs = (rng.random(90) < positive).astype(np.int64), np.stack([1 - positive, positive], 1)
    metric = get("f1").at(0.3)
    assert metric.from_sums(metric.sums(targets, probs).sum(0)) == pytest.approx(get("f1").score(targets, probs, threshold=0.3))


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc"])
@pytest.mark.parametrize("num_classes", [2, 3])
def test_without_is_the_score_of_all_the_others(name, num_classes):
    rng = np.random.default_rng(0)
    targets = np.concatenate([[0], rng.integers(1, num_classes, 3), rng.integers(0, num_classes, 60)])
    probs, metric = np.round(rng.dirichlet(np.ones(num_classes), 64), 1), get(name)
    left = [metric.score(np.delete(targets, k), np.delete(probs, k, 0)) for k in range(64)]
    assert metric.without(targets, probs) == pytest.approx(left)


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc"])
def test_without_the_last_positive_there_is_no_area(name):
    probs = np.linspace([0.1, 0.9], [0.9, 0.1], 9)
    left = get(name).without(np.array([0, 1, *[0] * 7]), probs)
    assert np.isnan(left).tolist() == [False, True, *[False] * 7]
