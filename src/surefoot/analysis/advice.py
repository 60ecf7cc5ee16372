"""What to do next, ranked by what it could bring: the largest gap first (Ng, "Machine Learning Yearning"; Google's Tuning Playbook)."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.analysis.curves import power_law
from surefoot.types.figures import write
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import Advice, TuneReport

_WORDS = {
    "bias": ("Fit the train set better: a larger budget lets larger models train for longer; else better inputs.", "surefoot run --from overfit --budget 1h"),
    "variance": (
        "Close the gap between train and val: search regularisation, augmentation and size over more settings; what helps most is more data.",
        "surefoot run --from tune --set search.trials=30",
    ),
    "mismatch": ("Make the train data more like the data it is judged on: gather, synthesise or reweight; then audit it anew.", "surefoot run --from audit"),
}


def advise(
    problem: Problem,
    gaps: Mapping[str, Measured | None],
    verdict: str,
    tune: TuneReport,
    *,
    val_error: Measured | None,
) -> list[Advice]:
    """Advice for each gap that is more than zero, the most rewarding first."""
    known = [(name, gap) for name, gap in gaps.items() if gap is not None and gap.value > 0 and name in _WORDS]
    ranked = sorted(known, key=lambda pair: (pair[0] != verdict, -pair[1].value))
    found = [Advice(term=name, what=_WORDS[name][0], could_bring=gap.value, command=_WORDS[name][1]) for name, gap in ranked]
    if verdict == "none":
        found.insert(
            0,
            Advice(
                term="none",
                what="No term stands out of the noise: gather more val data before choosing what to work on.",
                command="" if len(tune.weights) > 1 else "surefoot run --set split.protocol=kfold",
            ),
        )
    if tune.winner != "net":
        low, high = (tune.versus_baseline.interval if tune.versus_baseline else None) or (0.0, 0.0)
        merit = "no worse than the net on val," if low <= 0 <= high else "better than the net on val"
        found.insert(0, Advice(term="ship", what=f"Ship {tune.winner}: it is {merit} and simpler to run.", command="surefoot serve export"))
    if problem.goal is not None and val_error is not None and val_error.value <= 1 - problem.goal and problem.classes:
        found.insert(0, Advice(term="goal", what="The goal is met on val: ship it, and spend effort on watching it in use.", command="surefoot serve export"))
    return found


def advise_data(curve: Mapping[str, Measured], val_error: Measured | None, *, is_short: bool) -> list[Advice]:
    """What twice the data would bring, by a power law through the learning curve (Hestness et al. 2017).

    Nets that were trained for less than the tuned one, or did worse than it beyond noise, are on another curve than it: then only
    the relative gain between them is told.

    Args:
        curve: share of the train set -> val error. val_error: of the tuned model. is_short: whether the curve's nets had fewer epochs.
    """
    points = sorted((float(share), point.value) for share, point in curve.items())
    if len(points) < 4 or points[-1][1] <= 0:
        return []
    law = power_law([share for share, _ in points], [error for _, error in points])
    last, gain = points[-1][1], points[-1][1] - law.at(2.0)
    if gain <= 0:
        return []
    full = next(point for share, point in curve.items() if float(share) == points[-1][0])
    is_worse = val_error is not None and full.interval is not None and full.interval[0] > val_error.value
    if is_short or is_worse:
        why = "shorter trainings than the tuned model's" if is_short else "trainings that did worse than the tuned model"
        tuned = f" of {write(val_error.value)}" if val_error else ""
        what = f"Twice the train data would cut the val error by about {gain / last:.0%} in {why}; how much of it is left at its own error{tuned} is not known."
        return [Advice(term="data", what=what)]
    what = f"Twice the train data would bring the val error from {write(last)} to about {write(law.at(2.0))}, by the learning curve."
    return [Advice(term="data", what=what, could_bring=gain)]
