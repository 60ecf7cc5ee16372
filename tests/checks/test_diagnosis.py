"""What the table of errors says: the largest gap by its name, and nothing without its number."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.analysis.mislabels import are_surest_contradicted, count_wrong, mislabel_scores
from surefoot.checks import diagnosis as checks
from surefoot.metrics import get
from surefoot.types.error_reports import Mislabel
from surefoot.types.examples import Predictions
from surefoot.types.findings import Finding, Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport, ModelScore, TuneReport

GAPS = {
    "bias": Measured(value=0.2, interval=(0.15, 0.25), n=100),
    "variance": Measured(value=0.05, interval=(0.01, 0.09), n=100),
    "mismatch": Measured(value=0.01, n=10),
    "none": None,
}


def problem(metric: str, goal: float | None) -> Problem:
    return Problem(question="", kind="table", task="multiclass", target=("t",), metric=metric, head="", loss="", num_outputs=3, goal=goal)


@pytest.mark.parametrize("verdict", ["bias", "variance"])
def test_the_verdict_is_told_with_its_interval(verdict):
    (found,) = checks.largest_gap(GAPS, verdict)
    gap = GAPS[verdict]
    assert (found.code, found.severity) == (f"diagnose.{verdict}", "info")
    assert found.evidence == {"gap": gap.value, "low": gap.interval[0], "high": gap.interval[1]}
    assert f"{gap.value:.4g} [{gap.interval[0]:.4g}, {gap.interval[1]:.4g}]" in found.what


def test_a_bias_that_wrong_labels_may_be_all_of_is_told_so():
    (found,) = checks.largest_gap(GAPS, "bias", may_be_labels=True)
    assert found.what.endswith(", which labels that look wrong may be all of.")
    assert "surefoot review" in found.next


@pytest.mark.parametrize("verdict", ["none", "mismatch", "absent"])
def test_without_a_gap_or_its_interval_there_is_no_verdict(verdict):
    assert checks.largest_gap(GAPS, verdict) == []


def test_probs_that_are_no_chances_are_miscalibrated():
    (found,) = checks.calibration(0.12)
    assert (found.code, found.evidence) == ("diagnose.miscalibrated", {"ece": 0.12, "by_chance": 0.0, "threshold": 0.05})
    assert "12.0%" in found.what
    assert "more val data" in found.next
    (evened,) = checks.calibration(0.12, is_evened=True)
    assert "class weights" in evened.next
    assert "problem.least_recall" in evened.next
    (several,) = checks.calibration(0.12, is_evened=True, has_threshold=False)
    assert "problem." not in several.next
    assert checks.calibration(0.05) == checks.calibration(None) == checks.calibration(0.12, by_chance=0.13) == []


def test_contradicting_targets_are_a_ceiling():
    (found,) = checks.label_ceiling(0.03)
    assert (found.code, found.evidence["share"]) == ("diagnose.label_ceiling", 0.03)
    assert checks.label_ceiling(0.01) == []


@pytest.mark.parametrize(
    ("metric", "goal", "value", "met"), [("accuracy", 0.9, 0.9, True), ("accuracy", 0.9, 0.89, False), ("rmse", 2.0, 2.0, True), ("rmse", 2.0, 2.1, False)]
)
def test_a_goal_is_met_in_the_direction_of_its_metric(metric, goal, value, met):
    found = checks.goal(problem(metric, goal), get(metric), ModelScore(value=value))
    assert [f.code for f in found] == (["diagnose.goal_met"] if met else [])


def test_no_goal_is_never_met():
    assert checks.goal(problem("accuracy", None), get("accuracy"), ModelScore(value=1.0)) == []


def test_a_small_gap_is_told_by_its_size_alone():
    (found,) = checks.largest_gap(GAPS, "variance", is_small=True)
    assert found.what.startswith("The largest gap left is variance, and it is small, 0.05")


def baseline(trivial: float) -> BaselineReport:
    return BaselineReport(models={"majority": ModelScore(value=trivial, metrics={"accuracy": trivial})}, best="majority", trivial="majority")


def judge_labels(probs: np.ndarray, targets: np.ndarray) -> tuple[str, int]:
    """The severity of what is said about labels of a binary problem, and how many claims of wrong labels in val are made: as s09 and s10 do it."""
    said = Predictions(np.arange(len(targets)).astype(str), np.stack([1 - probs, probs], 1), targets)
    right = float((said.outputs.argmax(1) == targets).mean())
    sure = checks.may_accuse(ModelScore(value=right, metrics={"accuracy": right}), baseline(0.5))
    rows = mislabel_scores(targets, said.outputs).rows
    suspects = [Mislabel(id=str(row), given="a", suggested="b", score=0.1) for row in rows]
    (found,) = checks.mislabels(suspects, len(targets), is_sure=sure or are_surest_contradicted(said))
    return found.severity, len(checks.label_ceiling(0.0, count_wrong(said) if sure else None))


@pytest.mark.parametrize(("spread", "accuracy"), [(1.0, 0.75), (0.5, 0.82)])
def test_honest_labels_of_a_hard_problem_are_not_called_wrong(spread, accuracy):
    """Labels are drawn from the very probs that are given: none of them is wrong."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        probs = rng.beta(spread, spread, 2000)
        targets = (rng.random(2000) < probs).astype(np.int64)
        assert ((probs > 0.5) == targets).mean() == pytest.approx(accuracy, abs=0.03)
        assert judge_labels(probs, targets) == ("info", 0)


