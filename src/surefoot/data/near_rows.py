"""Near duplicates among rows of a table: one row written twice, with other roundings, capitals, spaces or punctuation. In n log n time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from surefoot.data.groups import Groups, Near

_STEPS = (0.01, 0.0025, 0.000625)
"""Of a standard deviation, to which numbers are rounded: the second where the first lets chance in; the third only tests the second."""
_STAY = 0.5
_SIGNS = re.compile(r"((?<=\d)[\W_](?=\d)|[-+<>=~^|$€£≤≥±×÷#%&*@](?<!\w-)|-(?!\w))|[\W_]")
"""Signs in the name of a kind; the first group are those that may tell one kind from another: A+ from A-, <30 from >30, C# from C++, 1.5 from 15."""
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def near_rows(contents: Mapping[int, str], columns: Mapping[str, np.ndarray], exact: Collection[str] = (), texts: Collection[str] = ()) -> Near:
    """Rows that are equal once numbers are rounded and words simplified.

    Numbers with a fraction are rounded to a hundredth of their standard deviation, words are compared without case, punctuation and spaces (names of kinds
    with the signs that may tell one from another, as in A+ and A-), all else must be equal. Where there are few columns chance makes such rows too; but a
    step four times smaller leaves at most a quarter of those, and all copies. Unless half of the pairs stay the smaller step is taken, with the same test, or
    none.

    Args:
        contents: row -> content hash; of equal ones the first row stands for all.
        columns: the inputs, float64, datetime64 or object (N,) each. exact: names of those that are no measured numbers, such as booleans.
        texts: names of those that hold texts.
    """
    rows = _take_first(contents)
    taken = {name: values[rows] for name, values in columns.items()}
    measured = {name: unit for name, values in taken.items() if name not in exact and (unit := _find_unit(values))}
    how = {name: simplify_text if name in texts else simplify_kind for name in taken}
    fixed = {name: _simplify(values, how[name]) if values.dtype == object else values for name, values in taken.items() if name not in measured}
    keys = pd.util.hash_pandas_object(pd.DataFrame(fixed), index=False).to_numpy() if fixed else np.zeros(len(rows), np.uint64)
    units = {name: (taken[name], unit) for name, unit in measured.items()}
    pairs = _choose(keys, units)
    groups = Groups()
    for a, b in pairs:
        groups.join(a, b)
    return Near([(int(rows[a]), int(rows[b]), 1.0) for a, b in pairs], groups.name([contents[row] for row in rows.tolist()]))


def _take_first(contents: Mapping[int, str]) -> np.ndarray:
    """int64 (N,): of the rows with equal contents the first."""
    seen: set[str] = set()
    rows: list[int] = []
    for row, content in contents.items():
        if content not in seen:
            seen.add(content)
            rows.append(row)
    return np.asarray(rows, np.int64)


def _find_unit(values: np.ndarray) -> float:
    """The standard deviation of numbers that have fractions; 0 for all else: counts, codes and years are what they are."""
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(known.std()) if len(known) and (known != np.rint(known)).any() else 0.0
    return spread if np.isfinite(spread) else 0.0


def _choose(keys: np.ndarray, measured: Mapping[str, tuple[np.ndarray, float]]) -> list[tuple[int, int]]:
    if not measured:
        return _pair_equal([keys])
    grids = [_round(keys, measured, step) for step in _STEPS]
    for chosen, finer in pairwise(grids):
        if _count_equal(finer[0]) >= _STAY * _count_equal(chosen[0]):
            return _pair_equal(chosen)
    return []


def _count_equal(keys: np.ndarray) -> int:
    """All pairs of rows with equal keys: those that chance makes fall with the step in each column, however many they are."""
    counts = np.unique(keys, return_counts=True)[1].astype(object)
    return int((counts * (counts - 1) // 2).sum())


def _round(keys: np.ndarray, measured: Mapping[str, tuple[np.ndarray, float]], step: float) -> list[np.ndarray]:
    """Keys on two grids half a step apart, so that a border of one parts nobody for good: uint64 (N,) each."""
    made = []
    for shift in (0.0, 0.5):
        key = keys.copy()
        for values, unit in measured.values():
            with np.errstate(over="ignore", invalid="ignore"):
                cells = np.floor(values / (unit * step) + shift) + 0.0
            cells[np.isnan(cells)] = np.inf  # missing equals missing
            key = (key ^ cells.view(np.uint64)) * _PRIME
            key ^= key >> np.uint64(29)
        made.append(key)
    return made


def _pair_equal(grids: list[np.ndarray]) -> list[tuple[int, int]]:
    """Neighbours among the rows of equal key on a grid."""
    pairs = set()
    for keys in grids:
        order = np.argsort(keys, kind="stable")
        equal = keys[order][1:] == keys[order][:-1]
        pairs |= set(zip(order[:-1][equal].tolist(), order[1:][equal].tolist()))
    return sorted(pairs)


def _simplify(values: np.ndarray, how: Callable[[str], str]) -> np.ndarray:
    codes, names = pd.factorize(values)
    simple = np.asarray([*map(how, map(str, names)), None], object)
    return np.asarray(simple[codes])


def simplify_text(text: str) -> str:
    """Text without case, punctuation and spaces (NFKC); what is nothing else stays as it is."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold()) or text


def simplify_kind(word: str) -> str:
    """The name of a kind without case, spaces, and the signs that say nothing (NFKC); what is nothing else stays as it is."""
    return _SIGNS.sub(r"\1", "".join(unicodedata.normalize("NFKC", word).casefold().split())) or word
