"""What the transforms need to know about the data, measured on train rows alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from surefoot.transforms import impute
from surefoot.types.configs import ColumnConfig, PrepareConfig
from surefoot.types.data_reports import LEAST_TEXTS, UNKNOWN, FieldSpec

_SAMPLE = 200_000
"""Rows for medians and quantiles, at least: their standard error is then below a hundredth of the spread."""
_SMALLEST = 1e-30
"""The least scale: its inverse is still a float32."""
_NO_SPREAD = 1e-12
"""Of the mean: what is left of the spread of a constant after rounding."""
_KNOTS = 33
"""Of a map to ranks: their steps of 3 % are finer than what a column of a few hundred values can tell."""
_UNIFORM_SD = 12**-0.5
_USUAL = PrepareConfig()
ENCODINGS = ("embedding", "onehot", "frequency")


def measure(
    fields: tuple[FieldSpec, ...], chunks: Iterable[tuple[np.ndarray, ...]], targets: np.ndarray, config: PrepareConfig = _USUAL
) -> dict[str, np.ndarray]:
    """Statistics of some rows; how they are cut into chunks changes nothing.

    Args:
        fields: what the inputs are.
        chunks: tuples of one array (n, *shape) per field, together all train rows.
        targets: float64 (N, T) of the same rows, already on the scale they are trained on.
        config: how gaps are filled, numbers scaled and categories encoded.

    Returns:
        image: `image.mean`, `image.sd` (C,) in 0..1. Numeric (F,): `numeric.median`, `numeric.missing` (share), what gaps become: `numeric.fill`, whether a
        column says where they were: `numeric.gaps`, `numeric.center` and `numeric.scale`, whether outliers are bent in: `numeric.clip`; where asked for,
        the maps to ranks (`numeric.ranks`, `numeric.knots`, `numeric.slopes`) and the model of gaps (`impute.fit`). Category: `category.seen{c}` bool and
        `category.share{c}` per code, `category.fill` and `category.encoding` (C,). Text: `text.seen` bool per code. Targets: `target.mean`, `target.sd` (T,).
    """
    gauges = [(TextGauge if field.is_text else _GAUGES[field.name])(field, len(targets), config) for field in fields]
    for chunk in chunks:
        for gauge, array in zip(gauges, chunk):
            gauge.add(array)
    found: dict[str, np.ndarray] = {}
    for gauge in gauges:
        found |= gauge.finish()
    mean, sd = targets.mean(0), targets.std(0)
    return found | {"target.mean": mean, "target.sd": np.where(sd > _NO_SPREAD * np.abs(mean), sd, 1.0)}


def choose(config: PrepareConfig, name: str) -> ColumnConfig:
    """What holds for a column, or for a part of a date (`when.month` is part of `when`): its own settings, and those of all where it has none."""
    own = next((one for column, one in config.columns.items() if name == column or name.startswith(f"{column}.")), ColumnConfig())
    return ColumnConfig(**{key: getattr(config, key) if value is None else value for key, value in own})


class ImageGauge:
    """Mean and standard deviation per channel, from the count of each of the 256 values: whole numbers, whose sum knows no order."""

    def __init__(self, field: FieldSpec, rows: int, config: PrepareConfig) -> None:
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
    """How often each code occurs."""

    def __init__(self, field: FieldSpec, rows: int, config: PrepareConfig) -> None:
        self.counts = [np.zeros(cardinality, np.int64) for cardinality in field.cardinalities]
        self.choices = [choose(config, name) for name in field.names] or [choose(config, "")] * len(self.counts)

    def add(self, array: np.ndarray) -> None:
        for number, counts in enumerate(self.counts):
            counts += np.bincount(array[:, number], minlength=len(counts))

    def finish(self) -> dict[str, np.ndarray]:
        found = {f"category.seen{number}": counts > 0 for number, counts in enumerate(self.counts)}
        found |= {f"category.share{number}": counts / max(1, counts.sum()) for number, counts in enumerate(self.counts)}
        fills = [
            int(counts[1:].argmax()) + 1 if choice.missing == "most_frequent" and counts[1:].any() else 0 for counts, choice in zip(self.counts, self.choices)
        ]
        codes = [ENCODINGS.index(choice.encoding or "embedding") for choice in self.choices]
        return found | {"category.fill": np.asarray(fills, np.int64), "category.encoding": np.asarray(codes, np.int64)}


class TextGauge:
    """Which words stand in two texts or more, the rule of the vocabulary, among these rows; codes that were given are all kept."""

    def __init__(self, field: FieldSpec, rows: int, config: PrepareConfig) -> None:
        self.field, self.texts_with = field, np.zeros(field.cardinalities[0], np.int64)

    def add(self, array: np.ndarray) -> None:
        ordered = np.sort(array, axis=1)
        is_first = np.concatenate([np.ones((len(array), 1), bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
        self.texts_with += np.bincount(ordered[is_first], minlength=len(self.texts_with))

    def finish(self) -> dict[str, np.ndarray]:
        seen = (self.texts_with >= LEAST_TEXTS) | self.field.is_given
        seen[: UNKNOWN + 1] = True
        return {f"{self.field.name}.seen": seen}


class NumericGauge:
    """What fills the gaps of each column, its centre and its scale."""

    def __init__(self, field: FieldSpec, rows: int, config: PrepareConfig) -> None:
        self.step, self.rows = max(1, rows // _SAMPLE), 0
        self.missing = np.zeros(field.shape[0], np.int64)
        self.parts: list[np.ndarray] = []
        self.choices = [choose(config, name) for name in field.names] or [choose(config, "")] * field.shape[0]

    def add(self, array: np.ndarray) -> None:
        self.missing += np.isnan(array).sum(0)
        self.parts.append(array[-self.rows % self.step :: self.step].copy())  # every so many of all, not the first ones: rows may be in order
        self.rows += len(array)

    def finish(self) -> dict[str, np.ndarray]:
        values = np.concatenate(self.parts).astype(np.float64)
        filled = np.where(np.isnan(values).all(0), 0.0, values)
        median, scale = _robust(filled)
        how = [choice.scale or "robust" for choice in self.choices]
        centers, scales = zip(*(_SCALES[name](filled[:, j], median[j], scale[j]) for j, name in enumerate(how)))
        found = {
            "numeric.median": median,
            "numeric.missing": self.missing / self.rows,
            "numeric.fill": np.asarray([_fill(filled[:, j], median[j], choice) for j, choice in enumerate(self.choices)]),
            "numeric.gaps": (self.missing > 0) & [choice.missing == "indicator" for choice in self.choices],
            "numeric.center": np.asarray(centers),
            "numeric.scale": np.maximum(scales, _SMALLEST),
            "numeric.clip": np.asarray([name == "robust" for name in how]),
        }
        if "quantile" in how:
            found |= {"numeric.ranks": np.asarray([name == "quantile" for name in how])} | _map_to_ranks(filled)
        modelled = np.asarray([choice.missing == "model" for choice in self.choices])
        return found | (impute.fit(values, median, np.maximum(scale, _SMALLEST), modelled) if modelled.any() else {})


def _robust(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and a robust scale per column: interquartile range, or half the range where that is zero (Holzmüller et al. 2024, RealMLP)."""
    low, median, high = np.nanquantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = np.nanmax(values, 0) - np.nanmin(values, 0)
    return median, np.where(high > low, (high - low) / 1.349, np.where(spread > 0, spread / 2, 1.0))


