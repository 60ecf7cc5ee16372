"""Excel workbooks: the first sheet that holds something, as values; formulas are never computed, and no macro is run."""

from __future__ import annotations

import datetime
import zipfile
from typing import Any

import pyarrow as pa

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.header import check_header, check_width, name_columns
from surefoot.data.readers.members import File, open_file
from surefoot.data.readers.raw import RawTable
from surefoot.data.readers.records import as_column
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ItemError, Refused

SUFFIXES = (".xlsx", ".xlsm")
MAX_UNPACKED_BYTES = 2 * 2**30
"""A workbook is a zip of XML; more than this is no table that somebody wrote."""


def read_excel(path: File) -> RawTable:
    """Reads the first sheet with rows: its first row is the header, dates stay dates, numbers numbers.

    Raises:
        UsageError: openpyxl is not installed. DataError: torn, too large, no header, or no rows.
    """
    openpyxl = _import()
    try:
        with open_file(path) as file:
            _check_size(file, path)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = {sheet.title: rows for sheet in book.worksheets if (rows := _read_rows(sheet))}
    except DataError:
        raise
    except (ItemError, OSError, ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is torn or no Excel workbook: {error}.", where=str(path), next="Save it anew, or save the sheet as CSV.") from error
    if not sheets:
        raise DataError(f"{path.name} is empty.", where=str(path), next="Name a workbook whose first sheet has a header and rows.")
    title, rows = next(iter(sheets.items()))
    others = [name for name in sheets if name != title]
    notes = [f'{path.name}: the sheet "{title}" was read; {quote_some(others)} were not.'] if others else []
    return _tabulate(path, rows, notes)


def _import() -> Any:
    try:
        import openpyxl
    except ImportError as error:
        raise UsageError(
            "Excel workbooks need openpyxl, which is not installed.", where="data.source", next='pip install "surefoot[excel]", or save the sheet as CSV.'
        ) from error
    return openpyxl


def _check_size(file: Any, path: File) -> None:
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    file.seek(0)
    if size > MAX_UNPACKED_BYTES:
        raise DataError(f"{path.name} unpacks to {size:,} bytes, more than {MAX_UNPACKED_BYTES:,}.", where=str(path), next="Save the sheet as CSV or Parquet.")


def _read_rows(sheet: Any) -> list[tuple[int, list[Any]]]:
    """(row number, cells) of the rows that hold something."""
    rows = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if any(cell is not None and str(cell).strip() for cell in cells):
            rows.append((number, list(cells)))
    return rows


def _tabulate(path: File, rows: list[tuple[int, list[Any]]], notes: list[str]) -> RawTable:
    (_, header), body = rows[0], rows[1:]
    width = max((j + 1 for j, cell in enumerate(header) if cell is not None), default=0)
    check_width(path, width)
    if not body:
        raise DataError(f"{path.name} has no rows below its header.", where=str(path), next="Name a workbook with a header and rows.")
    names = ["" if cell is None else str(cell).strip() for cell in header[:width]]
    check_header(path, names, [[_write(cell) for cell in row[:width]] for _, row in body[:200]])
    wide = [(number, row) for number, row in body if any(cell is not None for cell in row[width:])]
    kept = [(number, (row + [None] * width)[:width]) for number, row in body if not any(cell is not None for cell in row[width:])]
    columns, said = name_columns(path.name, names, [_as_column([row[j] for _, row in kept]) for j in range(width)])
    refused = [Refused(f"{path.name}:{number}", f"more cells than the header's {width}") for number, _ in wide]
    return RawTable(path.name, columns, [f"{path.name}:{number}" for number, _ in kept], fingerprint.of_files([path]), refused=refused, notes=notes + said)


def _write(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _as_column(cells: list[Any]) -> pa.ChunkedArray:
    """Dates where all are dates; else what the words and numbers are."""
    present = [cell for cell in cells if cell is not None]
    if present and all(isinstance(cell, datetime.datetime | datetime.date) for cell in present):
        moments = [cell if isinstance(cell, datetime.datetime) or cell is None else datetime.datetime.combine(cell, datetime.time()) for cell in cells]
        return pa.chunked_array([pa.array(moments, pa.timestamp("us"))])
    column = as_column(cells)
    return column if column is not None else pa.chunked_array([pa.array([None if cell is None else str(cell) for cell in cells], pa.string())])
