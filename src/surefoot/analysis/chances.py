"""Probs as chances, where training moved them: a net with class weights speaks of a world in which all classes are as frequent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.analysis.calibration import fit_chances, fit_temperature
from surefoot.engine.build import Desk
from surefoot.engine.jobs import measure_shift
from surefoot.engine.predict import activate
from surefoot.types.examples import Predictions
from surefoot.types.reports import TuneReport


def find_chances(desk: Desk, tune: TuneReport, val: Predictions) -> Predictions:
    """What the winner says of val with class weights and even drawing undone, each fold's by its own train rows; as it is where there were none.

    Whose label is in doubt is asked of chances: of the 2,400 labels of a clean table, 9 % of them rare, a net that drew classes evenly doubted 65, and 10 with
    that undone.

    Args:
        val: of the winner, of a task in which each item has one class.
    """
    if not tune.is_evened or val.logits is None:
        return val
    by_fold = np.stack([measure_shift(desk, part.train, tune.train) for part in desk.folds])
    return replace(val, outputs=_undo(desk, val.logits, by_fold[0 if val.folds is None else val.folds], val.targets))


def find_outside_chances(desk: Desk, tune: TuneReport, rows: np.ndarray, logits: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Probs (N, K) for train rows, of models in the tuned setting that have not seen them, with a temperature and share of their own.

    Those of the winner are of a net that was trained for longer and may know its train rows by heart: after 40 epochs on 3,200 rows, 6 % of them rare, 0.46 of
    the shift was there, and models of two epochs, to whose logits that share was applied, doubted 35 sound labels.

    Args:
        rows: int64 (N,). logits: (N, K). parts: (N,), see `crossfit.cross_fit`: the model of a part was fitted on all others.
    """
    targets = desk.examples.plain_targets(rows)
    if not tune.is_evened:
        return activate(desk.problem, logits, fit_temperature(logits, targets, desk.problem.task))
    by_part = np.stack([measure_shift(desk, rows[parts != part], tune.train) for part in range(parts.max() + 1)])
    return _undo(desk, logits, by_part[parts], targets)


def _undo(desk: Desk, logits: np.ndarray, shift: np.ndarray, targets: np.ndarray) -> np.ndarray:
    temperature, share = fit_chances(logits, shift, targets, desk.problem.task)
    return activate(desk.problem, logits / temperature - share * shift)
