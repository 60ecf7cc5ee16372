"""Numbers and metrics in plain words."""

from __future__ import annotations

import pytest

from surefoot.reporting.words import MINUS, between, count_of, describe_metric, duration, in_order, number, share, short, size_bytes
from surefoot.tasks import TASKS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (3, "3"), (1797, "1,797"), (0.5, "0.5"), (0.12345, "0.123"), (0.003, "0.003"), (49.6, "49.6"), (1234.5, "1,234"), (53_706.4, "53,706"),
        (2.1e-6, "2.1e−6"), (-0.7, "−0.7"), (0.00123456, "0.00123"), (None, "–"), (float("nan"), "not finite"), (float("inf"), "not finite"),
    ],
)  # fmt: skip
def test_numbers_have_no_more_digits_than_a_reader_can_use(value, text):
    assert number(value) == text


def test_a_share_of_items_is_a_percentage():
    assert share(0.9814) == "98.1\u00a0%"
    assert between((0.9, 0.95), is_share=True) == " (90.0 to 95.0\u00a0%)"


def test_an_interval_of_fractions_keeps_three_decimals_on_both_sides():
    assert between((0.92, 0.9321)) == " (0.920 to 0.932)"
    assert between(None) == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.012, "12 ms"), (7.91, "7.9 s"), (59.96, "60.0 s"), (673, "11 min 13 s"), (7322, "2 h 2 min")])
def test_a_duration_is_told_in_the_unit_that_fits(seconds, text):
    assert duration(seconds).replace("\u00a0", " ") == text


def test_sizes_and_counts_are_told_as_people_say_them():
    assert size_bytes(1_471_488).replace("\u00a0", " ") == "1.47 MB"
    assert count_of(1, "class", "classes").replace("\u00a0", " ") == "1 class"
    assert count_of(2, "class", "classes").replace("\u00a0", " ") == "2 classes"
    assert short("abcdef", 4) == "abc…"


def test_differences_carry_their_sign():
    accuracy, rmse = describe_metric("accuracy"), describe_metric("rmse")
    assert accuracy.show_gap(0.024) == "+2.4\u00a0points"
    assert accuracy.show_gap(-0.013) == f"{MINUS}1.3\u00a0points"
    assert rmse.show_gap(-2.7) == f"{MINUS}2.7"
    assert accuracy.show_part(0.024) == "2.4\u00a0points"


def test_every_metric_of_every_task_is_explained():
    names = {name for task in TASKS.values() for name in (task.metric, *task.metrics)}
    assert not [name for name in names if not describe_metric(name).means]


def test_a_metric_of_ones_own_is_called_by_its_name():
    metric = describe_metric("my_code:cost", smaller_is_better=True)
    assert (metric.label, metric.smaller_is_better, metric.is_share) == ("cost", True, False)


def test_sets_are_named_in_the_order_of_their_use():
    assert in_order({"test": 1, "mine": 1, "val": 1, "train": 1}) == ["train", "val", "test", "mine"]
