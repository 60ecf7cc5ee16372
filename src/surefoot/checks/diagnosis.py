"""What the table of errors says: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from surefoot.metrics import Metric
from surefoot.types.error_reports import Mislabel
from surefoot.types.examples import Predictions
from surefoot.types.figures import write
from surefoot.types.findings import Finding, Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport, ModelScore, TuneReport

_MISCALIBRATED = 0.05
_CEILING = 0.01
_MANY_DOUBTS, _LEAST_DOUBTS = 0.05, 20
_KNOWS, _KNOWS_WELL = 0.5, 0.8
"""Of the way from the trivial predictor's accuracy to 1: from where on a model may doubt labels, and from where on it may call them wrong."""
LOPSIDED, _MISSED = 0.75, 0.5
"""The largest class's share of val, and the recall of a class, from which on accuracy hides what is wrong."""
LEAST_SUPPORT = 10
"""Val items of a class below which its recall is no evidence."""
_WHAT = {
    "bias": "The model does not fit its own train set as well as it should: avoidable bias",
    "variance": "The model does better on what it was trained on than on val: variance",
    "mismatch": "Val differs from the train data: data mismatch",
}


def largest_gap(gaps: Mapping[str, Measured | None], verdict: str, *, is_small: bool = False, may_be_labels: bool = False) -> list[Finding]:
    """The largest gap by its name; a small one by its size alone. `may_be_labels`: those that look wrong may be all of it."""
    gap = gaps.get(verdict)
    if gap is None or gap.interval is None:
        return []
    what = f"The largest gap left is {verdict}, and it is small" if is_small else _WHAT[verdict]
    all_of_it = ", which labels that look wrong may be all of" if may_be_labels else ""
    return [
        Finding(
            code=f"diagnose.{verdict}",
            severity="info",
            what=f"{what}, {write(gap.value)} [{write(gap.interval[0])}, {write(gap.interval[1])}]{all_of_it}.",
            where="s09_diagnose",
            next="Mend the labels first: surefoot review." if may_be_labels else "See the advice below the table.",
            evidence={"gap": gap.value, "low": gap.interval[0], "high": gap.interval[1]},
        )
    ]


def calibration(ece: float | None, by_chance: float = 0.0, *, is_evened: bool = False, has_threshold: bool = True) -> list[Finding]:
    """Probs that are no chances, by more than so few items make of chances that are.

    Args:
        is_evened: see `TuneReport.is_evened`: these never were chances, and no val data makes them so. has_threshold: of the task, so that rare
            classes can be said from a lower one.
    """
    if ece is None or ece <= max(_MISCALIBRATED, by_chance):
        return []
    lower = ", and say rare classes from a lower threshold (problem.miss_cost, problem.least_recall)" if has_threshold else ""
    return [
        Finding(
            code="diagnose.miscalibrated",
            severity="info",
            what=f"Probs are off by {ece:.1%} on average on val, after temperature scaling.",
            where="val",
            next=f"They are those of classes that are all as frequent, as class weights or even sampling have them; for chances leave these out{lower}."
            if is_evened
            else "Don't read the probs as chances; more val data would allow a finer calibration.",
            evidence={"ece": ece, "by_chance": by_chance, "threshold": _MISCALIBRATED},
        )
    ]


def label_ceiling(conflicts: float, noise: Measured | None = None) -> list[Finding]:
    """Targets that contradict each other, or the models that did not see them."""
    found = []
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
    if noise is not None and noise.interval is not None and noise.interval[0] > _CEILING:
        low, high = noise.interval
        found.append(
            Finding(
                code="diagnose.label_ceiling",
                severity="info",
                what=f"About {noise.value:.1%} [{low:.1%}, {high:.1%}] of val's labels look wrong: an error below that is no merit.",
                where="val",
                next="`surefoot review` goes through the suspects of s10; the next round reads what you decide.",
                evidence={"share": noise.value, "low": low, "high": high, "threshold": _CEILING},
            )
        )
    return found


def may_doubt(scored: ModelScore, baseline: BaselineReport) -> bool:
    """Whether a model may doubt labels at all: it closes at least half of the way from the trivial predictor's accuracy to 1."""
    return _way_to_perfect(scored, baseline) >= _KNOWS


def may_accuse(scored: ModelScore, baseline: BaselineReport) -> bool:
    """Whether what a model doubts may be called wrong: it closes at least four fifths of that way.

    Below, hard items look like wrong labels: with the true probs of an honest problem, spread evenly over [0, 1] (accuracy 0.75), confident learning
    suspects 11 % and counts 17 % as wrong; as Beta(0.5, 0.5) has them (accuracy 0.82), it suspects 6 %.
    """
    return _way_to_perfect(scored, baseline) >= _KNOWS_WELL


