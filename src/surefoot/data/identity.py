"""Who an item is: a hash of its content, target excluded, plus an ordinal among equals. Moving a file changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from surefoot.types.source import Named, take_words

_BLOCK = 1 << 16
"""Rows that are hashed at a time: pandas copies what it hashes."""


def hash_image(image: np.ndarray) -> str:
    """16 hex digits of the pixels and their shape: the same picture in another file format is the same content."""
    return hashlib.blake2b(image.tobytes(), digest_size=8, key=str(image.shape).encode()).hexdigest()


class Hashes(Named):
    """16 hex digits per row, held as the numbers that they spell, uint64 (N,)."""

    def __init__(self, numbers: np.ndarray) -> None:
        super().__init__(len(numbers), self._spell)
        self.numbers = numbers

    def take(self, rows: np.ndarray) -> Hashes:
        return self if len(rows) == len(self) else Hashes(self.numbers[rows])

    def _spell(self, some: slice) -> Iterator[str]:
        digits = self.numbers[some].astype(">u8").tobytes().hex()
        return (digits[at : at + 16] for at in range(0, len(digits), 16))


def hash_rows(columns: Mapping[str, np.ndarray]) -> Hashes:
    """16 hex digits per row, over the columns in the order of their names, so that reordered columns change nothing."""
    import pandas as pd  # takes half a second, which who decodes pictures need not wait for

    names = sorted(columns)
    numbers = np.empty(len(columns[names[0]]), np.uint64)
    for start in range(0, len(numbers), _BLOCK):
        frame = pd.DataFrame({name: columns[name][start : start + _BLOCK] for name in names})
        numbers[start : start + _BLOCK] = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return Hashes(numbers)


def group_equals(contents: Sequence[str]) -> dict[str, list[int]]:
    """Content that is there more than once -> its positions, in their order.

    Which may be there twice is told by a number for each, Python's hash where there is no other: to hold a million contents takes 60 to 130 MB, numbers 8.
    """
    hashes = contents.numbers if isinstance(contents, Hashes) else np.fromiter(map(hash, contents), np.int64, len(contents))
    ordered = np.sort(hashes)
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    groups: dict[str, list[int]] = {}
    rows = np.flatnonzero(np.isin(hashes, again)) if len(again) else np.zeros(0, np.int64)
    for row, content in zip(rows.tolist(), take_words(contents, rows), strict=True):
        groups.setdefault(content, []).append(row)
    return {content: rows for content, rows in groups.items() if len(rows) > 1}


def number_equals(contents: Sequence[str]) -> Sequence[str]:
    """`content-ordinal`: unique, and the same for the same content in the same order."""
    ordinals = {row: ordinal for rows in group_equals(contents).values() for ordinal, row in enumerate(rows)}
    return Named(len(contents), lambda some: (f"{content}-{ordinals.get(row, 0)}" for row, content in enumerate(contents[some], some.start)))
