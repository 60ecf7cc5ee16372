"""Targets as numbers: class indices, zero-one vectors or values, the same for every kind of source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot.data.nearest import suggest
from surefoot.types.errors import DataError
from surefoot.types.problem import Problem
from surefoot.types.source import ImageSource, TableSource


def find_columns(source: TableSource, asked: str | list[str]) -> tuple[str, ...]:
    """The target columns: as asked, else what the reader suggests.

    Raises:
        DataError: a column is not there (the nearest name is suggested), or is named twice.
    """
    names = ([asked] if isinstance(asked, str) else list(asked)) if asked else list(source.suggested_target)
    for name in names:
        check_column(source, name, "data.target")
    if len(set(names)) < len(names):
        raise DataError(f"data.target names a column twice: {', '.join(names)}.", where=f"data.target = {names}", next="Name each once.")
    return tuple(names)


def check_column(source: ImageSource | TableSource, name: str, setting: str) -> None:
    """Makes sure that a column named in the settings is there.

    Raises:
        DataError: it is not; the nearest name is suggested.
    """
    if name not in source.columns:
        hint = suggest(name, source.columns).strip() or f"The columns are: {', '.join(list(source.columns)[:20])}."
        hint = hint if source.columns else "Pictures have the columns of a list beside them, such as labels.csv with path,label,patient; here is none."
        raise DataError(f"There is no column {name!r} in the data.", where=f"{setting} = {name!r}", next=hint)


def raw_targets(source: ImageSource | TableSource, columns: tuple[str, ...]) -> list[Any] | np.ndarray:
    """The target as found: a list of labels, or an array (N,) or (N, T); None or NaN where missing or infinite."""
    if isinstance(source, ImageSource):
        return source.labels
    values = [np.where(np.isinf(column), np.nan, column) if column.dtype.kind == "f" else column for column in (source.columns[name] for name in columns)]
    return values[0] if len(values) == 1 else np.stack(values, 1)


def list_classes(labels: Sequence[Any] | np.ndarray) -> tuple[str, ...]:
    """The distinct labels as text, numbers in numeric order, words in alphabetical order, mixed ones as people sort files."""
    return tuple(sorted({name for label in labels if (name := to_name(label)) is not None}, key=lambda name: (_natural(name), name)))


def to_name(label: Any) -> str | None:
    """A label as text: 3.0 -> "3"; missing -> None."""
    if label is None or (isinstance(label, (float, np.floating)) and np.isnan(label)):
        return None
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def encode_targets(source: ImageSource | TableSource, problem: Problem) -> np.ndarray:
    """float64 (N, T): class index, zero-one per label, or values; NaN where missing, no number, or no class of the problem.

    Raises:
        DataError: a target column is not there.
    """
    if isinstance(source, TableSource):
        find_columns(source, list(problem.target))
    raw = raw_targets(source, problem.target)
    if problem.task in ("binary", "multiclass"):
        index: dict[str | None, float] = {name: float(number) for number, name in enumerate(problem.classes)}
        return np.fromiter((index.get(to_name(label), np.nan) for label in raw), np.float64, len(raw)).reshape(-1, 1)
    width = problem.num_outputs
    if isinstance(raw, np.ndarray) and raw.dtype.kind == "f" and raw.size == len(raw) * width:
        return raw.reshape(-1, width).astype(np.float64)
    return np.asarray([_to_numbers(row, width) for row in raw], np.float64).reshape(-1, width)


def _to_numbers(row: Any, width: int) -> np.ndarray:
    try:
        numbers = np.asarray(row, np.float64).reshape(-1)
    except (TypeError, ValueError):  # words
        return np.full(width, np.nan)
    return numbers if len(numbers) == width else np.full(width, np.nan)


def plain_targets(problem: Problem, encoded: np.ndarray) -> np.ndarray:
    """Encoded targets (N, T) as metrics take them: int64 class indices (N,), int64 (N, K) multilabel, float64 (N, T) regression."""
    if problem.task in ("binary", "multiclass"):
        return encoded[:, 0].astype(np.int64)
    return encoded.astype(np.int64) if problem.task == "multilabel" else encoded


def _natural(name: str) -> list[tuple[int, float, str]]:
    """-1 < 0.25 < 2 < 10 < "a2" < "a10"."""
    if re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", name):
        return [(0, float(name), "")]
    return [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in re.split(r"(\d+)", name) if part]
