"""Probs as chances, where training moved them: a net with class weights speaks of a world in which all classes are as frequent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.analysis.calibration import fit_chances
from surefoot.engine.build import Desk
from surefoot.engine.jobs import measure_shift
from surefoot.engine.predict import activate
from surefoot.types.examples import Predictions
from surefoot.types.reports import TuneReport


def find_chances(desk: Desk, tune: TuneReport, val: Predictions) -> tuple[Predictions, tuple[float, float]]:
    """What the winner says of val with class weights and even drawing undone, each fold's by its own train rows; as it is where there were none.

    Whose label is in doubt is asked of chances: of the 2,400 labels of a clean table, 9 % of them rare, a net that drew classes evenly doubted 65, and 10 with
    that undone.

    Args:
        val: of the winner, of a task in which each item has one class.

    Returns:
        The predictions, and the temperature and share that `fit_chances` found.
    """
    if not tune.is_evened or val.logits is None:
        return val, (tune.temperature, 0.0)
    by_fold = np.stack([measure_shift(desk, part.train, tune.train) for part in desk.folds])
    shift = by_fold[0 if val.folds is None else val.folds]
    temperature, share = fit_chances(val.logits, shift, val.targets, desk.problem.task)
    return replace(val, outputs=activate(desk.problem, val.logits / temperature - share * shift)), (temperature, share)
