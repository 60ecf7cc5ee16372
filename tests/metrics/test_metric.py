"""What a metric is: direction, error, thresholds, and a user's own."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.metrics.metric import Metric, as_error, better
from surefoot.parts import PARTS
from surefoot.tasks import TASKS
from surefoot.types.errors import UsageError

NAN = float("nan")

TARGETS = np.array([0, 1, 1, 0])
PROBS = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])


def draw(task, rng, n=40, k=4):
    """Targets and outputs of a task, as `Predictions` holds them."""
    if task == "binary":
        positive = rng.random(n)
        return rng.integers(0, 2, n), np.stack([1 - positive, positive], axis=1)
    if task == "multiclass":
        return rng.integers(0, k, n), rng.dirichlet(np.ones(k), n)
    if task == "multilabel":
        return rng.integers(0, 2, (n, k)), rng.random((n, k))
    if task == "detection":
        corners = rng.random((2, n, 4)) * 50 + np.asarray([0, 0, 50, 50])
        named = np.stack([np.arange(n) // 3, np.arange(n) % k], axis=1)
        return np.concatenate([named, corners[0], np.zeros((n, 2))], axis=1), np.concatenate([named, corners[1], rng.random((n, 1))], axis=1)
    width = 1 if task == "regression" else 3
    return rng.normal(size=(n, width)), rng.normal(size=(n, width))


@pytest.mark.parametrize("name", PARTS["metric"])
def test_every_metric_bears_its_name_and_scores_all_its_tasks(name):
    metric = metrics.get(name)
    assert metric.name == name
    assert metric.title
    for task in metric.tasks:
        value = metric.score(*draw(task, np.random.default_rng(0)), threshold=0.5)
        assert isinstance(value, float)
        assert np.isfinite(value)
        assert not metric.bounded or 0 <= value <= 1


@pytest.mark.parametrize("task", TASKS)
def test_metrics_that_a_task_names_judge_that_task(task):
    spec = TASKS[task]
    assert all(task in metrics.get(name).tasks for name in (spec.metric, *spec.metrics))


@pytest.mark.parametrize("name", PARTS["metric"])
def test_the_mean_of_per_item_is_the_metric(name):
    metric = metrics.get(name)
    for task in metric.tasks if metric.per_item else ():
        for threshold in (0.3, 0.5):
            targets, outputs = draw(task, np.random.default_rng(1))
            items = metric.per_item(targets, outputs, threshold=threshold)
            assert items.shape == (len(targets),)
            assert metric.from_mean(items.mean()) == pytest.approx(metric.score(targets, outputs, threshold=threshold))


@pytest.mark.parametrize("name", PARTS["metric"])
def test_no_items_give_nan_without_a_warning(name):
    metric = metrics.get(name)
    for task in metric.tasks:
        targets, outputs = draw(task, np.random.default_rng(0))
        assert np.isnan(metric.score(targets[:0], outputs[:0]))


def test_at_fixes_the_threshold_of_score_and_of_items():
    accuracy = metrics.get("accuracy")
    assert accuracy.score(TARGETS, PROBS) == 0.5
    assert accuracy.at(0.75).score(TARGETS, PROBS) == 0.75
    np.testing.assert_array_equal(accuracy.at(0.35).per_item(TARGETS, PROBS), [1, 1, 1, 0])


def test_at_leaves_a_metric_without_items_without_them():
    assert metrics.get("f1").at(0.4).per_item is None


def test_better_follows_the_direction_of_the_metric():
    assert better(metrics.get("accuracy"), 0.9, 0.8)
    assert not better(metrics.get("accuracy"), 0.8, 0.8)
    assert better(metrics.get("rmse"), 1.0, 2.0)


def test_an_undefined_value_is_never_better():
    for name in ("accuracy", "rmse"):
        assert better(metrics.get(name), 0.1, NAN)
        assert not better(metrics.get(name), NAN, 0.1)
        assert not better(metrics.get(name), NAN, NAN)


def test_errors_are_zero_at_best():
    assert as_error(metrics.get("accuracy"), 0.75) == 0.25
    assert as_error(metrics.get("rmse"), 3.5) == 3.5
    assert as_error(metrics.get("r2"), 0.75) == 0.25
    assert as_error(metrics.get("brier"), 0.1) == 0.1


def test_a_reward_without_bound_becomes_its_negative():
    profit = Metric("profit", "Profit", True, lambda targets, outputs, threshold=0.5: 0.0)
    assert as_error(profit, 12.0) == -12.0


def test_evaluate_names_each_value():
    values = metrics.evaluate(["accuracy", "f1", metrics.get("recall")], TARGETS, PROBS, threshold=0.35)
    assert values == {"accuracy": 0.75, "f1": pytest.approx(0.8), "recall": 1.0}


def test_a_users_function_becomes_a_metric(tmp_path):
    (tmp_path / "mine.py").write_text("def cost(targets, outputs):\n    return float((targets == 1).mean())\ncost.greater_is_better = False\n")
    metric = metrics.get("mine:cost", tmp_path)
    assert (metric.name, metric.title, metric.greater_is_better, metric.bounded) == ("mine:cost", "cost", False, False)
    assert metric.score(TARGETS, PROBS, threshold=0.9) == 0.5
    assert metrics.evaluate([metric], TARGETS, PROBS) == {"mine:cost": 0.5}


def test_a_users_function_may_ask_for_the_threshold(tmp_path):
    (tmp_path / "mine.py").write_text("def share(targets, outputs, threshold=0.5):\n    return float((outputs[:, 1] >= threshold).mean())\n")
    assert metrics.get("mine:share", tmp_path).score(TARGETS, PROBS, threshold=0.05) == 1.0


def test_a_users_metric_object_is_known_by_its_name_in_the_settings(tmp_path):
    (tmp_path / "mine.py").write_text("from surefoot.metrics import Metric\nOURS = Metric('ours', 'Ours', True, lambda t, o, threshold=0.5: 1.0)\n")
    assert metrics.get("mine:OURS", tmp_path).name == "mine:OURS"


def test_what_is_no_metric_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text("NUMBER = 3\nclass Thing: ...\n")
    for name, kind in (("mine:NUMBER", "int"), ("mine:Thing", "type")):
        with pytest.raises(UsageError, match=f"{name} is no metric but a {kind}"):
            metrics.get(name, tmp_path)


def test_a_misspelt_metric_is_named():
    with pytest.raises(UsageError, match="accuracy"):
        metrics.get("acuracy")
