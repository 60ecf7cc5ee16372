"""What the transforms need to know about the data, measured on train rows alone."""

from __future__ import annotations

import numpy as np

from surefoot.types.data_reports import FieldSpec

_SAMPLE = 200_000
"""Rows for medians and quantiles: their standard error is then below a thousandth of the spread."""


def measure(fields: tuple[FieldSpec, ...], chunks: list[tuple[np.ndarray, ...]] | object, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics of some rows.

    Args:
        fields: what the inputs are.
        chunks: an iterable of tuples, one array (n, *shape) per field, together all train rows.
        targets: float64 (N, T) of the same rows, already on the scale they are trained on.

    Returns:
        image: `image.mean`, `image.sd` (C,) in 0..1. Numeric (F,): `numeric.median`, `numeric.scale`, `numeric.missing`
        (share). Category: `category.seen{c}` bool per code. Targets: `target.mean`, `target.sd` (T,).
    """
    parts: list[list[np.ndarray]] = [[] for _ in fields]
    sums = [_start(field) for field in fields]
    rows = 0
    for chunk in chunks:  # type: ignore[attr-defined]
        rows += len(chunk[0])
        for number, (field, array) in enumerate(zip(fields, chunk)):
            if field.name == "image":
                _add_image(sums[number], array)
            elif field.name == "category":
                _add_category(sums[number], array)
            elif sum(len(p) for p in parts[number]) < _SAMPLE:
                parts[number].append(array)
    found: dict[str, np.ndarray] = {}
    for field, part, total in zip(fields, parts, sums):
        if field.name == "image":
            found |= _finish_image(total)
        elif field.name == "category":
            found |= {f"category.seen{number}": seen for number, seen in enumerate(total["seen"])}
        else:
            found |= _measure_numeric(np.concatenate(part).astype(np.float64))
    sd = targets.std(0)
    return found | {"target.mean": targets.mean(0), "target.sd": np.where(sd > 0, sd, 1.0)}


def _start(field: FieldSpec) -> dict:
    if field.name == "image":
        return {"n": 0, "sum": np.zeros(field.shape[0]), "squares": np.zeros(field.shape[0])}
    return {"seen": [np.zeros(cardinality, bool) for cardinality in field.cardinalities]}


def _add_image(total: dict, array: np.ndarray) -> None:
    for start in range(0, len(array), 1024):  # in slices: float64 copies of a whole set would take eight times its memory
        part = array[start : start + 1024].astype(np.float64) / 255
        total["n"] += part.shape[0] * part.shape[2] * part.shape[3]
        total["sum"] += part.sum((0, 2, 3))
        total["squares"] += (part * part).sum((0, 2, 3))


def _finish_image(total: dict) -> dict[str, np.ndarray]:
    mean = total["sum"] / total["n"]
    sd = np.sqrt(np.maximum(total["squares"] / total["n"] - mean**2, 0))
    return {"image.mean": mean, "image.sd": np.where(sd > 1e-4, sd, 1.0)}


def _add_category(total: dict, array: np.ndarray) -> None:
    for number, seen in enumerate(total["seen"]):
        seen[np.unique(array[:, number])] = True


def _measure_numeric(values: np.ndarray) -> dict[str, np.ndarray]:
    """Median and a robust scale per column: interquartile range, or half the range where that is zero (Holzmüller et al. 2024, RealMLP)."""
    missing = np.isnan(values)
    empty = missing.all(0)
    filled = np.where(empty, 0.0, values)
    low, median, high = np.nanquantile(filled, [0.25, 0.5, 0.75], axis=0)
    spread = np.nanmax(filled, 0) - np.nanmin(filled, 0)
    scale = np.where(high > low, (high - low) / 1.349, np.where(spread > 0, spread / 2, 1.0))
    return {"numeric.median": median, "numeric.scale": scale, "numeric.missing": missing.mean(0)}
