"""A first layer that needs no training: patches turned so that their numbers no longer go together.

Axes: B batch, C channels, H W height and width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FLOOR = 5e-3
"""Added to each variance: directions with less than this share of a pixel's variance are noise, and are not blown up."""


class Whiten(nn.Conv2d):
    """A convolution with fixed filters: the leading principal components of the train set's patches, each scaled to variance 1, and their negatives.

    Nothing is learned here, so nothing is computed for it on the way back; on MNIST that is a third of a small net's time (LOG.md).

    Args:
        in_channels, out_channels, kernel_size, stride, padding: as of a convolution; `out_channels` is even, at most 2 · kernel_size² · in_channels.

    Source: LeCun et al. 2012, "Efficient BackProp", section 4.3, on whitened inputs; Jordan 2024, "94% on CIFAR-10 in 3.29 seconds", on patches and negatives.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Takes the filters from prepared pictures (B, C, H, W) of the train set."""
        patches = F.unfold(images.contiguous(), self.kernel_size).transpose(1, 2).flatten(0, 1).double()
        variances, directions = torch.linalg.eigh(torch.cov(patches.T))  # ascending
        num = self.out_channels // 2
        filters = directions[:, -num:].flip(1) / (variances[-num:].flip(0) + _FLOOR).sqrt()
        self.weight.copy_(torch.cat([filters, -filters], 1).T.reshape(self.weight.shape))
