"""Reports on the terminal."""

from __future__ import annotations

import unicodedata

import pytest

from surefoot.reporting.console import plain, summarise
from surefoot.types import ErrorsReport, Finding, Measured, Report
from surefoot.types.views import StepView

from .pieces import MemoryStore
from .samples import image_project, stopped_project
from .table_samples import bikes_project, income_project


def every_step() -> list[StepView]:
    """The steps of all sample projects."""
    store = MemoryStore()
    rounds = [*image_project(store), *stopped_project(store), *income_project(), *bikes_project()]
    return [step for one in rounds for step in one.steps]


@pytest.mark.parametrize("step", every_step(), ids=lambda step: step.name)
def test_every_step_is_told_in_one_to_four_plain_lines(step):
    lines = summarise(step)
    assert 1 <= len(lines) <= 4
    assert not [line for line in lines if "None" in line or "\u00a0" in line or "`" in line.split(" next:")[0]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s02_audit", "1,797 of 1,799 items usable, 2 refused"),
        ("s05_baseline", "to beat: knn 0.954 (0.932 to 0.976); majority 0.103 (0.073 to 0.133)"),
        ("s08_tune", "winner net: 0.978 (0.964 to 0.992) on val; the net is 0.024 (0.007 to 0.041) better than the best baseline; 20 trials"),
        ("s09_diagnose", "verdict variance: bias -0.014 (-0.015 to -0.013), variance 0.021 (0.0064 to 0.0356); next: Turn the pictures"),
        (
            "s10_errors",
            "8 of 360 val items wrong (2.2 %); 3 labels in doubt; blurry: 5, class 3: 2, mislabel: 1; "
            "most rewarding to mend: blurry, at most 1.4 % (0.8 to 2.0 %) of val's items (ceilings overlap and do not add up)",
        ),
        ("s13_test", "accuracy 0.981 (0.964 to 0.991) on 360 test items; wild 0.871 (0.825 to 0.917); opened 1 time"),
    ],
)
def test_the_numbers_come_first_with_their_intervals(name, text):
    step = next(step for step in image_project(MemoryStore())[-1].steps if step.name == name)
    assert summarise(step)[0].startswith(text)


def test_a_stop_is_told_by_its_cause():
    step = stopped_project(MemoryStore())[-1].steps[-1]
    assert summarise(step)[1] == (
        "stop model.wrong_last_layer: The last layer gives 9 numbers, and there are 10 classes. (it explains 2 others)"
        " next: Leave the last FC without a number, then `surefoot run --from sanity`."
    )


def test_many_warnings_end_in_a_count():
    findings = tuple(Finding(code=f"data.f{i}", severity="warn", what=f"Thing {i}.") for i in range(9))
    lines = summarise(StepView("mine", Report(findings=findings)))
    assert len(lines) == 4
    assert lines[-1] == "and 6 more findings: see the report"


def test_notes_stay_in_the_report():
    assert summarise(StepView("mine", Report(findings=(Finding(code="data.x", severity="info", what="x"),)))) == ["done"]


def test_a_name_from_the_data_cannot_steer_the_terminal():
    hostile = "\x1b[2J\x1b]0;owned\x07 red\r\nline\u202e\x9b31m"
    assert not [char for char in plain(hostile) if unicodedata.category(char).startswith("C")]
    step = StepView("s02", Report(findings=(Finding(code="data.x", severity="warn", what=hostile, next=hostile),)))
    assert not [char for line in summarise(step) for char in line if not char.isprintable()]


def test_without_a_human_level_bias_is_an_upper_bound():
    step = next(step for step in image_project(MemoryStore())[-1].steps if step.name == "s09_diagnose")
    report = step.report.model_copy(update={"errors": step.report.errors | {"human": None}})
    assert "bias at most -0.014" in summarise(StepView(step.name, report))[0]


def test_the_ceiling_of_an_amount_is_told_of_the_error_and_not_of_items():
    most = {"dark": Measured(value=0.2, interval=(0.1, 0.3), n=9)}
    report = ErrorsReport(num_wrong=9, num_val=90, is_amount=True, rows=(), ceilings=most, most_rewarding="dark")
    assert "dark, at most 20.0 % (10.0 to 30.0 %) of val's absolute error" in plain(summarise(StepView("s10_errors", report))[0])


@pytest.mark.parametrize(("by_metric", "word"), [("net", "better"), ("", "worse")])
def test_a_net_that_a_bound_kept_from_shipping_is_still_told_to_be_better(by_metric, word):
    report = next(step for step in image_project(MemoryStore())[-1].steps if step.name == "s08_tune").report
    told = summarise(StepView("s08_tune", report.model_copy(update={"winner": "linear", "by_metric": by_metric})))[0]
    assert f"the net is 0.024 (0.007 to 0.041) {word} than the best baseline" in told
