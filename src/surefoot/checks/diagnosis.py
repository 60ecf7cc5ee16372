"""What the table of errors says: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.metrics import Metric
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


def judge(
    problem: Problem, metric: Metric, gaps: Mapping[str, Measured | None], verdict: str, val: ModelScore, ece: float | None, *, conflicts: float
) -> list[Finding]:
    """The largest gap by name, calibration, the label ceiling, the goal."""
    found = []
    gap = gaps.get(verdict)
    if gap is not None and gap.interval is not None:
        found.append(
            Finding(
                code=f"diagnose.{verdict}",
                severity="info",
                what=f"{_WHAT[verdict]}, {gap.value:.4g} [{gap.interval[0]:.4g}, {gap.interval[1]:.4g}].",
                where="s09_diagnose",
                next="See the advice below the table.",
                evidence={"gap": gap.value, "low": gap.interval[0], "high": gap.interval[1]},
            )
        )
    if ece is not None and ece > _MISCALIBRATED:
        found.append(
            Finding(
                code="diagnose.miscalibrated",
                severity="info",
                what=f"Probs are off by {ece:.1%} on average on val, after temperature scaling.",
                where="val",
                next="Don't read the probs as chances; more val data would allow a finer calibration.",
                evidence={"ece": ece, "threshold": _MISCALIBRATED},
            )
        )
    if conflicts > _CEILING:
        found.append(
            Finding(
                code="diagnose.label_ceiling",
                severity="info",
                what=f"{conflicts:.1%} of the train items equal another one with a different target: no model can get all of them right.",
                where="targets",
                next="Mend the labels, or add an input that tells these items apart.",
                evidence={"share": conflicts, "threshold": _CEILING},
            )
        )
    if problem.goal is not None and _meets(problem.goal, val.value, metric):
        found.append(
            Finding(
                code="diagnose.goal_met",
                severity="info",
                what=f"The goal is met on val: {problem.metric} {val.value:.4g} against {problem.goal:.4g}.",
                where="val",
                next="Go on to the end of the road and ship.",
                evidence={"val": val.value, "goal": problem.goal},
            )
        )
    return found


def _meets(goal: float, value: float, metric: Metric) -> bool:
    return value >= goal if metric.greater_is_better else value <= goal
