"""The sources of a project, side by side: are they alike, and how far can the labels of each be relied on?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import stats
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from surefoot.analysis.drift import compare
from surefoot.analysis.intervals import wilson
from surefoot.analysis.units import are_among
from surefoot.data.columns import take_rows
from surefoot.data.features import MOST_PICTURES, MOST_ROWS, Features, picture_features, sample_items, table_features
from surefoot.data.readers import count_raw, list_sources
from surefoot.types.configs import DataConfig, SourceConfig
from surefoot.types.data_reports import ColumnProfile, Drift, SourceReport
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.source import ImageSource, TableSource, repeat_word, take_words

_FOLDS = 5
_LEAST = 50


@dataclass(frozen=True)
class Usable:
    """The items that the audit found usable, in one order.

    Attributes:
        rows: int64 (N,) in the source. ids, contents: N strings. targets: float64 (N, T). groups: N group names or null, where there are groups.
    """

    source: ImageSource | TableSource
    rows: np.ndarray
    ids: Sequence[str]
    contents: Sequence[str]
    targets: np.ndarray
    groups: pa.ChunkedArray | None = None


@dataclass(frozen=True)
class Look:
    """What a look at the sources found: features of sampled items, a report per labelled source, and how far each differs from the others."""

    features: Features
    reports: tuple[SourceReport, ...]
    drift: dict[str, Drift]


def look(usable: Usable, profiles: tuple[ColumnProfile, ...], data: DataConfig, problem: Problem, *, root: Path, seed: int) -> Look:
    """Samples features of the items, the same number of each source, compares the labelled sources where there are several, and counts the raw ones."""
    declared = [one for one in list_sources(data) if one.labels == "labelled"]
    names = _name_all(usable, data, declared)
    sample = sample_items(names, MOST_PICTURES if isinstance(usable.source, ImageSource) else MOST_ROWS, seed)
    ids = np.asarray([usable.ids[item] for item in sample.tolist()], dtype=object)
    if isinstance(usable.source, ImageSource):
        features = picture_features(usable.source, usable.rows[sample], ids)
        sample = sample[are_among(ids, features.ids)]
    else:
        features = table_features(usable.source, profiles, usable.rows[sample], ids)
    reports = [_report(usable, names, one, problem, is_only=len(declared) == 1) for one in declared]
    raw = [SourceReport(name=one.name, role=one.role, labels="raw", items=one.items + one.refused, refused=one.refused) for one in count_raw(data, root)]
    if len(declared) == 1:
        return Look(features, (*reports, *raw), {})
    said, units = names[sample], _units(usable, sample)
    drift = compare(features, _pairs(said, [one.name for one in declared]), units, seed=seed)
    agreed = _agree(features, usable.targets[sample], said, units, problem)
    return Look(features, (*(one.model_copy(update={"agreement": agreed.get(one.name)}) for one in reports), *raw), drift)


def _name_all(usable: Usable, data: DataConfig, declared: list[SourceConfig]) -> np.ndarray:
    """The source of each row as object (N,), of no memory where there is one."""
    if len(declared) == 1 and not any(usable.source.sources):
        return np.broadcast_to(np.array(declared[0].name, object), len(usable.rows))
    return np.fromiter(name_sources(usable.source, data, usable.rows), object, len(usable.rows))


def name_sources(source: ImageSource | TableSource, data: DataConfig, rows: np.ndarray) -> Sequence[str]:
    """The source of each row; the only one's name where there is one."""
    if any(source.sources):
        return take_words(source.sources, rows)
    return repeat_word(next(one.name for one in list_sources(data) if one.labels == "labelled"), len(rows))