def test_turned_labels_of_an_easy_problem_still_are():
    """80 of 1,500 labels are turned, and, far more than a model may learn by itself, 300 of them."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 1500)
    for num, claims in ((80, 1), (300, 0)):
        targets = truth.copy()
        targets[:num] = 1 - truth[:num]
        assert judge_labels(np.where(truth == 1, 1 - num / 1500, num / 1500), targets) == ("warn", claims)


@pytest.mark.parametrize(("reached", "may"), [(0.89, False), (0.91, True), (0.5, False)])
def test_a_model_may_accuse_that_closes_four_fifths_of_the_way(reached, may):
    assert checks.may_accuse(ModelScore(value=reached, metrics={"accuracy": reached}), baseline(0.5)) == may


@pytest.mark.parametrize(
    ("name", "bound", "value", "is_told"),
    [("recall", 0.6, 0.55, True), ("recall", 0.6, 0.6, False), ("log_loss", 0.5, 0.55, True), ("log_loss", 0.5, 0.45, False), ("recall", 0.6, None, False)],
)
def test_what_must_suffice_and_does_not_is_told_with_what_is_missing(name, bound, value, is_told):
    measured = {} if value is None else {name: Measured(value=value, interval=(value - 0.02, value + 0.02), n=100)}
    found = checks.bounds([get(name)], measured, {name: bound}, "val")
    assert [(one.code, one.severity, one.where) for one in found] == ([("diagnose.bound_missed", "warn", f"problem.satisfice.{name}")] if is_told else [])
    if is_told:
        assert f"{value:g} [{value - 0.02:.2f}, {value + 0.02:.2f}] on val" in found[0].what
        assert "0.05 is missing." in found[0].what


def test_a_bound_that_is_missed_by_luck_alone_is_told_so():
    (found,) = checks.bounds([get("recall")], {"recall": Measured(value=0.55, interval=(0.4, 0.7), n=20)}, {"recall": 0.6}, "val")
    assert "its interval holds the bound" in found.what


@pytest.mark.parametrize(
    ("metric", "told", "severity"), [("accuracy", (), "warn"), ("accuracy", ("diagnose.accuracy_paradox",), "info"), ("f1_macro", (), "info")]
)
def test_a_rare_class_that_is_missed_is_warned_of_once(metric, told, severity):
    """By the step that sees it first; the next one adds which class, as a note."""
    val = Predictions(np.arange(50).astype(object), np.zeros((50, 3)), np.repeat([0, 1, 2], [40, 5, 5]))
    findings = tuple(Finding(code=code, severity="warn", what="It is so.") for code in told)
    tune = TuneReport.model_construct(val=ModelScore(value=0.8, metrics={"accuracy": 0.8}), findings=findings)
    (found,) = checks.accuracy_paradox(problem(metric, None), val, tune, {"a": 1.0, "b": 0.1})
    assert (found.code, found.severity) == ("diagnose.accuracy_paradox", severity)
    assert "of b 10.0% are found" in found.what
    assert checks.accuracy_paradox(problem(metric, None), val, tune, {"a": 1.0, "b": 0.6}) == []
