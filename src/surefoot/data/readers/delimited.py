"""Comma-separated files and their kin: which delimiter, which header, which rows, and on which lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from surefoot.data.readers import fingerprint
from surefoot.data.readers.aside import keep_batches
from surefoot.data.readers.encoding import Bytes, read_utf8
from surefoot.data.readers.header import check_header, check_width, name_columns
from surefoot.data.readers.members import File
from surefoot.data.readers.numerals import find_decimal
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError, SurefootError
from surefoot.types.source import Named, Refused

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
SAMPLE_BYTES, SAMPLE_ROWS = 2**18, 200
STREAM_BYTES, BLOCK_BYTES = 2**20, 2**24
"""What Arrow parses at a time: of a million rows small blocks leave 28 MB in its pool, those of 4 MiB 62, and take as long. A longer line needs the second."""
_CELLS_AT_ONCE = 2**10
"""Bytes of a block for each column: of thousands of columns a small block holds a few rows, and each column of it is an array of its own."""
CHUNK_ROWS = 50_000
MAX_CELL = 2**24
"""Characters of a cell: Python's csv stops at 131,072, which a letter or a law of some length has; this is as much as a text file may have."""


@dataclass
class Body:
    """The rows below a header: columns in order, the line each row begins on, and the lines that are no rows."""

    columns: list[pa.ChunkedArray]
    lines: Sequence[int] | np.ndarray
    ragged: list[tuple[int, str]] = field(default_factory=list)


class UnclosedQuoteError(Exception):
    """A quotation mark was opened on a line and never closed, or not within what a cell may have: `is_long`."""

    def __init__(self, line: int, *, is_long: bool) -> None:
        super().__init__(line)
        self.line = line
        self.what = f"is not closed within {MAX_CELL:,} characters" if is_long else "is never closed"


def read_delimited(path: File) -> RawTable:
    """Reads a delimited text file with a header; every cell stays text.

    Encoding and delimiter are found from the content. Rows of another length than the header are refused with their line.

    Raises:
        DataError: no delimiter, no header, equal names, no rows, or mostly ragged rows.
    """
    data, notes = read_utf8(path)
    if not data or data.isspace():
        raise DataError(f"{path.name} is empty.", where=str(path), next="Name a file with a header and rows.")
    end = data.find(b"\n")
    check_width(path, 1 + max(data.count(mark.encode(), 0, end if end >= 0 else len(data)) for mark in DELIMITERS))
    sample = _take_sample(data)
    delimiter = _sniff(path, sample)
    rows, line_numbers = _read_sample(sample, delimiter)
    if len(rows) < 2:
        raise DataError(f"{path.name} has no rows below its header.", where=str(path), next="Name a file with a header and rows.")
    names = [cell.strip() for cell in rows[0]]
    check_header(path, names, rows[1:], delimiter)
    body = _read_body(path, data, _find_line(data, line_numbers[0]), len(names), delimiter, notes)
    _check_ragged(path, body, rows, delimiter)
    columns, said = name_columns(path.name, names, body.columns)
    name, lines = path.name, body.lines  # by themselves: the places outlive the columns as they were read
    return RawTable(
        name=name,
        columns=columns,
        places=Named(len(lines), lambda some: (f"{name}:{line}" for line in lines[some])),
        fingerprint=fingerprint.of_files([path]),
        decimal=find_decimal(body.columns, delimiter),
        refused=[Refused(f"{path.name}:{line}", reason) for line, reason in body.ragged],
        notes=notes + said,
    )


def _take_sample(data: Bytes) -> list[str]:
    """The first lines: 256 KiB of them, but two at least."""
    second = data.find(b"\n", data.find(b"\n") + 1)
    end = data.find(b"\n", max(SAMPLE_BYTES, second)) if second >= 0 else -1
    return [line + "\n" for line in data[: end if end >= 0 else None].decode("utf-8", "replace").split("\n")]


