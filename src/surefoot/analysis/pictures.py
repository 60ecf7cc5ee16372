"""What can be measured on a picture without a model: how bright, how sharp."""

from __future__ import annotations

import numpy as np


def brightness(images: np.ndarray) -> np.ndarray:
    """Mean grey value in 0..1 per picture; uint8 (N, C, H, W) -> float64 (N,)."""
    return images.mean((1, 2, 3), dtype=np.float64) / 255


def sharpness(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian per picture (Pech-Pacheco et al. 2000); uint8 (N, C, H, W) -> float64 (N,)."""
    grey = images.mean(1, dtype=np.float64)
    inner = grey[:, 1:-1, 1:-1]
    laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * inner
    return laplacian.var((1, 2)) if inner.size else np.zeros(len(images))