def _way_to_perfect(scored: ModelScore, baseline: BaselineReport) -> float:
    """Of the way from the trivial predictor's accuracy to 1, the share that a model closes."""
    trivial, reached = (one.metrics.get("accuracy", 0.0) for one in (baseline.models[baseline.trivial], scored))
    return (reached - trivial) / (1 - trivial) if trivial < 1 else float(reached >= 1)


def accuracy_paradox(problem: Problem, val: Predictions, tune: TuneReport, recalls: Mapping[str, float]) -> list[Finding]:
    """A high accuracy that the largest class alone nearly gives, while another class is mostly missed; a note where the search warned of it already."""
    accuracy = tune.val.metrics.get("accuracy")
    if problem.task not in ("binary", "multiclass") or accuracy is None or len(recalls) < 2:
        return []
    majority = float(np.bincount(val.targets).max() / len(val))
    worst = min(recalls, key=lambda name: recalls[name])
    if majority < LOPSIDED or recalls[worst] >= _MISSED:
        return []
    is_told = any(one.code == "diagnose.accuracy_paradox" for one in tune.findings)
    return [
        Finding(
            code="diagnose.accuracy_paradox",
            severity="warn" if problem.metric == "accuracy" and not is_told else "info",
            what=f"Accuracy is {accuracy:.1%}, and always saying the largest class would reach {majority:.1%}; of {worst} {recalls[worst]:.1%} are found.",
            where="val",
            next='Judge by `problem.metric = "balanced_accuracy"` or "f1_macro", and see the advice on class weights, sampling and the threshold.',
            evidence={"accuracy": accuracy, "majority": majority, "class": worst, "recall": recalls[worst], "thresholds": [LOPSIDED, _MISSED]},
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


def bounds(metrics: Iterable[Metric], measured: Mapping[str, Measured], due: Mapping[str, float], where: str) -> list[Finding]:
    """The metrics that must merely suffice and do not, each by how much; one that is undefined on these items says nothing.

    Args:
        measured: name -> value with interval. due: name -> its bound: the least, or, where smaller is better, the most.
    """
    found = []
    for metric in metrics:
        reached, bound = measured.get(metric.name), due[metric.name]
        if reached is None or (reached.value >= bound if metric.greater_is_better else reached.value <= bound):
            continue
        low, high = reached.interval or (reached.value, reached.value)
        ends = f" [{write(low)}, {write(high)}]" if reached.interval else ""
        may_be_luck = low <= bound <= high
        luck = "; its interval holds the bound, so this may be the luck of few items" if may_be_luck else ""
        found.append(
            Finding(
                code="diagnose.bound_missed",
                severity="warn",
                what=f"{metric.title} is {write(reached.value)}{ends} on {where}; {'at least' if metric.greater_is_better else 'at most'} {write(bound)} "
                f"must be reached: {write(abs(reached.value - bound))} is missing{luck}.",
                where=f"problem.satisfice.{metric.name}",
                next="See the advice and the table of thresholds of s09; or make it the metric that is optimised; or ask for less.",
                evidence={"metric": metric.name, "value": reached.value, "low": low, "high": high, "bound": bound, "may be luck": may_be_luck},
            )
        )
    return found


def mislabels(suspects: Sequence[Mislabel], num: int, *, is_sure: bool) -> list[Finding]:
    """Labels that models doubt which had not seen them.

    Args:
        num: items that were asked about. is_sure: the models know enough to call labels wrong (`may_accuse`), or they agree while labels contradict even what
            they are surest of; else the items may as well be hard.
    """
    if not suspects:
        return []
    share = len(suspects) / max(num, 1)
    doubted = f"{len(suspects):,} of {num:,} labels are in doubt ({share:.1%} of train and val)"
    reason = "the models say another class, and are sure of it" if is_sure else "or these items are hard; the models know too little to tell which"
    return [
        Finding(
            code="data.mislabels",
            severity="warn" if is_sure and share > _MANY_DOUBTS and len(suspects) >= _LEAST_DOUBTS else "info",
            what=f"{doubted}{':' if is_sure else ','} {reason}.",
            where="train and val",
            next="`surefoot review` goes through them, the most doubtful first, and writes repairs.csv; then `surefoot run --from audit`.",
            evidence={"doubted": len(suspects), "items": num},
            ids=tuple(one.id for one in suspects[:100]),
        )
    ]
