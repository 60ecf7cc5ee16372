"""Items as numbers for a page: a map of them by their principal components, levels of pixels, and which values are missing together."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch.nn import functional as F

from surefoot.analysis.texts import place_texts
from surefoot.data.packs import Pack

MAPPED = 2_000
"""Items on the map, at most: more dots hide each other."""
_SIDE = 16
"""Pixels a side that are enough to place a picture: 2,000 of 1x16x16 are placed in 0.06 s."""
_MOST_CODES = 32
_LEVELS = 32
_MOST_GAPS = 12


def draw_map(pack: Pack, statistics: dict[str, np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """A seeded sample of a pack's items by the two directions in which they differ most (Pearson 1901).

    t-SNE parts classes better, and takes 9 s for what this does in 0.06 s: too much for a step that every walk takes.

    Returns:
        float32 (N, 2); int64 (N,), their rows; the share of all variance on each axis. Nothing where items can't be compared.
    """
    rows = np.sort(generator.permutation(len(pack))[:MAPPED])
    features = _describe(pack, rows, statistics)
    places, spread = project(features) if features is not None else (np.zeros((0, 2), np.float32), ())
    return places, rows[: len(places)], spread


def project(features: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """Items float32 (N, D) by their first two principal components (N, 2), and the share of all variance on each; nothing where they can't be compared."""
    if len(features) < 3 or features.shape[1] < 2 or not features.std(0).any():
        return np.zeros((0, 2), np.float32), ()
    fitted = PCA(2, svd_solver="covariance_eigh")
    places = fitted.fit_transform(features)
    places *= np.where(np.abs(places.min(0)) > places.max(0), -1, 1)  # either sign of a direction is right; one of them is drawn
    return places.astype(np.float32), tuple(round(float(share), 4) for share in fitted.explained_variance_ratio_)


def _describe(pack: Pack, rows: np.ndarray, statistics: dict[str, np.ndarray]) -> np.ndarray | None:
    """float32 (N, features): small pictures, numbers in standard units beside codes, one column each, or the words of texts."""
    parts = []
    for field, array in zip(pack.fields, pack.gather(rows)):
        if field.name == "image":
            small = F.adaptive_avg_pool2d(torch.from_numpy(array).float() / 255, (min(_SIDE, field.shape[1]), min(_SIDE, field.shape[2])))
            parts.append(small.flatten(1).numpy())
        elif field.name == "numeric":
            standard = (array - statistics["numeric.median"]) / statistics["numeric.scale"]
            parts.append(np.clip(np.nan_to_num(standard), -3, 3))
        elif field.name == "category":
            parts += [(array[:, [n]] == np.arange(min(count, _MOST_CODES))) * 0.7 for n, count in enumerate(field.cardinalities)]
        elif field.is_text:
            parts.append(place_texts(array))
    return np.concatenate(parts, 1).astype(np.float32) if parts else None


def count_pixels(pack: Pack, rows: np.ndarray) -> dict[str, tuple[int, ...]]:
    """Channel -> how many pixels of at most `MAPPED` of the given pictures fall into each level; empty for what is no picture."""
    if pack.fields[0].name != "image":
        return {}
    images = pack.gather(rows[:MAPPED])[0]
    names = ("red", "green", "blue") if images.shape[1] == 3 else ("grey",)
    width = 256 // _LEVELS
    return {name: tuple(np.bincount(images[:, n].reshape(-1) // width, minlength=_LEVELS).tolist()) for n, name in enumerate(names)}


def count_gaps(pack: Pack, rows: np.ndarray) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Columns with missing values, the most first, and for each two of them in how many of the given rows both are missing."""
    names: list[str] = []
    parts: list[np.ndarray] = []
    arrays = list(pack.chunks(rows)) if pack.fields[0].name in ("numeric", "category") else []
    for place, field in enumerate(pack.fields if arrays else ()):
        whole = np.concatenate([chunk[place] for chunk in arrays])
        names += field.names
        parts.append(np.isnan(whole) if field.name == "numeric" else whole == 0)
    if not parts:
        return (), ()
    gaps = np.concatenate(parts, 1)
    order = [n for n in np.argsort(-gaps.sum(0), kind="stable") if gaps[:, n].any()][:_MOST_GAPS]
    chosen = gaps[:, order].astype(np.int64)
    return tuple(names[n] for n in order), tuple(tuple(row) for row in (chosen.T @ chosen).tolist())