def _read_sample(sample: list[str], delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> tuple[list[list[str]], list[int]]:
    """The first rows, and for each the number of lines up to its end; blank lines aside."""
    reader = _make_reader(sample, delimiter, quoting)
    pairs: list[tuple[list[str], int]] = []
    try:
        pairs.extend(islice(((row, reader.line_num) for row in reader if any(cell.strip() for cell in row)), SAMPLE_ROWS))
    except csv.Error:  # a quotation mark that is never closed: one cell has swallowed the sample
        if quoting != csv.QUOTE_NONE:
            return _read_sample(sample, delimiter, csv.QUOTE_NONE)
    return [row for row, _ in pairs], [line for _, line in pairs]


def _make_reader(lines: Iterable[str], delimiter: str, quoting: int) -> Any:
    csv.field_size_limit(MAX_CELL)  # of all readers at once: csv has no other
    return csv.reader(lines, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]


def _sniff(path: File, sample: list[str]) -> str:
    """The delimiter with which most rows have the same number of cells, and the header too; of equals the one that makes more cells."""
    scores: dict[str, tuple[bool, float, int]] = {}
    uneven: dict[str, int] = {}
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _read_sample(sample, delimiter)[0]]
        if widths and widths[0] > 1 and np.median(widths) > 1:
            uneven[delimiter] = sum(widths)
        if widths:
            width, count = Counter(widths[1:] or widths).most_common(1)[0]
            if width > 1 and count >= 0.5 * len(widths[1:] or widths):
                scores[delimiter] = (widths[0] == width, count / len(widths), width)
    if uneven and not scores:  # cells there are, but of no two rows as many: which rows, is told by who reads them
        return max(uneven, key=lambda one: uneven[one])
    if not scores:
        raise DataError(
            f"{path.name} has one column only: no delimiter ({', '.join(DELIMITERS.values())}) splits most of its rows alike.",
            where=str(path),
            next='A table needs a target and at least one input. Save it with commas between the cells, and `"..."` around cells that hold commas.',
        )
    return max(scores, key=lambda one: scores[one])


def _find_line(data: Bytes, number: int) -> tuple[int, int]:
    """Where line `number` (from 0) begins: byte and the number itself."""
    start = 0
    for _ in range(number):
        start = data.find(b"\n", start) + 1
    return start, number


def _read_body(path: File, data: Bytes, start: tuple[int, int], width: int, delimiter: str, notes: list[str]) -> Body:
    """Row by line at full speed where every line is a row; where not, with Python's csv, which knows its lines."""
    body = _read_fast(data, start, width, delimiter, min(BLOCK_BYTES, max(STREAM_BYTES, _CELLS_AT_ONCE * width)))
    if body:
        return body
    try:
        return _read_exactly(data, start, width, delimiter, csv.QUOTE_MINIMAL)
    except UnclosedQuoteError as error:
        body = _read_unquoted(path, data, start, width, delimiter)
        if len(body.ragged) > 0.01 * len(body.lines):
            raise DataError(
                f"A quotation mark opened on line {error.line} of {path.name} {error.what}.",
                where=f"{path.name}:{error.line}",
                next='Close it, or write a quotation mark inside a cell twice: "".',
            ) from error
        notes.append(f"The quotation mark on line {error.line} of {path.name} {error.what}, so quotation marks are read as plain characters.")
        return body


def _read_unquoted(path: File, data: Bytes, start: tuple[int, int], width: int, delimiter: str) -> Body:
    """Rows by Python's csv where quotation marks are plain characters.

    Raises:
        DataError: a cell is longer than any may be.
    """
    try:
        return _read_exactly(data, start, width, delimiter, csv.QUOTE_NONE)
    except UnclosedQuoteError as error:
        raise DataError(
            f"A cell on line {error.line} of {path.name} has more than {MAX_CELL:,} characters.",
            where=f"{path.name}:{error.line}",
            next="Look at this line: line breaks may be missing. Long texts are read as a .txt file each, in class folders.",
        ) from error


