"""Advice promises only what was measured."""

from __future__ import annotations

from surefoot.analysis.advice import advise_data
from surefoot.types.findings import Measured


def curve(scale: float = 1.0) -> dict[str, Measured]:
    return {f"{s:g}": Measured(value=scale * 0.05 * s**-0.8, interval=(scale * 0.04 * s**-0.8, scale * 0.06 * s**-0.8)) for s in (0.125, 0.25, 0.5, 1.0)}


def test_a_curve_that_ends_where_the_tuned_model_is_says_what_more_data_would_bring():
    (found,) = advise_data(curve(), Measured(value=0.048), is_short=False)
    assert found.what.startswith("Twice the train data would bring the val error from 0.05 to about 0.02")
    assert found.could_bring > 0


def test_a_curve_of_shorter_or_worse_trainings_promises_no_error_that_the_tuned_one_has_beaten():
    for tuned, is_short, why in ((0.008, True, "shorter trainings"), (0.008, False, "did worse than the tuned model")):
        (found,) = advise_data(curve(), Measured(value=tuned), is_short=is_short)
        assert why in found.what
        assert "0.05" not in found.what
        assert "%" in found.what
        assert found.could_bring is None
