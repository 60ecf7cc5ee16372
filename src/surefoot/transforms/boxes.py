"""Augmentations that move boxes with their pictures: a whole batch at once, each picture by its own draw.

Each takes uint8 images (B, C, H, W), float32 corners (M, 4) of all their boxes in pixels (x0, y0, x1, y1), int64 items (M,) that say which picture
a box is on, and a generator. It returns the images, the corners that are left, and int64 positions of these among the M, for classes and flags to
follow. A box that leaves its picture is clipped; it is dropped when less than a quarter of it is left, or less than two pixels a side.

Axes: B batch, C channels, H W height and width, M boxes.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from surefoot.transforms.draws import carry, draw_spread
from surefoot.types.source import KEPT_FRAC

Moved = tuple[Tensor, Tensor, Tensor]
SMALLEST_SIDE = 2.0
GREY = 114.0
"""What comes in from outside: a border continued outwards would smear the things that boxes are drawn around."""


def flip(images: Tensor, corners: Tensor, items: Tensor, generator: Generator) -> Moved:
    """Mirrors each picture left to right with probability one half."""
    is_mirrored = carry(torch.rand(len(images), generator=generator), images) < 0.5
    width = images.shape[3]
    mirrored = torch.stack([width - corners[:, 2], corners[:, 1], width - corners[:, 0], corners[:, 3]], 1)
    moved = torch.where(is_mirrored[items, None], mirrored, corners)
    return torch.where(is_mirrored[:, None, None, None], images.flip(3), images), moved, torch.arange(len(corners), device=corners.device)


def shift(images: Tensor, corners: Tensor, items: Tensor, generator: Generator) -> Moved:
    """Moves each picture by up to a tenth of its side, by whole pixels."""
    height, width = images.shape[2:]
    most = carry(torch.tensor([max(1, width // 10), max(1, height // 10)]), images)
    by = (draw_spread(images, generator, 2).T * (most + 0.5)).round().clamp(-most, most)
    return _move(images, corners, items, _matrices(torch.ones(len(images), device=images.device), by))


def crop(images: Tensor, corners: Tensor, items: Tensor, generator: Generator) -> Moved:
    """Cuts a window of six tenths of the sides at least, anywhere, and enlarges it to the whole."""
    size = carry(torch.tensor([images.shape[3], images.shape[2]]), images)
    share, *place = (draw_spread(images, generator, 3) + 1) / 2
    side = 0.6 + 0.4 * share
    corner = torch.stack(place, 1) * (1 - side)[:, None] * size
    return _move(images, corners, items, _matrices(1 / side, -corner / side[:, None]))


def scale(images: Tensor, corners: Tensor, items: Tensor, generator: Generator) -> Moved:
    """Makes each picture up to a half smaller or larger, around its centre."""
    factor = 1 + 0.5 * draw_spread(images, generator)[0]
    return _move(images, corners, items, _around_centre(images, _matrices(factor, torch.zeros(len(images), 2, device=images.device))))


def affine(images: Tensor, corners: Tensor, items: Tensor, generator: Generator) -> Moved:
    """Turns each picture by up to 10 degrees, scales it by up to 10 %, and moves it by up to a tenth of its side.

    A turned box is the smallest upright one around it, so it is larger than what it holds: at 10 degrees a square's side grows by 16 %.
    """
    turn, factor, across, down = draw_spread(images, generator, 4)
    size = carry(torch.tensor([images.shape[3], images.shape[2]]), images)
    angle, factor = turn * (torch.pi / 18), 1 + factor * 0.1
    matrices = _matrices(factor, torch.stack([across, down], 1) * 0.1 * size)
    cosine, sine = torch.cos(angle) * factor, torch.sin(angle) * factor
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0], matrices[:, 1, 1] = cosine, -sine, sine, cosine
    return _move(images, corners, items, _around_centre(images, matrices))


def move_boxes(corners: Tensor, matrices: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Boxes moved by one matrix each: the upright box around the four moved corners, clipped, and the positions of those that are left.

    Args:
        corners: (M, 4). matrices: (M, 3, 3), from pixels before to pixels after. size: width and height of the picture.
    """
    x0, y0, x1, y1 = corners.T
    points = torch.stack([torch.stack([x0, x1, x0, x1], 1), torch.stack([y0, y0, y1, y1], 1), torch.ones(len(corners), 4, device=corners.device)], 1)
    moved = (matrices @ points)[:, :2]
    hull = torch.cat([moved.amin(2), moved.amax(2)], 1)
    limit = carry(torch.tensor([*size, *size], dtype=hull.dtype), hull)
    inside = torch.minimum(hull.clamp(min=0), limit)
    sides, before = inside[:, 2:] - inside[:, :2], hull[:, 2:] - hull[:, :2]
    is_left = (sides.prod(1) >= KEPT_FRAC * before.prod(1)) & (sides >= SMALLEST_SIDE).all(1)
    kept = torch.nonzero(is_left)[:, 0]
    return inside[kept], kept


def _move(images: Tensor, corners: Tensor, items: Tensor, matrices: Tensor) -> Moved:
    height, width = images.shape[2:]
    inside, kept = move_boxes(corners, matrices[items], (width, height))
    return _warp(images, matrices), inside, kept


def _warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Pictures moved by one matrix each, in pixels; `grid_sample` asks for the way back, on a grid from -1 to 1."""
    height, width = images.shape[2:]
    to_grid = carry(torch.tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]], dtype=torch.float64), images)
    back = to_grid @ torch.linalg.inv(matrices.double()) @ torch.linalg.inv(to_grid)
    grid = F.affine_grid(back[:, :2].float(), list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float() - GREY, grid, padding_mode="zeros", align_corners=False)
    return (moved + GREY).round().clamp(0, 255).to(images.dtype)


def _matrices(factor: Tensor, by: Tensor) -> Tensor:
    """Scale by a factor (B,), then move by pixels (B, 2): (B, 3, 3)."""
    matrices = torch.diag_embed(torch.stack([factor, factor, torch.ones_like(factor)], 1))
    matrices[:, :2, 2] = by
    return matrices


def _around_centre(images: Tensor, matrices: Tensor) -> Tensor:
    """The same, with the centre of the picture staying where it is."""
    centre = carry(torch.tensor([images.shape[3] / 2, images.shape[2] / 2]), images)
    matrices = matrices.clone()
    matrices[:, :2, 2] += centre - matrices[:, :2, :2] @ centre
    return matrices
