"""Intervals: known answers, and that they hold what they promise on simulated data."""

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from surefoot import metrics
from surefoot.analysis.intervals import bootstrap, interval_for, measure, share_interval, wilson
from surefoot.analysis.units import units_of
from surefoot.metrics.metric import as_metric
from surefoot.types.examples import Predictions

ACCURACY, F1, ROC_AUC = metrics.get("accuracy"), metrics.get("f1"), metrics.get("roc_auc")
MAE, RMSE = metrics.get("mae"), metrics.get("rmse")


def answers(is_right):
    """Targets and probs of a binary model that is right where told."""
    is_right = np.asarray(is_right, bool)
    return np.ones(len(is_right), np.int64), np.stack([~is_right, is_right], axis=1).astype(np.float64)


def two_clouds(rng, n, distance=1.5):
    targets = np.concatenate([[0, 1], rng.integers(0, 2, n - 2)])
    positive = 1 / (1 + np.exp(-(rng.normal(size=n) + distance * targets)))
    return targets, np.stack([1 - positive, positive], axis=1)


def numbers(errors):
    errors = np.asarray(errors, np.float64)[:, None]
    return np.zeros_like(errors), errors


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (93, 100), (4321, 5000)])
def test_wilson_agrees_with_scipy(k, n):
    theirs = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_nothing_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 2000), st.data())
def test_wilson_holds_the_proportion_and_narrows_with_n(n, data):
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    wider = wilson(k, n, level=0.99)
    assert wider[0] <= low
    assert wider[1] >= high
    more = wilson(10 * k, 10 * n)
    assert more[1] - more[0] < high - low


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_wilson_covers_the_truth_in_about_95_of_100_cases(share):
    hits = np.random.default_rng(0).binomial(60, share, size=600)
    covered = np.mean([low <= share <= high for low, high in (wilson(k, 60) for k in hits)])
    assert 0.91 <= covered <= 0.99


def covered_share(metric, truth, make, repeats=300, **options):
    """In how many simulated sets the interval holds the true value."""
    hits = 0
    for seed in range(repeats):
        targets, outputs, *groups = make(np.random.default_rng(1000 + seed))
        low, high = interval_for(metric, targets, outputs, seed=seed, groups=groups[0] if groups else None, **options).interval
        hits += low <= truth <= high
    return hits / repeats


def test_the_interval_covers_a_skewed_mean():
    assert 0.89 <= covered_share(MAE, 1.0, lambda rng: numbers(rng.exponential(size=120))) <= 0.985


def test_the_interval_covers_a_root_of_a_mean():
    assert 0.89 <= covered_share(RMSE, 1.0, lambda rng: numbers(rng.normal(size=120))) <= 0.985


def test_the_interval_covers_an_area_under_the_curve_of_few_positives():
    truth = stats.norm.cdf(1.5 / np.sqrt(2))

    def few(rng):
        targets, outputs = two_clouds(rng, 300)
        kept = np.flatnonzero((targets == 0) | (np.cumsum(targets) <= 12))
        return targets[kept], outputs[kept]

    assert 0.91 <= covered_share(ROC_AUC, truth, few) <= 0.985


def own_share_right(targets, outputs):
    return float((outputs.argmax(1) == targets).mean())


own_share_right.bounded = True


@pytest.mark.parametrize("is_bounded", [True, False])
def test_the_bootstrap_covers_a_metric_of_the_users_own(is_bounded):
    metric = dataclasses.replace(as_metric(own_share_right, "own"), bounded=is_bounded)
    assert 0.85 <= covered_share(metric, 0.8, lambda rng: answers(rng.random(80) < 0.8), repeats=60) <= 1.0


def test_what_hangs_on_one_item_has_no_interval():
    targets, outputs = two_clouds(np.random.default_rng(0), 40)
    targets[:] = np.arange(40) == 3
    assert interval_for(ROC_AUC, targets, outputs, seed=0).interval is None


def test_recall_of_grouped_items_is_less_sure_than_of_free_ones():
    names = np.repeat(np.arange(60), 5)
    chance = stats.norm.cdf(np.random.default_rng(0).normal(size=60) + 0.8)[names]
    targets, outputs = answers(np.random.default_rng(1).random(300) < chance)
    free, whole = (interval_for(metrics.get("recall"), targets, outputs, seed=0, groups=groups).interval for groups in (None, names))
    assert whole[1] - whole[0] > 1.2 * (free[1] - free[0])


def grouped(rng, groups=60, size=5):
    """Items of one group succeed and fail together."""
    names = np.repeat(np.arange(groups), size)
    chance = stats.norm.cdf(rng.normal(size=groups)[names] + 0.8)
    return *answers(rng.random(len(names)) < chance), names


def test_drawing_groups_whole_covers_what_drawing_items_does_not():
    truth = stats.norm.cdf(0.8 / np.sqrt(2))
    assert covered_share(ACCURACY, truth, grouped) >= 0.9
    assert covered_share(ACCURACY, truth, lambda rng: grouped(rng)[:2]) < 0.89


