"""Metrics of boxes: mean average precision as COCO measures it (Lin et al. 2014; the definitions are those of cocodataset.org/#detection-eval).

Targets float64 (M, 8): item, class, x0, y0, x1, y1, is_difficult, is_crowd. Outputs float64 (P, 7): item, class, x0, y0, x1, y1, score. A row is a box,
not an item: items without a box on either side have no row. M boxes that are there, P that are said.
"""

from __future__ import annotations

import numpy as np

from surefoot.metrics.decisions import mean_defined
from surefoot.metrics.metric import Metric, undecided

DETECTION = ("detection",)
STRICTNESS = np.round(np.arange(0.5, 1.0, 0.05), 2)
"""Overlaps (intersection over union) from which a box counts as found."""
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100
"""Boxes per item and class that are judged, those of the highest score."""


def measure_overlaps(said: np.ndarray, due: np.ndarray, is_crowd: np.ndarray) -> np.ndarray:
    """Intersection over union of corners (P, 4) and (M, 4): float64 (P, M). Over what is said alone where what is due is a crowd."""
    low, high = np.maximum(said[:, None, :2], due[None, :, :2]), np.minimum(said[:, None, 2:], due[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)
    areas = [np.clip(one[:, 2:] - one[:, :2], 0, None).prod(1) for one in (said, due)]
    union = np.where(is_crowd[None, :], areas[0][:, None], areas[0][:, None] + areas[1][None, :] - common)
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def match(overlaps: np.ndarray, is_ignored: np.ndarray, is_crowd: np.ndarray, least: float) -> np.ndarray:
    """Which of the boxes said are right, in the order of their scores: int8 (P,), 1 right, 0 wrong, -1 not counted.

    Each takes the box due that it overlaps most, if it overlaps it by `least` and nobody took it before; a crowd may be taken often. What takes a box
    that is ignored does not count, and it takes one only where no other is to be had.

    Args:
        overlaps: (P, M), rows in falling order of score. is_ignored, is_crowd: bool (M,).
    """
    found = np.zeros(len(overlaps), np.int8)
    is_taken = np.zeros(len(is_ignored), bool)
    for row, overlap in enumerate(overlaps):
        is_open = (~is_taken | is_crowd) & (overlap >= least - 1e-12)
        for kind in (~is_ignored, is_ignored):
            open_to = np.flatnonzero(is_open & kind)
            if len(open_to):
                best = open_to[np.argmax(overlap[open_to])]
                is_taken[best] = True
                found[row] = -1 if is_ignored[best] else 1
                break
    return found


def average_precision_at(targets: np.ndarray, outputs: np.ndarray, least: float) -> float:
    """Average precision of one class at one overlap: the highest precision at or beyond each of 101 recalls, averaged; NaN where nothing is due.

    Args:
        targets, outputs: rows of one class.
    """
    is_ignored = targets[:, 6:8].max(1) > 0
    num_due = int((~is_ignored).sum())
    if not num_due:
        return float("nan")
    verdicts, scores = [np.zeros(0, np.int8)], [np.zeros(0)]
    for item in np.unique(outputs[:, 0]):
        said, due = outputs[outputs[:, 0] == item], targets[:, 0] == item
        said = said[np.argsort(-said[:, 6], kind="stable")][:MOST]
        overlaps = measure_overlaps(said[:, 2:6], targets[due, 2:6], targets[due, 7] > 0)
        verdicts.append(match(overlaps, is_ignored[due], targets[due, 7] > 0, least))
        scores.append(said[:, 6])
    verdict, score = np.concatenate(verdicts), np.concatenate(scores)
    verdict = verdict[np.argsort(-score, kind="stable")]
    verdict = verdict[verdict >= 0]
    right = np.cumsum(verdict)
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    places = np.searchsorted(right / num_due, RECALLS - 1e-12, side="left")
    return float(np.append(precision, 0.0)[np.minimum(places, len(right))].mean())


def mean_average_precision(targets: np.ndarray, outputs: np.ndarray, strictness: np.ndarray = STRICTNESS) -> float:
    """The mean over overlaps of the mean over those classes that are due; NaN where nothing is."""
    classes = np.unique(targets[:, 1])
    parts = [(targets[targets[:, 1] == kind], outputs[outputs[:, 1] == kind]) for kind in classes]
    return mean_defined(np.array([average_precision_at(due, said, least) for least in strictness for due, said in parts]))


def _at_half(targets: np.ndarray, outputs: np.ndarray) -> float:
    return mean_average_precision(targets, outputs, STRICTNESS[:1])


MAP_50 = Metric("map_50", "mAP at overlap 0.5", True, undecided(_at_half), bounded=True, tasks=DETECTION, cost=20)
MAP_50_95 = Metric("map_50_95", "mAP at overlaps 0.5 to 0.95", True, undecided(mean_average_precision), bounded=True, tasks=DETECTION, cost=200)
