"""Pictures that do not look like the others of their set. What is usual is measured on the set itself, so that a set of dark pictures has no dark ones.

Letters: N pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.data.forest import normalise
from surefoot.data.measures import RECORD

DARK, BRIGHT_SET = 0.25, 0.5
"""A picture with nothing brighter than a quarter is dark, in a set whose pictures usually reach half. Of MNIST, Fashion, digits and flowers none is."""
FLAT, RICH_SET = 0.15, 0.4
"""Of the range from black to white; the set's usual range is what it is beside. The least in the flowers is 0.18."""
SOFT, SOFT_Z = 0.05, -4.0
"""A twentieth of the variance in the Laplacian: next pixels hardly differ. White noise has 20, photos 0.1 to 4; flowers that were enlarged four times 0.013,
and there the robust z (Iglewicz and Hoaglin 1993) still tells: the least is -3.8."""
POLAR, AGAINST = 0.4, -0.2
"""Length of the mean of all normalised thumbs from which a set has a common ground, and correlation with it below which a picture is its negative. The length
is 0.59 to 0.70 for digits, MNIST and Fashion, whose pictures correlate with it by -0.05 at least, and 0.12 to 0.26 for photos."""
STRANGE_Z, NOISY_Z = 6.0, 5.0
"""Robust z of the distance to the sixth nearest of a thousand pictures (4.5 at most in those sets), and of the logarithm of the sharpness (4.8)."""
ODD_SIDE, ODD_SHAPE = 4.0, 3.0
"""Factors beside the usual side and the usual aspect ratio."""
STRANGE_RATIO = 1.3
"""Where all pictures are equally unlike, as noise is, spreads are small and say nothing."""
_REFERENCES = 1_000
_NEIGHBOURS = 6
_FEW = 20
"""Pictures from which there is something usual."""
_AT_ONCE = 4_096


@dataclass(frozen=True)
class Usual:
    """Median and spread (1.4826 times the median absolute deviation, which is the standard deviation of normal numbers)."""

    middle: float
    spread: float

    def z(self, values: np.ndarray) -> np.ndarray:
        """How many spreads values lie above the median."""
        return np.asarray((values - self.middle) / max(self.spread, 1e-9))


def find_usual(values: np.ndarray) -> Usual:
    """Median and spread of values (N,)."""
    middle = float(np.median(values))
    return Usual(middle, 1.4826 * float(np.median(np.abs(values - middle))))


def judge_pictures(records: np.ndarray, visible: np.ndarray) -> dict[str, dict[int, str]]:
    """Finding code -> position of a picture -> why. A picture has one code at most beside that of its size: the disease, not its symptoms.

    Args:
        records: (N,) of `measures.RECORD`. visible: bool (N,), those that say what is usual; a given test set does not.
    """
    assert records.dtype == RECORD
    found: dict[str, dict[int, str]] = {}
    if visible.sum() < _FEW:
        return found
    taken = np.zeros(len(records), bool)
    for code, told in (
        ("data.dark", _find_dark(records, visible)),
        ("data.low_contrast", _find_flat(records, visible)),
        ("data.blurry", _find_soft(records, visible)),
        ("data.inverted", _find_negatives(records, visible)),
        ("data.outliers", _find_strange(records, visible)),
    ):
        found[code] = {row: why for row, why in told.items() if not taken[row]}
        taken[list(found[code])] = True
    return {code: told for code, told in {**found, "data.odd_size": _find_odd(records, visible)}.items() if told}


def _find_dark(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    high = records["high"] / 255
    if np.median(high[visible]) < BRIGHT_SET:
        return {}
    return {int(row): f"98 % of its pixels are darker than {high[row]:.0%} of white" for row in np.flatnonzero(high < DARK)}


def _find_flat(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    span = (records["high"].astype(np.int64) - records["low"]) / 255
    if np.median(span[visible]) < RICH_SET:
        return {}
    return {int(row): "all of one tone" if not span[row] else f"its tones span {span[row]:.0%} of the range" for row in np.flatnonzero(span < FLAT)}


def _find_soft(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    """A picture of one tone has no sharpness to judge."""
    z = _rate_sharpness(records, visible)
    rows = np.flatnonzero((z < SOFT_Z) & (records["sharpness"] < SOFT) & (records["contrast"] > 0))
    return {int(row): f"its fine detail is {-z[row]:.1f} spreads below the usual" for row in rows}


def _rate_sharpness(records: np.ndarray, visible: np.ndarray) -> np.ndarray:
    sharp = np.log(np.maximum(records["sharpness"].astype(np.float64), 1e-6))
    return find_usual(sharp[visible]).z(sharp)


def _find_negatives(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    thumbs = records["thumb"].reshape(len(records), -1)
    total = np.zeros(thumbs.shape[1])
    for rows in _portions(np.flatnonzero(visible)):
        total += normalise(thumbs[rows]).sum(0, dtype=np.float64)
    ground = total / visible.sum()
    length = float(np.sqrt((ground * ground).sum()))
    if length < POLAR:
        return {}
    likeness = np.concatenate([normalise(thumbs[rows]) @ (ground / length) for rows in _portions(np.arange(len(thumbs)))])
    return {int(row): f"it correlates by {likeness[row]:.2f} with the mean of all pictures" for row in np.flatnonzero(likeness < AGAINST)}


def _find_strange(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    thumbs, seen = records["thumb"].reshape(len(records), -1), np.flatnonzero(visible)
    references = normalise(thumbs[seen[np.linspace(0, len(seen) - 1, min(len(seen), _REFERENCES)).astype(np.int64)]])  # from every class, in any order
    distances = np.concatenate([_reach(normalise(thumbs[rows]), references) for rows in _portions(np.arange(len(thumbs)))])
    far, sharp = find_usual(distances[visible]).z(distances), _rate_sharpness(records, visible)
    is_far = (far > STRANGE_Z) & (distances > STRANGE_RATIO * np.median(distances[visible]))
    told = {int(row): f"it is like no other: {far[row]:.1f} spreads beyond the usual distance" for row in np.flatnonzero(is_far)}
    return {int(row): f"its grain is {sharp[row]:.1f} spreads above the usual" for row in np.flatnonzero(sharp > NOISY_Z)} | told


def _reach(units: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Distance (N,) to the sixth nearest reference; a picture may be one itself."""
    alike = np.partition(units @ references.T, -min(_NEIGHBOURS, len(references)), axis=1)[:, -min(_NEIGHBOURS, len(references))]
    return np.asarray(np.sqrt(2 * np.maximum(1 - alike, 0)))


def _find_odd(records: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    height, width = records["height"].astype(np.float64), records["width"].astype(np.float64)
    side, shape = np.sqrt(height * width), height / width
    usual_side, usual_shape = np.median(side[visible]), np.median(shape[visible])
    factors = [np.maximum(values / usual, usual / values) for values, usual in ((side, usual_side), (shape, usual_shape))]
    told = {}
    for row in np.flatnonzero((factors[0] >= ODD_SIDE) | (factors[1] >= ODD_SHAPE)):
        beside = f"{usual_side * np.sqrt(usual_shape):.0f} x {usual_side / np.sqrt(usual_shape):.0f}"
        told[int(row)] = f"it is {records[row]['height']} x {records[row]['width']} pixels, usual are {beside}"
    return told


def _portions(rows: np.ndarray) -> list[np.ndarray]:
    return np.split(rows, range(_AT_ONCE, len(rows), _AT_ONCE))
