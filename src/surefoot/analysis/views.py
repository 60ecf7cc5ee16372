"""Items as a training would see them: some draws of an augmentation, without any training.

Letters: N items, D draws, F numeric columns, L words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
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
    drawn = _draw(batch, _fetch(text, "image", folder), num)
    return [[to_picture(image) for image in draws.numpy()] for draws in drawn.transpose(0, 1)]


def draw_numbers(standard: np.ndarray, text: str, num: int, folder: Path | None = None) -> np.ndarray:
    """`num` draws of some rows in standard units: float32 (N, F) -> (D, N, F)."""
    parts = [part for part in _fetch(text, "table", folder) if not chain.is_for_texts(part)]
    return _draw(torch.from_numpy(standard), parts, num).numpy()


def draw_texts(codes: np.ndarray, text: str, num: int, folder: Path | None = None) -> np.ndarray:
    """`num` draws of the words of some texts: int32 (N, L) -> (D, N, L)."""
    parts = [part for part in _fetch(text, "table", folder) if chain.is_for_texts(part)]
    return _draw(torch.from_numpy(codes), parts, num).numpy()


def _fetch(text: str, kind: str, folder: Path | None) -> list[Callable[..., Tensor]]:
    return [] if text == chain.NONE else chain.fetch(text, kind, folder)


def _draw(batch: Tensor, parts: Sequence[Callable[..., Tensor]], num: int) -> Tensor:
    generators = (Generator().manual_seed(randomness.key(0, "contact sheet", draw)) for draw in range(num))
    return torch.stack([reduce(lambda so_far, part: part(so_far, generator), parts, batch.clone()) for generator in generators])
