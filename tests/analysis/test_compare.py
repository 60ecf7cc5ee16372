"""Better, worse, or noise."""

import dataclasses
import re
import time

import numpy as np
import pytest
from scipy import stats

from surefoot import metrics
from surefoot.analysis import compare
from surefoot.analysis.compare import paired
from surefoot.analysis.units import are_among
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions

ACCURACY, MAE, ROC_AUC = metrics.get("accuracy"), metrics.get("mae"), metrics.get("roc_auc")


def answers(is_right, ids=None):
    is_right = np.asarray(is_right, bool)
    ids = np.array([f"i{i}" for i in range(len(is_right))]) if ids is None else np.asarray(ids)
    return Predictions(ids, np.stack([~is_right, is_right], axis=1).astype(np.float64), np.ones(len(is_right), np.int64))


def numbers(errors):
    errors = np.asarray(errors, np.float64)[:, None]
    return Predictions(np.array([f"i{i}" for i in range(len(errors))]), errors, np.zeros_like(errors))


def right(both, only_a, only_b, neither):
    a = [True] * both + [True] * only_a + [False] * only_b + [False] * neither
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return answers(a), answers(b)


def test_the_p_value_of_accuracy_is_mcnemars():
    a, b = right(60, 25, 8, 7)
    result = paired(ACCURACY, a, b, seed=0)
    assert result.p_value == pytest.approx(stats.binomtest(25, 33).pvalue, abs=0.003)
    assert result.difference.value == pytest.approx(0.17)
    assert result.difference.n == 100
    assert result.verdict == "better"
    assert result.difference.interval[0] > 0


def test_the_interval_of_accuracy_is_the_paired_one():
    a, b = right(600, 150, 100, 150)
    low, high = paired(ACCURACY, a, b, seed=0).difference.interval
    half = 1.96 * np.sqrt((0.25 - 0.05**2) / 1000)
    assert (low, high) == pytest.approx((0.05 - half, 0.05 + half), abs=0.15 * half)


def test_the_two_exchanged_say_the_opposite():
    a, b = right(60, 25, 8, 7)
    result = paired(ACCURACY, b, a, seed=0)
    assert result.verdict == "worse"
    assert result.difference.value == pytest.approx(-0.17)


def test_smaller_is_better_where_the_metric_says_so():
    rng = np.random.default_rng(0)
    errors = rng.exponential(size=200)
    good, bad = numbers(0.8 * errors), numbers(errors)
    for metric in (MAE, metrics.get("rmse"), metrics.get("median_ae")):
        assert paired(metric, good, bad, seed=0).verdict == "better", metric.name
        assert paired(metric, bad, good, seed=0).verdict == "worse", metric.name


def test_a_model_against_itself_is_noise():
    a, _ = right(60, 25, 8, 7)
    result = paired(ACCURACY, a, a, seed=0)
    assert (result.p_value, result.verdict) == (1.0, "within noise")
    assert paired(MAE, numbers([1, 2, 3]), numbers([1, 2, 3]), seed=0).p_value == 1.0


def test_the_sentence_says_it_all():
    a, b = right(60, 25, 8, 7)
    sentence = paired(ACCURACY, a, b, seed=0).sentence
    assert sentence.startswith("better: Accuracy differs by +0.17 (95 % interval +0.0")
    assert re.search(r"p = 0.00\d+, 100 held out in both\)$", sentence)


@pytest.mark.parametrize("only_a", range(3, 10))
@pytest.mark.parametrize("only_b", range(3))
def test_interval_and_p_value_never_disagree(only_a, only_b):
    """Four items of 160 that only one model has right: McNemar's p is 0.125, and a bootstrap's interval would leave 0 out."""
    result = paired(ACCURACY, *right(100, only_a, only_b, 60 - only_a - only_b), seed=0)
    low, high = result.difference.interval
    assert (result.p_value < 0.05) == (low > 0 or high < 0) == (result.verdict != "within noise")
    assert result.p_value == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue, abs=0.03)


@pytest.mark.parametrize("name", ["mae", "rmse", "median_ae"])
def test_interval_and_p_value_of_amounts_never_disagree(name):
    rng = np.random.default_rng(0)
    for lead in np.linspace(0, 1, 20):
        result = paired(metrics.get(name), numbers(rng.normal(size=20)), numbers((1 + lead) * rng.normal(size=20)), seed=0)
        low, high = result.difference.interval
        assert (result.p_value < 0.05) == (low > 0 or high < 0)


def test_equal_answers_in_another_order_are_no_difference():
    a = numbers(np.random.default_rng(0).exponential(size=200))
    order = np.random.default_rng(1).permutation(200)
    result = paired(metrics.get("rmse"), a, Predictions(a.ids[order], a.outputs[order], a.targets[order]), seed=0)
    assert (result.difference.interval, result.verdict) == ((0.0, 0.0), "within noise")