def _read_fast(data: Bytes, start: tuple[int, int], width: int, delimiter: str, block_bytes: int, *, in_memory: bool = False) -> Body | None:
    """Arrow's parser, block by block; None if some line is no row at all: blank, or part of a cell with line breaks.

    A large table is laid aside, unless it is asked for `in_memory` or there is no room for a temporary file. On all cores Arrow can't say on which lines
    ragged rows are; one is as fast here.
    """
    offset, skipped = start
    ragged: list[tuple[int, str]] = []

    def note_ragged(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append((skipped + (row.number or 0), f"{row.actual_columns} cells where the header has {width}"))
        return "skip"

    names = [str(j) for j in range(width)]
    try:
        reader = pyarrow.csv.open_csv(
            pa.BufferReader(pa.py_buffer(data).slice(offset)),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=block_bytes, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=note_ragged),
            convert_options=pyarrow.csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=False),
        )
        table = keep_batches(reader.schema, reader, in_memory=in_memory or len(data) < BLOCK_BYTES)
    except SurefootError:
        return _read_fast(data, start, width, delimiter, block_bytes, in_memory=True)
    except pa.ArrowInvalid:  # a line is longer than a block, or a quoted line break lay across two
        return _read_fast(data, start, width, delimiter, BLOCK_BYTES, in_memory=in_memory) if block_bytes < BLOCK_BYTES else None
    num_lines = data.count(b"\n", offset) + 1
    if table.num_rows + len(ragged) != num_lines:
        return None
    lines = range(skipped + 1, skipped + 1 + num_lines)
    return Body(table.columns, np.delete(lines, [line - skipped - 1 for line, _ in ragged]) if ragged else lines, ragged)


def _read_exactly(data: Bytes, start: tuple[int, int], width: int, delimiter: str, quoting: int) -> Body:
    """Python's csv parser: ten times slower, but it says on which line each row begins."""
    offset, skipped = start
    rest = BytesIO(data)
    rest.seek(offset)
    chunks: list[list[pa.Array]] = []
    lines: list[int] = []
    body = Body([], lines)
    rows: list[list[str]] = []
    for line, row in _number_rows(TextIOWrapper(rest, encoding="utf-8", newline="\n"), skipped, delimiter, quoting):
        if len(row) == width:
            lines.append(line)
            rows.append(row)
            if len(rows) == CHUNK_ROWS:
                chunks.append([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)])
                rows = []
        elif any(cell.strip() for cell in row):
            breaks = sum(cell.count("\n") for cell in row)
            span = f", on lines {line} to {line + breaks}: a quotation mark holds them together" if breaks else ""
            body.ragged.append((line, f"{len(row)} cells where the header has {width}{span}"))
    if rows:
        chunks.append([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)])
    body.columns = [pa.chunked_array([chunk[j] for chunk in chunks], pa.string()) for j in range(width)]
    return body


def _number_rows(text: TextIOWrapper, skipped: int, delimiter: str, quoting: int) -> Iterator[tuple[int, list[str]]]:
    """Rows, each with the number of the line it begins on (from 1).

    Raises:
        UnclosedQuoteError: the last row runs to the end of the file because of one quotation mark, or to csv's limit of a cell.
    """
    pending: list[str] = []

    def feed() -> Iterator[str]:
        for line in text:
            pending.append(line)
            yield line

    reader = _make_reader(feed(), delimiter, quoting)
    begin = skipped + 1
    quotes = 0
    try:
        for row in reader:
            quotes = sum(line.count('"') for line in pending) if len(pending) > 1 else 0
            pending.clear()
            yield begin, row
            last, begin = begin, skipped + reader.line_num + 1
    except csv.Error as error:
        raise UnclosedQuoteError(begin, is_long=True) from error
    if quotes % 2:
        raise UnclosedQuoteError(last, is_long=False)


def _check_ragged(path: File, body: Body, rows: list[list[str]], delimiter: str) -> None:
    total = len(body.ragged) + len(body.lines)
    if len(body.ragged) <= total / 2:
        return
    line, reason = body.ragged[0]
    raise DataError(
        f"{len(body.ragged):,} of {total:,} rows of {path.name} have another number of cells than the header, e.g. line {line}: {reason}.",
        where=f"{path.name}:{line}",
        next=f"Cells are split at the {DELIMITERS[delimiter]}; the header is {delimiter.join(rows[0][:6])}... Name every column there, or mend the rows.",
    )
