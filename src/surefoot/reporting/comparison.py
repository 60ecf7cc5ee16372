"""Rounds beside one another: what each changed for the better, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from surefoot.reporting.headline import find_stop
from surefoot.reporting.markup import EMPTY, element, table
from surefoot.reporting.road import describe_step
from surefoot.reporting.views import Scene
from surefoot.reporting.words import DASH, Metric
from surefoot.types.reports import DiagnoseReport, ModelScore, TestReport, TuneReport
from surefoot.types.views import RoundView


def compare_rounds(rounds: Sequence[RoundView]) -> Markup:
    """A row per round with val and test values, verdict, and the paired test against the round it goes back to."""
    if len(rounds) < 2:
        return EMPTY
    rows = [_row(one, is_last=one is rounds[-1]) for one in rounds]
    return table("Rounds compared", ("round", "goes back to", "on val", "on test", "verdict", "better, or noise?"), rows)


def _value(metric: Metric, score: ModelScore | TestReport) -> Markup:
    return element("span", f"{metric.label} {metric.show_measured(score.value, score.interval)}", class_="whole")


def _row(one: RoundView, is_last: bool) -> tuple[Markup | str, ...]:
    scene = Scene({step.name: step.report for step in one.steps})
    metric, tune, test, diagnosis = scene.metric, scene.find(TuneReport), scene.find(TestReport), scene.find(DiagnoseReport)
    stopped = find_stop(one.steps)
    verdict = f"stopped at {describe_step(stopped.name).title.lower()}" if stopped else diagnosis.verdict if diagnosis else DASH
    return (
        element("b", f"{one.number} (this one)", class_="whole") if is_last else str(one.number),
        str(one.parent) if one.parent is not None else DASH,
        _value(metric, tune.val) if tune else DASH,
        _value(metric, test) if test else DASH,
        verdict,
        one.comparison or DASH,
    )
