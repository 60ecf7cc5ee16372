"""What the test set says beside its figure: worse than val, worse in the wild, and only beyond noise."""

from __future__ import annotations

import pytest

from surefoot.analysis.gaps import late_gaps
from surefoot.checks import test as checks
from surefoot.metrics import get
from surefoot.types.data_reports import Split
from surefoot.types.findings import Measured
from surefoot.types.reports import ModelScore

ACCURACY, RMSE = get("accuracy"), get("rmse")
HIGH = ModelScore(value=0.9, interval=(0.88, 0.92))
MIDDLE = ModelScore(value=0.88, interval=(0.86, 0.9))
LOW = ModelScore(value=0.8, interval=(0.78, 0.82))
UNSURE = ModelScore(value=0.5, n=3)


def gaps(metric, tuned, val, wild=None):
    """The two late gaps of models with these scores; the final one is as good as the tuned one."""
    known = [None if one is None else Measured(value=one.value, interval=one.interval, n=one.n) for one in (val, tuned, tuned, wild)]
    return late_gaps(metric, **dict(zip(("val", "tuned", "published", "wild"), known)))


def against_val(metric, tuned, val, *, by_time=False, protocol="holdout", looks=100):
    split = Split(sets="", protocol=protocol, folds=5, by="time" if by_time else "stratified", counts={})
    return checks.against_val(gaps(metric, tuned, val)["val_overfit"], tuned, val, split, looks)


def wild_gap(metric, published, wild):
    return checks.wild_gap(gaps(metric, published, published, wild)["wild_gap"], published, wild)


def test_doing_worse_on_test_than_on_val_beyond_noise_is_overfitting_to_val():
    (found,) = against_val(ACCURACY, LOW, HIGH, by_time=False)
    assert (found.code, found.severity, found.evidence) == ("diagnose.val_overfit", "warn", {"test": 0.8, "val": 0.9, "looks": 100, "few looks": 20})
    assert "more val data or K-fold, and fewer trials" in found.next


def test_what_is_advised_against_overfitting_to_val_is_left_to_do():
    (found,) = against_val(ACCURACY, LOW, HIGH, protocol="kfold")
    assert "K-fold" not in found.next
    (found,) = against_val(ACCURACY, LOW, HIGH, protocol="kfold", looks=3)
    assert "looks at val: 3, too few to be fitted to it" in found.what
    assert "trials" not in found.next


def test_in_a_split_by_time_it_is_the_later_data_that_differs():
    (found,) = against_val(ACCURACY, LOW, HIGH, by_time=True)
    assert (found.code, found.severity) == ("split.shift", "warn")


@pytest.mark.parametrize(("tuned", "val"), [(HIGH, LOW), (MIDDLE, HIGH), (HIGH, HIGH), (UNSURE, HIGH), (LOW, UNSURE)])
def test_doing_better_or_worse_within_noise_says_nothing(tuned, val):
    assert against_val(ACCURACY, tuned, val, by_time=False) == []


def test_a_smaller_rmse_is_better():
    assert against_val(RMSE, LOW, HIGH, by_time=False) == []
    assert [f.code for f in against_val(RMSE, HIGH, LOW, by_time=False)] == ["diagnose.val_overfit"]


def test_a_gap_between_the_wild_and_the_test_set_is_told():
    (found,) = wild_gap(ACCURACY, HIGH, LOW)
    assert (found.code, found.severity, found.evidence) == ("diagnose.wild_gap", "warn", {"wild": 0.8, "test": 0.9})
    assert wild_gap(ACCURACY, HIGH, MIDDLE) == wild_gap(ACCURACY, LOW, HIGH) == wild_gap(ACCURACY, HIGH, None) == []


@pytest.mark.parametrize(
    ("metric", "goal", "met"), [(ACCURACY, 0.9, True), (ACCURACY, 0.91, False), (RMSE, 0.9, True), (RMSE, 0.89, False), (RMSE, None, False)]
)
def test_a_goal_is_met_in_the_direction_of_its_metric(metric, goal, met):
    assert [f.code for f in checks.goal(metric, HIGH, goal)] == (["diagnose.goal_met"] if met else [])


def test_a_test_set_of_two_dozen_items_is_told_by_the_width_of_its_interval():
    (found,) = checks.width(get("accuracy"), ModelScore(value=0.68, interval=(0.49, 0.84), n=23))
    assert (found.code, found.severity) == ("split.val_too_small", "warn")
    assert "23 items: its interval is 35 points wide" in found.what
    (found,) = checks.width(get("accuracy"), ModelScore(value=1.0, interval=(0.34, 1.0), n=2, items=20))
    assert "The test set has 20 items of 2 groups" in found.what
    assert "more test groups" in found.next
    assert checks.width(get("accuracy"), ModelScore(value=0.9, interval=(0.85, 0.95), n=200)) == []
    assert checks.width(get("rmse"), ModelScore(value=9.0, interval=(5.0, 15.0), n=23)) == []
