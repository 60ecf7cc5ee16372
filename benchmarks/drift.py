"""The two-sample test: at most 1 % false alarms on random splits (rows alone, rows in groups, duplicates), and how small a shift it finds."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np

from benchmarks.machine import IS_QUICK
from surefoot.analysis.drift import compare
from surefoot.analysis.intervals import wilson
from surefoot.checks.split import DRIFT_AUC, DRIFT_P
from surefoot.data.features import Features

_ROWS, _COLUMNS = 1_000, 12
_SILENT, _LOUD = (20, 5) if IS_QUICK else (1_000, 100)
_SHIFTS = (0.1, 0.2, 0.3, 0.5, 1.0)
_KINDS = ("rows", "groups", "duplicates")


def run() -> dict[str, object]:
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:  # 0.08 s each, 3,500 of them
        return _measure(pool)


def _measure(pool: ProcessPoolExecutor) -> dict[str, object]:
    silent = {kind: _count(pool, kind, 0.0, _SILENT) for kind in _KINDS}
    for kind, (alarms, _) in silent.items():
        print(f"  random splits of {kind}: {alarms} false alarms of {_SILENT}", flush=True)
    power = {str(shift): _count(pool, "rows", shift, _LOUD) for shift in _SHIFTS}
    for shift, (alarms, named) in power.items():
        print(f"  one of {_COLUMNS} columns moved by {shift} sd: found {alarms} of {_LOUD}, column named {named}", flush=True)
    return {
        "false_alarms": {kind: {"alarms": alarms, "of": _SILENT, "interval": list(wilson(alarms, _SILENT))} for kind, (alarms, _) in silent.items()},
        "asked": 0.01,
        "found": {shift: {"found": alarms, "named": named, "of": _LOUD} for shift, (alarms, named) in power.items()},
    }


def _count(pool: ProcessPoolExecutor, kind: str, shift: float, times: int) -> tuple[int, int]:
    """Alarms in so many simulated splits, and how often the moved column was the first that was named."""
    told = list(pool.map(partial(_judge, kind, shift), range(times), chunksize=5))
    return sum(is_loud for is_loud, _ in told), sum(is_named for _, is_named in told)


def _judge(kind: str, shift: float, number: int) -> tuple[bool, bool]:
    """Whether one project raises an alarm, and whether that names the moved column first."""
    loud = [one for one in simulate(kind, shift, number).values() if one.p <= DRIFT_P and one.auc >= DRIFT_AUC]
    return bool(loud), bool(loud) and next(iter(loud[0].columns)) == "x0"


def simulate(kind: str, shift: float, number: int, rows: int = _ROWS) -> dict[str, object]:
    """One project: rows of amounts and words, split at random by unit; the first column of val and test is moved by `shift` standard deviations."""
    rng = np.random.default_rng([number, _KINDS.index(kind)])
    units = np.arange(rows) if kind == "rows" else np.sort(rng.integers(0, rows // 4, rows))
    centre = rng.normal(size=(rows, _COLUMNS))[units] if kind != "rows" else np.zeros((rows, _COLUMNS))
    values = centre + (0 if kind == "duplicates" else 1) * rng.normal(size=(rows, _COLUMNS))
    values[:, -2] = np.round(values[:, -2] * 2)
    values[:, -1] = values[:, -1] > 0
    values[rng.random(values.shape) < 0.05] = np.nan
    if kind == "duplicates":
        values = values[units]
    sets = rng.choice(3, rows, p=[0.6, 0.2, 0.2])[units]
    values[sets > 0, 0] += shift
    is_word = np.arange(_COLUMNS) == _COLUMNS - 1
    features = Features(np.arange(rows).astype(object), tuple(f"x{j}" for j in range(_COLUMNS)), values.astype(np.float32), is_word)
    pairs = {f"{a}, {b}": (sets == a, sets == b) for a, b in ((0, 1), (0, 2), (1, 2))}
    return dict(compare(features, pairs, units, seed=number))
