"""RandAugment and TrivialAugment: of fourteen changes, each picture is given one or two by its own draw. Signature and strength as in `augment.py`.

Axes: B batch, C channels, H W height and width. Each change takes uint8 pictures and a level (B,) in [-1, 1], of which 0 is the picture itself; the level 1
is the largest of Cubuk et al. 2020: 30 degrees, a shear of 0.3, 45 % of the side, 90 % of light, contrast, colour and sharpness, 4 of 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from surefoot.transforms.augment import turn, warp
from surefoot.transforms.colours import brighten, recolour, set_contrast
from surefoot.transforms.draws import carry, spread_out, to_pixels

Change = Callable[[Tensor, Tensor], Tensor]

_MAGNITUDE = 0.3
"""9 of 30, with which Cubuk et al. 2020 trained on ImageNet."""
_CHANGES_EACH = 2
_MOVES = 5
"""The first five change places only, and are done as one affine map."""


def randaugment(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Two of fourteen changes for each picture, at magnitude 9 of 30 (RandAugment, Cubuk et al. 2020)."""
    level = torch.full((len(images),), min(1.0, _MAGNITUDE * strength))
    for _ in range(_CHANGES_EACH):
        images = _change(images, level, generator)
    return images


def trivialaugment(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """One of fourteen changes for each picture, at a magnitude that is drawn too (TrivialAugment, Müller and Hutter 2021)."""
    return _change(images, (torch.rand(len(images), generator=generator) * strength).clamp(max=1), generator)


def _change(images: Tensor, level: Tensor, generator: Generator) -> Tensor:
    """Each picture after one change of its own, which is drawn, as is the sign of the level."""
    number = torch.randint(1 + _MOVES + len(_CHANGES), (len(images),), generator=generator)
    level = level * (torch.randint(2, (len(images),), generator=generator) * 2 - 1)
    number[level == 0] = 0
    changed = images.clone()
    for chosen, change in [((number > 0) & (number <= _MOVES), None), *((number == 1 + _MOVES + n, change) for n, change in enumerate(_CHANGES))]:
        if rows := chosen.nonzero().squeeze(1).tolist():
            there, by = carry(torch.tensor(rows), images), carry(level[rows], images)
            changed[there] = change(images[there], by) if change else _move(images[there], by, carry(number[rows], images))
    return changed


def _move(images: Tensor, level: Tensor, number: Tensor) -> Tensor:
    """1 turns, 2 and 3 shear, 4 and 5 move along a side."""
    by = {move: torch.where(number == move, level, 0) for move in range(1, 1 + _MOVES)}
    linear = turn(by[1] * (torch.pi / 6))
    linear[:, 0, 1] += by[2] * 0.3
    linear[:, 1, 0] += by[3] * 0.3
    return warp(images, linear, torch.stack([by[4], by[5]], 1) * 0.9)


def _brighten(images: Tensor, level: Tensor) -> Tensor:
    return brighten(images, 1 + 0.9 * level)


def _contrast(images: Tensor, level: Tensor) -> Tensor:
    return set_contrast(images, 1 + 0.9 * level)


def _saturate(images: Tensor, level: Tensor) -> Tensor:
    return recolour(images, 1 + 0.9 * level, torch.zeros_like(level))


def sharpen(images: Tensor, level: Tensor) -> Tensor:
    """Towards the picture's blurred self, or away from it; Pillow's kernel, a 5 among eight 1s."""
    kernel = torch.ones((3, 3), device=images.device)
    kernel[1, 1] = 5
    values, channels = images.float(), images.shape[1]
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    blurred = F.conv2d(padded, (kernel / kernel.sum()).expand(channels, 1, 3, 3), groups=channels)
    return to_pixels(blurred + (values - blurred) * spread_out(1 + 0.9 * level))


def posterise(images: Tensor, level: Tensor) -> Tensor:
    """Drops up to four of the eight bits of each pixel."""
    step = 2 ** (4 * level.abs()).round().to(torch.int32)
    return images - images % spread_out(step).to(torch.uint8)


def solarise(images: Tensor, level: Tensor) -> Tensor:
    """Swaps what is brighter than a threshold for its opposite: the higher the level, the lower the threshold."""
    return torch.where(images >= spread_out(256 * (1 - level.abs())), 255 - images, images)


def stretch(images: Tensor, level: Tensor) -> Tensor:
    """Each channel from black to white: its least value becomes 0, its largest 255."""
    low, high = images.flatten(2).amin(2)[..., None, None].float(), images.flatten(2).amax(2)[..., None, None].float()
    return torch.where(high > low, to_pixels((images - low) * (255 / (high - low).clamp(min=1))), images)


def equalise(images: Tensor, level: Tensor) -> Tensor:
    """Each channel with all its values about as frequent as one another: the histogram is made flat."""
    values = images.flatten(2).long()
    counts = torch.zeros((*values.shape[:2], 256), dtype=torch.int64, device=images.device).scatter_add_(2, values, torch.ones_like(values))
    below = counts.cumsum(2)
    least = below.gather(2, values.amin(2, keepdim=True))
    rest = values.shape[2] - least
    table = torch.where(rest > 0, to_pixels((below - least) * 255 / rest.clamp(min=1)), torch.arange(256, dtype=torch.uint8, device=images.device))
    return table.gather(2, values).view_as(images)


_CHANGES: tuple[Change, ...] = (_brighten, _contrast, _saturate, sharpen, posterise, solarise, stretch, equalise)
