"""What can be measured on a picture without a model: how bright, how sharp."""

from __future__ import annotations

import numpy as np

_LOW = 0.05
"""The darkest and the blurriest twentieth of the items at hand are tagged: tags rank, they do not judge."""


def brightness(images: np.ndarray) -> np.ndarray:
    """Mean grey value in 0..1 per picture; uint8 (N, C, H, W) -> float64 (N,)."""
    return images.mean((1, 2, 3), dtype=np.float64) / 255


def sharpness(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian per picture (Pech-Pacheco et al. 2000); uint8 (N, C, H, W) -> float64 (N,)."""
    grey = images.mean(1, dtype=np.float64)
    inner = grey[:, 1:-1, 1:-1]
    laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * inner
    return laplacian.var((1, 2)) if inner.size else np.zeros(len(images))


def tag_pictures(images: np.ndarray) -> list[list[str]]:
    """`dark` and `blurry` for the lowest twentieth of these pictures."""
    dark, blurry = brightness(images), sharpness(images)
    limits = np.quantile(dark, _LOW), np.quantile(blurry, _LOW)
    return [[tag for tag, value, limit in (("dark", d, limits[0]), ("blurry", b, limits[1])) if value < limit] for d, b in zip(dark, blurry)]
