"""Rows that belong together, and that a split by chance would part: those of one person or thing, and those that follow each other in time.

What is asked is whether the targets of such rows are alike: then a model that knows the ones in train knows much of those in val, and will know less of what
it is used on.

Source: Kaufman et al. 2012, Leakage in Data Mining; the likeness within groups is the intraclass correlation (one-way analysis of variance, adjusted).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from surefoot import randomness
from surefoot.analysis.looks import Used
from surefoot.checks import split as checks
from surefoot.data.indexing import to_days
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.findings import Finding
from surefoot.types.problem import Problem
from surefoot.types.source import TableSource

_FEWEST, _LEAST_ROWS, _MOST_ROWS = 20, 2.0, 100.0
"""Groups, and rows of a group on average: a column of few values, or of values with many rows each, is a property and no name."""
_DEALS = 99
_ORDERED = 0.8
"""Of the likeness within single values, what is left within pairs of neighbouring ones from which on their order tells the target; about half is of groups."""
_WORDS = (
    "patient", "subject", "person", "user", "customer", "client", "member", "account", "household", "family", "speaker", "author", "writer", "session",
    "visitor", "donor", "animal", "device", "machine", "sensor", "vehicle", "driver", "employee", "student", "participant", "group",
)  # fmt: skip
_OWNERS, _KEYS = (re.compile(rf"(^|_)({'|'.join(words)})s?(_|$)") for words in (_WORDS, ("id", "code", "uuid", "key")))
_VALUES = re.compile(r"[A-Za-z]{0,6}[-_ ]?\d{2,}")
"""Names as machines give them: p017, user_204, 10442."""


def find_ties(source: TableSource, profiles: Sequence[ColumnProfile], used: Used, problem: Problem, *, by_time: bool, seed: int) -> list[Finding]:
    """Findings on columns that name groups or moments by which nothing is split, although the targets go by them. `by_time`: the rows are split by time."""
    rows = used.rows[used.visible]
    inputs = [p for p in profiles if p.role == "input"]
    is_grouped, is_parted = any(p.role == "group" for p in profiles), by_time or {"val", "test"} & set(used.given_sets)  # train alone parts nothing
    named = [] if is_grouped else [p.name for p in inputs if _may_name(p, source.columns[p.name], len(rows))]
    dated = [] if is_parted else [p.name for p in inputs if p.kind == "date"]
    if not named and not dated:
        return []
    targets = spread_out(used.targets[used.visible], problem)
    alike = {name: _measure_groups(source.columns[name][rows], targets, seed, is_named=bool(_OWNERS.search(_spell(name)))) for name in named}
    moments = {name: to_days(source.columns[name][rows]) for name in dated}
    return [
        *checks.group_leak({name: likeness for name, likeness in alike.items() if likeness is not None}),
        *checks.time_leak({name: measure_order(days, targets, seed) for name, days in moments.items()}, len(rows)),
    ]


def spread_out(targets: np.ndarray, problem: Problem) -> np.ndarray:
    """float64 (N, K), centred: a column per class, or amounts as they are."""
    if problem.task in ("binary", "multiclass"):
        targets = np.eye(len(problem.classes))[targets[:, 0].astype(int)]
    return np.asarray(targets - targets.mean(0), np.float64)


def _may_name(profile: ColumnProfile, values: np.ndarray, num: int) -> bool:
    """Whether a column looks as if it named a person or a thing that has several rows."""
    each = num / max(profile.distinct, 1)
    if profile.kind not in ("category", "numeric") or profile.distinct < _FEWEST or not _LEAST_ROWS <= each <= _MOST_ROWS:
        return False
    if _OWNERS.search(_spell(profile.name)) or _KEYS.search(_spell(profile.name)):
        return True
    words = [str(value) for value in values[:200] if value is not None] if values.dtype == object else []
    return bool(words) and sum(_VALUES.fullmatch(word) is not None for word in words) > 0.9 * len(words)


def _spell(name: str) -> str:
    """A column's name as words of small letters: userId -> user_id."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|\W+", "_", name).lower()


def _measure_groups(values: np.ndarray, targets: np.ndarray, seed: int, *, is_named: bool) -> tuple[float, int] | None:
    """The likeness of the targets within groups and the number of these; None where random groups of the same sizes do as well.

    Where two neighbouring values tell as much as each by itself, the order of the values tells the target, as an amount's does: that is an input. Of groups
    the likeness halves. A patient is one (`is_named`) also in a table that was numbered class by class.
    """
    words, of = np.unique(values.astype(str), return_inverse=True)
    likeness = measure_groups(of, targets)
    place = np.argsort(sorted(range(len(words)), key=lambda k: (len(words[k]), words[k])))  # p9 < p10
    if not is_named and measure_groups(place[of] // 2, targets) > _ORDERED * likeness:
        return None
    stream = randomness.stream(seed, "groups dealt anew")
    return None if any(measure_groups(stream.permutation(of), targets) >= likeness for _ in range(_DEALS)) else (likeness, int(of.max()) + 1)


def measure_groups(of: np.ndarray, targets: np.ndarray) -> float:
    """Share of the targets' variance that lies between groups, adjusted: about 0 where groups say nothing, 1 where all of a group are alike.

    Args:
        of: int (N,), numbers of the groups from 0 up. targets: float (N, K), centred.
    """
    counts = np.bincount(of)
    num, groups = len(of), int((counts > 0).sum())
    whole = float((targets**2).sum())
    sums = np.stack([np.bincount(of, column) for column in targets.T], 1)
    within = whole - float((sums**2 / np.maximum(counts, 1)[:, None]).sum())
    return 1 - (within / max(num - groups, 1)) / max(whole / max(num - 1, 1), 1e-300)


def measure_order(days: np.ndarray, targets: np.ndarray, seed: int) -> float:
    """How alike the targets of rows are that follow each other in time: their autocorrelation, in [-1, 1]; 0 where a row has no date.

    Rows of one moment come in any order: in that of the file, a table sorted by class, with a dozen dates, would lie class by class within each of them.

    Args:
        days: float (N,). targets: float (N, K), centred. seed: draws the order of rows of one moment.
    """
    power = float((targets**2).sum())
    if np.isnan(days).any() or len(days) < 2 or power == 0:
        return 0.0
    order = randomness.stream(seed, "rows of one moment").permutation(len(days))
    told = targets[order[np.argsort(days[order], kind="stable")]]
    return float((told[1:] * told[:-1]).sum()) / power