def _standard(values: np.ndarray, median: float, scale: float) -> tuple[float, float]:
    mean, sd = float(np.nanmean(values)), float(np.nanstd(values))
    return mean, sd if sd > _NO_SPREAD * abs(mean) else 1.0


def _minmax(values: np.ndarray, median: float, scale: float) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return low, high - low if high > low else 1.0


_SCALES = {
    "robust": lambda values, median, scale: (median, scale),
    "standard": _standard,
    "minmax": _minmax,
    "quantile": lambda values, median, scale: (median, scale),
    "none": lambda values, median, scale: (0.0, 1.0),
}


def _fill(values: np.ndarray, median: float, choice: ColumnConfig) -> float:
    """What gaps of a column become, a model's guess aside; the median where only whether there was a gap is told, or rows with gaps are left out."""
    if choice.missing == "constant":
        return float(choice.missing_value or 0.0)
    if choice.missing == "mean":
        return float(np.nanmean(values))
    if choice.missing == "most_frequent":
        distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        return float(distinct[counts.argmax()])
    return float(median)


def _map_to_ranks(values: np.ndarray) -> dict[str, np.ndarray]:
    """Per column a map, linear between knots, from a value to its rank among the train values, scaled to mean 0 and variance 1.

    Returns:
        `numeric.knots` (F, K + 1), rising, `numeric.slopes` (F, K), and `numeric.first` (F,), what the lowest value becomes; slopes are 0 behind the last knot
        that a column needs. Ties share the mean of their ranks.
    """
    levels = np.linspace(0, 1, _KNOTS)
    knots, slopes, first = np.zeros((values.shape[1], _KNOTS)), np.zeros((values.shape[1], _KNOTS - 1)), np.zeros(values.shape[1])
    for j, quantiles in enumerate(np.nanquantile(values, levels, axis=0).T):
        distinct, group = np.unique(quantiles, return_inverse=True)
        ranks = np.bincount(group, levels) / np.bincount(group)
        knots[j] = np.append(distinct, np.full(_KNOTS - len(distinct), distinct[-1]))
        slopes[j, : len(distinct) - 1] = np.diff(ranks) / np.maximum(np.diff(distinct), _SMALLEST) / _UNIFORM_SD
        first[j] = (ranks[0] - 0.5) / _UNIFORM_SD  # the middle rank is 0, not the middle of the map: where 60 % are zeros that lies at 0.65
    return {"numeric.knots": knots, "numeric.slopes": slopes, "numeric.first": first}


_GAUGES: dict[str, type[ImageGauge] | type[CategoryGauge] | type[NumericGauge]] = {"image": ImageGauge, "category": CategoryGauge, "numeric": NumericGauge}
