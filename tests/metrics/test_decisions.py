"""From probs to preds and counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix, precision_recall_fscore_support

from surefoot.metrics.decisions import confusion, count_outcomes, decide, per_class, task_of
from surefoot.types.errors import UsageError


def test_the_task_follows_from_shapes_and_dtypes():
    whole, real = np.zeros(3, np.int64), np.zeros((3, 1))
    assert task_of(whole, np.zeros((3, 2))) == "binary"
    assert task_of(whole, np.zeros((3, 5))) == "multiclass"
    assert task_of(np.zeros((3, 4), np.int64), np.zeros((3, 4))) == "multilabel"
    assert task_of(real, real) == "regression"
    assert task_of(np.zeros((3, 2)), np.zeros((3, 2))) == "vector_regression"


def test_the_threshold_itself_says_the_positive_class():
    probs = np.array([[0.5, 0.5], [0.51, 0.49], [0.4, 0.6]])
    np.testing.assert_array_equal(decide("binary", probs, 0.5), [1, 0, 1])
    np.testing.assert_array_equal(decide("binary", probs, 0.6), [0, 0, 1])


def test_multiclass_takes_the_most_probable_whatever_the_threshold():
    probs = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    np.testing.assert_array_equal(decide("multiclass", probs, 0.9), [1, 0])


def test_labels_are_decided_one_by_one():
    np.testing.assert_array_equal(decide("multilabel", np.array([[0.5, 0.1, 0.9]]), 0.5), [[1, 0, 1]])


def test_regression_says_its_values():
    values = np.array([[1.5], [-2.0]])
    assert decide("regression", values) is values


def test_confusion_has_targets_as_rows_and_preds_as_columns():
    probs = np.eye(3)[[0, 1, 1, 2]]
    np.testing.assert_array_equal(confusion(np.array([0, 0, 1, 1]), probs), [[1, 1, 0], [0, 1, 1], [0, 0, 0]])


def test_confusion_keeps_classes_that_do_not_occur():
    assert confusion(np.array([0]), np.array([[0.9, 0.05, 0.05, 0.0]])).shape == (4, 4)


def test_confusion_of_many_labels_is_refused():
    with pytest.raises(UsageError, match="needs one class per item; this is multilabel"):
        confusion(np.zeros((2, 3), np.int64), np.zeros((2, 3)))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 2**31))
def test_counts_agree_with_scikit_learn(k, n, seed):
    rng = np.random.default_rng(seed)
    targets, probs = rng.integers(0, k, n), rng.dirichlet(np.ones(k), n)
    preds = decide(task_of(targets, probs), probs)
    table = confusion(targets, probs)
    np.testing.assert_array_equal(table, confusion_matrix(targets, preds, labels=range(k)))
    assert table.sum() == n
    labels, scores = rng.integers(0, 2, (n, k)), rng.random((n, k))
    theirs = multilabel_confusion_matrix(labels, scores >= 0.5)
    np.testing.assert_array_equal(count_outcomes(labels, scores), np.stack([theirs[:, 1, 1], theirs[:, 0, 1], theirs[:, 1, 0]], axis=1))


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_per_class_agrees_with_scikit_learn(task):
    rng = np.random.default_rng(3)
    k = 2 if task == "binary" else 4
    probs = rng.dirichlet(np.ones(k), 50)
    targets = rng.integers(0, 2, (50, k)) if task == "multilabel" else rng.integers(0, k, 50)
    names = [f"class {i}" for i in range(k)]
    table = per_class(targets, probs, names, 0.4)
    due = precision_recall_fscore_support(targets, decide(task, probs, 0.4), labels=range(k), zero_division=0.0)
    for i, name in enumerate(names):
        assert list(table[name].values()) == pytest.approx([column[i] for column in due])
        assert list(table[name]) == ["precision", "recall", "f1", "support"]


def test_a_class_that_is_never_said_nor_due_scores_zero():
    table = per_class(np.array([0, 1]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), ("a", "b", "c"))
    assert table["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0.0}


def test_too_few_class_names_are_refused():
    with pytest.raises(UsageError, match="1 class names for 2 classes"):
        per_class(np.array([0, 1]), np.eye(2), ("only",))
