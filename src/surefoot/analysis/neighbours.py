"""What the model has seen that is most like an item: the nearest train items in its own features."""

from __future__ import annotations

import numpy as np

_CHUNK = 64


def nearest(asked: np.ndarray, known: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """The `num` nearest known items of each asked one by cosine similarity, the nearest first.

    Args:
        asked: float32 (N, D). known: float32 (M, D).

    Returns:
        rows of `known`, int64 (N, n), and similarities, float64 (N, n), in [-1, 1]; n is at most M.

    Source: Papernot and McDaniel 2018, Deep k-Nearest Neighbors.
    """
    num = min(num, len(known))
    if not num or not len(asked):
        return np.zeros((len(asked), 0), np.int64), np.zeros((len(asked), 0))
    centre = known.mean(axis=0)
    directions = _unit(known - centre)
    rows, likeness = [], []
    for start in range(0, len(asked), _CHUNK):
        alike = _unit(asked[start : start + _CHUNK] - centre) @ directions.T
        best = np.argsort(-alike, axis=1, kind="stable")[:, :num]
        rows.append(best)
        likeness.append(np.take_along_axis(alike, best, axis=1))
    return np.concatenate(rows), np.concatenate(likeness).astype(np.float64)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
