"""What each column of a table holds, and what part it plays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from surefoot.data.readers.schema import column_kind
from surefoot.types.configs import DataConfig, SplitConfig
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.source import TableSource

_BINS = 20
_SPAN = 2
"""Numbers from the first row's to the last one's, for each row, up to which a rising column counts rows of which some were dropped."""
_ID_NAME = re.compile(r"(^|[_ .-])(?i:id|uuid|guid|key|index|instant|rowid|row|nr|number)$|[a-z](Id|ID|Key|Index|Nr|Number)$")


def profile_columns(
    source: TableSource, targets: tuple[str, ...], data: DataConfig, split: SplitConfig, visible: np.ndarray, known: Sequence[ColumnProfile] = ()
) -> tuple[ColumnProfile, ...]:
    """A profile per column; numbers come from the rows marked in `visible` (bool (N,)): those of a given test set are not looked at.

    Args:
        known: profiles of the last audit. Whether a column names rows is guessed once: ids of items rest on it, and a row more or less may
            make it look otherwise. The settings have the last word.
    """
    said = (
        {data.id: "id", data.weight: "weight", split.group: "group", split.column: "ignored", "": ""}
        | dict.fromkeys(data.ignore, "ignored")
        | dict.fromkeys(targets, "target")
    )
    names_rows = {one.name: one.role == "id" for one in known if one.role in ("id", "input", "constant") and not one.is_told}
    return tuple(
        _profile(name, values[visible], column_kind(name, values, source.booleans, source.texts), said.get(name, ""), names_rows.get(name))
        for name, values in source.columns.items()
    )


def _profile(name: str, values: np.ndarray, kind: str, said: str, names_rows: bool | None) -> ColumnProfile:
    present = values[~_missing(values)]
    distinct, counts = _count(present)
    numbers = present.astype(np.float64) if kind in ("numeric", "boolean") else np.zeros(0)
    numbers = numbers[np.isfinite(numbers)]
    histogram, edges = _count_bins(numbers)
    top = np.argsort(-counts, kind="stable")[: 10 if kind in ("category", "boolean") else 0]
    with np.errstate(over="ignore"):  # numbers beyond 1e154 have an infinite spread
        mean, sd = (float(numbers.mean()), float(numbers.std())) if len(numbers) else (None, None)
    return ColumnProfile(
        name=name,
        kind=kind,
        missing=len(values) - len(present),
        distinct=len(distinct),
        low=float(numbers.min()) if len(numbers) else None,
        mean=mean,
        high=float(numbers.max()) if len(numbers) else None,
        sd=sd,
        histogram=tuple(int(n) for n in histogram),
        edges=tuple(float(e) for e in edges),
        top={str(distinct[n]): int(counts[n]) for n in top},
        role=said or _role(name, kind, present, distinct, names_rows),
        is_told=bool(said),
    )


def _role(name: str, kind: str, present: np.ndarray, distinct: np.ndarray, names_rows: bool | None) -> str:
    """`constant` and `id` columns say nothing about the target; all else is input. `names_rows`: whether it was taken for an id before."""
    if names_rows:
        return "id"
    if len(distinct) < 2:
        return "constant"
    return "id" if names_rows is None and _names_rows(name, kind, present, distinct) else "input"


def _names_rows(name: str, kind: str, present: np.ndarray, distinct: np.ndarray) -> bool:
    """Words that never repeat; whole numbers that don't, where the name says so or they count the rows, some of which may be gone."""
    if len(distinct) < len(present) or len(present) < 20 or kind in ("date", "text"):
        return False
    if kind == "category":
        return True
    is_whole = kind == "numeric" and bool((present == np.round(present)).all())
    with np.errstate(over="ignore"):  # from -1e308 to 1e308
        is_counter = is_whole and bool((np.diff(present) > 0).all()) and present[-1] - present[0] < _SPAN * len(present)
    return is_whole and (is_counter or bool(_ID_NAME.search(name)))


def _missing(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray([value is None for value in values], bool)


def _count(present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in order, and how often each is there."""
    if present.dtype == object:  # as an array of text every cell would take as much memory as the longest
        counts = Counter(map(str, present.tolist()))
        return np.asarray(sorted(counts), object), np.asarray([counts[name] for name in sorted(counts)], np.int64)
    return np.unique(present, return_counts=True)


def _count_bins(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A histogram; of one bin where floating point can't tell the edges of twenty apart."""
    if not len(numbers):
        return np.zeros(0), np.zeros(0)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.histogram(numbers, bins=_BINS)
    except ValueError:
        return np.histogram(numbers, bins=[numbers.min(), numbers.max()])
