"""Mixing items with each other: mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019), a whole batch at once.

Axes: B batch, C channels, H W height and width.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from surefoot.transforms.draws import carry
from surefoot.types.examples import Batch


def mixup(batch: Batch, alpha: float, generator: np.random.Generator) -> Batch:
    """Blends every item with another of the batch: share * its own + (1 - share) * the other's, one share for the batch, at least one half.

    Numbers and pixels are blended (where either is missing, the item keeps its own); category codes stay the item's own.

    Args:
        alpha: of the Beta(alpha, alpha) that the share is drawn from; above 0.
        generator: draws the share and the partners.
    """
    share = float(generator.beta(alpha, alpha))
    share = max(share, 1 - share)
    partners = _draw_partners(batch, generator)
    return _pair(batch, tuple(_blend(field, field[partners], share) for field in batch.inputs), partners, share)


def cutmix(batch: Batch, alpha: float, generator: np.random.Generator) -> Batch:
    """Pastes one and the same rectangle of another picture into every picture; the share is that of the pixels which stay. Tables stay as they are.

    Args:
        alpha: of the Beta(alpha, alpha) that the share is drawn from; above 0.
        generator: draws the share, the place and the partners.
    """
    images = batch.inputs[0]
    if images.ndim != 4:
        return batch
    height, width = images.shape[2:]
    side = math.sqrt(1 - float(generator.beta(alpha, alpha)))
    tall, wide = round(side * height), round(side * width)
    top, left = int(generator.integers(0, height - tall + 1)), int(generator.integers(0, width - wide + 1))
    partners = _draw_partners(batch, generator)
    mixed = images.clone()
    mixed[:, :, top : top + tall, left : left + wide] = images[partners][:, :, top : top + tall, left : left + wide]
    return _pair(batch, (mixed,), partners, 1 - tall * wide / (height * width))


def _draw_partners(batch: Batch, generator: np.random.Generator) -> Tensor:
    return carry(torch.from_numpy(generator.permutation(len(batch.targets))), batch.targets)


def _pair(batch: Batch, inputs: tuple[Tensor, ...], partners: Tensor, share: float) -> Batch:
    weights = None if batch.weights is None else batch.weights[partners]
    return replace(batch, inputs=inputs, others=batch.targets[partners], other_weights=weights, share=share)


def _blend(field: Tensor, other: Tensor, share: float) -> Tensor:
    if field.dtype == torch.uint8:
        return torch.lerp(other.float(), field.float(), share).round().to(field.dtype)
    if not field.is_floating_point():
        return field
    mixed = torch.lerp(other, field, share)
    return torch.where(torch.isnan(mixed), field, mixed)
