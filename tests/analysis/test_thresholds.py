"""The threshold follows what the settings say: a number, what mistakes cost, or what is due."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.thresholds import choose, list_choices
from surefoot.types.configs import ProblemConfig

ACCURACY, F1 = metrics.get("accuracy"), metrics.get("f1")


def rare(n=4000, seed=0):
    """One in ten is positive, and the probs are chances."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 4.5, n)
    return (rng.random(n) < p).astype(np.int64), np.stack([1 - p, p], 1)


def test_a_threshold_that_was_set_stands():
    assert choose(ProblemConfig(threshold=0.3, miss_cost=9), ACCURACY, *rare()) == 0.3


def test_without_a_rule_only_metrics_that_need_it_get_another_than_even():
    assert choose(ProblemConfig(), ACCURACY, *rare()) == 0.5
    assert choose(ProblemConfig(), F1, *rare()) < 0.45


@pytest.mark.parametrize(("miss", "alarm"), [(9, 1), (1, 1), (1, 4)])
def test_costs_give_the_threshold_of_theory_where_probs_are_chances(miss, alarm):
    targets, probs = rare(40_000)
    found = choose(ProblemConfig(miss_cost=miss, alarm_cost=alarm), ACCURACY, targets, probs)
    cost = lambda t: (miss * ((probs[:, 1] < t) & (targets == 1)) + alarm * ((probs[:, 1] >= t) & (targets == 0))).mean()  # noqa: E731
    assert cost(found) <= cost(alarm / (alarm + miss)) <= cost(found) * 1.05


def test_the_recall_that_is_due_is_kept_with_the_best_precision():
    targets, probs = rare()
    found = choose(ProblemConfig(least_recall=0.8), ACCURACY, targets, probs)
    recall, precision = metrics.get("recall"), metrics.get("precision")
    assert recall.score(targets, probs, threshold=found) >= 0.8
    others = [t for t in np.linspace(0, 1, 101) if recall.score(targets, probs, threshold=t) >= 0.8]
    assert precision.score(targets, probs, threshold=found) >= max(precision.score(targets, probs, threshold=t) for t in others)


def test_the_precision_that_is_due_is_kept_with_the_best_recall():
    targets, probs = rare()
    found = choose(ProblemConfig(least_precision=0.6), ACCURACY, targets, probs)
    precision, recall = metrics.get("precision"), metrics.get("recall")
    assert precision.score(targets, probs, threshold=found) >= 0.6
    others = [t for t in np.linspace(0, 1, 101) if precision.score(targets, probs, threshold=t) >= 0.6 and (probs[:, 1] >= t).any()]
    assert recall.score(targets, probs, threshold=found) >= max(recall.score(targets, probs, threshold=t) for t in others)


def test_choices_are_told_beside_one_another_each_once():
    targets, probs = rare()
    choices = list_choices(ProblemConfig(miss_cost=5, alarm_cost=1), ACCURACY, targets, probs, used=0.5)
    assert [one.rule for one in choices] == ["in use", "best F1", "both classes alike", "cheapest"]
    by_rule = {one.rule: one for one in choices}
    assert by_rule["cheapest"].cost == min(one.cost for one in choices)
    assert by_rule["in use"].value == max(one.value for one in choices[:3])
    for one in choices:
        assert one.recall.value == pytest.approx(metrics.get("recall").score(targets, probs, threshold=one.threshold))
        assert one.precision.interval[0] <= one.precision.value <= one.precision.interval[1]