def test_the_same_seed_gives_the_same_interval():
    targets, outputs = two_clouds(np.random.default_rng(0), 200)
    assert bootstrap(ROC_AUC, targets, outputs, seed=1) == bootstrap(ROC_AUC, targets, outputs, seed=1)
    assert bootstrap(ROC_AUC, targets, outputs, seed=1) != bootstrap(ROC_AUC, targets, outputs, seed=2)


def test_the_interval_of_a_mean_is_about_two_standard_errors():
    errors = np.random.default_rng(0).uniform(1, 3, 2000)
    low, high = interval_for(MAE, *numbers(errors), seed=0).interval
    half = 1.96 * errors.std() / np.sqrt(2000)
    assert (low, high) == pytest.approx((errors.mean() - half, errors.mean() + half), abs=0.15 * half)


def test_a_sample_of_many_items_is_scaled_back():
    targets, outputs = two_clouds(np.random.default_rng(0), 40_000)
    value = ROC_AUC.score(targets, outputs)
    low, high = bootstrap(ROC_AUC, targets, outputs, seed=0)
    assert low < value < high
    quarter = bootstrap(ROC_AUC, targets[:10_000], outputs[:10_000], seed=0)
    assert (high - low) == pytest.approx((quarter[1] - quarter[0]) / 2, rel=0.25)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "f1_macro", "roc_auc"])
def test_ten_thousand_items_of_ten_classes_take_seconds_at_most(name):
    rng = np.random.default_rng(0)
    targets, probs = rng.integers(0, 10, 10_000), rng.dirichlet(np.ones(10), 10_000)
    started = time.process_time()
    interval_for(metrics.get(name), targets, probs, seed=0)
    assert time.process_time() - started < 6


def test_samples_that_miss_a_class_are_passed_over():
    targets, outputs = two_clouds(np.random.default_rng(0), 40)
    targets[:] = 0
    targets[:3] = 1
    low, high = bootstrap(ROC_AUC, targets, outputs, seed=0)
    assert 0 <= low < high <= 1


def test_what_is_undefined_has_no_interval():
    targets, outputs = two_clouds(np.random.default_rng(0), 40)
    measured = interval_for(ROC_AUC, np.zeros_like(targets), outputs, seed=0)
    assert np.isnan(measured.value)
    assert measured.interval is None
    assert interval_for(MAE, *numbers([2.0]), seed=0).interval is None


def test_independent_right_and_wrong_answers_get_wilsons_interval():
    measured = interval_for(ACCURACY, *answers([True] * 90 + [False] * 10), seed=0)
    assert (measured.value, measured.n) == (0.9, 100)
    assert measured.interval == wilson(90, 100)


def test_grouped_answers_get_a_wider_interval_and_count_groups():
    is_right = np.repeat([True] * 18 + [False] * 2, 5)
    measured = interval_for(ACCURACY, *answers(is_right), seed=0, groups=np.repeat(np.arange(20), 5))
    alone = wilson(90, 100)
    assert measured.n == 20
    assert measured.interval[1] - measured.interval[0] > 1.5 * (alone[1] - alone[0])


def test_a_perfect_score_is_not_known_for_sure():
    targets, outputs = answers([True] * 30)
    assert interval_for(F1, targets, outputs, seed=0).interval == wilson(30, 30)
    assert interval_for(ACCURACY, targets, outputs, seed=0, groups=np.repeat(np.arange(10), 3)).interval == wilson(10, 10)


def test_the_threshold_of_a_metric_is_kept():
    targets, outputs = np.array([1] * 50), np.tile([0.6, 0.4], (50, 1))
    assert interval_for(ACCURACY, targets, outputs, seed=0).value == 0.0
    assert interval_for(ACCURACY.at(0.35), targets, outputs, seed=0).value == 1.0


def test_an_id_said_by_several_folds_is_one_unit():
    targets, outputs = answers(np.random.default_rng(0).random(50) < 0.8)
    once = Predictions(np.array([f"i{i}" for i in range(50)]), outputs, targets)
    thrice = Predictions(np.tile(once.ids, 3), np.tile(outputs, (3, 1)), np.tile(targets, 3))
    first, again = measure(ACCURACY, once, seed=0), measure(ACCURACY, thrice, seed=0)
    assert (again.value, again.n) == (pytest.approx(first.value), 50)
    assert np.subtract(*again.interval) == pytest.approx(np.subtract(*first.interval), rel=0.15)


def test_groups_of_ids_are_units():
    targets, outputs = answers([True, False] * 20)
    ids = np.array([f"i{i}" for i in range(40)])
    measured = measure(ACCURACY, Predictions(ids, outputs, targets, groups=np.arange(40) % 10), seed=0)
    assert (measured.n, measured.items) == (10, 40)
    assert measure(ACCURACY, Predictions(ids, outputs, targets), seed=0).items == 0


