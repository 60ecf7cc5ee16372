"""Numbers as people write them: which mark parts the decimals and which the thousands, and which whole numbers a float can't tell apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MAX_STRAY_FRAC = 0.01
"""Cells of another kind up to which a column is of its kind."""
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?[iI]nf(inity)?$"
LARGEST_WHOLE = 2**53
"""Beyond it float64 holds no odd number: neighbours become one."""
ORDERS = {".": (".",), ",": (",", "."), "": (".", ",")}
"""A file's decimal mark -> in what ways its numbers may be read; of equals the first."""
_MINUS = "\u2212"
_SAMPLE_ROWS = 10_000
_LONG = r"^[+-]?[1-9]\d{15,}$"
_SIGN = rf"[+\-{_MINUS}]?"
_NARROW = "\u00a0\u202f"
_CURRENCY = "[$€£¥]"
_MARKED = rf"^{_SIGN}\s?{_CURRENCY}?\s?{_SIGN}(\d+|\d{{1,3}}([.,' {_NARROW}’]\d{{3}})+)([.,]\d+)?\s?([%‰]|{_CURRENCY})?$"


def _write_pattern(decimal: str, thousands: str) -> str:
    """A group of thousands never begins with a zero: 0.250 is no 250."""
    mark, group = re.escape(decimal), re.escape(thousands)
    whole = rf"(\d+{mark}?\d*|{mark}\d+|[1-9]\d{{0,2}}({group}\d{{3}})+({mark}\d*)?)"
    return rf"^{_SIGN}{whole}([eE][+-]?\d+)?$|^{_SIGN}[iI]nf(inity)?$"


_OTHER = {".": ",", ",": "."}
_PATTERNS = {decimal: _write_pattern(decimal, thousands) for decimal, thousands in _OTHER.items()}


def are_plain(distinct: pa.Array) -> np.ndarray:
    """bool (N,): numbers as programs write them, 1250 and 1.5e3."""
    return pc.match_substring_regex(distinct, NUMBER).to_numpy(zero_copy_only=False)


def are_numbers(distinct: pa.Array, decimal: str) -> np.ndarray:
    """bool (N,): numbers with the decimal mark `.` or `,`, where the other one may part thousands."""
    return pc.match_substring_regex(distinct, _PATTERNS[decimal]).to_numpy(zero_copy_only=False)


def are_marked(distinct: pa.Array) -> np.ndarray:
    """bool (N,): numbers that may carry signs: $5, 5 %, 12,5, 1'000."""
    return pc.match_substring_regex(distinct, _MARKED).to_numpy(zero_copy_only=False)


def to_floats(cells: pa.ChunkedArray, decimal: str) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Cells as float64, null where one is no number; and the rows, int64, where there is one that isn't."""
    fit = pc.match_substring_regex(cells, _PATTERNS[decimal])
    plain = pc.replace_substring(pc.replace_substring(cells, _OTHER[decimal], ""), _MINUS, "-")
    plain = pc.replace_substring(plain, ",", ".") if decimal == "," else plain
    floats = pc.cast(pc.if_else(fit, plain, pa.scalar(None, pa.string())), pa.float64())
    return floats, np.flatnonzero(pc.invert(fit).fill_null(False).to_numpy())


def to_plain(cell: str, decimal: str) -> str:
    """One number as programs write it; anything else as it stands, 3.5 among decimal commas too."""
    cell = cell.strip()
    if not re.match(_PATTERNS[decimal], cell, re.ASCII):
        return cell
    return cell.replace(_OTHER[decimal], "").replace(",", ".").replace(_MINUS, "-")


def choose_decimal(distinct: pa.Array, counts: np.ndarray, order: Sequence[str]) -> tuple[str, int]:
    """The decimal mark by which most of a column's cells are numbers, of equals the first in `order`; and how many cells are none."""
    strays = {decimal: int(counts[~are_numbers(distinct, decimal)].sum()) for decimal in order}
    best = min(order, key=lambda decimal: strays[decimal])
    return best, strays[best]


def find_decimal(columns: Sequence[pa.ChunkedArray], delimiter: str) -> str:
    """The decimal mark of a file, by all its columns: `.`, `,`, or nothing where nothing tells or they differ.

    A column tells if it is of numbers, and more of its cells are by one mark than by the other: 3,5 and 1.234,5 are by the comma alone,
    3.5 and 0.142 by the point; 1,250 and 1.250 are by both. Where none tells, a comma between semicolons is a decimal one, as spreadsheets
    write it, and where commas delimit the cells it can't be.

    Args:
        columns: text as written; the first 10,000 rows are asked.
    """
    if delimiter == ",":
        return "."
    told, has_comma = set(), False
    for column in columns:
        cells = pc.utf8_trim_whitespace(column.slice(0, _SAMPLE_ROWS))
        counted = pc.value_counts(cells.filter(pc.match_substring_regex(cells, "[0-9]")))
        distinct, counts = counted.field("values"), counted.field("counts").to_numpy()
        fit = {decimal: int(counts[are_numbers(distinct, decimal)].sum()) for decimal in _OTHER}
        if fit["."] != fit[","] and max(fit.values()) >= (1 - MAX_STRAY_FRAC) * counts.sum():
            told.add(max(fit, key=lambda decimal: fit[decimal]))
        elif counts.sum() and fit["."] == fit[","] == counts.sum():
            has_comma |= bool(pc.any(pc.match_substring(distinct, ",")).as_py())
    if len(told) == 1:
        return told.pop()
    return "" if told else "," if delimiter == ";" and has_comma else "" if delimiter == ";" else "."


def are_thousands(cells: pa.ChunkedArray) -> bool:
    """Whether plain numbers may be thousands with a point, 1.250: all that have a point have three digits behind it, and none begins with a zero."""
    pointed = cells.filter(pc.match_substring(cells, "."))
    return len(pointed) > 0 and bool(pc.all(pc.match_substring_regex(pointed, r"^[+-]?[1-9]\d{0,2}\.\d{3}$")).as_py())


def merge_as_floats(cells: pa.ChunkedArray, *, is_exact: bool) -> bool:
    """Whether float64 makes one of several long whole numbers; or, where it must be exact, can't hold one of them."""
    long = pc.unique(cells.filter(pc.match_substring_regex(cells, _LONG)))
    if not len(long):
        return False
    if pc.count_distinct(pc.cast(long, pa.float64())).as_py() < len(long):
        return True
    return is_exact and any(f"{float(cell):.0f}" != cell.lstrip("+") for cell in long.to_pylist())
