"""What each column of a table holds, and what part it plays."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from surefoot.data.readers.schema import column_kind
from surefoot.types.configs import DataConfig, SplitConfig
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.source import TableSource

_BINS = 20
_ID_NAME = re.compile(r"(^|[_ .-])(?i:id|uuid|guid|key|index|instant|rowid|row|nr|number)$|[a-z](Id|ID|Key|Index|Nr|Number)$")


def profile_columns(source: TableSource, targets: tuple[str, ...], data: DataConfig, split: SplitConfig, visible: np.ndarray) -> tuple[ColumnProfile, ...]:
    """A profile per column; numbers come from the rows marked in `visible` (bool (N,)): those of a given test set are not looked at."""
    said = (
        {data.id: "id", data.weight: "weight", split.group: "group", split.column: "ignored", "": ""}
        | dict.fromkeys(data.ignore, "ignored")
        | dict.fromkeys(targets, "target")
    )
    return tuple(
        _profile(name, values[visible], column_kind(name, values, source.booleans, source.texts), said.get(name, "")) for name, values in source.columns.items()
    )


def _profile(name: str, values: np.ndarray, kind: str, said: str) -> ColumnProfile:
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
        role=said or _role(name, kind, present, distinct),
    )


def _role(name: str, kind: str, present: np.ndarray, distinct: np.ndarray) -> str:
    """`constant` and `id` columns say nothing about the target; all else is input."""
    if len(distinct) < 2:
        return "constant"
    if len(distinct) < len(present) or len(present) < 20 or kind in ("date", "text"):
        return "input"
    if kind == "category":
        return "id"
    is_whole = kind == "numeric" and bool((present == np.round(present)).all())
    is_counter = is_whole and bool((np.diff(present) == 1).all())
    return "id" if is_counter or (is_whole and _ID_NAME.search(name)) else "input"


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
