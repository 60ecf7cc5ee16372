"""The table of errors names the largest gap that is more than noise."""

import itertools

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.gaps import correlation, gap_table, gaps_of, is_small, late_gaps, measure_error, subtract, tabulate, verdict_of
from surefoot.analysis.intervals import wilson
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

ACCURACY = metrics.get("accuracy")


NAMES = itertools.count()


def with_errors(share, n=2000):
    """Predictions for items of their own, of which exactly this share is wrong."""
    is_right = np.arange(n) >= round(share * n)
    return Predictions(np.array([f"{next(NAMES)}" for _ in range(n)]), np.stack([~is_right, is_right], axis=1).astype(np.float64), np.ones(n, np.int64))


def table(train, val, train_dev=None, human=None, n=2000):
    extra = None if train_dev is None else with_errors(train_dev, n)
    return gap_table(human=human, train=with_errors(train, n), train_dev=extra, val=with_errors(val, n), metric=ACCURACY, seed=0)


def test_the_table_of_the_book_adds_up():
    errors, gaps, _ = table(human=0.99, train=0.03, train_dev=0.05, val=0.12)
    assert {name: error.value for name, error in errors.items()} == pytest.approx({"human": 0.01, "train": 0.03, "train_dev": 0.05, "val": 0.12})
    assert {name: gap.value for name, gap in gaps.items()} == pytest.approx({"bias": 0.02, "variance": 0.02, "mismatch": 0.07})


@pytest.mark.parametrize(
    ("verdict", "case"),
    [
        ("bias", {"human": 0.99, "train": 0.10, "train_dev": 0.11, "val": 0.12}),
        ("variance", {"human": 0.99, "train": 0.01, "train_dev": 0.10, "val": 0.11}),
        ("mismatch", {"human": 0.99, "train": 0.01, "train_dev": 0.02, "val": 0.11}),
        ("none", {"human": 0.99, "train": 0.01, "train_dev": 0.012, "val": 0.014}),
        ("variance", {"human": 0.99, "train": 0.01, "val": 0.11}),
        ("variance", {"train": 0.10, "val": 0.16}),
    ],
)
def test_the_verdict_is_the_largest_gap(verdict, case):
    assert table(**case)[2] == verdict


def test_without_a_human_level_no_verdict_rests_on_bias():
    errors, gaps, verdict = table(train=0.30, val=0.31)
    assert errors["human"] is None
    assert gaps["bias"].value == pytest.approx(0.30)
    assert gaps["bias"].interval == pytest.approx(errors["train"].interval)
    assert verdict == "none"


def test_without_train_dev_there_is_no_mismatch():
    errors, gaps, _ = table(human=0.99, train=0.01, val=0.11)
    assert errors["train_dev"] is None
    assert gaps["mismatch"] is None


def test_a_gap_within_its_noise_is_no_verdict():
    case = {"human": 0.99, "train": 0.02, "val": 0.06}
    assert table(**case, n=100)[2] == "none"
    assert table(**case, n=2000)[2] == "variance"


def test_doing_better_on_val_is_no_disease():
    assert table(human=0.9, train=0.10, train_dev=0.10, val=0.02)[2] == "none"


def test_errors_of_accuracy_have_the_mirrored_interval():
    measured = measure_error(ACCURACY, with_errors(0.1, 200), seed=0)
    low, high = wilson(180, 200)
    assert measured.value == pytest.approx(0.1)
    assert measured.interval == pytest.approx((1 - high, 1 - low))
    assert measured.n == 200


def test_regression_speaks_in_its_own_units():
    rng = np.random.default_rng(0)
    make = lambda spread: Predictions(np.array([f"{spread}-{k}" for k in range(400)]), rng.normal(0, spread, (400, 1)), np.zeros((400, 1)))  # noqa: E731
    errors, gaps, verdict = gap_table(human=2.0, train=make(2), train_dev=None, val=make(5), metric=metrics.get("rmse"), seed=0)
    assert errors["human"].value == 2.0
    assert gaps["variance"].value == pytest.approx(errors["val"].value - errors["train"].value)
    assert verdict == "variance"


def test_the_interval_of_a_difference_joins_both():
    left, right = Measured(value=0.5, interval=(0.4, 0.7), n=50), Measured(value=0.2, interval=(0.16, 0.23), n=80)
    gap = subtract(left, right)
    assert gap.value == pytest.approx(0.3)
    assert gap.interval == pytest.approx((0.3 - np.hypot(0.1, 0.03), 0.3 + np.hypot(0.2, 0.04)))
    assert gap.n == 50


def test_the_interval_of_a_difference_covers_the_truth():
    rng = np.random.default_rng(0)
    hits = 0
    for train, val in zip(rng.binomial(200, 0.02, 500), rng.binomial(100, 0.10, 500), strict=True):
        sides = [Measured(value=k / n, interval=wilson(k, n), n=n) for k, n in ((val, 100), (train, 200))]
        low, high = subtract(*sides).interval
        hits += low <= 0.08 <= high
    assert 0.92 <= hits / 500 <= 0.985


def test_an_error_without_interval_gives_a_gap_without_verdict():
    unsure, sure = Measured(value=0.5, n=3), Measured(value=0.1, interval=(0.09, 0.11), n=500)
    gaps, verdict = gaps_of({"human": None, "train": sure, "train_dev": None, "val": unsure})
    assert gaps["variance"] == Measured(value=0.4, n=500)
    assert verdict == "none"


