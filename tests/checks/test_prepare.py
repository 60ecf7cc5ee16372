"""Prepared data: finite numbers, something to learn from, and statistics of train alone, or the road stops."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.checks.prepare import judge

FOLDS = [(np.arange(0, 80), np.arange(80, 100)), (np.arange(20, 100), np.arange(0, 20))]


@pytest.mark.parametrize("bounds", [(-np.inf, 1.0), (0.0, np.inf), (np.nan, 1.0), (0.0, 1e31), (-1e31, 0.0)])
def test_numbers_that_are_not_finite_or_beyond_all_measure_stop_the_road(bounds):
    (found,) = judge({"numeric": bounds}, FOLDS)
    assert (found.code, found.severity, found.where) == ("prepare.not_finite", "stop", "numeric")
    assert "data.ignore" in found.next


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_blank_inputs_stop_the_road(value):
    (found,) = judge({"image": (value, value)}, FOLDS)
    assert (found.code, found.severity) == ("prepare.bad_range", "stop")


def test_val_items_among_those_that_were_fitted_stop_the_road():
    (found,) = judge({"image": (0.0, 255.0)}, [*FOLDS, (np.arange(10), np.array([9, 3, 50]))])
    assert (found.code, found.severity, found.evidence) == ("prepare.fitted_beyond_train", "stop", {"shared": 2})


def test_sound_data_is_left_in_peace():
    assert judge({"image": (0.0, 255.0), "numeric": (-1e6, 1e30), "category": (0.0, 3.0)}, FOLDS) == []
