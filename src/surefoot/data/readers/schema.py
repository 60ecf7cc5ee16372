"""What columns are for: their kind for people, and which of them is probably the target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

TARGET_NAMES = ("target", "label", "class", "y", "outcome", "response", "income")
TEXT_DISTINCT_FRAC, TEXT_WORDS, TEXT_CHARACTERS = 0.5, 3, 20
TEXT_RULE = f"more than {TEXT_DISTINCT_FRAC:.0%} of its cells differ, and they have {TEXT_WORDS} words and {TEXT_CHARACTERS} characters or more on average"
PROSE_ROWS = 1_000


def column_kind(name: str, values: np.ndarray, booleans: Sequence[str], texts: Sequence[str] = ()) -> str:
    """`numeric`, `category`, `boolean`, `date` or `text`.

    Text is what is written rather than chosen: more than half of the cells differ, and they have at least 3 words and
    20 characters on average. Identifiers differ too, but are one word: they stay categories. Whole numbers stay numeric
    however few they are.

    Args:
        name: of the column.
        values: as in `TableSource.columns`.
        booleans: names of the columns that hold true and false.
        texts: names of the columns that hold text whatever they look like.
    """
    if name in booleans:
        return "boolean"
    if values.dtype.kind == "M":
        return "date"
    if values.dtype.kind == "f":
        return "numeric"
    return "text" if name in texts or _are_written([value for value in values.tolist() if value is not None]) else "category"


def is_prose(column: pa.ChunkedArray) -> bool:
    """Whether a column as it was read holds text, by the same rule, on its first rows: nobody's target."""
    return pa.types.is_string(column.type) and _are_written(column.slice(0, PROSE_ROWS).drop_null().to_pylist())


def _are_written(cells: list[str]) -> bool:
    if not cells or len(set(cells)) <= TEXT_DISTINCT_FRAC * len(cells):
        return False
    words = sum(len(cell.split()) for cell in cells) / len(cells)
    characters = sum(map(len, cells)) / len(cells)
    return words >= TEXT_WORDS and characters >= TEXT_CHARACTERS


def suggest_target(names: Iterable[str]) -> tuple[str, ...]:
    """The first of target, label, class, y, outcome, response, income that is a column, capitals aside; else the last column."""
    names = list(names)
    by_lower = {name.lower(): name for name in reversed(names)}
    return next(((by_lower[word],) for word in TARGET_NAMES if word in by_lower), tuple(names[-1:]))
