"""Findings about sources: what differs, and whose labels are doubtful."""

from surefoot.checks import sources as checks
from surefoot.checks import split as split_checks
from surefoot.types import Drift, Measured, SourceReport

OWN, WEB = SourceReport(name="own"), SourceReport(name="web", role="general")
FAR = Drift(auc=0.85, p=1e-9, n=500, columns={"size": 0.6, "colour": 0.2})


def measured(value, half=0.03):
    return Measured(value=value, interval=(value - half, value + half), n=500)


def test_sources_that_differ_are_told_with_their_columns_and_general_ones_are_expected_to():
    (found,) = checks.shift({"web": FAR}, [OWN, WEB])
    assert (found.code, found.severity) == ("data.source_shift", "info")
    assert "of web from those of own" in found.what
    assert "size, colour" in found.what
    (found,) = checks.shift({"web": FAR}, [OWN, SourceReport(name="web")])
    assert found.severity == "warn"
    assert 'role = "general"' in found.next


def test_sources_that_are_alike_or_differ_without_weight_are_silent():
    assert checks.shift({"web": Drift(auc=0.52, p=1e-9, n=9_000)}, [OWN, WEB]) == []
    assert checks.shift({"web": Drift(auc=0.6, p=0.2, n=100)}, [OWN, WEB]) == []


def test_a_source_whose_duplicates_say_otherwise_is_doubtful():
    web = WEB.model_copy(update={"shared": 60, "conflict": measured(0.3)})
    (found,) = checks.reliability([OWN, web])
    assert (found.code, found.severity, found.where) == ("data.mislabels", "warn", "web")
    assert checks.reliability([OWN, WEB.model_copy(update={"shared": 10, "conflict": measured(0.3)})]) == []
    assert checks.reliability([OWN, WEB.model_copy(update={"shared": 60, "conflict": measured(0.05)})]) == []


def test_a_source_that_a_simple_model_agrees_with_far_less_is_named():
    pair = [OWN.model_copy(update={"agreement": measured(0.9)}), WEB.model_copy(update={"agreement": measured(0.6)})]
    (found,) = checks.reliability(pair)
    assert (found.severity, found.where) == ("info", "web")
    assert checks.reliability([pair[0], WEB.model_copy(update={"agreement": measured(0.8)})]) == []


def test_sets_that_differ_are_a_warning_unless_time_or_group_explains_it():
    drift = {"train, val": Drift(auc=0.5, p=1.0, n=500), "train, test": FAR}
    (found,) = split_checks.shift(drift, by="given")
    assert (found.code, found.severity, found.where) == ("split.shift", "warn", "train, test")
    assert "size, colour" in found.what
    (found,) = split_checks.shift(drift, by="time")
    assert found.severity == "info"
    assert split_checks.shift({"train, val": drift["train, val"]}, by="stratified") == []
