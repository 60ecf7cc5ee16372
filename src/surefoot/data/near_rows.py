"""Near duplicates among rows of a table: one row written twice, with other roundings, capitals, spaces or punctuation. In n log n time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd

from surefoot.data.groups import Groups, Near
from surefoot.data.identity import group_equals
from surefoot.types.source import Named

_STEPS = (0.01, 0.0025, 0.000625)
"""Of a standard deviation, to which numbers are rounded: the second where the first lets chance in; the third only tests the second."""
_STAY = 0.5
_BLOCK = 1 << 16
"""Rows that are rounded and hashed at a time, and words that are remembered simplified."""
_SIGNS = re.compile(r"((?<=\d)[\W_](?=\d)|[-+<>=~^|$€£≤≥±×÷#%&*@](?<!\w-)|-(?!\w))|[\W_]")
"""Signs in the name of a kind; the first group are those that may tell one kind from another: A+ from A-, <30 from >30, C# from C++, 1.5 from 15."""
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def near_rows(rows: np.ndarray, contents: Sequence[str], columns: Mapping[str, np.ndarray], exact: Collection[str] = (), texts: Collection[str] = ()) -> Near:
    """Rows that are equal once numbers are rounded and words simplified.

    Numbers with a fraction are rounded to a hundredth of their standard deviation, words are compared without case, punctuation and spaces (names of kinds
    with the signs that may tell one from another, as in A+ and A-), all else must be equal. Where there are few columns chance makes such rows too; but a
    step four times smaller leaves at most a quarter of those, and all copies. Unless half of the pairs stay the smaller step is taken, with the same test, or
    none.

    Args:
        rows: int64, those that are looked at. contents: hash of each of them; of equal ones the first row stands for all.
        columns: the inputs, float64, datetime64 or object (N,) each. exact: names of those that are no measured numbers, such as booleans.
        texts: names of those that hold texts.
    """
    later = [row for equal in group_equals(contents).values() for row in equal[1:]]
    first = np.delete(np.arange(len(rows)), later)
    rows = rows[first]
    measured = {name: unit for name, values in columns.items() if name not in exact and (unit := _find_unit(values, rows))}
    how = {name: lru_cache(_BLOCK)(simplify_text if name in texts else simplify_kind) for name in columns}
    fixed = {name: (values, how[name]) for name, values in columns.items() if name not in measured}
    pairs = _choose(_hash(fixed, rows), {name: (columns[name], unit) for name, unit in measured.items()}, rows)
    groups = Groups()
    for a, b in pairs:
        groups.join(a, b)
    named = groups.name(Named(len(rows), lambda some: [contents[item] for item in first[some].tolist()]))
    return Near([(int(rows[a]), int(rows[b]), 1.0) for a, b in pairs], named)


def _blocks(rows: np.ndarray) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, len(rows), _BLOCK))


def _find_unit(values: np.ndarray, rows: np.ndarray) -> float:
    """The standard deviation of numbers that have fractions; 0 for all else: counts, codes and years are what they are."""
    known = values[rows] if values.dtype.kind == "f" else np.zeros(0)
    known = known[np.isfinite(known)]
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(known.std()) if len(known) and (known != np.rint(known)).any() else 0.0
    return spread if np.isfinite(spread) else 0.0


def _hash(columns: Mapping[str, tuple[np.ndarray, Callable[[str], str]]], rows: np.ndarray) -> np.ndarray:
    """uint64 (N,) of what must be equal: words as they are once simplified, all else as it is."""
    keys = np.zeros(len(rows), np.uint64)
    for block in _blocks(rows) if columns else ():
        taken = {name: (values[rows[block]], how) for name, (values, how) in columns.items()}
        frame = pd.DataFrame({name: _simplify(values, how) if values.dtype == object else values for name, (values, how) in taken.items()})
        keys[block] = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return keys


def _choose(keys: np.ndarray, measured: Mapping[str, tuple[np.ndarray, float]], rows: np.ndarray) -> list[tuple[int, int]]:
    if not measured:
        return _pair_equal([keys])
    counts = (_count_equal(_round(keys, measured, rows, step)) for step in _STEPS)
    for step, (chosen, finer) in zip(_STEPS, pairwise(counts)):
        if finer >= _STAY * chosen:
            return _pair_equal(_round(keys, measured, rows, step, shift) for shift in (0.0, 0.5))
    return []


def _count_equal(keys: np.ndarray) -> int:
    """All pairs of rows with equal keys: those that chance makes fall with the step in each column, however many they are."""
    ordered = np.sort(keys)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    more = np.unique(again, return_counts=True)[1].astype(object)  # of those that are there n times n - 1
    return int((more * (more + 1) // 2).sum())


def _round(keys: np.ndarray, measured: Mapping[str, tuple[np.ndarray, float]], rows: np.ndarray, step: float, shift: float = 0.0) -> np.ndarray:
    """Keys uint64 (N,) on a grid. There are two, half a step apart, so that a border of one parts nobody for good."""
    made = keys.copy()
    for block in _blocks(rows):
        key = made[block]
        for values, unit in measured.values():
            with np.errstate(over="ignore", invalid="ignore"):
                cells = np.floor(values[rows[block]] / (unit * step) + shift) + 0.0
            cells[np.isnan(cells)] = np.inf  # missing equals missing
            key ^= cells.view(np.uint64)
            key *= _PRIME
            key ^= key >> np.uint64(29)
    return made


def _pair_equal(grids: Iterable[np.ndarray]) -> list[tuple[int, int]]:
    """Neighbours among the rows of equal key on a grid."""
    pairs = set()
    for keys in grids:
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        equal = np.flatnonzero(keys[1:] == keys[:-1])
        pairs |= set(zip(order[equal].tolist(), order[equal + 1].tolist()))
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
