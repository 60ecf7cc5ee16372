"""What each column of a table holds, and what part it plays."""

from __future__ import annotations

import re

import numpy as np

from surefoot.data.readers.schema import column_kind
from surefoot.types.configs import DataConfig, SplitConfig
from surefoot.types.reports import ColumnProfile
from surefoot.types.source import TableSource

_BINS = 20
_ID_NAME = re.compile(r"(^|[_ ])(id|uuid|guid|key|index|instant|rowid|row|nr|number)$", re.IGNORECASE)


def profile_columns(source: TableSource, targets: tuple[str, ...], data: DataConfig, split: SplitConfig, visible: np.ndarray) -> tuple[ColumnProfile, ...]:
    """A profile per column; numbers come from the rows marked in `visible` (bool (N,)): those of a given test set are not looked at."""
    said = {data.id: "id", data.weight: "weight", split.group: "group"} | dict.fromkeys(data.ignore, "ignored") | dict.fromkeys(targets, "target")
    return tuple(_profile(name, values[visible], column_kind(name, values, source.booleans), said.get(name, "")) for name, values in source.columns.items())


def _profile(name: str, values: np.ndarray, kind: str, said: str) -> ColumnProfile:
    present = values[~_missing(values)]
    distinct, counts = _count(present)
    numbers = present.astype(np.float64) if kind in ("numeric", "boolean") and len(present) else np.zeros(0)
    histogram, edges = np.histogram(numbers[np.isfinite(numbers)], bins=_BINS) if len(numbers) else (np.zeros(0), np.zeros(0))
    top = np.argsort(-counts, kind="stable")[:10] if kind in ("category", "boolean") else []
    return ColumnProfile(
        name=name,
        kind=kind,
        missing=len(values) - len(present),
        distinct=len(distinct),
        low=float(numbers.min()) if len(numbers) else None,
        mean=float(numbers.mean()) if len(numbers) else None,
        high=float(numbers.max()) if len(numbers) else None,
        sd=float(numbers.std()) if len(numbers) else None,
        histogram=tuple(int(n) for n in histogram),
        edges=tuple(float(e) for e in edges),
        top={str(distinct[n]): int(counts[n]) for n in top},
        role=said or _role(name, kind, present, distinct),
    )


def _role(name: str, kind: str, present: np.ndarray, distinct: np.ndarray) -> str:
    """`constant` and `id` columns say nothing about the target; `text` is not read; all else is input."""
    if len(distinct) < 2:
        return "constant"
    if kind == "text":
        return "id" if len(distinct) == len(present) and not any(" " in str(value) for value in present[:100]) else "text"
    if len(distinct) < len(present) or len(present) < 20 or kind == "date":
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
    if present.dtype == object:
        present = present.astype(str)
    return np.unique(present, return_counts=True)
