"""Augmentations that move pictures: a whole batch at once, each picture by its own draw.

Axes: B batch, C channels, H W height and width. Each takes uint8 (B, C, H, W), a generator and a strength, and returns uint8 of the same shape.
Strength 0 changes nothing, 1 is the usual amount, 2 twice as much. A user's own has the same signature; strength may be left out.
Cost on one thread, in microseconds per picture of 3x32x32, batches of 128: 7 to 30 for shift, crop, flip, light and colour, 50 for noise, 55 to 65 for what
is resampled, 100 for blur, 70 for trivialaugment and 160 for randaugment; a small convnet (113,000 weights) takes 1,200 forward and back.
What leaves the picture is continued from its border, so that no black corners are learned.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from surefoot.transforms.draws import carry, draw_chosen, draw_spread, to_pixels

_TURN = torch.pi / 18
"""10 degrees."""


def none(images: Tensor, generator: Generator) -> Tensor:
    """Leaves the pictures as they are."""
    return images


def shift(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Moves each picture by up to a tenth of its side (at least one pixel); the border is continued outwards."""
    height, width = images.shape[2:]
    rows = _moved(images, height, _reach(height, strength / 10), generator).clamp(0, height - 1)
    columns = _moved(images, width, _reach(width, strength / 10), generator).clamp(0, width - 1)
    return _pick(images, rows, columns)


def crop(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Pads each picture by an eighth of its side, mirrored, and cuts a piece of the old size out of it (He et al. 2016: 4 pixels of 32)."""
    height, width = images.shape[2:]
    rows = _mirror(_moved(images, height, _reach(height, strength / 8), generator), height)
    columns = _mirror(_moved(images, width, _reach(width, strength / 8), generator), width)
    return _pick(images, rows, columns)


def flip(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Mirrors each picture left to right with probability one half."""
    return torch.where(draw_chosen(images, generator, strength / 2), images.flip(3), images)


def shift_flip(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """`shift`, then `flip`."""
    return flip(shift(images, generator, strength), generator, strength)


def rotate(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Turns each picture by up to 15 degrees."""
    return warp(images, turn(draw_spread(images, generator)[0] * (1.5 * _TURN * strength)))


def scale(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Makes each picture up to a quarter larger or smaller; either is as likely."""
    zoom = torch.exp(draw_spread(images, generator)[0] * (0.22 * strength))  # e^0.22 = 1.25
    return warp(images, turn(torch.zeros_like(zoom), zoom))


def perspective(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Tilts each picture as if it were seen from the side: the far edge up to a quarter shorter, the near one longer."""
    tilt = draw_spread(images, generator, 2) * (0.14 * strength)
    height, width = images.shape[2:]
    down, across = torch.meshgrid(_middles(height, images), _middles(width, images), indexing="ij")
    depth = 1 + tilt[0, :, None, None] * across + tilt[1, :, None, None] * down
    return _sample(images, torch.stack([across / depth, down / depth], 3))


def affine(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Turns each picture by up to 10 degrees, scales it by up to 10 %, and moves it by up to a tenth of its side."""
    draws = draw_spread(images, generator, 4) * strength
    moved = draws[2:4].T * 0.2  # the grid runs from -1 to 1 on either side: 0.2 is a tenth
    return warp(images, turn(draws[0] * _TURN, 1 + draws[1] * 0.1), moved)


def affine_flip(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """`affine`, then `flip`."""
    return flip(affine(images, generator, strength), generator, strength)


def turn(angle: Tensor, zoom: Tensor | float = 1.0) -> Tensor:
    """float32 (B, 2, 2): maps of the plane that turn by `angle` (B,) in radians and scale by `zoom`; where a pixel comes from, in pixels."""
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    return torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)


def warp(images: Tensor, linear: Tensor, moved: Tensor | None = None) -> Tensor:
    """Each picture under its own affine map.

    Args:
        linear: float32 (B, 2, 2), about the middle, in pixels (x, y). moved: float32 (B, 2), in half sides.
    """
    height, width = images.shape[2:]
    ratios = carry(torch.tensor([[1.0, height / width], [width / height, 1.0]]), images)
    moved = torch.zeros_like(linear[:, 0]) if moved is None else moved
    grid = F.affine_grid(torch.cat([linear * ratios, moved.unsqueeze(2)], 2), list(images.shape), align_corners=False)
    return _sample(images, grid)


def _sample(images: Tensor, grid: Tensor) -> Tensor:
    return to_pixels(F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False))


def _middles(side: int, images: Tensor) -> Tensor:
    """Where the pixels of a side lie on a scale from -1 to 1."""
    return (torch.arange(side, device=images.device) * 2 + 1) / side - 1


def _reach(side: int, share: float) -> int:
    """So many pixels at most: a share of the side, at least one unless the share is 0."""
    return max(1, int(side * share + 1e-6)) if share else 0


def _moved(images: Tensor, side: int, most: int, generator: Generator) -> Tensor:
    """int64 (B, side), where the pictures are: for each, which pixel stands where after the move; perhaps outside."""
    moves = torch.randint(-most, most + 1, (len(images), 1), generator=generator)
    return torch.arange(side, device=images.device) + carry(moves, images)


def _mirror(places: Tensor, side: int) -> Tensor:
    """Places outside -> those as far inside."""
    inside = (side - 1) - ((side - 1) - places.abs()).abs()
    return inside.clamp(0, side - 1)


def _pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    batch, channels, _, width = images.shape
    flat = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).reshape(batch, 1, -1)
    return images.flatten(2).gather(2, flat.expand(-1, channels, -1)).view_as(images)
