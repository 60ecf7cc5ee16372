"""Tables that say more than text: Parquet, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.encoding import Bytes, read_bytes, read_utf8
from surefoot.data.readers.header import check_unique, check_width
from surefoot.data.readers.members import File
from surefoot.data.readers.numerals import LARGEST_WHOLE, MAX_STRAY_FRAC
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError
from surefoot.types.source import Refused


def read_parquet(path: File) -> RawTable:
    """Reads a Parquet file. Columns of lists, structs or bytes are left out, and said so; rows count from 1.

    Raises:
        DataError: torn, no rows, or equal names.
    """
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(read_bytes(path)))
        check_width(path, file.metadata.num_columns)
        names = [name.strip() for name in file.schema_arrow.names]
        check_unique(path, names)
        table = file.read()
        table.validate(full=True)  # words that are no UTF-8 would fail later, where nobody knows the file
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataError(f"{path.name} is torn or no Parquet file: {error}", where=str(path), next="Copy it again, or write it anew.") from error
    if not table.num_rows:
        raise DataError(f"{path.name} has no rows.", where=str(path), next="Name a file with rows.")
    columns: dict[str, pa.ChunkedArray] = {}
    unfit = []
    for name, column in zip(names, table.columns, strict=True):
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            unfit.append(name)
        else:
            columns[name] = column
    places = [f"{path.name}:{row}" for row in range(1, table.num_rows + 1)]
    return RawTable(path.name, columns, places, fingerprint.of_files([path]), notes=_note_unfit(path, unfit), unfit=tuple(unfit))


def read_jsonl(path: File) -> RawTable:
    """Reads a file with one JSON object per line; a line that is none is refused, a key that a line lacks is missing there.

    Columns of lists or objects are left out, and said so.

    Raises:
        DataError: no line holds an object.
    """
    data, notes = read_utf8(path)
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    refused = []
    written: Sequence[Bytes] = data.split(b"\n")
    for number, line in enumerate(written, start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                refused.append(Refused(f"{path.name}:{number}", f"no JSON: {error}"))
                continue
            if isinstance(record, dict):
                check_width(path, len(record))
                records.append(record)
                lines.append(number)
            else:
                refused.append(Refused(f"{path.name}:{number}", "JSON, but no object with named values"))
    if not records:
        raise DataError(
            f"{path.name} holds no JSON objects, one per line; {len(refused):,} lines are something else.",
            where=str(path),
            next='Write one object per line, e.g. {"size": 3, "label": "cat"}',
        )
    check_width(path, len({name for record in records for name in record}))
    columns, unfit, strays = collect(records)
    places = [f"{path.name}:{line}" for line in lines]
    notes += _note_unfit(path, unfit) + [
        f'Column "{name}" of {path.name}: {len(rows):,} cells hold lists or objects and became missing, the first on line {lines[rows[0]]}.'
        for name, rows in strays.items()
    ]
    return RawTable(path.name, columns, places, fingerprint.of_files([path]), refused=refused, notes=notes, unfit=tuple(unfit))


def as_column(values: list[Any]) -> pa.ChunkedArray | None:
    """Python values as an Arrow column: booleans, numbers, or else text; None where some are neither words nor numbers."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds <= {bool, int, float, str}:
        return None
    if kinds <= {bool}:
        return pa.chunked_array([pa.array(values, pa.bool_() if kinds else pa.null())])
    is_long = int in kinds and any(type(value) is int and abs(value) >= LARGEST_WHOLE for value in values)  # its digits say what a float doesn't hold
    if kinds <= {int, float} and not is_long:
        return pa.chunked_array([pa.array([None if value is None else float(value) for value in values], pa.float64())])
    words = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    try:
        return pa.chunked_array([pa.array(words, pa.string())])
    except UnicodeEncodeError:  # half of a pair of surrogates, which JSON can write and UTF-8 can't
        return pa.chunked_array([pa.array([word and word.encode("utf-8", "replace").decode() for word in words], pa.string())])


def collect(records: list[dict[str, Any]]) -> tuple[dict[str, pa.ChunkedArray], list[str], dict[str, list[int]]]:
    """Columns of objects; the names of those that hold lists or objects; and rows of nested cells in columns that else hold words or numbers."""
    columns: dict[str, pa.ChunkedArray] = {}
    unfit: list[str] = []
    strays: dict[str, list[int]] = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        nested = [row for row, value in enumerate(values) if isinstance(value, list | dict)]
        if 0 < len(nested) <= MAX_STRAY_FRAC * len(values):
            strays[name] = nested
            values = [None if isinstance(value, list | dict) else value for value in values]
        column = as_column(values)
        if column is None:
            unfit.append(name)
        else:
            columns[name] = column
    return columns, unfit, strays


def _note_unfit(path: File, names: list[str]) -> list[str]:
    return [f"Columns of {path.name} hold lists, objects or bytes and were left out: {quote_some(names)}."] if names else []