def _pairs(said: np.ndarray, names: list[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Each source against the others; of two, one pair says all."""
    return {name: (said != name, said == name) for name in (names[1:] if len(names) == 2 else names)}


def _units(usable: Usable, sample: np.ndarray) -> np.ndarray:
    """What belongs together: equal items, and groups where there are some."""
    groups = take_rows(usable.groups, sample).to_pylist() if usable.groups is not None else [None] * len(sample)
    words = [group or usable.contents[item] for group, item in zip(groups, sample.tolist())]
    return np.unique(np.asarray(words, dtype=str), return_inverse=True)[1]


def _report(usable: Usable, names: np.ndarray, one: SourceConfig, problem: Problem, *, is_only: bool) -> SourceReport:
    refused = [item.place for item in usable.source.refused if is_only or item.place.startswith(f"{one.name}/")]
    items = len(usable.source) if is_only else sum(name == one.name for name in usable.source.sources)
    inside = np.ones(len(names), bool) if is_only else names == one.name
    shared, conflicts = (0, 0) if is_only else _count_conflicts(usable, inside)
    return SourceReport(
        name=one.name,
        role=one.role,
        items=items + len(refused),
        usable=int(inside.sum()),
        refused=items + len(refused) - int(inside.sum()),
        shared=shared,
        conflict=Measured(value=conflicts / shared, interval=wilson(conflicts, shared), n=shared) if shared and problem.classes else None,
    )


def _count_conflicts(usable: Usable, inside: np.ndarray) -> tuple[int, int]:
    """Items with an equal in another source, and those whose equals there all have another target."""
    elsewhere: dict[str, set[bytes]] = {}
    for item, content in _list_contents(usable, ~inside):
        elsewhere.setdefault(content, set()).add(usable.targets[item].tobytes())
    shared = [(item, content) for item, content in _list_contents(usable, inside) if content in elsewhere]
    return len(shared), sum(usable.targets[item].tobytes() not in elsewhere[content] for item, content in shared)


def _list_contents(usable: Usable, which: np.ndarray) -> Iterable[tuple[int, str]]:
    rows = np.flatnonzero(which)
    return zip(rows.tolist(), take_words(usable.contents, rows), strict=True)


def _agree(features: Features, targets: np.ndarray, said: np.ndarray, units: np.ndarray, problem: Problem) -> dict[str, Measured]:
    """Source -> how far a forest that was fitted to other items, of all sources, agrees with its labels."""
    if problem.task in ("multilabel", "vector_regression", "detection") or len(targets) < _LEAST or not features.names:
        return {}
    lowest = np.nanmin(np.where(np.isnan(features.values), np.inf, features.values), 0)
    x = np.where(np.isnan(features.values), np.where(np.isfinite(lowest), lowest, 0) - 1, features.values).clip(-1e30, 1e30)
    y = targets[:, 0].astype(int) if problem.classes else targets[:, 0]
    kind = ExtraTreesClassifier if problem.classes else ExtraTreesRegressor
    guesses = np.empty(len(y), y.dtype)
    for fold in range(_FOLDS):
        asked = units % _FOLDS == fold
        if asked.any() and len(np.unique(y[~asked])) > 1:
            guesses[asked] = kind(60, min_samples_leaf=3, random_state=0).fit(x[~asked], y[~asked]).predict(x[asked])
        else:
            guesses[asked] = y[~asked][0] if (~asked).any() else 0
    return {str(name): _measure(guesses[said == name], y[said == name], is_class=bool(problem.classes)) for name in np.unique(said.astype(str))}


def _measure(guesses: np.ndarray, y: np.ndarray, *, is_class: bool) -> Measured:
    """A share with Wilson's interval; for amounts the rank correlation with Fisher's."""
    if is_class:
        right = int((guesses == y).sum())
        return Measured(value=right / len(y), interval=wilson(right, len(y)), n=len(y))
    if len(y) < 4 or np.ptp(y) == 0 or np.ptp(guesses) == 0:
        return Measured(value=0.0, n=len(y))
    value = float(stats.spearmanr(guesses, y).statistic)
    centre, half = math.atanh(min(max(value, -0.9999), 0.9999)), 1.96 / math.sqrt(len(y) - 3)
    return Measured(value=value, interval=(math.tanh(centre - half), math.tanh(centre + half)), n=len(y))