@pytest.mark.parametrize("name", ["accuracy", "mae", "roc_auc"])
def test_equally_good_models_are_rarely_called_different(name, monkeypatch):
    monkeypatch.setattr(compare, "NUM_SAMPLES", 200)
    metric, alarms = metrics.get(name), 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        if name == "mae":
            pair = [numbers(rng.normal(size=80)) for _ in range(2)]
        else:
            targets = np.concatenate([[0, 1], rng.integers(0, 2, 78)])
            scores = [1 / (1 + np.exp(-(rng.normal(size=80) + targets))) for _ in range(2)]
            ids = np.arange(80).astype(str)
            pair = [Predictions(ids, np.stack([1 - s, s], axis=1), targets) for s in scores]
        alarms += paired(metric, *pair, seed=seed).verdict != "within noise"
    assert alarms / 100 <= 0.11


def test_only_items_held_out_in_both_count():
    a = answers([True, True, False, True], ids=["a", "b", "c", "d"])
    b = answers([False, True, True], ids=["d", "c", "x"])
    result = paired(ACCURACY, a, b, seed=0)
    assert result.difference.n == 2
    assert result.difference.value == 0.0


def test_rows_are_matched_by_id_not_by_place():
    rng = np.random.default_rng(0)
    a = answers(rng.random(100) < 0.7)
    order = rng.permutation(100)
    shuffled = Predictions(a.ids[order], a.outputs[order], a.targets[order])
    assert paired(ACCURACY, a, shuffled, seed=0).p_value == 1.0
    assert paired(metrics.get("f1"), a, shuffled, seed=0).difference.interval == (0.0, 0.0)


def test_both_are_judged_by_the_mended_labels():
    a = answers([True] * 4)
    b = Predictions(a.ids, a.outputs, np.zeros(4, np.int64))
    assert paired(ACCURACY, a, b, seed=0).difference.value == 0.0


def test_an_id_said_by_several_folds_is_one_unit():
    a, b = right(60, 25, 8, 7)
    tile = [Predictions(np.tile(p.ids, 3), np.tile(p.outputs, (3, 1)), np.tile(p.targets, 3)) for p in (a, b)]
    once, thrice = paired(ACCURACY, a, b, seed=0), paired(ACCURACY, *tile, seed=0)
    assert thrice.difference.n == 100
    assert thrice.difference.value == pytest.approx(once.difference.value)
    assert thrice.p_value == pytest.approx(once.p_value, abs=0.02)
    assert np.subtract(*thrice.difference.interval) == pytest.approx(np.subtract(*once.difference.interval), rel=0.15)


def test_groups_are_drawn_whole():
    is_better = np.repeat(np.random.default_rng(0).random(12) < 0.7, 20)
    a, b = answers(is_better), answers(~is_better)
    grouped = [dataclasses.replace(one, groups=np.arange(240) // 20) for one in (a, b)]
    alone, together = paired(ACCURACY, a, b, seed=0), paired(ACCURACY, *grouped, seed=0)
    assert together.difference.n == 12
    assert together.p_value > 10 * alone.p_value
    assert np.ptp(together.difference.interval) > 2 * np.ptp(alone.difference.interval)


def test_each_model_may_have_its_own_threshold():
    targets = np.array([0, 1] * 50)
    positive = np.where(targets == 1, 0.4, 0.2)
    low, high = (Predictions(np.arange(100).astype(str), np.stack([1 - p, p], axis=1), targets) for p in (positive, positive + 0.2))
    for name in ("accuracy", "f1"):
        metric = metrics.get(name)
        assert paired(metric, low, high, seed=0).verdict == "worse"
        assert paired(metric, low, high, seed=0, thresholds=(0.3, 0.5)).difference.value == 0.0
        assert paired(metric, low, high, seed=0, thresholds=(0.3, 0.9)).verdict == "better"


def test_models_without_common_items_are_refused():
    with pytest.raises(UsageError, match="No item was held out in both"):
        paired(ACCURACY, answers([True], ids=["a"]), answers([True], ids=["b"]), seed=0)


def test_models_of_different_classes_are_refused():
    other = Predictions(np.array(["i0"]), np.ones((1, 3)) / 3, np.array([1]))
    with pytest.raises(UsageError, match="gives 2 outputs and the other 3"):
        paired(ACCURACY, answers([True]), other, seed=0)


def test_a_metric_that_is_undefined_gives_no_verdict():
    result = paired(ROC_AUC, *right(6, 2, 1, 1), seed=0)
    assert np.isnan(result.difference.value)
    assert (result.difference.interval, result.verdict) == (None, "within noise")


def test_the_same_seed_gives_the_same_answer():
    rng = np.random.default_rng(0)
    pair = numbers(rng.normal(size=50)), numbers(rng.normal(size=50))
    assert paired(MAE, *pair, seed=3) == paired(MAE, *pair, seed=3)


def test_equal_answers_are_called_what_they_are():
    a, _ = right(60, 25, 8, 7)
    assert "equal predictions for the 100 held out in both" in paired(ACCURACY, a, a, seed=0).sentence


def test_items_are_paired_in_time_that_grows_with_their_number():
    """Ids were compared each with each: half a second for 3,500, hours for a million."""
    num = 40_000
    ids = np.array([f"{n:016x}" for n in range(num)], object)
    assert are_among(ids, ids[::2][::-1]).tolist() == [True, False] * (num // 2)
    began = time.perf_counter()
    are_among(ids, ids)
    assert time.perf_counter() - began < 2
