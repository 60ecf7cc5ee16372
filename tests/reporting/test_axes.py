"""Scales and ticks."""

from __future__ import annotations

import pytest

from surefoot.reporting.axes import Axis, fit_plane, fit_scale, linear_ticks, log_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.93, 0.99, [0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99]),
        (-3, 12, [0, 5, 10]),
        (0, 977, [0, 200, 400, 600, 800]),
    ],
)  # fmt: skip
def test_ticks_are_round_numbers_inside_the_ends(low, high, ticks):
    assert linear_ticks(low, high) == pytest.approx(ticks)


def test_ticks_on_a_log_axis_are_powers_of_ten_or_between_them():
    assert log_ticks(1e-4, 1.0) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert log_ticks(2_000, 300_000) == pytest.approx([3e3, 1e4, 3e4, 1e5, 3e5])
    assert log_ticks(10, 60) == pytest.approx([10, 20, 50])
    assert len(log_ticks(1e-90, 1e90)) < 10


def test_a_scale_puts_its_ends_on_its_pixels():
    scale = fit_scale(Axis("x", 0.0, 10.0), [3.0], 58, 446)
    assert (scale(0.0), scale(10.0), scale(5.0)) == (58, 446, 252)


def test_equal_factors_are_equal_steps_on_a_log_scale():
    scale = fit_scale(Axis("lr", 1e-4, 1.0, is_log=True), [1e-3], 0, 400)
    assert [scale(value) for value in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)] == pytest.approx([0, 100, 200, 300, 400])


def test_a_log_axis_becomes_plain_where_a_value_is_not_positive():
    assert not fit_scale(Axis("x", is_log=True), [0.0, 5.0], 0, 100).axis.is_log


def test_a_share_never_leaves_zero_to_one():
    scale = fit_scale(Axis("accuracy", is_share=True), [0.97, 1.0], 0, 100)
    assert scale.high == 1.0
    assert scale.low == pytest.approx(0.9682)


def test_tick_labels_keep_the_decimals_their_distance_needs():
    assert [label for _, label in fit_scale(Axis("x", 0.920, 0.935), [], 0, 1).ticks(3)] == ["0.920", "0.925", "0.930", "0.935"]
    assert [label for _, label in fit_scale(Axis("x", 0.0, 1.0, is_share=True), [], 0, 1).ticks(2)] == ["0\u00a0%", "50\u00a0%", "100\u00a0%"]
    assert [label for _, label in fit_scale(Axis("n", 1e3, 1e5, is_log=True), [1e4], 0, 1).ticks()] == ["1k", "10k", "100k"]


def test_a_plane_of_one_point_still_has_two_dimensions():
    plane = fit_plane(Axis("x"), [2.0], Axis("y"), [0.0])
    assert plane.x.low < 2.0 < plane.x.high
    assert plane.y.low < 0.0 < plane.y.high