def rare_class(num=1000, positives=5):
    """A thousand items, the first five of them positive, with probs that put them on top."""
    targets = (np.arange(num) < positives).astype(np.int64)
    scores = np.linspace(0.9, 0.1, num)
    return targets, np.stack([1 - scores, scores], axis=1)


def test_a_perfect_area_is_as_sure_as_its_rarest_class():
    targets, outputs = rare_class()
    for name in ("roc_auc", "pr_auc"):
        assert interval_for(metrics.get(name), targets, outputs, seed=0).interval == wilson(5, 5), name
        assert interval_for(metrics.get(name), 1 - targets, outputs[:, ::-1], seed=0).interval == wilson(5, 5), name


def test_finding_none_of_five_says_little_of_f1():
    targets, outputs = rare_class()
    nothing = F1.at(0.95)
    measured = interval_for(nothing, targets, outputs, seed=0)
    assert (measured.value, measured.interval) == (0.0, wilson(0, 5))
    assert measured.interval[1] > 0.4
    assert interval_for(metrics.get("balanced_accuracy"), targets, targets[:, None] == [0, 1], seed=0).interval == wilson(5, 5)


def test_what_counts_all_alike_is_as_sure_as_what_it_counts():
    """F1 of 995 positives that are all found rests on these, not on the five negatives; pooled over classes it rests on every item."""
    targets = np.arange(1000) >= 5
    outputs = np.stack([~targets, targets], axis=1).astype(float)
    assert interval_for(F1, targets.astype(np.int64), outputs, seed=0).interval == wilson(995, 995)
    assert interval_for(metrics.get("f1_micro"), targets.astype(np.int64), outputs, seed=0).interval == wilson(1000, 1000)


def test_the_rarest_of_several_labels_bears_a_perfect_score():
    targets = np.zeros((200, 3), np.int64)
    targets[:100, 0] = targets[:40, 1] = targets[:7, 2] = 1
    for name in ("map", "f1_macro"):
        assert interval_for(metrics.get(name), targets, targets * 0.8 + 0.1, seed=0).interval == wilson(7, 7), name


def test_a_share_in_groups_is_as_sure_as_the_groups_that_count():
    """Recall of 10 positives in two groups, all found; and of 40 groups, whose rows agree, as that of 40 rows."""
    targets, outputs = rare_class(200, 10)
    groups = np.arange(200) // 5
    assert interval_for(metrics.get("recall").at(0.5), targets, outputs, seed=0, groups=groups).interval == wilson(2, 2)
    hit = np.random.default_rng(0).random(40) < 0.8
    alone = share_interval(hit, np.ones(40, bool), units_of(None, 40))
    fives = share_interval(np.repeat(hit, 5), np.ones(200, bool), units_of(np.repeat(np.arange(40), 5), 200))
    assert alone == wilson(int(hit.sum()), 40)
    assert np.ptp(fives) == pytest.approx(np.ptp(alone), rel=0.15)
    assert share_interval(hit, np.zeros(40, bool), units_of(np.arange(40) // 2, 40)) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "precision", "recall", "roc_auc", "pr_auc", "log_loss", "brier"])
def test_intervals_of_binary_metrics_hold_the_truth(name):
    """The same over 10,000 sets is `benchmarks/coverage.py`; here so many that a wrong method shows."""
    metric = metrics.get(name)
    truth = metric.score(*two_clouds(np.random.default_rng(7), 400_000))
    hits = 0
    for seed in range(120):
        low, high = interval_for(metric, *two_clouds(np.random.default_rng(seed), 200), seed=seed).interval
        hits += low <= truth <= high
    assert 0.88 <= hits / 120 <= 1.0


def test_the_interval_of_a_median_is_exact():
    errors = np.random.default_rng(0).exponential(size=101)
    measured = interval_for(metrics.get("median_ae"), *numbers(errors), seed=0)
    ordered, rank = np.sort(errors), int(stats.binom.ppf(0.025, 101, 0.5))
    assert measured.interval == (ordered[rank - 1], ordered[101 - rank])
    assert stats.binom.cdf(rank - 1, 101, 0.5) <= 0.025


def test_many_looks_widen_the_interval():
    from surefoot.analysis.val_looks import correct_for_looks, correct_p

    rng = np.random.default_rng(0)
    targets, probs = two_clouds(rng, 300)
    said = Predictions(np.arange(300).astype(str), probs, targets)
    for name in ("accuracy", "roc_auc", "f1", "log_loss"):
        widths = [np.subtract(*correct_for_looks(metrics.get(name), said, looks, seed=0).interval[::-1]) for looks in (1, 10, 1000)]
        assert widths == sorted(widths)
        assert widths[1] == pytest.approx(widths[0] * stats.norm.ppf(1 - 0.0025) / stats.norm.ppf(0.975), rel=0.15)
    assert correct_for_looks(metrics.get("accuracy"), said, 1, seed=0) == measure(metrics.get("accuracy"), said, seed=0)
    assert correct_p(0.02, 3) == pytest.approx(0.06)
    assert correct_p(0.5, 3) == 1.0
