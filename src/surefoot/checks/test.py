"""What the test set says beside the figure itself: evidence in, findings out."""

from __future__ import annotations

from surefoot.metrics import Metric
from surefoot.types.figures import write, write_items
from surefoot.types.findings import Finding, Measured
from surefoot.types.reports import ModelScore

_WIDE = 0.2


def against_val(gap: Measured | None, tuned: ModelScore, val: ModelScore, *, by_time: bool) -> list[Finding]:
    """The tuned model is worse on test than where it was chosen, beyond noise."""
    if not _is_real(gap):
        return []
    return [_drifts(tuned, val) if by_time else _fitted_to_val(tuned, val)]


def wild_gap(gap: Measured | None, published: ModelScore, wild: ModelScore | None) -> list[Finding]:
    """The data it will meet is harder than the test set, beyond noise."""
    if wild is None or gap is None or not _is_real(gap):
        return []
    return [
        Finding(
            code="diagnose.wild_gap",
            severity="warn",
            what=f"In the wild the model reaches {write(wild.value)}, on the test set {write(published.value)}: the data it will meet is different.",
            where="wild",
            next="Gather train data like the wild data, or augment towards it.",
            evidence={"wild": wild.value, "test": published.value},
        )
    ]


def width(metric: Metric, published: ModelScore) -> list[Finding]:
    """A test set that says too little: the interval of a metric in [0, 1] is wider than a fifth."""
    if published.interval is None or not metric.bounded or (wide := published.interval[1] - published.interval[0]) <= _WIDE:
        return []
    return [
        Finding(
            code="split.val_too_small",
            severity="warn",
            what=f"The test set has {write_items(published.n, published.items, 'item')}: its interval is {wide * 100:.0f} points wide.",
            where="test",
            next=f"Gather more test {'groups' if published.items else 'items'}, and read the interval, not the value.",
            evidence={"items": published.items or published.n, "units": published.n, "width": wide, "threshold": _WIDE},
        )
    ]


def goal(metric: Metric, published: ModelScore, goal: float | None) -> list[Finding]:
    """The goal, where one was set and met."""
    if goal is None or not (published.value >= goal if metric.greater_is_better else published.value <= goal):
        return []
    return [
        Finding(
            code="diagnose.goal_met",
            severity="info",
            what=f"The goal is met on the test set: {write(published.value)} against {write(goal)}.",
            where="test",
            next="Ship it.",
            evidence={"test": published.value, "goal": goal},
        )
    ]


def _fitted_to_val(tuned: ModelScore, val: ModelScore) -> Finding:
    return Finding(
        code="diagnose.val_overfit",
        severity="warn",
        what=f"The tuned model does worse on test ({write(tuned.value)}) than on val ({write(val.value)}), beyond noise: the choices were fitted to val.",
        where="s13_test",
        next="Use more val data or K-fold, and fewer trials, in the next round.",
        evidence={"test": tuned.value, "val": val.value},
    )


def _drifts(tuned: ModelScore, val: ModelScore) -> Finding:
    return Finding(
        code="split.shift",
        severity="warn",
        what=f"The same model does worse on test ({write(tuned.value)}) than on val ({write(val.value)}), beyond noise: the later data is different.",
        where="s13_test",
        next="Train on the latest data, again and again, and watch the error in use; the final model already knows val's time.",
        evidence={"test": tuned.value, "val": val.value},
    )


def _is_real(gap: Measured | None) -> bool:
    """Whether the interval of the difference of errors lies above 0."""
    return gap is not None and gap.interval is not None and gap.interval[0] > 0
