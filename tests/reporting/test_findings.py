"""Findings: the cause first, and no item where none may be shown."""

from __future__ import annotations

import pytest

from surefoot.reporting.findings import HIDDEN, explain_road, find_anchors, group_by_cause, list_items, rank_road, redact, show_findings
from surefoot.reporting.views import Scene
from surefoot.types import AuditReport, Finding, RefusedItem, Report
from surefoot.types.views import StepView


def finding(code: str, severity: str = "warn", **more: object) -> Finding:
    """A finding with little to say."""
    return Finding(code=code, severity=severity, what=f"{code} was seen.", **more)


def test_the_cause_comes_first_and_what_it_explains_beneath_it():
    found = [finding("b", because="a"), finding("c", because="b"), finding("a"), finding("d")]
    groups = [(root.code, [explained.code for explained in below]) for root, below in group_by_cause(found)]
    assert groups == [("a", ["b", "c"]), ("d", [])]


def test_the_worst_group_comes_first():
    found = [finding("note", "info"), finding("warning"), finding("harmless", "info"), finding("fatal", "stop", because="harmless")]
    assert [root.code for root, _ in group_by_cause(found)] == ["harmless", "warning", "note"]


@pytest.mark.parametrize("chain", [[("a", "a")], [("a", "b"), ("b", "a")], [("a", "b"), ("b", "c"), ("c", "b")], [("a", "elsewhere")]])
def test_no_finding_is_lost_in_a_circle_or_for_want_of_a_cause(chain):
    found = [finding(code, because=because) for code, because in chain]
    shown = [f.code for root, below in group_by_cause(found) for f in (root, *below)]
    assert sorted(shown) == sorted(code for code, _ in chain)


def test_a_finding_tells_what_where_what_to_do_and_the_numbers():
    seen = finding("data.blurry", where="photos/", next="Sharpen `them`.", evidence={"share": 0.12, "bounds": [0.05, 0.1], "is_grey": True}, ids=("abc123",))
    shown = show_findings("s02_audit", [seen], Scene())
    for text in ("data.blurry was seen.", "photos/", "Sharpen <code>them</code>.", "0.12", "0.05, 0.1", "yes", "abc123"):
        assert text in shown
    assert '<td class="num">0.12</td>' in shown


def test_notes_are_folded_away_and_warnings_are_not():
    shown = show_findings("s02_audit", [finding("loud"), finding("quiet", "info")], Scene())
    before, _, after = shown.partition('<details id="s02_audit-notes"><summary>1\u00a0note</summary>')
    assert "loud was seen" in before
    assert "quiet was seen" in after


def test_a_cause_in_another_step_is_linked():
    reports = {"s02_audit": Report(findings=(finding("data.mislabels"),)), "s06_sanity": Report(findings=(finding("model.x", because="data.mislabels"),))}
    scene = Scene(reports, anchors=find_anchors(reports))
    assert 'href="#s02_audit-data.mislabels"' in show_findings("s06_sanity", reports["s06_sanity"].findings, scene)
    assert 'id="s02_audit-data.mislabels"' in show_findings("s02_audit", reports["s02_audit"].findings, scene)


def test_items_are_hidden_in_every_corner_of_a_finding():
    refused = (RefusedItem(place="photos/anna.png", reason="torn", code="data.corrupt_item"),)
    seen = Finding(
        code="data.corrupt_item",
        severity="warn",
        what="photos/anna.png is torn.",
        where="photos/bob.png",
        next="Look at photos/anna.png.",
        evidence={"example": "carla", "examples": ["dora"], "count": 7},
        ids=("id-of-anna",),
    )
    reports = {"s02_audit": AuditReport(fingerprint="", num_items=1, num_usable=0, index="", refused=refused, findings=(seen,))}
    scene = Scene(reports, with_items=False, hidden=list_items(reports.values()))
    shown = show_findings("s02_audit", [seen], scene)
    assert not [name for name in ("anna", "bob", "carla", "dora") if name in shown]
    assert f"{HIDDEN} is torn." in shown
    assert "count" in shown


def test_a_layer_is_still_named_where_items_are_hidden():
    shown = show_findings("s06_sanity", [finding("model.dead_units", where="layer 3")], Scene(with_items=False))
    assert "layer 3" in shown


def test_longer_names_are_hidden_before_the_shorter_ones_within_them():
    assert redact("see photos/a.png", Scene(with_items=False, hidden=("photos/a.png", "a.png"))) == f"see {HIDDEN}"


def test_a_cause_in_one_step_goes_before_its_symptoms_in_the_steps_before_it():
    early = StepView("s06_sanity", Report(findings=(finding("model.cannot_overfit", "stop"), finding("data.note", "info"))))
    late = StepView("s07_overfit", Report(findings=(finding("train.lr_decayed_too_soon"), finding("model.wrong_last_layer"))))
    ranked = rank_road([early, late])
    assert [(view.name, one.code, one.because) for view, one in ranked] == [
        ("s07_overfit", "model.wrong_last_layer", ""),
        ("s07_overfit", "train.lr_decayed_too_soon", ""),
        ("s06_sanity", "model.cannot_overfit", "model.wrong_last_layer"),
    ]
    assert ranked[0][1].severity == "stop"


def test_a_consequence_names_its_cause_in_an_earlier_step_and_no_gate_changes():
    sanity = StepView("s06_sanity", Report(findings=(finding("model.memorises_noise_only"),)))
    tune = StepView("s08_tune", Report(findings=(finding("search.boundary", "info"), finding("diagnose.below_baseline", "stop"))))
    diagnose = StepView("s09_diagnose", Report(findings=(finding("diagnose.variance", "info"),)))
    explained = explain_road([sanity, tune, diagnose])
    assert [[one.because for one in step.report.findings] for step in explained] == [[""], ["", "model.memorises_noise_only"], ["model.memorises_noise_only"]]
    assert [step.report.gate for step in explained] == ["warn", "stop", "pass"]


def test_a_note_that_explains_a_warning_is_told_with_it():
    audit = StepView("s02_audit", Report(findings=(finding("data.imbalance", "info"), finding("data.outliers", "info"))))
    diagnose = StepView("s09_diagnose", Report(findings=(finding("diagnose.accuracy_paradox"),)))
    ranked = rank_road([audit, diagnose])
    assert [(view.name, one.code, one.severity) for view, one in ranked] == [
        ("s02_audit", "data.imbalance", "warn"),
        ("s09_diagnose", "diagnose.accuracy_paradox", "warn"),
    ]
