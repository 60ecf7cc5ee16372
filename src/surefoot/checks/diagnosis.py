"""What the table of errors says: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.metrics import Metric
from surefoot.types.figures import write
from surefoot.types.findings import Finding, Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import ModelScore

_MISCALIBRATED = 0.05
_CEILING = 0.01
_WHAT = {
    "bias": "The model does not fit its own train set as well as it should: avoidable bias",
    "variance": "The model does better on what it was trained on than on val: variance",
    "mismatch": "Val differs from the train data: data mismatch",
}


def largest_gap(gaps: Mapping[str, Measured | None], verdict: str, *, is_small: bool = False) -> list[Finding]:
    """The largest gap by its name; a small one by its size alone."""
    gap = gaps.get(verdict)
    if gap is None or gap.interval is None:
        return []
    what = f"The largest gap left is {verdict}, and it is small" if is_small else _WHAT[verdict]
    return [
        Finding(
            code=f"diagnose.{verdict}",
            severity="info",
            what=f"{what}, {write(gap.value)} [{write(gap.interval[0])}, {write(gap.interval[1])}].",
            where="s09_diagnose",
            next="See the advice below the table.",
            evidence={"gap": gap.value, "low": gap.interval[0], "high": gap.interval[1]},
        )
    ]


def calibration(ece: float | None) -> list[Finding]:
    """Probs that are no chances."""
    if ece is None or ece <= _MISCALIBRATED:
        return []
    return [
        Finding(
            code="diagnose.miscalibrated",
            severity="info",
            what=f"Probs are off by {ece:.1%} on average on val, after temperature scaling.",
            where="val",
            next="Don't read the probs as chances; more val data would allow a finer calibration.",
            evidence={"ece": ece, "threshold": _MISCALIBRATED},
        )
    ]


def label_ceiling(conflicts: float) -> list[Finding]:
    """Targets that contradict each other."""
    if conflicts <= _CEILING:
        return []
    return [
        Finding(
            code="diagnose.label_ceiling",
            severity="info",
            what=f"{conflicts:.1%} of the train items equal another one with a different target: no model can get all of them right.",
            where="targets",
            next="Mend the labels, or add an input that tells these items apart.",
            evidence={"share": conflicts, "threshold": _CEILING},
        )
    ]


def goal(problem: Problem, metric: Metric, val: ModelScore) -> list[Finding]:
    """The goal, where one was set and met."""
    if problem.goal is None or not (val.value >= problem.goal if metric.greater_is_better else val.value <= problem.goal):
        return []
    return [
        Finding(
            code="diagnose.goal_met",
            severity="info",
            what=f"The goal is met on val: {problem.metric} {write(val.value)} against {write(problem.goal)}.",
            where="val",
            next="Go on to the end of the road and ship.",
            evidence={"val": val.value, "goal": problem.goal},
        )
    ]
