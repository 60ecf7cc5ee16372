"""Metrics of items that carry several labels: targets int64 (N, K) of 0 and 1, probs (N, K)."""

from __future__ import annotations

import numpy as np

from surefoot.metrics.classification import mean_average_precision, precision_without
from surefoot.metrics.decisions import decide
from surefoot.metrics.metric import Metric, mean_of, undecided

MULTILABEL = ("multilabel",)


def _share_right(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    return (decide("multilabel", outputs, threshold) == targets).mean(axis=1)


def _all_right(targets: np.ndarray, outputs: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    return (decide("multilabel", outputs, threshold) == targets).all(axis=1).astype(np.float64)


SUBSET_ACCURACY = Metric("subset_accuracy", "All labels right", True, mean_of(_all_right), _all_right, bounded=True, tasks=MULTILABEL)
HAMMING_ACCURACY = Metric("hamming_accuracy", "Labels right", True, mean_of(_share_right), _share_right, bounded=True, tasks=MULTILABEL)
MAP = Metric("map", "Mean average precision", True, undecided(mean_average_precision), bounded=True, tasks=MULTILABEL, cost=5, without=precision_without)
