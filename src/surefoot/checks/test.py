"""What the test set says beside the figure itself: evidence in, findings out."""

from __future__ import annotations

from surefoot.metrics import Metric
from surefoot.types.data_reports import Split
from surefoot.types.figures import write, write_items
from surefoot.types.findings import Finding, Measured
from surefoot.types.reports import ModelScore

_WIDE = 0.2
_FEW_LOOKS = 20
"""Looks at val up to which choosing the best can't flatter by what this finding takes: the best of twenty equal models lies 1.9 standard errors above them,
of val alone; the difference to test is beyond 2 of both sets."""


def against_val(gap: Measured | None, tuned: ModelScore, val: ModelScore, split: Split, looks: int) -> list[Finding]:
    """The tuned model is worse on test than where it was chosen, beyond noise. `looks`: how many times its search looked at val."""
    if not _is_real(gap):
        return []
    return [_drifts(tuned, val) if split.by == "time" else _fitted_to_val(tuned, val, split, looks)]


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


def _fitted_to_val(tuned: ModelScore, val: ModelScore, split: Split, looks: int) -> Finding:
    """What is advised is what is left to do: the best of few looks flatters by little, and every item is val already where K-fold is on."""
    is_fitted = looks > _FEW_LOOKS
    cause = "so that the choices may be fitted to it" if is_fitted else "too few to be fitted to it: the two sets differ, or val flatters"
    more = "more val data" + " or K-fold" * (split.protocol == "holdout")
    fewer = f"Use {more}, and fewer trials, in the next round."
    alike = "Believe test. Look for rows of one person, thing or moment in both train and val (split.group, split.time), and at what the sets are made of."
    return Finding(
        code="diagnose.val_overfit",
        severity="warn",
        what=f"The tuned model does worse on test ({write(tuned.value)}) than on val ({write(val.value)}), beyond noise; looks at val: {looks}, {cause}.",
        where="s13_test",
        next=fewer if is_fitted else alike,
        evidence={"test": tuned.value, "val": val.value, "looks": looks, "few looks": _FEW_LOOKS},
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
