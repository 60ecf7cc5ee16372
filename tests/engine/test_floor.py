"""The least time a training takes, and what can't end in time."""

from __future__ import annotations

import pytest

from surefoot.engine.floor import find_floor, measure_peak, refuse_hopeless
from surefoot.types.errors import ResourceError


def test_the_floor_is_what_all_items_cost_at_the_rate_of_matrix_products():
    assert find_floor(flops=3_000_000, num_items=60_000, peak=1e11) == pytest.approx(1.8)


def test_the_rate_of_this_machine_is_that_of_a_machine():
    assert 1e8 < measure_peak("cpu") < 1e15


def test_a_training_that_can_not_end_in_its_budget_is_refused_with_both_numbers():
    with pytest.raises(ResourceError, match=r"Training for 40 epochs takes about 90 s on this machine, 30 s at the very least, and the budget is 60 s"):
        refuse_hopeless(30.0, 90.0, 60.0, "Training for 40 epochs")
    refuse_hopeless(30.0, 59.0, 60.0, "Training")
    refuse_hopeless(1e9, 1e9, 0.0, "Training without a budget")
