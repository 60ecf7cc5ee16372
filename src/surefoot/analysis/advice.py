"""What to do next, ranked by what it could bring: the largest gap first (Ng, "Machine Learning Yearning"; Google's Tuning Playbook)."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.analysis.curves import power_law
from surefoot.types.figures import write
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import Advice, TuneReport

_WORDS = {
    "bias": ("Fit the train set better: a larger model, longer training, or another kind of model.", "surefoot run --from overfit --budget 1h"),
    "variance": (
        "Close the gap between train and val: more data, more augmentation, more regularisation, or a smaller model.",
        "surefoot run --from tune --set search.trials=30",
    ),
    "mismatch": ("Make the train data more like the data it is judged on: gather, synthesise or reweight.", "surefoot run --from audit"),
}


def advise(
    problem: Problem,
    gaps: Mapping[str, Measured | None],
    verdict: str,
    curve: Mapping[str, Measured],
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
    more = _more_data(curve)
    if more is not None:
        found.append(more)
    if tune.winner != "net":
        found.insert(0, Advice(term="ship", what=f"Ship {tune.winner}: it beats the net on val and is simpler to run.", command="surefoot serve export"))
    if problem.goal is not None and val_error is not None and val_error.value <= 1 - problem.goal and problem.classes:
        found.insert(0, Advice(term="goal", what="The goal is met on val: ship it, and spend effort on watching it in use.", command="surefoot serve export"))
    return found


def _more_data(curve: Mapping[str, Measured]) -> Advice | None:
    """What twice the data would bring, by a power law through the learning curve (Hestness et al. 2017)."""
    points = sorted((float(share), point.value) for share, point in curve.items())
    if len(points) < 4 or points[-1][1] <= 0:
        return None
    law = power_law([share for share, _ in points], [error for _, error in points])
    gain = points[-1][1] - law.at(2.0)
    if gain <= 0:
        return None
    return Advice(
        term="data",
        what=f"Twice the train data would bring the val error from {write(points[-1][1])} to about {write(law.at(2.0))}, by the learning curve.",
        could_bring=gain,
    )
