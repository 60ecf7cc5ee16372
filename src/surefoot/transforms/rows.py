"""Augmentations of tables: all rows of a batch at once, each by its own draw.

Letters: B rows, F numeric columns. Each takes float32 (B, F) in standard units (the median of the train rows is 0, their spread 1; NaN where a value is
missing), a generator and a strength as in `augment.py`, and returns the same shape. Category codes stay what they are; `train.mixup` blends whole rows.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from surefoot.transforms.draws import carry

_NOISE = 0.1


def noise(numbers: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Adds Gaussian noise with a tenth of each column's spread: the same as a penalty on steep outputs (Bishop 1995)."""
    return numbers + carry(torch.randn(numbers.shape, generator=generator), numbers) * (_NOISE * strength)
