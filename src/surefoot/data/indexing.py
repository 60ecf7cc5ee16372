"""Columns of the audit's index that a table's own columns, or those of a list beside pictures, give: group, weight and time of each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from surefoot.data.identity import hash_rows, number_equals
from surefoot.data.readers.cells import convert, decide, prepare
from surefoot.data.targets import check_column, to_name
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, TableSource

_BLOCK = 1 << 16
"""Rows that are turned into an Arrow batch at a time."""
_TYPES = {"row": pa.int64(), "target": pa.list_(pa.float64()), "time": pa.float64(), "weight": pa.float32()}
INDEX = pa.schema(
    [
        (name, _TYPES.get(name, pa.string()))
        for name in ("row", "id", "whole", "content", "place", "given_set", "target", "group", "near", "time", "weight", "source")
    ]
)
"""The audit's index: a row for each usable item. `whole` is an id over all that its row says, where settings leave some of it out, else null."""


def to_batches(columns: Mapping[str, Sequence[str | None] | np.ndarray | None], num: int) -> Iterator[pa.RecordBatch]:
    """The index block by block, so that words made when they are asked for are never held for all rows.

    Args:
        columns: name -> N values, an array (N, T) for lists, None for nulls alone. num: N.
    """
    for start in range(0, num, _BLOCK):
        some = slice(start, min(start + _BLOCK, num))
        yield pa.record_batch([_to_arrow(columns[field.name], some, field.type) for field in INDEX], INDEX)


def _to_arrow(values: Sequence[str | None] | np.ndarray | None, some: slice, kind: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(some.stop - some.start, kind)
    if isinstance(values, np.ndarray) and values.ndim == 2:
        part = values[some]
        ends = np.arange(len(part) + 1, dtype=np.int32) * np.int32(part.shape[1])
        return pa.ListArray.from_arrays(pa.array(ends), pa.array(part.ravel()))
    return pa.array(values[some], kind)


def name_wholes(source: ImageSource | TableSource, profiles: Sequence[ColumnProfile], rows: np.ndarray) -> Sequence[str] | None:
    """Ids over all columns but the target, by which items are known again once the settings leave out another column; None where they leave out none."""
    if not isinstance(source, TableSource) or not any(p.role in ("id", "weight", "ignored") for p in profiles):
        return None
    return number_equals(hash_rows({p.name: source.columns[p.name] for p in profiles if p.role != "target"}).take(rows))


def as_table(source: ImageSource | TableSource) -> TableSource:
    """The columns of a source; what a list beside pictures says are words until now, and becomes what they are as a table's cells do."""
    if isinstance(source, TableSource):
        return source
    columns = {}
    for name, words in source.columns.items():
        cells = prepare(pa.chunked_array([pa.array(words.tolist(), pa.string())]))
        columns[name] = convert(cells, decide(cells, is_target=False))[0]
    return TableSource(columns, source.places, source.given_sets)


def read_groups(values: np.ndarray) -> list[str | None]:
    """The group of each row; rows without one stand for themselves."""
    return [to_name(value) for value in values.tolist()]


def read_weights(values: np.ndarray, name: str) -> np.ndarray:
    """float32 (N,).

    Raises:
        DataError: something else than finite numbers from 0 up, or nothing but zeros.
    """
    if values.dtype.kind != "f" or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(
            f"The weights in {name} must be numbers from 0 up, one in every row and not all of them 0.",
            where=f"data.weight = {name!r}",
            next="Mend the column, or name none.",
        )
    return values.astype(np.float32)


def find_time(source: TableSource, asked: str, rows: np.ndarray) -> np.ndarray | None:
    """Time of each row in days: the column asked for, else the first date column whose order the rows follow; None where there is none.

    Args:
        source: as `as_table` has it. asked: `split.time`; "none" for no time at all.

    Raises:
        DataError: the column asked for is not there, holds words, or lacks values.
    """
    if asked == "none":
        return None
    if asked:
        check_column(source, asked, "split.time")
        days = to_days(source.columns[asked][rows])
        if np.isnan(days).any():
            raise DataError(
                f"{int(np.isnan(days).sum()):,} rows have no {asked}: they can't be put in time order.",
                where=f"split.time = {asked!r}",
                next="Fill or drop them.",
            )
        return days
    for values in source.columns.values():
        if values.dtype.kind == "M" and len(rows) > 1:
            days = to_days(values[rows])
            if not np.isnan(days).any() and (np.diff(days) >= 0).all() and days[-1] > days[0]:
                return days
    return None


def to_days(values: np.ndarray) -> np.ndarray:
    """Dates or numbers as float64 days (N,).

    Raises:
        DataError: the column holds words.
    """
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[s]").astype(np.float64) / 86_400)
    if values.dtype == object:
        raise DataError("The time column holds words, neither dates nor numbers.", where="split.time", next="Name a column of dates or numbers.")
    return values.astype(np.float64)
