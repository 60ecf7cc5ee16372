"""The first row of a table: is it a header, and are its names usable?"""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.nearest import quote_some
from surefoot.data.readers.cells import MISSING
from surefoot.data.readers.members import File
from surefoot.data.readers.numerals import NUMBER
from surefoot.types.errors import DataError

MAX_COLUMNS = 50_000
"""The widest table that is read: ten times the widest of the usual public ones, and a profile of it takes a minute."""

MISSING_WORDS = frozenset(MISSING.to_pylist()) - {""}


def check_header(path: File, names: list[str], rows: list[list[str]], delimiter: str = ",") -> None:
    """Stops where the first row is data, or names two columns alike.

    Raises:
        DataError: no header, or equal names.
    """
    if looks_like_data(names, rows):
        example = delimiter.join([f"x{j + 1}" for j in range(min(len(names) - 1, 3))] + (["..."] if len(names) > 4 else []) + ["target"])
        raise DataError(
            f"{path.name} has no header: its first row looks like data ({delimiter.join(names[:6])}{'...' if len(names) > 6 else ''}).",
            where=f"{path.name}:1",
            next=f"Add a first line with the names of the columns, e.g. {example}",
        )
    check_unique(path, names)


def check_width(path: File, num: int) -> None:
    """Raises DataError where a table has more columns than can be looked at one by one."""
    if num > MAX_COLUMNS:
        raise width_error(path.name, str(path), num)


def width_error(name: str, where: str, num: int) -> DataError:
    """What to say of a table with too many columns."""
    return DataError(
        f"{name} has {num:,} columns; at most {MAX_COLUMNS:,} are read.",
        where=where,
        next="Keep the columns that matter, turn rows and columns round if they are swapped, or give pictures and signals as arrays (.npz).",
    )


def check_unique(path: File, names: list[str]) -> None:
    """Raises DataError where two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            f"{path.name} names {len(twice)} columns more than once: {quote_some(twice)}.",
            where=f"{path.name}:1",
            next="Give every column a name of its own; if the first row is data, add a header above it.",
        )


def looks_like_data(names: list[str], rows: list[list[str]]) -> bool:
    """Whether a first row is data rather than names.

    It is if it holds a missing marker or a number, unless its numbers serve as names (0, 1, 2, ... or years that ascend),
    or if at least half of its cells occur again below in their own column.
    """
    cells = [name for name in names if name]
    numbers = [cell for cell in cells if re.match(NUMBER, cell)]
    if any(cell in MISSING_WORDS for cell in cells):
        return True
    if numbers and not _are_names(numbers):
        return True
    below = [{row[j].strip() for row in rows if j < len(row)} for j in range(len(names))]
    again = sum(name in found for name, found in zip(names, below, strict=True) if name)
    return again >= max(1, len(cells) / 2)


def name_columns(table: str, names: list[str], columns: list[pa.ChunkedArray]) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """Columns by name; those without a name are called `column_3` by their position, or left out where they are empty."""
    found: dict[str, pa.ChunkedArray] = {}
    notes = []
    for j, (name, column) in enumerate(zip(names, columns, strict=True), start=1):
        if name:
            found[name] = column
        elif _is_blank(column):
            notes.append(f"Column {j} of {table} has neither name nor content and was left out.")
        else:
            found[f"column_{j}"] = column
            notes.append(f"Column {j} of {table} has no name; it is called column_{j}.")
    return found, notes


def _is_blank(column: pa.ChunkedArray) -> bool:
    """Whether nothing is written in a column of words, or all of another is missing."""
    if not pa.types.is_string(column.type):
        return bool(column.null_count == len(column))
    return not pc.any(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py()


def _are_names(numbers: list[str]) -> bool:
    """Columns that are called 0, 1, 2 (or from 1), or 2019, 2020."""
    if not all(re.fullmatch("[0-9]{1,9}", cell) for cell in numbers):
        return False
    values = [int(cell) for cell in numbers]
    is_count = len(values) > 2 and values[0] in (0, 1) and values == list(range(values[0], values[0] + len(values)))
    are_years = len(values) > 1 and values[0] >= 1900 and values[-1] <= 2100 and values == sorted(set(values))
    return is_count or are_years
