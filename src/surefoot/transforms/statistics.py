"""What the transforms need to know about the data, measured on train rows alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from surefoot.types.data_reports import FieldSpec

_SAMPLE = 200_000
"""Rows for medians and quantiles, at least: their standard error is then below a hundredth of the spread."""
_SMALLEST = 1e-30
"""The least scale: its inverse is still a float32."""
_NO_SPREAD = 1e-12
"""Of the mean: what is left of the spread of a constant after rounding."""


def measure(fields: tuple[FieldSpec, ...], chunks: Iterable[tuple[np.ndarray, ...]], targets: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics of some rows; how they are cut into chunks changes nothing.

    Args:
        fields: what the inputs are.
        chunks: tuples of one array (n, *shape) per field, together all train rows.
        targets: float64 (N, T) of the same rows, already on the scale they are trained on.

    Returns:
        image: `image.mean`, `image.sd` (C,) in 0..1. Numeric (F,): `numeric.median`, `numeric.scale`, `numeric.missing`
        (share). Category: `category.seen{c}` bool per code. Targets: `target.mean`, `target.sd` (T,).
    """
    gauges = [_GAUGES[field.name](field, len(targets)) for field in fields]
    for chunk in chunks:
        for gauge, array in zip(gauges, chunk):
            gauge.add(array)
    found: dict[str, np.ndarray] = {}
    for gauge in gauges:
        found |= gauge.finish()
    mean, sd = targets.mean(0), targets.std(0)
    return found | {"target.mean": mean, "target.sd": np.where(sd > _NO_SPREAD * np.abs(mean), sd, 1.0)}


class ImageGauge:
    """Mean and standard deviation per channel, from the count of each of the 256 values: whole numbers, whose sum knows no order."""

    def __init__(self, field: FieldSpec, rows: int) -> None:
        self.counts = np.zeros((field.shape[0], 256), np.int64)

    def add(self, array: np.ndarray) -> None:
        for start in range(0, len(array), 1024):  # in slices: counting takes eight times the memory of what it counts
            for channel, counts in enumerate(self.counts):
                counts += np.bincount(array[start : start + 1024, channel].reshape(-1), minlength=256)

    def finish(self) -> dict[str, np.ndarray]:
        shares, values = self.counts / self.counts.sum(1, keepdims=True), np.arange(256) / 255
        mean = shares @ values
        sd = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))
        return {"image.mean": mean, "image.sd": np.where(sd > 1e-4, sd, 1.0)}


class CategoryGauge:
    """Which codes there are."""

    def __init__(self, field: FieldSpec, rows: int) -> None:
        self.seen = [np.zeros(cardinality, bool) for cardinality in field.cardinalities]

    def add(self, array: np.ndarray) -> None:
        for number, seen in enumerate(self.seen):
            seen[np.unique(array[:, number])] = True

    def finish(self) -> dict[str, np.ndarray]:
        return {f"category.seen{number}": seen for number, seen in enumerate(self.seen)}


class NumericGauge:
    """Median and a robust scale per column: interquartile range, or half the range where that is zero (Holzmüller et al. 2024, RealMLP)."""

    def __init__(self, field: FieldSpec, rows: int) -> None:
        self.step, self.rows = max(1, rows // _SAMPLE), 0
        self.missing = np.zeros(field.shape[0], np.int64)
        self.parts: list[np.ndarray] = []

    def add(self, array: np.ndarray) -> None:
        self.missing += np.isnan(array).sum(0)
        self.parts.append(array[-self.rows % self.step :: self.step].copy())  # every so many of all, not the first ones: rows may be in order
        self.rows += len(array)

    def finish(self) -> dict[str, np.ndarray]:
        values = np.concatenate(self.parts).astype(np.float64)
        filled = np.where(np.isnan(values).all(0), 0.0, values)
        low, median, high = np.nanquantile(filled, [0.25, 0.5, 0.75], axis=0)
        spread = np.nanmax(filled, 0) - np.nanmin(filled, 0)
        scale = np.where(high > low, (high - low) / 1.349, np.where(spread > 0, spread / 2, 1.0))
        return {"numeric.median": median, "numeric.scale": np.maximum(scale, _SMALLEST), "numeric.missing": self.missing / self.rows}


_GAUGES: dict[str, type[ImageGauge] | type[CategoryGauge] | type[NumericGauge]] = {"image": ImageGauge, "category": CategoryGauge, "numeric": NumericGauge}
