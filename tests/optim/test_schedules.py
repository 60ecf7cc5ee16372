"""Schedules: pure functions of the step, between 0 and 1."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.optim import get_schedule, make_schedule
from surefoot.optim.schedules import cosine, exponential, fixed, multistep, onecycle, polynomial, step, wsd
from surefoot.parts import PARTS
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import ConfigError, UsageError

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


def test_multistep_drops_to_a_fifth_at_its_milestones():
    assert [multistep(10)(i) for i in range(10)] == pytest.approx([1, 1, 1, 0.2, 0.2, 0.2, 0.04, 0.04, 0.008, 0.008])
    assert [multistep(4, [0.5], 0.5)(i) for i in range(4)] == [1, 1, 0.5, 0.5]


def test_gamma_is_the_factor_of_a_drop_and_what_is_left_at_the_end():
    assert step(4, 0.5)(3) == 0.25
    assert exponential(10, 0.5)(10) == pytest.approx(0.5)


def test_polynomial_falls_with_its_power():
    assert [polynomial(4)(i) for i in range(5)] == [1, 0.75, 0.5, 0.25, 0]
    assert [polynomial(4, 2)(i) for i in range(5)] == [1, 0.5625, 0.25, 0.0625, 0]


def over(num_steps: int, folder: Path | None = None, **settings) -> list[float]:
    """The factors of a run with these settings of [train]."""
    factor = make_schedule(TrainConfig(**settings), num_steps, folder)
    return [factor(i) for i in range(num_steps)]


def test_a_warmup_is_put_in_front_and_the_rest_of_the_run_follows_the_schedule():
    assert over(10, schedule="fixed", warmup=0.3) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1])
    assert over(10, schedule="cosine", warmup=0.2)[2:] == [cosine(8)(i) for i in range(8)]


def test_milestones_are_shares_of_the_whole_run_warmup_included():
    assert over(10, schedule="multistep", milestones=[0.5, 0.8], gamma=0.1, warmup=0.2) == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_onecycle_and_wsd_take_the_warmup_for_their_own():
    assert over(10, schedule="onecycle", warmup=0.5) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert over(10, schedule="wsd", warmup=0.4)[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60)
@given(
    num_steps=st.integers(1, 300),
    warmup=st.floats(0, 0.8),
    gamma=st.floats(0, 1),
    power=st.floats(0.01, 50),
    shares=st.lists(st.floats(0.801, 0.999), max_size=4, unique=True),
)
def test_with_any_options_no_factor_is_negative_or_above_the_peak(name, num_steps, warmup, gamma, power, shares):
    factors = over(num_steps, schedule=name, warmup=warmup, gamma=gamma, power=power, milestones=sorted(shares))
    assert all(0.0 <= factor <= 1.0 for factor in factors)
    assert max(factors) == 1.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"milestones": [0.5, 1.2]}, r"longer than the training: it has a milestone at 120% of the steps"),
        ({"milestones": [0.5, 0.5]}, r"milestones 0\.5, 0\.5 don't ascend"),
        ({"milestones": [0.0, 0.5]}, r"first milestone is at 0% of the steps, and it must be above 0"),
        ({"milestones": [0.1, 0.5], "warmup": 0.2}, r"first milestone is at 10% of the steps, and the warmup ends at 20%"),
        ({"warmup": 1.0}, r"longer than the training: its warmup takes 100% of the steps"),
        ({"schedule": "wsd", "warmup": 0.9}, r"longer than the training: wsd warms up for 90% of the steps and cools down for 20%"),
    ],
)
def test_options_that_do_not_fit_a_run_are_refused_with_what_to_do(options, told):
    with pytest.raises(ConfigError, match=told) as caught:
        over(10, **options)
    assert caught.value.where.startswith("train.")
    assert caught.value.next


def test_a_users_schedule_gets_what_its_signature_names(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def plain(num_steps):\n    return lambda step: 1 - step / num_steps\n"
        "def asking(num_steps, power, warmup):\n    return lambda step: power * warmup / num_steps\n"
        "def greedy(num_steps, speed):\n    return lambda step: speed\n"
    )
    assert over(4, tmp_path, schedule="mine:plain") == [1, 0.75, 0.5, 0.25]
    assert over(4, tmp_path, schedule="mine:plain", warmup=0.5) == pytest.approx([1 / 3, 2 / 3, 1, 0.5])
    assert over(4, tmp_path, schedule="mine:asking", power=2.0, warmup=0.5) == [0.25] * 4
    with pytest.raises(UsageError, match="asks for speed, which Surefoot can't give"):
        over(4, tmp_path, schedule="mine:greedy")


def test_a_users_schedule_is_found(tmp_path):
    (tmp_path / "mine.py").write_text("def half(num_steps):\n    return lambda step: 0.5\n")
    assert get_schedule("mine:half", tmp_path)(7)(3) == 0.5


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "returns an object of type NoneType, no function from a step"),
        ("lambda step: None", "gives an object of type NoneType at step 0, no number"),
        ("lambda step: float('nan')", "gives nan at step 0, no finite number"),
    ],
)
def test_a_schedule_that_gives_no_number_is_refused_in_words(tmp_path, returned, told):
    (tmp_path / "my.py").write_text(f"def S(num_steps):\n    return {returned}\n")
    with pytest.raises(UsageError, match=told):
        make_schedule(TrainConfig(schedule="my:S"), 10, tmp_path)
