"""Schedules: pure functions of the step, between 0 and 1."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.optim import get_schedule
from surefoot.optim.schedules import cosine, exponential, fixed, onecycle, step, wsd
from surefoot.parts import PARTS

ALL = list(PARTS["schedule"])


@pytest.mark.parametrize("name", ALL)
@settings(derandomize=True, deadline=None, max_examples=40)
@given(num_steps=st.integers(1, 500), order=st.randoms(use_true_random=False))
def test_factors_stay_between_0_and_1_and_depend_on_the_step_alone(name, num_steps, order):
    schedule = get_schedule(name)(num_steps)
    factors = [schedule(i) for i in range(num_steps)]
    assert all(0.0 < factor <= 1.0 for factor in factors)
    assert max(factors) == 1.0
    steps = list(range(num_steps))
    order.shuffle(steps)
    again = get_schedule(name)(num_steps)
    assert all(again(i) == factors[i] for i in steps)


@pytest.mark.parametrize("name", ALL)
@settings(derandomize=True, deadline=None, max_examples=20)
@given(num_steps=st.integers(1, 200))
def test_factors_rise_once_and_then_fall(name, num_steps):
    factors = [get_schedule(name)(num_steps)(i) for i in range(num_steps)]
    top = max(i for i, factor in enumerate(factors) if factor == 1.0)
    first = factors.index(1.0)
    assert factors[: first + 1] == sorted(factors[: first + 1])
    assert set(factors[first : top + 1]) == {1.0}
    assert factors[top:] == sorted(factors[top:], reverse=True)


@pytest.mark.parametrize("name", ALL)
def test_after_the_end_the_factor_stays(name):
    schedule = get_schedule(name)(10)
    assert schedule(10) == schedule(11) == schedule(1000)
    assert 0.0 <= schedule(10) <= 1.0


def test_fixed_is_1():
    assert [fixed(3)(i) for i in range(3)] == [1.0, 1.0, 1.0]


def test_step_drops_to_a_tenth_at_half_and_at_three_quarters():
    assert [step(8)(i) for i in range(8)] == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_exponential_ends_at_a_hundredth_by_equal_factors():
    factors = [exponential(100)(i) for i in range(101)]
    assert factors[100] == pytest.approx(0.01)
    assert {round(b / a, 12) for a, b in pairwise(factors)} == {round(0.01**0.01, 12)}


def test_cosine_is_half_way_in_the_middle():
    assert cosine(100)(0) == 1.0
    assert cosine(100)(50) == pytest.approx(0.5)
    assert cosine(100)(25) == pytest.approx(0.5 + math.sqrt(2) / 4)
    assert cosine(100)(100) == pytest.approx(0.0)


def test_onecycle_is_a_triangle_with_its_top_at_thirty_percent():
    factors = [onecycle(10)(i) for i in range(11)]
    assert factors == pytest.approx([1 / 3, 2 / 3, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0])


def test_wsd_warms_up_stays_and_cools_down():
    factors = [wsd(100)(i) for i in range(100)]
    assert factors[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert set(factors[4:80]) == {1.0}
    assert factors[80] < 1.0
    assert factors[99] == pytest.approx(1 - math.sqrt(20 / 21))


def test_a_users_schedule_is_found(tmp_path):
    (tmp_path / "mine.py").write_text("def half(num_steps):\n    return lambda step: 0.5\n")
    assert get_schedule("mine:half", tmp_path)(7)(3) == 0.5
