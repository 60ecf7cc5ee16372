"""The table of errors names the largest gap that is more than noise."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.gaps import gap_table, gaps_of, is_small, measure_error, subtract
from surefoot.analysis.intervals import wilson
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

ACCURACY = metrics.get("accuracy")


def with_errors(share, n=2000):
    """Predictions of which exactly this share is wrong."""
    is_right = np.arange(n) >= round(share * n)
    return Predictions(np.arange(n).astype(str), np.stack([~is_right, is_right], axis=1).astype(np.float64), np.ones(n, np.int64))


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
    make = lambda spread: Predictions(np.arange(400).astype(str), rng.normal(0, spread, (400, 1)), np.zeros((400, 1)))  # noqa: E731
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
