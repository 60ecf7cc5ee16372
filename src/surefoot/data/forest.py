"""Nearest neighbours among small pictures in n log n time, whatever the data: random projection trees with leaves of equal size.

Letters: N pictures, D pixels of a thumb, L leaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from surefoot import randomness

_TREES = 8
_LEAF = 32
_AROUND = 6
_AT_ONCE = 4_096
"""Pictures that are unfolded to float32 at a time, so that memory does not grow with their number."""


def find_alike(thumbs: np.ndarray, least: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of pictures whose thumbs correlate.

    Each tree halves the pictures at the median of a random projection until at most 32 are left; in each leaf every picture is compared with every other, and
    its best partner is kept. So a tree costs n log n, also where all pictures are alike. Two at distance d are parted by a halving with a chance of about
    d / (2.5 times the spread along it): of eight trees one keeps them together almost surely.

    Args:
        thumbs: uint8 (N, D). Flat ones correlate with nothing.
        least: correlation from which a pair counts.
        seed: of the directions.

    Returns:
        int64 (P, 2) pairs, smaller row first, the most alike first; float32 (P,) their correlations; and float32 (N,) the correlation of each picture with the
        sixth nearest that was met in one leaf: how dense its surroundings are.

    Source: Dasgupta and Freund 2008, Random projection trees and low dimensional manifolds; spill by several trees as in Muja and Lowe 2014.
    """
    levels = max(int(np.ceil(np.log2(max(len(thumbs), 1) / _LEAF))), 0)
    found: dict[tuple[int, int], float] = {}
    around = np.full(len(thumbs), -1, np.float32)

    def climb(tree: int) -> tuple[list[tuple[int, int, float]], np.ndarray]:
        directions = randomness.stream(seed, "near", tree).standard_normal((thumbs.shape[1], max(levels, 1))).astype(np.float32)
        met = np.full(len(thumbs), -1, np.float32)
        return list(_match(thumbs, _grow(thumbs, directions, levels), least, met)), met

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _TREES)) as pool:  # NumPy lets go of the lock; the order of the trees, and so the result, is the same
        for pairs_of_tree, met in pool.map(climb, range(_TREES if levels else 1)):
            found.update(((first, second), alike) for first, second, alike in pairs_of_tree)
            np.maximum(around, met, out=around)
    pairs = np.asarray(sorted(found), np.int64).reshape(-1, 2)
    likeness = np.asarray([found[a, b] for a, b in pairs.tolist()], np.float32)
    order = np.argsort(-likeness, kind="stable")
    return pairs[order], likeness[order], around


def normalise(thumbs: np.ndarray) -> np.ndarray:
    """uint8 (N, D) -> float32 (N, D) of mean 0 and length 1, so that a product is a correlation; flat ones become 0."""
    centred = thumbs.astype(np.float32)
    centred -= centred.mean(1, keepdims=True)
    length = np.sqrt((centred * centred).sum(1, keepdims=True))
    return np.asarray(centred / np.where(length > 0, length, 1))


def _grow(thumbs: np.ndarray, directions: np.ndarray, levels: int) -> np.ndarray:
    """int64 (N,): the pictures in the order of their leaves; leaf j of L begins at position j N / L, rounded up."""
    order = np.arange(len(thumbs))
    if not levels:
        return order
    projected = np.concatenate([normalise(thumbs[start : start + _AT_ONCE]) @ directions for start in range(0, len(thumbs), _AT_ONCE)])
    for level in range(levels):
        node = np.arange(len(order)) * 2**level // len(order)
        order = order[np.lexsort((projected[order, level], node))]
    return order


def _match(thumbs: np.ndarray, order: np.ndarray, least: float, around: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Each picture with its best partner in its leaf, where they are alike enough; raises `around` where the sixth best is better than in the leaves before."""
    num_leaves = 1
    while len(order) > num_leaves * _LEAF:
        num_leaves *= 2
    starts = -(-np.arange(num_leaves + 1) * len(order) // num_leaves)  # where `_grow` halves
    width = int(np.diff(starts).max(initial=0))
    for first in range(0, num_leaves, max(_AT_ONCE // _LEAF, 1)):
        begin, end = starts[first : first + _AT_ONCE // _LEAF], starts[first + 1 : first + 1 + _AT_ONCE // _LEAF]
        begin = begin[: len(end)]
        places = begin[:, None] + np.arange(width)
        is_there = places < end[:, None]
        rows = order[np.minimum(places, len(order) - 1)]
        unit = normalise(thumbs[rows.reshape(-1)]).reshape(*rows.shape, -1)
        alike = unit @ unit.transpose(0, 2, 1)
        alike[~(is_there[:, :, None] & is_there[:, None, :]) | np.eye(width, dtype=bool)] = -2
        best = alike.argmax(2)
        sixth = np.sort(alike, 2)[..., -min(_AROUND, width)]
        around[rows[is_there]] = np.maximum(around[rows[is_there]], sixth[is_there])
        value = np.take_along_axis(alike, best[:, :, None], 2)[..., 0]
        for leaf, place in zip(*np.nonzero(value >= least)):
            a, b = int(rows[leaf, place]), int(rows[leaf, best[leaf, place]])
            yield min(a, b), max(a, b), float(value[leaf, place])
