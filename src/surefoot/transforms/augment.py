"""Augmentations: a whole batch of pictures at once, each picture by its own draw.

Axes: B batch, C channels, H W height and width. Each takes uint8 (B, C, H, W) and a generator, and returns uint8 of the same shape.
A user's own has the same signature.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def none(images: Tensor, generator: Generator) -> Tensor:
    """Leaves the pictures as they are."""
    return images


def shift(images: Tensor, generator: Generator) -> Tensor:
    """Moves each picture by up to a tenth of its side (at least one pixel); the border is continued outwards."""
    batch, _, height, width = images.shape
    rows = _moved(batch, height, generator).unsqueeze(2)
    columns = _moved(batch, width, generator).unsqueeze(1)
    flat = (rows * width + columns).reshape(batch, 1, -1).to(images.device)
    return images.flatten(2).gather(2, flat.expand(-1, images.shape[1], -1)).view_as(images)


def flip(images: Tensor, generator: Generator) -> Tensor:
    """Mirrors each picture left to right with probability one half."""
    mirrored = torch.rand(len(images), generator=generator).to(images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def shift_flip(images: Tensor, generator: Generator) -> Tensor:
    """`shift`, then `flip`."""
    return flip(shift(images, generator), generator)


def affine(images: Tensor, generator: Generator) -> Tensor:
    """Turns each picture by up to 10 degrees, scales it by up to 10 %, and moves it by up to a tenth of its side; the border is continued outwards."""
    height, width = images.shape[2:]
    draws = (torch.rand((4, len(images)), generator=generator) * 2 - 1).to(images.device)
    angle, scale = draws[0] * (torch.pi / 18), 1 + draws[1] * 0.1
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    across = torch.stack([cosine, -sine * (height / width), draws[2] * 0.2], 1)  # the grid runs from -1 to 1 on either side: 0.2 is a tenth
    down = torch.stack([sine * (width / height), cosine, draws[3] * 0.2], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
    return moved.round().to(images.dtype)


def affine_flip(images: Tensor, generator: Generator) -> Tensor:
    """`affine`, then `flip`."""
    return flip(affine(images, generator), generator)


def _moved(batch: int, side: int, generator: Generator) -> Tensor:
    """int64 (B, side): for each picture, which pixel stands where after the move."""
    most = max(1, side // 10)
    by = torch.randint(-most, most + 1, (batch, 1), generator=generator)
    return (torch.arange(side) + by).clamp(0, side - 1)
