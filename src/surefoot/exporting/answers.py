"""What a person or a program is told about each item: the decision, the probs behind it, and the threshold used."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from surefoot.exporting.bundle import Manifest
from surefoot.exporting.predictor import Predictor


def describe_answers(predictor: Predictor, outputs: np.ndarray) -> list[dict[str, Any]]:
    """One row per item.

    Args:
        outputs: of `predictor.predict`.

    Returns:
        `pred` and, for classification, `probs` (class -> prob) and where a threshold decides also `threshold`,
        label -> its own where each has one. Multilabel: `pred` is a list of
        names. Regression: `pred` is a number in the target's own units, for several targets a number by name; None where it is not finite.
    """
    manifest = predictor.manifest
    rows = [[value if math.isfinite(value) else None for value in row] for row in outputs.tolist()]  # JSON knows no NaN
    if manifest.task == "regression":
        return [{"pred": row[0]} for row in rows]
    if manifest.task == "vector_regression":
        return [{"pred": dict(zip(name_targets(manifest), row, strict=True))} for row in rows]
    _, labels = predictor.decide(outputs)
    threshold = {"threshold": _name_threshold(manifest)} if manifest.task in ("binary", "multilabel") else {}
    return [{"pred": label, "probs": dict(zip(manifest.classes, row, strict=True)), **threshold} for label, row in zip(labels, rows, strict=True)]


def _name_threshold(manifest: Manifest) -> float | dict[str, float]:
    """One for all, or label -> its own."""
    return dict(zip(manifest.classes, manifest.threshold, strict=True)) if isinstance(manifest.threshold, tuple) else manifest.threshold


def name_targets(manifest: Manifest) -> list[str]:
    """A name per value of a regression: its target columns, or positions where one target is a vector."""
    count = manifest.num_outputs
    return list(manifest.target) if len(manifest.target) == count else [f"{manifest.target[0]}[{at}]" for at in range(count)]
