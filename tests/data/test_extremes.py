"""Numbers beyond float32 stay useful where a column is full of them, and are told apart where they are lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surefoot.checks.prepare import judge
from surefoot.data import preprocess
from surefoot.data.extremes import count_extremes, find_unit, name_loss

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("scale", [1e300, 1e39, 1e38])
def test_a_column_of_huge_numbers_keeps_its_signal(scale):
    values = RNG.normal(size=200) * scale
    recipe = json.loads(json.dumps(preprocess.make_table_recipe({"x": values}, {"x": "numeric"})))
    (made,) = preprocess.decode_columns({"x": values}, recipe)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[:, 0] / made[0, 0], values / values[0], rtol=1e-5)


def test_a_slip_among_ordinary_numbers_does_not_crush_them():
    values = np.append(RNG.normal(size=99), 1e300)
    assert find_unit(values) == 1
    assert count_extremes(values) == (0, 1, 1)
    recipe = preprocess.make_table_recipe({"x": values}, {"x": "numeric"})
    (made,) = preprocess.decode_columns({"x": values}, recipe)
    np.testing.assert_array_equal(made[:-1, 0], values[:-1].astype(np.float32))
    assert np.isnan(made[-1, 0])


def test_ordinary_numbers_need_no_unit_and_none_at_all_are_no_error():
    for values in (RNG.normal(size=9), np.full(3, np.nan), np.zeros(0), np.full(3, np.inf), np.array(["a"], object)):
        assert find_unit(values) == 1


def test_infinite_and_huge_are_counted_apart():
    assert count_extremes(np.array([np.inf, -np.inf, 1.0, 2e300, 3e300, np.nan])) == (2, 2, 0)


def test_the_masses_of_stars_are_healthy_and_one_among_ordinary_numbers_is_a_slip():
    masses = RNG.uniform(0.1, 50, 200) * 2e30
    assert count_extremes(masses) == (0, 0, 0)
    recipe = preprocess.make_table_recipe({"x": masses}, {"x": "numeric"})
    np.testing.assert_allclose(preprocess.decode_columns({"x": masses}, recipe)[0][:, 0] * recipe["columns"][0]["unit"], masses, rtol=1e-5)
    assert count_extremes(np.append(RNG.normal(size=99), 2e30)) == (0, 1, 1)


def test_what_is_packed_is_never_beyond_what_the_road_goes_on_with():
    """1e30 as float32 is a little more than 1e30."""
    recipe = preprocess.make_table_recipe({"x": np.append(RNG.normal(size=99), 1e30)}, {"x": "numeric"})
    (made,) = preprocess.decode_columns({"x": np.array([1e30, 1.1e30, -1e30])}, recipe)
    assert judge({"x": (float(made[2, 0]), float(made[0, 0]))}, []) == []
    assert np.isnan(made[1, 0])


def test_each_loss_has_its_reason():
    assert [name_loss(value) for value in ("foo", "inf", "1e300", "nan")] == [
        "are no numbers",
        "are infinite",
        "are beyond what a model computes with (1e+30)",
        "are no numbers",
    ]
