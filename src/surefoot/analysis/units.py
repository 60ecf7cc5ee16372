"""Units: rows that are drawn together when items are resampled, because they are not independent (a group, or one id said twice)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_UNITS = 10_000
CHUNK_CELLS = 4_000_000


@dataclass(frozen=True)
class Units:
    """Which rows belong to which unit.

    Attributes:
        order: int64 (N,) rows, those of one unit side by side. starts, sizes: int64 (U,) where each unit lies in `order`.
    """

    order: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of (N,) values over each unit, float64 (U,)."""
        return np.add.reduceat(values[self.order], self.starts) if len(self) else np.zeros(0)

    def rows(self, drawn: np.ndarray) -> np.ndarray:
        """The rows of the drawn units, a unit drawn twice twice."""
        sizes = self.sizes[drawn]
        offsets = np.repeat(self.starts[drawn] - np.cumsum(sizes) + sizes, sizes)
        return self.order[offsets + np.arange(len(offsets))]


def units_of(groups: np.ndarray | None, num_rows: int) -> Units:
    """One unit per distinct value of `groups` (N,), in sorted order; every row its own unit without groups."""
    if groups is None:
        rows = np.arange(num_rows)
        return Units(rows, rows, np.ones(num_rows, np.int64))
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return Units(np.argsort(inverse, kind="stable"), np.cumsum(sizes) - sizes, sizes)


def are_among(names: np.ndarray, others: np.ndarray) -> np.ndarray:
    """bool (N,): whether each name is one of the others. `np.isin` compares objects each with each: 0.4 s for 3,500 ids, where this takes a thousandth."""
    known = set(others.tolist())
    return np.fromiter((name in known for name in names.tolist()), bool, len(names))


def bundle(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most `MOST_UNITS` random bundles of the (U, M) columns, summed: same total, same variance of it, bounded time."""
    if len(columns) <= MOST_UNITS:
        return columns
    shuffled = columns[rng.permutation(len(columns))]
    return np.add.reduceat(shuffled, np.linspace(0, len(columns), MOST_UNITS, endpoint=False).astype(np.int64))


def halved_sums(columns: np.ndarray, rng: np.random.Generator, num: int) -> np.ndarray:
    """Sums over `num` random subsets that hold each unit with chance 1/2, float64 (num, M).

    Args:
        columns: float64 (U, M), what each unit adds to M sums.
    """
    size = len(columns)
    chunk = max(1, CHUNK_CELLS // max(size, 1))
    return np.concatenate(
        [rng.integers(0, 2, size=(min(chunk, num - start), size), dtype=np.int8).astype(np.float64) @ columns for start in range(0, num, chunk)]
    )
