"""The disease first, its symptoms under it."""

from __future__ import annotations

import pytest

from surefoot.checks.causes import CAUSES, explain, name_causes, rank
from surefoot.types import Finding


def make(code: str, severity: str = "warn") -> Finding:
    return Finding(code=code, severity=severity, what="It is so.")


def test_a_cause_is_first_and_as_bad_as_what_it_explains():
    found = explain([make("model.cannot_overfit", "stop"), make("model.input_ignored"), make("model.zero_init")])
    assert [(f.code, f.severity, f.because) for f in found] == [
        ("model.zero_init", "stop", ""),
        ("model.cannot_overfit", "stop", "model.zero_init"),
        ("model.input_ignored", "warn", "model.zero_init"),
    ]


def test_what_nothing_explains_stands_for_itself():
    found = explain([make("export.unsupported"), make("model.init_loss")])
    assert [f.because for f in found] == ["", ""]
    assert [f.severity for f in found] == ["warn", "warn"]


def test_a_cause_that_is_named_already_is_kept():
    named = make("model.cannot_overfit", "stop").model_copy(update={"because": "data.mislabels"})
    assert explain([named, make("model.zero_init")])[-1].because == "data.mislabels"


def test_a_whole_road_is_ranked_by_what_its_causes_stop():
    found = rank(
        [make("data.missing_values", "info"), make("model.memorises_noise_only"), make("search.within_noise", "info"), make("diagnose.below_baseline", "stop")]
    )
    assert [f.code for f in found] == ["model.memorises_noise_only", "data.missing_values", "search.within_noise", "diagnose.below_baseline"]


def test_what_is_explained_explains_in_its_turn_and_the_first_cause_is_as_bad_as_the_last_symptom():
    found = explain([make("diagnose.variance", "stop"), make("model.memorises_noise_only"), make("model.input_ignored")])
    assert [(f.code, f.severity, f.because) for f in found] == [
        ("model.input_ignored", "stop", ""),
        ("diagnose.variance", "stop", "model.memorises_noise_only"),
        ("model.memorises_noise_only", "warn", "model.input_ignored"),
    ]


def test_what_is_wrong_with_other_items_explains_nothing():
    def about(code: str, *ids: str) -> Finding:
        return make(code).model_copy(update={"ids": ids})

    blank, unlike = about("data.low_contrast", "a", "b"), about("data.conflicting_labels", "c", "d", "e", "a")
    assert [f.because for f in explain([blank, unlike])] == ["", ""]
    assert [f.because for f in explain([about("data.conflicting_labels", "a", "b"), blank])] == ["", "data.low_contrast"]


def test_naming_the_causes_changes_neither_order_nor_severity():
    found = name_causes([make("diagnose.below_baseline", "stop"), make("data.missing_values", "info"), make("train.underfit", "info")])
    assert [(f.code, f.severity, f.because) for f in found] == [
        ("diagnose.below_baseline", "stop", "train.underfit"),
        ("data.missing_values", "info", ""),
        ("train.underfit", "info", ""),
    ]


@pytest.mark.parametrize("cause", CAUSES)
def test_of_a_cause_and_a_symptom_one_explains_the_other(cause):
    """Of two that could explain each other, the one that stands first in the table does."""
    assert cause not in CAUSES[cause]
    for symptom in CAUSES[cause]:
        found = explain([make(symptom), make(cause)])
        assert [bool(f.because) for f in found] == [False, True]
        assert found[1].because == found[0].code
