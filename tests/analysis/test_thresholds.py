"""The threshold follows what the settings say: a number, what mistakes cost, or what is due."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.thresholds import choose, list_choices, list_label_choices
from surefoot.types.configs import ProblemConfig
from surefoot.types.examples import Predictions

ACCURACY, F1 = metrics.get("accuracy"), metrics.get("f1")


def rare(n=4000, seed=0):
    """One in ten is positive, and the probs are chances."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 4.5, n)
    return (rng.random(n) < p).astype(np.int64), np.stack([1 - p, p], 1)


def said(targets, probs, **more):
    return Predictions(np.arange(len(targets)).astype(str), probs, targets, **more)


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


@pytest.mark.parametrize("rules", [ProblemConfig(least_precision=0.99), ProblemConfig(least_precision=0.99, least_recall=0.5)])
def test_a_precision_that_cannot_be_had_gives_the_nearest_and_not_a_model_that_never_says_yes(rules):
    scores = np.linspace(0.99, 0.01, 60)
    targets = ((np.arange(60) > 0) & (np.arange(60) < 20)).astype(np.int64)  # the highest score is a negative's
    probs = np.stack([1 - scores, scores], 1)
    found = choose(rules, ACCURACY, targets, probs)
    assert metrics.get("precision").score(targets, probs, threshold=found) == pytest.approx(19 / 20)
    assert metrics.get("recall").score(targets, probs, threshold=found) == 1.0


def test_without_items_the_threshold_is_even():
    assert choose(ProblemConfig(least_precision=0.9), ACCURACY, np.zeros(0, np.int64), np.zeros((0, 2))) == 0.5


def test_rows_of_one_group_make_no_choice_surer():
    targets, probs = rare(600)
    once = list_choices(ProblemConfig(), ACCURACY, said(targets, probs), used=0.5)
    groups = np.tile(np.arange(600), 3)
    thrice = list_choices(ProblemConfig(), ACCURACY, said(np.tile(targets, 3), np.tile(probs, (3, 1)), groups=groups), used=0.5)
    for one, again in zip(once, thrice, strict=True):
        for left, right in ((one.recall, again.recall), (one.precision, again.precision)):
            assert right.value == left.value
            assert np.ptp(right.interval) == pytest.approx(np.ptp(left.interval), rel=0.2)


def test_choices_are_told_beside_one_another_each_once():
    targets, probs = rare()
    choices = list_choices(ProblemConfig(miss_cost=5, alarm_cost=1), ACCURACY, said(targets, probs), used=0.5)
    assert [one.rule for one in choices] == ["in use", "best F1", "both classes alike", "cheapest"]
    by_rule = {one.rule: one for one in choices}
    assert by_rule["cheapest"].cost == min(one.cost for one in choices)
    assert by_rule["in use"].value == max(one.value for one in choices[:3])
    for one in choices:
        assert one.recall.value == pytest.approx(metrics.get("recall").score(targets, probs, threshold=one.threshold))
        assert one.precision.interval[0] <= one.precision.value <= one.precision.interval[1]


def labels(n=3000, seed=0):
    """Three labels, ever rarer, each with chances of its own; the last is said with too low a prob throughout."""
    rng = np.random.default_rng(seed)
    p = np.stack([rng.beta(a, b, n) for a, b in ((2, 2), (1, 4), (0.5, 9))], 1)
    return (rng.random((n, 3)) < p).astype(np.int64), p * [1, 1, 0.5]


@pytest.mark.parametrize("name", ["f1_macro", "f1_micro"])
def test_each_label_gets_the_threshold_that_serves_the_metric(name):
    targets, probs = labels()
    metric, found = metrics.get(name), choose(ProblemConfig(), metrics.get(name), targets, probs)
    reached = metric.score(targets, probs, threshold=found)
    assert reached > metric.score(targets, probs) + 0.02
    grid = np.linspace(0.02, 0.98, 25)
    for label in range(3):  # no other threshold of one label, and none for all of them, does better
        others = [tuple(one if k == label else found[k] for k in range(3)) for one in grid]
        assert reached >= max(metric.score(targets, probs, threshold=other) for other in (*others, *grid))


def test_what_is_due_is_kept_by_every_label():
    targets, probs = labels()
    found = choose(ProblemConfig(least_recall=0.8), metrics.get("map"), targets, probs)
    recalls = [(probs[targets[:, k] == 1, k] >= found[k]).mean() for k in range(3)]
    assert min(recalls) >= 0.8
    assert max(recalls) < 0.82
    assert len(set(found)) == 3


def test_labels_of_few_items_and_metrics_without_a_threshold_keep_the_even_one():
    targets, probs = labels()
    assert choose(ProblemConfig(), metrics.get("hamming_accuracy"), targets, probs) == 0.5
    assert choose(ProblemConfig(threshold=0.3, least_recall=0.9), metrics.get("f1_macro"), targets, probs) == 0.3
    rare = targets.copy()
    rare[np.flatnonzero(rare[:, 2])[9:], 2] = 0
    assert choose(ProblemConfig(), metrics.get("f1_macro"), rare, probs)[2] == 0.5
    assert choose(ProblemConfig(), metrics.get("f1_macro"), rare[:, 2:], probs[:, 2:]) == 0.5


@pytest.mark.parametrize("name", ["f1_macro", "f1_micro"])
@pytest.mark.parametrize("rules", [ProblemConfig(), ProblemConfig(least_recall=0.8)])
def test_where_no_label_has_enough_items_all_keep_the_even_one(name, rules):
    targets, probs = labels()
    targets[9:] = 0
    assert choose(rules, metrics.get(name), targets, probs) == 0.5


def test_the_thresholds_of_labels_are_told_beside_the_even_one():
    targets, probs = labels()
    used = choose(ProblemConfig(least_recall=0.8), F1, targets, probs)
    choices = list_label_choices(ProblemConfig(), ["a", "b", "c"], said(targets, probs), used)
    assert [(one.label, one.rule) for one in choices] == [(label, rule) for label in "abc" for rule in ("in use", "even", "best F1")]
    for one in choices:
        k = "abc".index(one.label)
        alone = targets[:, k], np.stack([1 - probs[:, k], probs[:, k]], 1)
        assert one.value == pytest.approx(F1.score(*alone, threshold=one.threshold))
        assert one.recall.value == pytest.approx(metrics.get("recall").score(*alone, threshold=one.threshold))
        assert one.recall.interval[0] <= one.recall.value < one.recall.interval[1]
    best = {one.label: one.value for one in choices if one.rule == "best F1"}
    assert all(best[one.label] >= one.value for one in choices)
