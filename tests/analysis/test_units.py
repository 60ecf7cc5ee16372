"""Rows that are drawn together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.analysis.units import MOST_UNITS, bundle, halved_sums, units_of


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 2**31))
def test_units_sum_and_list_their_rows(groups, seed):
    rng = np.random.default_rng(seed)
    groups = np.array(groups)
    units, values = units_of(groups, len(groups)), rng.random(len(groups))
    names = np.unique(groups)
    np.testing.assert_allclose(units.sums(values), [values[groups == name].sum() for name in names])
    drawn = rng.integers(len(units), size=5)
    np.testing.assert_array_equal(units.rows(drawn), np.concatenate([np.flatnonzero(groups == names[i]) for i in drawn]))


def test_without_groups_every_row_is_a_unit():
    units = units_of(None, 4)
    assert len(units) == 4
    np.testing.assert_array_equal(units.rows(np.array([3, 0, 3])), [3, 0, 3])
    assert len(units_of(None, 0)) == 0


def test_bundles_keep_the_total():
    columns = np.random.default_rng(0).random((MOST_UNITS * 3 + 7, 2))
    bundled = bundle(columns, np.random.default_rng(1))
    assert len(bundled) == MOST_UNITS
    np.testing.assert_allclose(bundled.sum(axis=0), columns.sum(axis=0))


def test_halved_sums_hold_each_unit_or_not():
    sums = halved_sums(np.array([[1.0], [2.0]]), np.random.default_rng(0), 200)
    assert sums.shape == (200, 1)
    assert set(sums.ravel().tolist()) == {0.0, 1.0, 2.0, 3.0}
