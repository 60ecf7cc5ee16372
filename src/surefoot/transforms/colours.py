"""Augmentations of light and colour: a whole batch of pictures at once, each by its own draw. Signature and strength as in `augment.py`.

Axes: B batch, C channels, H W height and width. Grey pictures (C = 1) have no colour: what changes it leaves them as they are.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Generator, Tensor

from surefoot.transforms.draws import carry, draw_chosen, draw_spread, spread_out, to_pixels

_LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R 601), as in Pillow's `L`."""
_YIQ = (_LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""Light and two axes of colour: a hue is turned in the plane of the latter."""


def brightness(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Makes each picture up to 40 % darker or brighter."""
    return brighten(images, 1 + draw_spread(images, generator)[0] * (0.4 * strength))


def contrast(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Takes each picture up to 40 % away from its own mean grey, or towards it."""
    return set_contrast(images, 1 + draw_spread(images, generator)[0] * (0.4 * strength))


def colour(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Changes each picture's saturation by up to 40 % and turns its hue by up to a tenth of the circle; light stays what it was."""
    draws = draw_spread(images, generator, 2) * strength
    return recolour(images, 1 + draws[0] * 0.4, draws[1] * (torch.pi / 5))


def grey(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Takes the colour out of one picture in five (Chen et al. 2020, SimCLR)."""
    if images.shape[1] != 3:
        return images
    chosen = draw_chosen(images, generator, strength / 5)
    return torch.where(chosen, to_pixels(find_light(images)), images)


def invert(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Swaps black and white in half of the pictures."""
    return torch.where(draw_chosen(images, generator, strength / 2), 255 - images, images)


def find_light(images: Tensor) -> Tensor:
    """How bright each pixel is: float32 (B, 1, H, W)."""
    if images.shape[1] != 3:
        return images.float().mean(1, keepdim=True)
    return (images.float() * carry(torch.tensor(_LUMA), images)[:, None, None]).sum(1, keepdim=True)


def brighten(images: Tensor, factor: Tensor) -> Tensor:
    """Pixels times a factor (B,) of each picture."""
    return to_pixels(images * spread_out(factor))


def set_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Distances from each picture's mean grey, times its factor (B,)."""
    middle = find_light(images).mean((1, 2, 3), keepdim=True)
    return to_pixels(middle + (images - middle) * spread_out(factor))


def recolour(images: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Colour times `saturation` (B,), turned by `hue` (B,) in radians; one 3 by 3 matrix a picture does both."""
    if images.shape[1] != 3:
        return images
    to_axes, back = (carry(matrix, images) for matrix in _axes())
    cosine, sine, whole = torch.cos(hue) * saturation, torch.sin(hue) * saturation, torch.ones_like(hue)
    nought = torch.zeros_like(hue)
    rows = [torch.stack(row, 1) for row in ((whole, nought, nought), (nought, cosine, -sine), (nought, sine, cosine))]
    matrices = back @ torch.stack(rows, 1) @ to_axes
    return to_pixels(torch.bmm(matrices, images.flatten(2).float())).view_as(images)


@cache
def _axes() -> tuple[Tensor, Tensor]:
    """To light and colour, and back: the inverse in float64, so that nothing is changed where nothing is turned."""
    axes = torch.tensor(_YIQ, dtype=torch.float64)
    return axes.float(), torch.linalg.inv(axes).float()