def test_a_gap_is_small_by_its_size():
    errors = {"val": Measured(value=20.0)}
    assert is_small({"variance": Measured(value=0.008)}, {}, "variance", is_amount=False)
    assert not is_small({"variance": Measured(value=0.05)}, {}, "variance", is_amount=False)
    assert is_small({"variance": Measured(value=1.0)}, errors, "variance", is_amount=True)
    assert not is_small({"variance": Measured(value=5.0)}, errors, "variance", is_amount=True)
    assert not is_small({}, {}, "none", is_amount=False)


TWELVE = [
    ("bias", {"human": 0.01, "train": 0.10, "train_dev": 0.11, "val": 0.12, "test": 0.12, "wild": 0.13}),
    ("bias", {"human": 0.02, "train": 0.20, "val": 0.22, "test": 0.22}),
    ("variance", {"human": 0.01, "train": 0.01, "train_dev": 0.10, "val": 0.11, "test": 0.11}),
    ("variance", {"human": None, "train": 0.10, "val": 0.20, "test": 0.20}),
    ("variance", {"human": 0.01, "train": 0.04, "val": 0.12, "test": 0.13, "wild": 0.15}),
    ("mismatch", {"human": 0.01, "train": 0.01, "train_dev": 0.02, "val": 0.12, "test": 0.12}),
    ("mismatch", {"human": 0.04, "train": 0.07, "train_dev": 0.09, "val": 0.17, "test": 0.17, "wild": 0.18}),
    ("val_overfit", {"human": 0.01, "train": 0.02, "val": 0.03, "test": 0.10, "wild": 0.11}),
    ("wild_gap", {"human": 0.01, "train": 0.01, "val": 0.02, "test": 0.02, "wild": 0.15}),
    ("wild_gap", {"human": None, "train": 0.30, "val": 0.33, "test": 0.33, "wild": 0.45}),
    ("none", {"human": 0.01, "train": 0.01, "train_dev": 0.012, "val": 0.014, "test": 0.015, "wild": 0.016}),
    ("none", {"human": None, "train": 0.30, "val": 0.31, "test": 0.31}),
]
"""Errors of which the largest gap is known by construction; 2,000 items each."""


def judge(case, n=2000):
    said = {name: with_errors(share, n) for name, share in case.items() if share is not None and name != "human"}
    human = None if case["human"] is None else 1 - case["human"]
    _, gaps, _ = gap_table(human=human, train=said["train"], train_dev=said.get("train_dev"), val=said["val"], metric=ACCURACY, seed=0)
    values = {name: metrics_of(some) for name, some in said.items()}
    gaps |= late_gaps(ACCURACY, val=values["val"], tuned=values["test"], published=values["test"], wild=values.get("wild"))
    return verdict_of(gaps, has_human=human is not None)


def metrics_of(some):
    error = measure_error(ACCURACY, some, seed=0)
    return Measured(value=1 - error.value, interval=(1 - error.interval[1], 1 - error.interval[0]), n=error.n)


@pytest.mark.parametrize(("verdict", "case"), TWELVE, ids=[f"{k + 1} {verdict}" for k, (verdict, _) in enumerate(TWELVE)])
def test_the_verdict_of_twelve_constructed_cases(verdict, case):
    assert judge(case) == verdict


def test_a_dozen_items_give_no_verdict_whatever_the_case():
    assert [judge(case, n=12) for _, case in TWELVE].count("none") >= 9


def test_errors_on_the_same_items_are_compared_in_pairs():
    """In K-fold an item is train in some folds and val in one: what is hard stays hard, and the gap is surer than its ends."""
    rng = np.random.default_rng(0)
    ids, chance = np.arange(1500).astype(str), rng.random(1500) ** 6
    both = [Predictions(ids, np.stack([p := (rng.random(1500) < chance + extra).astype(float), 1 - p], 1), np.ones(1500, np.int64)) for extra in (0.0, 0.01)]
    shared = correlation(ACCURACY, both[1], both[0], seed=0)
    assert 0.3 < shared < 1
    sides = [measure_error(ACCURACY, one, seed=0) for one in reversed(both)]
    paired, apart = subtract(*sides, shared).interval, subtract(*sides).interval
    assert paired[1] - paired[0] < 0.85 * (apart[1] - apart[0])
    assert correlation(ACCURACY, with_errors(0.1), with_errors(0.2), seed=0) == 0.0
    mixed = Predictions(ids, both[0].outputs, rng.integers(0, 2, 1500))
    assert correlation(metrics.get("roc_auc"), mixed, mixed, seed=0) == pytest.approx(1.0)


def test_the_table_has_a_column_for_general_and_one_for_practical_data():
    train, val = with_errors(0.2), with_errors(0.3)
    errors, _, _ = gap_table(human=0.99, train=train, train_dev=None, val=val, metric=ACCURACY, seed=0)
    is_practical = np.arange(2000) >= 400  # the first 400 are wrong, and general
    grid = tabulate(errors, {"train": (train, is_practical)}, ACCURACY, seed=0)
    assert grid["train"]["general"].value == 1.0
    assert grid["train"]["practical"].value == 0.0
    assert (grid["train"]["general"].n, grid["train"]["practical"].n) == (400, 1600)
    assert grid["val"] == {"general": None, "practical": errors["val"]}
    assert grid["human"]["practical"].value == pytest.approx(0.01)


def test_a_measured_human_level_brings_its_noise_into_the_bias():
    known, measured = 0.99, Measured(value=0.01, interval=(0.001, 0.06), n=100)
    train, val = with_errors(0.05), with_errors(0.05)
    sure, unsure = (gap_table(human=level, train=train, train_dev=None, val=val, metric=ACCURACY, seed=0) for level in (known, measured))
    assert sure[1]["bias"].value == pytest.approx(unsure[1]["bias"].value)
    assert (sure[2], unsure[2]) == ("bias", "none")
