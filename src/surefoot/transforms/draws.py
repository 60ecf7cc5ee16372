"""What augmentations share: draws from the given generator, one a picture, and the way back to pixels.

Draws are made on the CPU, whose generator is the same on every machine, and then follow the pictures to their device. Few numbers a picture do so: what is
as large as a picture is made of them there. For 512 pictures of 224 x 224 the places of all pixels were 205 MB to carry over in every step.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def carry(values: Tensor, images: Tensor) -> Tensor:
    """Values on the pictures' device, without waiting for what that is still at work on."""
    return values.to(images.device, non_blocking=True)


def draw_spread(images: Tensor, generator: Generator, num: int = 1) -> Tensor:
    """float32 (num, B): evenly from -1 to 1, where the pictures are."""
    return carry(torch.rand((num, len(images)), generator=generator) * 2 - 1, images)


def draw_chosen(images: Tensor, generator: Generator, chance: float) -> Tensor:
    """bool (B, 1, 1, 1): whether a picture is among those that are changed."""
    return (carry(torch.rand(len(images), generator=generator), images) < chance)[:, None, None, None]


def follow(images: Tensor, generator: Generator) -> Generator:
    """A generator on the pictures' device, seeded from the given one: for draws as many as the pixels, which would be slow to carry over."""
    if images.device.type == "cpu":
        return generator
    return Generator(device=images.device).manual_seed(int(torch.randint(2**62, (1,), generator=generator)))


def to_pixels(values: Tensor) -> Tensor:
    """Any numbers -> the nearest of 0 to 255, uint8."""
    return values.round().clamp_(0, 255).to(torch.uint8)


def spread_out(amounts: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1), to be multiplied with pictures."""
    return amounts[:, None, None, None]
