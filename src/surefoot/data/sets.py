"""Given sets that a column says: who is train, val or test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.readers.piles import GIVEN_SETS
from surefoot.data.targets import check_column, to_name
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, TableSource


def given_by_column(source: ImageSource | TableSource, column: str) -> ImageSource | TableSource:
    """The source with the sets that a column of it says; an empty cell leaves the row open. A set that came otherwise stays where the cell is empty.

    Raises:
        DataError: there is no such column, or it holds other words than train, val, test and the like.
    """
    if not column:
        return source
    if isinstance(source, ImageSource) and not source.columns:
        raise DataError(
            "Pictures have no columns without a list beside them.",
            where=f"split.column = {column!r}",
            next="Give train, val and test folders, or a list with a column called split.",
        )
    check_column(source, column, "split.column")
    words = [to_name(value) for value in source.columns[column].tolist()]
    other = sorted({word for word in words if word is not None and word.lower() not in GIVEN_SETS})
    if other:
        raise DataError(
            f"The column {column} holds {quote_some(other)}, which name no set.",
            where=f"split.column = {column!r}",
            next=f"Write one of {quote_some(GIVEN_SETS, 20)}, or leave the cell empty.",
        )
    given = [GIVEN_SETS[word.lower()] if word is not None else before for word, before in zip(words, source.given_sets, strict=True)]
    return replace(source, given_sets=np.asarray(given, dtype=object).tolist())
