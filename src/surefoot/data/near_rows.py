"""Near duplicates among rows of a table: one row written twice, with other roundings, capitals, spaces or punctuation. In n log n time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from surefoot import randomness
from surefoot.data.groups import Groups, Near

_STEPS = (0.01, 0.0025)
"""Of a standard deviation, to which numbers are rounded: the second where the first lets chance in."""
_STAY = 0.5
_CHANCE = 0.1
"""Share of the pairs found that chance may explain."""
_DRAWN = 200_000
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def near_rows(contents: Mapping[int, str], columns: Mapping[str, np.ndarray], seed: int, exact: Collection[str] = ()) -> Near:
    """Rows that are equal once numbers are rounded and words simplified.

    Numbers with a fraction are rounded to a hundredth of their standard deviation, words are compared without case, punctuation and spaces, all else must be
    equal. Where there are few columns chance makes such rows too. How many is known from rows drawn at random; and a step four times smaller leaves few of
    them, but all copies: unless chance explains at most a tenth of the pairs, and half of them stay, the smaller step is taken, or none.

    Args:
        contents: row -> content hash; of equal ones the first row stands for all.
        columns: the inputs, float64, datetime64 or object (N,) each. exact: names of those that are no measured numbers, such as booleans.
        seed: of the rows drawn.
    """
    first: dict[str, int] = {}
    for row, content in contents.items():
        first.setdefault(content, row)
    rows = np.asarray(list(first.values()), np.int64)
    taken = {name: values[rows] for name, values in columns.items()}
    measured = {name: unit for name, values in taken.items() if name not in exact and (unit := _find_unit(values))}
    fixed = {name: _simplify(values) if values.dtype == object else values for name, values in taken.items() if name not in measured}
    keys = pd.util.hash_pandas_object(pd.DataFrame(fixed), index=False).to_numpy() if fixed else np.zeros(len(rows), np.uint64)
    units = {name: (taken[name], unit) for name, unit in measured.items()}
    pairs = _choose(keys, units, seed)
    groups = Groups(len(rows))
    for a, b in pairs:
        groups.join(a, b)
    return Near([(int(rows[a]), int(rows[b]), 1.0) for a, b in pairs], groups.name([contents[row] for row in rows.tolist()]))


def _find_unit(values: np.ndarray) -> float:
    """The standard deviation of numbers that have fractions; 0 for all else: counts, codes and years are what they are."""
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(known.std()) if len(known) and (known != np.rint(known)).any() else 0.0
    return spread if np.isfinite(spread) else 0.0


def _choose(keys: np.ndarray, measured: Mapping[str, tuple[np.ndarray, float]], seed: int) -> list[tuple[int, int]]:
    if not measured:
        return _pair_equal([keys])
    coarse, fine = (_round(keys, measured, step) for step in _STEPS)
    pairs, stay = _pair_equal(coarse), _pair_equal(fine)
    if len(stay) >= _STAY * len(pairs) and _expect(coarse, seed) <= _CHANCE * len(pairs):
        return pairs
    return stay if _expect(fine, seed) <= _CHANCE * len(stay) else []


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


def _expect(grids: list[np.ndarray], seed: int) -> float:
    """Pairs that chance makes, from rows drawn at random."""
    num = len(grids[0])
    drawn = randomness.stream(seed, "near rows").integers(0, max(num, 1), (2, _DRAWN if num > 1 else 0))
    drawn = drawn[:, drawn[0] != drawn[1]]
    hits = sum(int((keys[drawn[0]] == keys[drawn[1]]).sum()) for keys in grids)
    return hits / max(drawn.shape[1], 1) * num * (num - 1) / 2


def _simplify(values: np.ndarray) -> np.ndarray:
    codes, names = pd.factorize(values)
    simple = np.asarray([*map(simplify_word, map(str, names)), None], object)
    return np.asarray(simple[codes])


def simplify_word(word: str) -> str:
    """Text without case, punctuation and spaces (NFKC); what is nothing else stays as it is."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", word).casefold()) or word
