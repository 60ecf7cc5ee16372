"""What a val set can tell apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.analysis.resolve import count_independent, smallest_difference, smallest_share


def test_known_answers():
    assert smallest_difference(0.9, 10_000) == pytest.approx(1.96 * np.sqrt(2 * 0.09 / 10_000), rel=0.01)
    assert smallest_difference(0.5, 400) == pytest.approx(1.96 * np.sqrt(0.5 / 400), rel=0.01)


def test_a_hundred_items_can_not_show_a_tenth_of_a_percent():
    assert smallest_difference(0.95, 100) > 0.03


def test_a_perfect_score_promises_no_infinite_resolution():
    assert smallest_difference(1.0, 50) > 0.02


def test_without_items_nothing_is_told_apart():
    assert smallest_difference(0.9, 0) == 1.0


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0, 1), st.integers(1, 10**6))
def test_more_items_tell_more(share, n):
    assert 0 < smallest_difference(share, 2 * n) < smallest_difference(share, n) + 1e-12 <= 1 + 1e-12


def test_two_equally_good_models_rarely_differ_by_more():
    rng = np.random.default_rng(0)
    differences = np.abs(np.subtract(*rng.binomial(500, 0.9, (2, 2000)))) / 500
    assert (differences > smallest_difference(0.9, 500)).mean() == pytest.approx(0.05, abs=0.02)


def test_the_smallest_share_is_that_of_two_simulated_errors():
    generator = np.random.default_rng(0)
    errors = np.sqrt((generator.standard_normal((2, 4_000, 400)) ** 2).mean(2))
    spread = np.quantile(np.log(errors[0] / errors[1]), 0.975)
    assert smallest_share(400) == pytest.approx(spread, rel=0.08)
    assert smallest_share(0) == 1.0


@pytest.mark.parametrize(("alike", "worth"), [(True, 100), (False, 400)])
def test_four_rows_of_a_patient_are_worth_one_where_all_are_alike_and_four_where_nothing_is(alike, worth):
    of, draw = np.repeat(np.arange(100), 4), np.random.default_rng(0)
    targets = draw.standard_normal(100)[of] if alike else draw.standard_normal(400)
    assert count_independent(of, (targets - targets.mean())[:, None]) == pytest.approx(worth, rel=0.12)
