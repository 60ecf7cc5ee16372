"""What columns are for: their kind for people, and which of them is probably the target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

TARGET_NAMES = ("target", "label", "class", "y", "outcome", "response", "income")
TEXT_DISTINCT_FRAC, TEXT_WORDS, TEXT_CHARACTERS = 0.5, 3, 20


def column_kind(name: str, values: np.ndarray, booleans: Sequence[str]) -> str:
    """`numeric`, `category`, `boolean`, `date` or `text`.

    Text is what is written rather than chosen: more than half of the cells differ, and they have at least 3 words and
    20 characters on average. Identifiers differ too, but are one word: they stay categories. Whole numbers stay numeric
    however few they are.

    Args:
        name: of the column.
        values: as in `TableSource.columns`.
        booleans: names of the columns that hold true and false.
    """
    if name in booleans:
        return "boolean"
    if values.dtype.kind == "M":
        return "date"
    if values.dtype.kind == "f":
        return "numeric"
    cells = [value for value in values.tolist() if value is not None]
    if not cells or len(set(cells)) <= TEXT_DISTINCT_FRAC * len(cells):
        return "category"
    words = sum(len(cell.split()) for cell in cells) / len(cells)
    characters = sum(map(len, cells)) / len(cells)
    return "text" if words >= TEXT_WORDS and characters >= TEXT_CHARACTERS else "category"


def suggest_target(names: Iterable[str]) -> tuple[str, ...]:
    """The first of target, label, class, y, outcome, response, income that is a column, capitals aside; else the last column."""
    names = list(names)
    by_lower = {name.lower(): name for name in reversed(names)}
    return next(((by_lower[word],) for word in TARGET_NAMES if word in by_lower), tuple(names[-1:]))
