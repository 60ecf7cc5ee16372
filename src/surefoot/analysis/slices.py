"""Where a model errs more than elsewhere: slices of val that evidence alone makes, tested together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from surefoot.analysis.intervals import interval_of_mean, unit_names, wilson
from surefoot.analysis.pictures import brightness, sharpness
from surefoot.randomness import stream
from surefoot.types.data_reports import FieldSpec
from surefoot.types.error_reports import Slice
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

LEAST, MOST_FRAC = 20, 0.9
"""Items that a slice needs to be tested, and the share of val above which it is val."""
RATE = 0.05
"""Of the slices that are told, at most this share is expected to be noise."""
MOST_VALUES = 20
NUM_CLUSTERS = 12
_EMBEDDED = 32


def pick_rows(predictions: Predictions, most: int, *, seed: int) -> np.ndarray:
    """A seeded sample of at most `most` rows, int64, ascending, that holds one row of each unit at most: rows of one group, or of one item that several
    folds speak of, err together, and the tests below take each row for evidence of its own. Of 100 groups of 20 rows of pure noise they would tell slices.
    """
    rng = stream(seed, "sliced items")
    order = rng.permutation(len(predictions))
    first = order[np.unique(unit_names(predictions)[order], return_index=True)[1]]
    return np.sort(rng.permutation(first)[:most])


def find_slices(candidates: Mapping[str, np.ndarray], losses: np.ndarray, *, is_share: bool) -> tuple[Slice, ...]:
    """The slices that do worse than the rest, beyond noise and after correction for how many were tried; the most rewarding first.

    Args:
        candidates: name -> bool (N,) items of the slice.
        losses: float64 (N,): 1 for a wrong item and 0 for a right one (`is_share`), else how far off each is.

    Source: Fisher's exact test (shares), Mann and Whitney 1947 (losses); Benjamini and Hochberg 1995, Controlling the False Discovery Rate;
        Chung et al. 2019, Slice Finder.
    """
    tested = {name: here for name, here in candidates.items() if LEAST <= here.sum() <= MOST_FRAC * len(here)}
    if not tested:
        return ()
    p_values = np.array([_test(losses[here], losses[~here], is_share) for here in tested.values()])
    found = []
    for (name, here), p, q in zip(tested.items(), p_values, correct(p_values), strict=True):
        inside, rest = losses[here], float(losses[~here].mean())
        if q <= RATE and inside.mean() > rest:
            interval = wilson(inside.sum(), len(inside)) if is_share else interval_of_mean(inside)
            error = Measured(value=float(inside.mean()), interval=interval, n=len(inside))
            gain = float((inside.mean() - rest) * here.mean())
            found.append(Slice(name=name, error=error, rest=rest, p_value=float(p), q_value=float(q), could_bring=gain))
    return tuple(sorted(found, key=lambda one: -one.could_bring))


def _test(inside: np.ndarray, rest: np.ndarray, is_share: bool) -> float:
    """The chance of so much more error in the slice if it were like the rest."""
    if is_share:
        wrong = int(inside.sum() + rest.sum())
        return float(stats.hypergeom.sf(inside.sum() - 1, len(inside) + len(rest), wrong, len(inside)))
    return float(stats.mannwhitneyu(inside, rest, alternative="greater", method="asymptotic").pvalue)


def correct(p_values: np.ndarray) -> np.ndarray:
    """p values -> q values: the smallest false discovery rate at which each would be told. (M,) -> (M,). Source: Benjamini and Hochberg 1995."""
    order = np.argsort(p_values)
    ranked = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    q_values = np.empty(len(p_values))
    q_values[order] = np.minimum.accumulate(ranked[::-1])[::-1].clip(max=1.0)
    return q_values


def by_category(name: str, codes: np.ndarray, words: Mapping[int, str]) -> dict[str, np.ndarray]:
    """One slice per value of a category column, the commonest first; code 0 is a missing or unseen value."""
    values, counts = np.unique(codes, return_counts=True)
    common = values[np.argsort(-counts, kind="stable")][:MOST_VALUES]
    return {f"{name} = {words.get(int(value), 'missing or unseen')}": codes == value for value in common}


def by_amount(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Slices of a number: its missing values, its lowest, middle and highest third; one per value where there are few."""
    missing = np.isnan(values)
    known = values[~missing]
    found = {f"{name} is missing": missing} if missing.any() else {}
    distinct = np.unique(known)
    if len(distinct) <= 5:
        return found | {f"{name} = {word}": values == value for value, word in zip(distinct, _write_apart(*distinct)) if len(distinct) > 1}
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    least, most = _write_apart(low, high)
    return found | {
        f"{name} <= {least}": values <= low,
        f"{least} < {name} <= {most}": (values > low) & (values <= high),
        f"{name} > {most}": values > high,
    }


def _write_apart(*values: float) -> list[str]:
    """Numbers with as few digits, four at least, as tell them apart: 10001 and 10002 are both 1e+04 in four."""
    few = (digits for digits in range(4, 10) if len({f"{value:.{digits}g}" for value in values}) == len(set(values)))
    digits = next(few, 10)
    return [f"{value:.{digits}g}" for value in values]


def by_cluster(features: np.ndarray, *, seed: int) -> dict[str, np.ndarray]:
    """Slices of items that the model itself takes for alike: k-means on the leading directions of its features.

    Args:
        features: float32 (N, D).

    Source: d'Eon et al. 2022, The Spotlight; Eyuboglu et al. 2022, Domino (errors gather in regions of the embedding).
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    num = min(NUM_CLUSTERS, len(features) // LEAST)
    if num < 2 or features.shape[1] < 2:
        return {}
    width = min(_EMBEDDED, features.shape[1], len(features))
    leading = PCA(width, random_state=seed).fit_transform(np.nan_to_num(features.astype(np.float64)))
    labels = KMeans(num, n_init=2, random_state=seed).fit_predict(leading)
    return {f"cluster {k + 1} of like items": labels == k for k in range(num)}


def list_candidates(fields: tuple[FieldSpec, ...], inputs: tuple[np.ndarray, ...], words: Mapping[str, Mapping[int, str]]) -> dict[str, np.ndarray]:
    """Slices by column values, or by how bright, sharp and rich in contrast a picture is.

    Args:
        inputs: one array (N, ...) per field. words: category column -> code -> value.
    """
    found: dict[str, np.ndarray] = {}
    for field, array in zip(fields, inputs, strict=True):
        if field.name == "image":
            for name, values in (("brightness", brightness(array)), ("sharpness", sharpness(array)), ("contrast", array.std((1, 2, 3)) / 255)):
                found |= by_amount(name, values)
        for column, name in enumerate(field.names if field.name in ("numeric", "category") else ()):
            found |= (
                by_category(name, array[:, column], words.get(name, {})) if field.name == "category" else by_amount(name, array[:, column].astype(np.float64))
            )
    return found
