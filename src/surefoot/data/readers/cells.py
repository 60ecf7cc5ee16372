"""Cells as text -> typed columns: numbers, booleans, dates or words, column by column and never cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.readers.dates import FIRST, LAST, DateFormat, find_format, find_formats, parse_dates
from surefoot.data.readers.numerals import (
    LARGEST_WHOLE,
    MAX_STRAY_FRAC,
    ORDERS,
    are_marked,
    are_plain,
    are_thousands,
    choose_decimal,
    merge_as_floats,
    to_floats,
)

MISSING = pa.array(["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "Null", "NULL", "None", "-", "#N/A", "<NA>"])
TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y"), ("false", "f", "no", "n")
MIXED_FRAC = 0.5
"""Cells of one kind from which on a column of words is told to mix kinds."""
_TELL_LONG = (
    f"its whole numbers reach beyond {LARGEST_WHOLE:,}, where float64 makes one of neighbours, so all are read as words; "
    "if they are amounts, give them in a larger unit"
)
_TELL_POINTS = "its points are read as decimal ones, though all have three digits behind them; if they part thousands, write 1250 for 1.250"
_TELL_GROUPS = "the {} in {} is read as one that parts thousands; if it is a decimal one, write a point and no other mark in the whole file"


@dataclass(frozen=True)
class ColumnType:
    """What the cells of a column are.

    Attributes:
        kind: `number`, `boolean`, `date` or `word`.
        dates: how dates are written.
        decimal: the mark before the decimals of numbers, `.` or `,`, where the file or the column says so; the other one parts thousands.
        note: what to say of how the cells were read, as a sentence without the column's name.
    """

    kind: str
    dates: DateFormat | None = None
    decimal: str = ""
    note: str = ""

    def to_plain(self) -> dict[str, Any]:
        """How dates or numbers are written, as plain JSON; nothing where they are as programs write them."""
        return self.dates.to_plain() if self.dates else {"decimal": self.decimal} if self.decimal else {}


def prepare(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column ready to be judged: numbers, booleans and dates as their file declares them, all else as clean text."""
    return column if _read_declared(column.type) else clean(column)


def is_declared(cells: pa.ChunkedArray) -> bool:
    """Whether a column's file says itself what it holds, so that its cells are no text."""
    return bool(_read_declared(cells.type))


def decide(cells: pa.ChunkedArray, *, is_target: bool, decimal: str = ".") -> ColumnType:
    """What a prepared column is, by all its cells.

    Number if at most 1 % of the cells are none, unless float64 would make one of several whole numbers; boolean if all are true/false, t/f,
    yes/no or y/n; date if all are of one format; else words. Words of a target stay words, and so do whole numbers that float64 can't hold. A
    column without any cell counts as numbers.

    Args:
        decimal: the mark of the file, by which 1.250 or 1,250 is read: `.`, `,`, or nothing where the file doesn't say; see `find_decimal`.
    """
    declared = _read_declared(cells.type)
    if declared and not (declared == "number" and _are_long(cells)):
        return ColumnType("word" if is_target and declared == "boolean" else declared)
    cells = (clean(cells) if declared else cells).drop_null()
    if not len(cells):
        return ColumnType("number")
    if decimal != "," and (floats := _to_floats(cells)) is not None:
        number = ColumnType("number", note=_TELL_POINTS if not decimal and are_thousands(cells) else "")
        return _keep_long(number, cells, is_target=is_target) if _reach_far(floats) else number
    counted = pc.value_counts(cells)
    distinct, counts = counted.field("values"), counted.field("counts").to_numpy()
    mark, stray = choose_decimal(distinct, counts, ORDERS[decimal])
    if stray <= MAX_STRAY_FRAC * len(cells):
        return _keep_long(_decide_numbers(distinct, mark), distinct, is_target=is_target)
    marked = _tell_marked(distinct, counts)
    if is_target or marked:
        return ColumnType("word", note=marked)
    if _are_booleans(distinct):
        return ColumnType("boolean")
    decided = _decide_dates(distinct, counts)
    return replace(decided, note=decided.note or _tell_mixed(distinct, counts)) if decided.kind == "word" else decided


