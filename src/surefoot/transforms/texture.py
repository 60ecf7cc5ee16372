"""Augmentations that take something away from pictures: blur, noise, erasing. Signature and strength as in `augment.py`.

Axes: B batch, C channels, H W height and width.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from surefoot.transforms.draws import draw_spread, follow, spread_out, to_pixels

_BLUR = 1 / 32
"""Of the shorter side: one pixel of 32."""
_NOISE = 0.08 * 255
_NEXT_TO_NONE = -60.0
"""e to the power of it: far below any pixel's share, and no denormal number, which a CPU multiplies ten times slower."""
_AREA = (0.02, 0.33)
_LONGEST = math.log(3.3)
"""Area and aspect of what is erased (Zhong et al. 2020)."""


def blur(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Blurs each picture by a Gaussian whose standard deviation is up to a 32nd of its side; the picture is mirrored at its border, so its mean stays."""
    height, width = images.shape[2:]
    sd = draw_spread(images, generator)[0].abs() * (_BLUR * min(height, width) * strength)
    rows = _smear(height, sd)
    columns = rows if width == height else _smear(width, sd)
    return to_pixels(rows @ images.float() @ columns.transpose(2, 3))


def noise(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Adds Gaussian noise to each pixel; its standard deviation is drawn for each picture, up to 20 of 255."""
    sd = draw_spread(images, generator)[0].abs() * (_NOISE * strength)
    grain = torch.randn(images.shape, generator=follow(images, generator), device=images.device)
    return to_pixels(torch.addcmul(images.float(), grain, spread_out(sd)))


def erase(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Fills a rectangle of every other picture with its mean colour: up to a third of it (random erasing, Zhong et al. 2020)."""
    height, width = images.shape[2:]
    wanted, area, aspect, top, left = (draw_spread(images, generator, 5) + 1) / 2
    area = (_AREA[0] + area * (_AREA[1] - _AREA[0])) * (strength * (wanted < 0.5))
    longer = torch.exp((2 * aspect - 1) * (_LONGEST / 2))
    tall, wide = (area.sqrt() * longer).clamp(max=1) * height, (area.sqrt() / longer).clamp(max=1) * width
    rows, columns = _covered(height, top, tall), _covered(width, left, wide)
    hole = (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)
    mean = to_pixels(images.float().mean((2, 3), keepdim=True))
    return torch.where(hole, mean, images)


def _smear(side: int, sd: Tensor) -> Tensor:
    """float32 (B, 1, side, side): how much of each pixel goes to each other; columns add up to one, as rows do."""
    place = torch.arange(side, device=sd.device, dtype=torch.float32)
    apart = place[:, None] - place
    mirrored = (apart, place[:, None] + place + 1, 2 * side - 1 - place[:, None] - place)
    spread = 2 * sd.clamp(min=1e-3)[:, None, None] ** 2
    shares = sum(torch.exp((-(distance**2) / spread).clamp(min=_NEXT_TO_NONE)) for distance in mirrored)
    assert isinstance(shares, Tensor)
    return (shares / shares.sum(2, keepdim=True)).unsqueeze(1)


def _covered(side: int, place: Tensor, length: Tensor) -> Tensor:
    """bool (B, side): the pixels of a stretch of `length` (B,) pixels that lies at a share `place` (B,) of the room there is."""
    length = length.round()
    start = (place * (side - length + 1)).floor().unsqueeze(1)
    pixels = torch.arange(side, device=place.device)
    return (pixels >= start) & (pixels < start + length.unsqueeze(1))
