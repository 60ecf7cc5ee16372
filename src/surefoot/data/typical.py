"""The typical row of a table: of each column the value in its middle, or the commonest. An example that shows nobody's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_WORDS = 6


def find_typical(values: np.ndarray, kind: str) -> Any:
    """The median of numbers, to 4 digits, and of dates, to the day; the commoner of two truths. As JSON has it; None where nothing is present.

    Args:
        values: (N,) as a reader gives them: float64, or datetime64.
        kind: `numeric`, `boolean` or `date`.
    """
    if kind == "date":
        dates = np.sort(values[~np.isnat(values)]) if values.dtype.kind == "M" else values[:0]
        return str(dates[len(dates) // 2].astype("datetime64[D]")) if len(dates) else None
    numbers = values[np.isfinite(values)] if values.dtype.kind == "f" else values[:0]
    if not len(numbers):
        return None
    middle = float(f"{np.sort(numbers)[len(numbers) // 2]:.4g}")
    if kind == "boolean":
        return middle == 1
    return int(middle) if middle.is_integer() and abs(middle) < 1e9 else middle


def make_example(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Column -> a value that it might have, for every column of a table's recipe; None where the recipe knows none."""
    return {column["name"]: _pick_value(column) for column in recipe["columns"]}


def _pick_value(column: Mapping[str, Any]) -> Any:
    """Of a text some of its commonest words, for none of the real ones is to be shown."""
    if column["kind"] == "category":
        return next(iter(column["categories"]), None)
    if column["kind"] == "text":
        return " ".join([word for word in column.get("words", []) if word.isalpha()][:_WORDS]) or "some words"
    return column.get("typical")
