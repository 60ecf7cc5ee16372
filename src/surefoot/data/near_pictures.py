"""Near duplicates among pictures: one picture stored twice, in another size, packing or exposure. In n log n time, whatever the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from surefoot.data.forest import find_alike
from surefoot.data.groups import Groups, Near, Pair
from surefoot.data.measures import to_grey

_RATIO = 0.35
"""Two pictures are near duplicates if they are this much nearer to each other than to their surroundings. Measured: all 6 known pairs of the flowers, 2 more,
and none of 70,000 MNIST, 2,876 small Fashion and 1,797 scikit-learn digits."""
_DENSE = 1.5
"""Power of the distance to the surroundings: the denser they are the fewer ways there are to differ, and the less a small distance says. Without it one of the
variants of scikit-learn's digits that we tried has a pair."""
_FAR = 1.15
"""No surroundings count as farther than this (uncorrelated ones are at 1.41), so that few pictures are not all near."""
_EQUAL = 0.998
"""Correlation of the pixels from which surroundings do not matter: those of MNIST's 70,000 digits reach 0.992."""
_DETAIL = 0.5
"""Correlation of the detail: 0.0 between different photos with like masses of light (flowers), above 0.8 where one was packed twice."""
_TRIES = 3
_SIDE = 64


def near_pictures(contents: Mapping[int, str], thumbs: np.ndarray, read: Callable[[int], np.ndarray], seed: int) -> Near:
    """Pictures that differ by packing, size, exposure or a few pixels.

    Thumbs propose pairs, the pixels decide: their correlation over all channels, that of their detail, and how near the pair is beside its surroundings
    (the ratio test of Lowe 2004), which tells a copy among photos from a look-alike among digits.

    Args:
        contents: row -> content hash; of equal ones the first row stands for all.
        thumbs: uint8 (N, D), for every row of the source.
        read: row -> pixels; asked for the pairs alone.
        seed: see `find_alike`.
    """
    first: dict[str, int] = {}
    for row, content in contents.items():
        first.setdefault(content, row)
    rows = np.asarray(list(first.values()), np.int64)
    proposed, alike, around = find_alike(thumbs[rows], 1 - (_RATIO * _FAR**_DENSE) ** 2 / 2, seed)
    apart = np.minimum(np.sqrt(2 * np.maximum(1 - around, 0)), _FAR)
    groups = Groups()
    tries = np.zeros(len(rows), np.int64)
    pairs: list[Pair] = []
    for (a, b), likeness in zip(proposed.tolist(), alike.tolist()):
        allowed = _RATIO * min(apart[a], apart[b]) ** _DENSE
        is_likely = likeness >= _EQUAL or 2 * (1 - likeness) <= allowed**2
        if not is_likely or min(tries[a], tries[b]) >= _TRIES or groups.root(a) == groups.root(b):
            continue
        found = _compare(read(int(rows[a])), read(int(rows[b])), allowed)
        if found:
            groups.join(a, b)
            pairs.append((int(rows[a]), int(rows[b]), found))
        else:
            tries[[a, b]] += 1
    return Near(sorted(pairs, key=lambda pair: -pair[2]), groups.name([contents[row] for row in rows.tolist()]))


def _compare(one: np.ndarray, other: np.ndarray, allowed: float) -> float:
    """Correlation of two pictures uint8 (H, W) or (H, W, 3) at one size, 0 where they are no near duplicates."""
    if one.ndim != other.ndim:
        one, other = (image if image.ndim == 2 else to_grey(image) for image in (one, other))
    height, width = (min(_SIDE, one.shape[axis], other.shape[axis]) for axis in (0, 1))
    one, other = (np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX), np.float64) for image in (one, other))
    alike = _correlate(one, other)
    is_near = alike >= _EQUAL or 2 * (1 - alike) <= allowed**2
    return alike if is_near and _correlate(_sharpen(one), _sharpen(other)) >= _DETAIL else 0.0


def _correlate(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = np.sqrt((one * one).sum() * (other * other).sum())
    return float((one * other).sum() / length) if length else 0.0


def _sharpen(image: np.ndarray) -> np.ndarray:
    """The Laplacian of the grey picture at half its size, where packing leaves the detail be; the picture itself where it has no inner pixel."""
    grey = image if image.ndim == 2 else image.mean(2)
    grey = grey[: len(grey) // 2 * 2, : grey.shape[1] // 2 * 2]
    grey = grey.reshape(len(grey) // 2, 2, grey.shape[1] // 2, 2).mean((1, 3))
    if min(grey.shape) < 3:
        return grey
    return np.asarray(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
