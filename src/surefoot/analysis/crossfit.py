"""Predictions for items that the predicting model did not see, for every item: fitting is passed in as a function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surefoot.randomness import stream

Fit = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
"""(number of the part, rows to fit on, rows to ask about) -> outputs of the asked, in their order."""


def cross_fit(rows: np.ndarray, strata: np.ndarray, num_parts: int, fit: Fit, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each part of the rows, predicted by a model fitted on the others.

    Args:
        rows: int64 (N,). strata: (N,), values that every part gets its share of: classes.

    Returns:
        outputs (N, K) and the number of each row's part, int64 (N,), both in the order of `rows`.
    """
    of = np.empty(len(rows), np.int64)
    shuffled = stream(seed, "analysis.cross_fit").permutation(len(rows))
    ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
    of[ordered] = np.arange(len(rows)) % num_parts
    said = [fit(number, rows[of != number], rows[of == number]) for number in range(num_parts)]
    outputs = np.empty((len(rows), said[0].shape[1]))
    for number, some in enumerate(said):
        outputs[of == number] = some
    return outputs, of
