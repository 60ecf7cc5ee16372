"""Items as a training would see them: some draws of an augmentation, without any training.

Letters: N items, D draws, F numeric columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from surefoot import randomness
from surefoot.data.pictures import to_picture
from surefoot.transforms import chain


def draw_pictures(pictures: Sequence[np.ndarray], text: str, num: int, folder: Path | None = None) -> list[list[np.ndarray]]:
    """For each picture, `num` draws.

    Args:
        pictures: uint8 (H, W) or (H, W, 3), all of one size. text: as `train.augment` is written. folder: of the project.
    """
    batch = torch.from_numpy(np.stack([picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1) for picture in pictures]))
    drawn = _draw(batch, text, "image", num, folder)
    return [[to_picture(image) for image in draws.numpy()] for draws in drawn.transpose(0, 1)]


def draw_numbers(standard: np.ndarray, text: str, num: int, folder: Path | None = None) -> np.ndarray:
    """`num` draws of some rows in standard units: float32 (N, F) -> (D, N, F)."""
    return _draw(torch.from_numpy(standard), text, "table", num, folder).numpy()


def _draw(batch: Tensor, text: str, kind: str, num: int, folder: Path | None) -> Tensor:
    if text == chain.NONE:
        return batch.expand(num, *batch.shape)
    part = chain.join(text, kind, folder)
    return torch.stack([part(batch.clone(), Generator().manual_seed(randomness.key(0, "contact sheet", draw))) for draw in range(num)])
