"""Points of curves, and the law of learning curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.analysis.curves import forecast, part_sizes, power_law, pr, roc
from surefoot.metrics.classification import area_under_roc
from surefoot.types.errors import UsageError
from surefoot.types.findings import Measured


def test_roc_by_hand():
    assert roc(np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6])) == ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0))


def test_pr_by_hand():
    assert pr(np.array([0, 1, 1]), np.array([0.2, 0.9, 0.1])) == ((0.0, 1.0), (0.5, 1.0), (0.5, 0.5), (1.0, 2 / 3))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(2, 400), st.integers(2, 50), st.integers(0, 2**31))
def test_curves_are_thinned_between_their_ends(n, max_points, seed):
    rng = np.random.default_rng(seed)
    targets = np.concatenate([[0, 1], rng.integers(0, 2, n)])
    scores = rng.random(n + 2).round(2)
    points = roc(targets, scores, max_points)
    assert len(points) <= max_points
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert list(points) == sorted(points)
    assert len(pr(targets, scores, max_points)) <= max_points


def test_a_thinned_curve_keeps_its_area():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 5000)
    scores = rng.normal(size=5000) + targets
    x, y = np.array(roc(targets, scores)).T
    assert np.trapezoid(y, x) == pytest.approx(area_under_roc(targets == 1, scores), abs=0.002)


def test_a_class_that_is_missing_leaves_no_curve():
    assert roc(np.zeros(3), np.arange(3.0)) == ()
    assert roc(np.ones(3), np.arange(3.0)) == ()
    assert pr(np.zeros(3), np.arange(3.0)) == ()


SIZES = np.array([100, 200, 400, 800, 1600])


@pytest.mark.parametrize(("a", "b", "c"), [(2.0, 0.5, 0.0), (2.0, 0.5, 0.1), (30.0, 1.0, 0.02), (0.5, 0.2, 0.05)])
def test_a_power_law_is_found_and_extrapolated(a, b, c):
    law = power_law(SIZES, a * SIZES**-b + c)
    for size in (*SIZES, 6400):
        assert law.at(size) == pytest.approx(a * size**-b + c, rel=0.02)


def test_the_units_of_the_error_do_not_matter():
    errors = 2.0 * SIZES**-0.5 + 0.1
    small, large = power_law(SIZES, errors), power_law(SIZES, 1e6 * errors)
    assert large.at(5000) == pytest.approx(1e6 * small.at(5000), rel=1e-3)


def test_two_sizes_give_a_straight_line_without_floor():
    law = power_law([100, 400], [0.2, 0.1])
    assert law == pytest.approx((2.0, 0.5, 0.0), rel=1e-3)


def test_one_odd_run_does_not_bend_the_law():
    sizes = np.array([50, 100, 200, 400, 800, 1600, 3200])
    errors = 2.0 * sizes**-0.5
    errors[3] *= 1.5
    assert power_law(sizes, errors).at(12_800) == pytest.approx(2.0 * 12_800**-0.5, rel=0.1)


def test_a_curve_that_does_not_fall_promises_nothing():
    law = power_law(SIZES, [0.2] * 5)
    assert law.at(100_000) == pytest.approx(0.2, rel=0.01)
    assert power_law(SIZES, [0.20, 0.21, 0.22, 0.23, 0.24]).at(100_000) >= 0.19


def test_no_error_at_all_stays_none():
    assert power_law(SIZES, [0.1, 0.0, 0.0, 0.0, 0.0]).at(100_000) == pytest.approx(0.0, abs=1e-6)


def test_one_size_is_no_curve():
    with pytest.raises(UsageError, match="at least two train sizes"):
        power_law([100, 100], [0.1, 0.2])


def measured(values, width=0.05):
    return {size: Measured(value=value, interval=(value * (1 - width), value * (1 + width)), n=400) for size, value in values.items()}


def test_a_forecast_of_twice_the_data_holds_the_law_it_was_drawn_from():
    law = {size: 0.1 * size**-0.5 + 0.02 for size in (0.125, 0.25, 0.5, 1.0)}
    ahead = forecast(measured(law), 2.0, seed=0)
    assert ahead.value == pytest.approx(0.1 * 2**-0.5 + 0.02, rel=0.02)
    assert ahead.interval[0] < 0.1 * 2**-0.5 + 0.02 < ahead.interval[1]
    wider = forecast(measured(law, 0.2), 2.0, seed=0)
    assert wider.interval[1] - wider.interval[0] > ahead.interval[1] - ahead.interval[0]
    assert forecast(measured({0.5: 0.1, 1.0: 0.08}), 2.0, seed=0) is None


def test_points_of_a_curve_are_named_by_the_rows_they_hold_each_once():
    assert part_sizes(64, (0.5, 0.25, 0.125)) == {"0.25": 16, "0.5": 32}
    assert part_sizes(1000, (0.5, 0.25, 0.125)) == {"0.125": 125, "0.25": 250, "0.5": 500}
    for num in (17, 40, 101, 4321):
        sizes = part_sizes(num, (0.5, 0.25, 0.125, 0.0625))
        assert all(float(share) == pytest.approx(rows / num, rel=1e-4) and 16 <= rows < num for share, rows in sizes.items())
        assert len(set(sizes.values())) == len(sizes)
    assert part_sizes(16, (0.5, 0.25)) == {}
