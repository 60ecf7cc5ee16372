"""Two rounds, compared on the val items held out in both: what ships, the nets, and every metric that is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.analysis.compare import ALPHA, Comparison, paired
from surefoot.analysis.scores import count_missed
from surefoot.analysis.val_looks import correct_p
from surefoot.data.predictions import load_predictions
from surefoot.data.remembering import find_names
from surefoot.metrics import get as get_metric
from surefoot.store.blobs import Blobs
from surefoot.types.data_reports import Split
from surefoot.types.errors import UsageError
from surefoot.types.examples import Threshold
from surefoot.types.problem import Problem
from surefoot.types.reports import ModelScore, TuneReport


@dataclass(frozen=True)
class Tuned:
    """What is compared of a round."""

    tune: TuneReport
    problem: Problem
    split: Split


def compare_rounds(store: Blobs, one: Tuned, other: Tuned, *, root: Path, seed: int, num_rounds: int) -> dict[str, Any]:
    """The first round against the second, by the first one's metrics, as plain JSON values.

    Args:
        num_rounds: of the project: each is compared on the same val, so p is corrected for so many comparisons less one.

    Returns:
        difference, p_value, verdict, sentence: of what ships. p_corrected. nets: the same of the nets, which differ also where both rounds ship the same
        simple model. metrics: name -> difference with its interval. bounds_missed: how many of the first one's bounds (`problem.satisfice`) each misses by
        more than noise; empty where there are none.

    Raises:
        UsageError: their classes differ: a column of the one's outputs is another class in the other's, and equal numbers of them hide it.
    """
    problem, a, b = one.problem, one.tune, other.tune
    _check_classes(problem, other.problem)
    names = find_names(store, load_predictions(store, b.val.predictions).ids, other.split, one.split)

    def compare(name: str, left: ModelScore, right: ModelScore, thresholds: tuple[Threshold, Threshold]) -> Comparison:
        said, against = (load_predictions(store, scored.predictions) for scored in (left, right))
        against = replace(against, ids=np.asarray([names.get(id, id) for id in against.ids], object))
        return paired(get_metric(name, root), said, against, seed=seed, thresholds=thresholds)

    whole = compare(problem.metric, a.val, b.val, (a.threshold, b.threshold))
    nets = compare(problem.metric, a.net, b.net, (a.net_threshold, b.net_threshold))
    others = {name: compare(name, a.val, b.val, (a.threshold, b.threshold)).difference.model_dump(mode="json") for name in problem.reported[1:]}
    missed = [count_missed(store, problem, tune.val, tune.threshold, folder=root, seed=seed) for tune in (a, b)] if problem.satisfice else []
    corrected = correct_p(whole.p_value, num_rounds - 1)
    sentence = whole.sentence
    if whole.verdict != "within noise" and corrected >= ALPHA:
        sentence += f"; the best of {num_rounds - 1} comparisons on this val may be so by luck (corrected p = {corrected:.2g})"
    if "net" not in (a.winner, b.winner):
        sentence += f". Both ship a simple model ({a.winner}, {b.winner}); the nets: {nets.sentence}"
    if missed:
        sentence += f". Bounds missed: {missed[0]} of the first, {missed[1]} of the second, noise aside"
    told = {"sentence": sentence, "p_corrected": corrected, "nets": nets.model_dump(mode="json"), "metrics": others, "bounds_missed": missed}
    return whole.model_dump(mode="json") | told


def _check_classes(one: Problem, other: Problem) -> None:
    if one.classes != other.classes:
        only = [", ".join(name for name in left.classes if name not in right.classes) or "none" for left, right in ((one, other), (other, one))]
        raise UsageError(
            "The two rounds have different classes.",
            where=f"only in the one: {only[0]}; only in the other: {only[1]}",
            next="Compare rounds of the same classes, or read each round's own values: surefoot runs.",
        )
