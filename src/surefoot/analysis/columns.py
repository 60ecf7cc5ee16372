"""What the columns of a table come to: leaks, numbers that models can't hold, and numbers that stand apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from surefoot.analysis import leakage
from surefoot.analysis.looks import Used
from surefoot.analysis.outliers import find_apart
from surefoot.checks import data as checks
from surefoot.checks import pictures as item_checks
from surefoot.data.extremes import count_extremes
from surefoot.data.indexing import to_days
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.findings import Finding
from surefoot.types.problem import Problem
from surefoot.types.source import TableSource, take_words

_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")
_SEVERAL, _LOOKED_AT = 20, 5_000
"""Different values from which numbers are amounts rather than names of kinds; rows that are looked at."""


def check_columns(source: TableSource, profiles: Sequence[ColumnProfile], used: Used, problem: Problem, seed: int) -> list[Finding]:
    """Findings on the input columns; those of a given test set's rows are not looked at."""
    visible = np.fromiter((given != "test" for given in source.given_sets), bool, len(source))
    numeric = [p.name for p in profiles if p.role == "input" and p.kind == "numeric"]
    counts = {name: count_extremes(source.columns[name][visible]) for name in numeric}
    apart = {name: find_apart(np.where(visible, source.columns[name], np.nan)) for name in numeric}
    told = np.flatnonzero(np.isin(used.rows, np.concatenate([np.zeros(0, np.int64), *apart.values()])))
    ids = dict(zip(used.rows[told].tolist(), take_words(used.ids, told), strict=True))
    return [
        *checks.columns(profiles, int(visible.sum())),
        *checks.mixed_types(_count_numbers(source, profiles, visible)),
        *checks.extremes(counts, int(visible.sum())),
        *item_checks.apart({name: (rows.tolist(), source.columns[name][rows].tolist()) for name, rows in apart.items()}, ids, source.places),
        *_find_leaks(source, profiles, used, problem, seed),
    ]


def _find_leaks(source: TableSource, profiles: Sequence[ColumnProfile], used: Used, problem: Problem, seed: int) -> list[Finding]:
    if problem.task in ("multilabel", "vector_regression"):
        return []
    picked = np.flatnonzero(used.visible)
    picked = picked[leakage.sample_rows(len(picked), seed)]
    rows = used.rows[picked]
    columns = {p.name: _count_days(source.columns[p.name][rows]) for p in profiles if p.role == "input" and p.kind != "text"}
    scores = leakage.score_columns(columns, used.targets[picked, 0], is_classification=bool(problem.classes), seed=seed)
    return checks.leaks(scores, leakage.THRESHOLD)


def _count_numbers(source: TableSource, profiles: Sequence[ColumnProfile], visible: np.ndarray) -> dict[str, float]:
    """Columns of words with many different numbers among them -> share of their cells that are numbers; a sample of the rows is looked at."""
    seen, found = np.flatnonzero(visible), {}
    looked_at = seen[np.linspace(0, len(seen) - 1, min(len(seen), _LOOKED_AT)).astype(np.int64)]
    for profile in profiles:
        if profile.kind in ("category", "text") and profile.role in ("input", "id") and profile.distinct >= _SEVERAL:
            cells = [str(cell).strip() for cell in source.columns[profile.name][looked_at] if cell is not None]
            numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
            if len(set(numbers)) >= _SEVERAL:
                found[profile.name] = len(numbers) / len(cells)
    return found


def _count_days(values: np.ndarray) -> np.ndarray:
    """Dates as days; numbers and words as they are."""
    return to_days(values) if values.dtype.kind == "M" else values
