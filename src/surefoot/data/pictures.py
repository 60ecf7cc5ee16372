"""Pictures as pages show them."""

from __future__ import annotations

import numpy as np


def to_picture(image: np.ndarray) -> np.ndarray:
    """uint8 (C, H, W) -> (H, W), or (H, W, 3)."""
    return image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0)
