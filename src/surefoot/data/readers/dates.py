"""Dates in text: one format per column, found from the column itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
TIMES = {
    "": "",
    r"[ T]\d{1,2}:\d{2}": " %H:%M",
    r"[ T]\d{1,2}:\d{2}:\d{2}": " %H:%M:%S",
    r"[ T]\d{1,2}:\d{2} ?[AaPp][Mm]": " %I:%M %p",
    r"[ T]\d{1,2}:\d{2}:\d{2} ?[AaPp][Mm]": " %I:%M:%S %p",
}
YEARS = {"/": {r"\d{4}": "%Y", r"\d{2}": "%y"}, "-": {r"\d{4}": "%Y"}, ".": {r"\d{4}": "%Y"}}
"""Two digits of a year stand after slashes only: 1.2.10 is a version and 3-2-10 a score."""
FIRST, LAST = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")
"""datetime64[ns] reaches no further."""


@dataclass(frozen=True)
class DateFormat:
    """How a column writes its dates.

    Attributes:
        pattern: regular expression of a whole cell.
        format: for strptime, or "ISO8601".
        note: what was assumed, as a sentence without the column's name; empty where nothing was.
        others: the other formats of a column that mixes several; a cell is read by the first that fits.
    """

    pattern: str
    format: str
    note: str = ""
    others: tuple[DateFormat, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """The format as plain JSON, without what was assumed."""
        return {"pattern": self.pattern, "format": self.format, "others": [other.to_plain() for other in self.others]}


def from_plain(told: Mapping[str, Any]) -> DateFormat:
    """The format that `DateFormat.to_plain` wrote."""
    return DateFormat(told["pattern"], told["format"], others=tuple(map(from_plain, told["others"])))


def find_format(distinct: pa.Array) -> DateFormat | None:
    """The one format of a column's distinct cells, or None where they have none or several.

    Known are ISO 8601, year/month/day, and month/day/year or day/month/year with `/`, `-` or `.`, each with or without
    a time. Which of two numbers is the day is told by values above 12; where none is, the month comes first, save with dots.
    """
    first = distinct[0].as_py()
    for pattern, parts, year_first in _list_patterns():
        if re.match(pattern, first):
            return _settle(distinct, pattern, parts, year_first) if pc.all(pc.match_substring_regex(distinct, pattern)).as_py() else None
    return None


def find_formats(distinct: pa.Array, counts: np.ndarray) -> tuple[DateFormat | None, str]:
    """The formats of a column that writes its dates in several, each by its own cells; or why they can't be read.

    Args:
        distinct: cells. counts: int (N,) how often each is there.

    Returns:
        A format with the others in it, where each tells day from month by itself; else None, and what to say of it (nothing, where
        fewer than 99 % of the cells are dates).
    """
    parts: list[tuple[pa.Array, tuple[str, tuple[str, str, str], bool], int]] = []
    total, left, weights = counts.sum(), distinct, counts
    for pattern, marks, year_first in _list_patterns() if _look_like_dates(distinct) else []:
        fits = pc.match_substring_regex(left, pattern).to_numpy(zero_copy_only=False)
        if fits.any():
            parts.append((left.filter(pa.array(fits)), (pattern, marks, year_first), int(weights[fits].sum())))
            left, weights = left.filter(pa.array(~fits)), weights[~fits]
    if weights.sum() > 0.01 * total:
        dates = int(total - weights.sum())
        why = f"{dates:,} of its {total:,} cells are dates and the others are not, such as {left[0].as_py()[:40]!r}, so all are read as words; write one format"
        return None, why if 2 * dates >= total else ""
    if len(parts) < 2:
        return None, ""
    settled = [_settle(cells, *how) for cells, how, _ in parts]
    told = ", ".join(f"{count:,} like {cells[0].as_py()}" for cells, _, count in parts)
    if any(one is None or one.note for one in settled):
        return (
            None,
            f"its dates are written in {len(parts)} formats ({told}), and in one of them day and month can't be told apart, so they stay words; write one",
        )
    formats = [one for one in settled if one]
    note = f"its dates are written in {len(parts)} formats ({told}); each was read as its own"
    return DateFormat(formats[0].pattern, formats[0].format, note, tuple(formats[1:])), ""


def _look_like_dates(distinct: pa.Array) -> bool:
    """Whether most of the first cells have the three numbers that dates have: the patterns are tried on such columns alone."""
    return 2 * sum(bool(re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d", cell)) for cell in distinct[:50].to_pylist()) >= min(len(distinct), 50)


def parse_dates(distinct: pa.Array, how: DateFormat) -> np.ndarray:
    """Distinct cells as datetime64[ns]; NaT where a cell is no such date, or lies outside 1678 to 2261. Zones are turned to UTC."""
    parsed = _parse(distinct, how)
    for other in how.others:
        parsed = np.where(np.isnat(parsed), _parse(distinct, other), parsed)
    return parsed


def _parse(distinct: pa.Array, how: DateFormat) -> np.ndarray:
    cells = pc.if_else(pc.match_substring_regex(distinct, how.pattern), distinct, pa.scalar(None, distinct.type))
    if how.format != "ISO8601":
        cells = pc.replace_substring_regex(pc.replace_substring(cells, "T", " "), r"(\d)([AaPp][Mm])$", r"\1 \2")
    texts = pd.Series(cells.to_numpy(zero_copy_only=False), dtype=object)
    parsed = pd.to_datetime(texts, format=how.format, errors="coerce", utc=True).dt.tz_localize(None).to_numpy()
    return np.where((parsed >= FIRST) & (parsed < LAST), parsed, np.datetime64("NaT")).astype("datetime64[ns]")


def read_as(distinct: pa.Array, how: DateFormat) -> np.ndarray:
    """Distinct cells of another file as a known column's dates, datetime64[ns], NaT where there is none.

    What is written as that column's cells are is read as they were and never otherwise, were it no date by that: the 13 of 03/13/2024 is
    no month where the day comes first. The others are read by the format that they show; what leaves day and month open has the known order.
    """
    dates = parse_dates(distinct, how)
    fits = np.zeros(len(distinct), bool)
    for one in (how, *how.others):
        fits |= pc.match_substring_regex(distinct, one.pattern).to_numpy(zero_copy_only=False)
    if not fits.all():
        order = next((one.format[:2] for one in (how, *how.others) if one.format[:2] in _TURNED), "")
        dates[~fits] = _read_others(distinct.filter(pa.array(~fits)), order)
    return dates


_TURNED = {"%d": "%m", "%m": "%d"}


def _read_others(distinct: pa.Array, order: str) -> np.ndarray:
    """Cells each by the format of those that are written like it; `order`: what comes first where they leave it open, "" where that is not known."""
    dates = np.full(len(distinct), "NaT", "datetime64[ns]")
    left = np.ones(len(distinct), bool)
    for pattern, parts, year_first in _list_patterns():
        fits = left & pc.match_substring_regex(distinct, pattern).to_numpy(zero_copy_only=False)
        cells = distinct.filter(pa.array(fits))
        if not len(cells) or (how := _settle(cells, pattern, parts, year_first)) is None:
            continue
        if how.note and how.format[:2] == _TURNED.get(order):
            how = replace(how, format=how.format.translate(str.maketrans("dm", "md")))
        dates[fits] = parse_dates(cells, how)
        left &= ~fits
    dates[left] = read_mixed(distinct.filter(pa.array(left)))
    return dates


def read_mixed(distinct: pa.Array) -> np.ndarray:
    """Cells in several formats as datetime64[ns], each guessed by itself; NaT where one is no date."""
    texts = pd.Series(distinct.to_pylist(), dtype=object)
    return pd.to_datetime(texts, errors="coerce", utc=True, format="mixed").dt.tz_localize(None).to_numpy().astype("datetime64[ns]")


def _list_patterns() -> list[tuple[str, tuple[str, str, str], bool]]:
    """(pattern with its numbers as groups, (separator, strptime of year, of time), is the year first)."""
    found = [(ISO, ("", "", ""), True)]
    for separator, (clock, time) in itertools.product("/-.", TIMES.items()):
        mark = re.escape(separator)
        found.append((rf"^\d{{4}}{mark}\d{{1,2}}{mark}\d{{1,2}}{clock}$", (separator, "%Y", time), True))
        for digits, year in YEARS[separator].items():
            found.append((rf"^(?P<a>\d{{1,2}}){mark}(?P<b>\d{{1,2}}){mark}{digits}{clock}$", (separator, year, time), False))
    return found


def _settle(distinct: pa.Array, pattern: str, parts: tuple[str, str, str], year_first: bool) -> DateFormat | None:
    """Decides which number is the day; None if neither can always be."""
    separator, year, time = parts
    if not separator:
        return DateFormat(pattern, "ISO8601")
    if year_first:
        return DateFormat(pattern, separator.join(("%Y", "%m", "%d")) + time)
    numbers = pc.extract_regex(distinct, pattern)
    a, b = (pc.max(pc.cast(pc.struct_field(numbers, name), pa.int64())).as_py() for name in "ab")
    if a > 12 and b > 12:
        return None
    is_open = a <= 12 and b <= 12
    day_first = a > 12 or (is_open and separator == ".")
    note = f"no number above 12 tells day from month, so {'the day' if day_first else 'the month'} is read as the first" if is_open else ""
    return DateFormat(pattern, separator.join(("%d", "%m", year) if day_first else ("%m", "%d", year)) + time, note)