def _keep_long(number: ColumnType, cells: pa.Array | pa.ChunkedArray, *, is_target: bool) -> ColumnType:
    """Numbers, or words where float64 would not keep them apart; each of a target, whose classes are named by them."""
    return ColumnType("word", note=_TELL_LONG) if merge_as_floats(cells, is_exact=is_target) else number


def _decide_numbers(distinct: pa.Array, mark: str) -> ColumnType:
    """Numbers by a decimal mark, with what to say of cells that programs would write otherwise."""
    commas, points = (distinct.filter(pc.match_substring(distinct, one)) for one in ",.")
    grouped = points if mark == "," else commas
    notes = ["it writes numbers with a decimal comma; they were read as such"] if mark == "," and len(commas) else []
    notes += [_TELL_GROUPS.format("point" if mark == "," else "comma", grouped[0])] if len(grouped) else []
    return ColumnType("number", decimal=mark if mark == "," or len(commas) else "", note="; ".join(notes))


def _tell_marked(distinct: pa.Array, counts: np.ndarray) -> str:
    """What to say of words that look like numbers with signs; empty where they don't."""
    marked = are_marked(distinct)
    if counts[~marked].sum() > MAX_STRAY_FRAC * counts.sum():
        return ""
    example = distinct.filter(pa.array(marked & ~are_plain(distinct)))[0].as_py()
    return f"its cells look like numbers written with signs, such as {example!r}, and are read as words; if they are amounts, write them plainly, as 1250.5"


def _tell_mixed(distinct: pa.Array, counts: np.ndarray) -> str:
    """What to say of words most of which are numbers; empty where they aren't."""
    are_numbers = are_plain(distinct)
    count, total = int(counts[are_numbers].sum()), int(counts.sum())
    if count < MIXED_FRAC * total:
        return ""
    other = distinct.filter(pa.array(~are_numbers))[0].as_py()
    return f"{count:,} of its {total:,} cells are numbers and the others are not, such as {other[:40]!r}, so all are read as words; mend or empty the others"


def convert(cells: pa.ChunkedArray, how: ColumnType) -> tuple[np.ndarray, np.ndarray]:
    """A prepared column as NumPy values, and the rows whose cell is there but isn't of that kind (they became missing).

    Returns:
        float64 (N,), datetime64[ns] (N,) or object (N,) of str and None; int64 positions.
    """
    declared = _read_declared(cells.type)
    if declared == how.kind:
        return _nanoseconds(cells) if declared == "date" else _as_floats(pc.cast(cells, pa.float64(), safe=False)), np.empty(0, np.int64)
    if declared:
        cells = clean(cells)
    if how.kind == "word":
        return _as_words(cells), np.empty(0, np.int64)
    if how.kind == "number":
        return _convert_numbers(cells, how.decimal or ".")
    encoded = cells.dictionary_encode().combine_chunks()
    distinct, codes = encoded.dictionary, encoded.indices.fill_null(-1).to_numpy()
    known = _read_booleans(distinct) if how.kind == "boolean" else _read_dates(distinct, how.dates)
    values = np.append(known, np.array([np.nan if how.kind == "boolean" else "NaT"], known.dtype))[codes]
    return values, np.flatnonzero((codes >= 0) & np.isnan(values))


def clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells without the spaces around them; missing markers become null."""
    trimmed = pc.utf8_trim_whitespace(column if pa.types.is_string(column.type) else pc.cast(column, pa.string()))
    return pc.if_else(pc.is_in(trimmed, value_set=MISSING), pa.scalar(None, pa.string()), trimmed)


def tell_missing(column: pa.ChunkedArray) -> str:
    """The words in a column of text that are read as missing, with their counts; empty where there are none."""
    if is_declared(column):
        return ""
    words = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    found = pc.value_counts(words.filter(pc.is_in(words, value_set=MISSING.slice(1)))).to_pylist()
    return ", ".join(f"{one['values']!r} ({one['counts']:,})" for one in sorted(found, key=lambda one: -one["counts"]))


def _read_declared(kind: pa.DataType) -> str:
    """What a file's own type says; empty for text, whose cells decide."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return "number"
    return "date" if pa.types.is_timestamp(kind) or pa.types.is_date(kind) else ""


def _to_floats(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    try:
        return pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return None


def _convert_numbers(cells: pa.ChunkedArray, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    floats = _to_floats(cells) if decimal == "." else None
    found, stray = to_floats(cells, decimal) if floats is None else (floats, np.empty(0, np.int64))
    return _as_floats(found), stray


def _are_long(cells: pa.ChunkedArray) -> bool:
    """Whether numbers as a file declares them are whole and reach beyond what float64 holds one by one."""
    is_whole = pa.types.is_integer(cells.type) or (pa.types.is_decimal(cells.type) and cells.type.scale == 0)
    return is_whole and _reach_far(pc.cast(cells, pa.float64(), safe=False))


def _reach_far(floats: pa.ChunkedArray) -> bool:
    ends = pc.min_max(floats).as_py()
    return any(end is not None and abs(end) >= LARGEST_WHOLE for end in ends.values())


def _are_booleans(distinct: pa.Array) -> bool:
    """All cells are of one pair of words: `t` beside `no` would be categories that happen to look alike."""
    if len(distinct) > 6:  # TRUE, True, true and their opposites
        return False
    words = set(pc.utf8_lower(distinct).to_pylist())
    return any(words <= set(pair) for pair in zip(TRUE_WORDS, FALSE_WORDS, strict=True))


def _read_booleans(distinct: pa.Array) -> np.ndarray:
    lower = pc.utf8_lower(distinct)
    is_true, is_false = (pc.is_in(lower, pa.array(words)).to_numpy(zero_copy_only=False) for words in (TRUE_WORDS, FALSE_WORDS))
    return np.where(is_true, 1.0, np.where(is_false, 0.0, np.nan))


def _read_dates(distinct: pa.Array, how: DateFormat | None) -> np.ndarray:
    """By the format that was decided on; by the cells' own where the source's file declared dates and so has none."""
    how = how or (find_format(distinct) if len(distinct) else None)
    return parse_dates(distinct, how) if how else np.full(len(distinct), "NaT", "datetime64[ns]")


def _decide_dates(distinct: pa.Array, counts: np.ndarray) -> ColumnType:
    how = find_format(distinct)
    if how is None:
        how, note = find_formats(distinct, counts)
        if how is None:
            return ColumnType("word", note=note)
    no_dates = counts[np.isnat(parse_dates(distinct, how))].sum()
    return ColumnType("date", dates=how) if no_dates <= MAX_STRAY_FRAC * counts.sum() else ColumnType("word")


def _as_floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.to_numpy(), dtype=np.float64)


def _as_words(cells: pa.ChunkedArray) -> np.ndarray:
    """object array of str and None; equal words are one object, which keeps a million of them small."""
    encoded = cells.dictionary_encode().combine_chunks()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return words[encoded.indices.fill_null(-1).to_numpy()]


def _nanoseconds(column: pa.ChunkedArray) -> np.ndarray:
    """Timestamps of any unit and zone (as UTC) as datetime64[ns]; beyond its range NaT."""
    moments = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    stamps = moments.fill_null(0).to_numpy().astype("datetime64[us]")
    inside = moments.is_valid().to_numpy() & (stamps >= FIRST) & (stamps < LAST)
    return np.where(inside, stamps, np.datetime64("NaT")).astype("datetime64[ns]")
