"""A net that looks at several views of each picture and averages what it says: test-time augmentation that ships, because it is part of the graph.

Axes: B batch, C channels, H W height and width, K outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Views(nn.Module):
    """In eval mode the mean of the outputs over the views of a picture; in training the net itself.

    Args:
        body: takes (B, C, H, W), returns (B, K).
        kind: `flip` (and mirrored), `shift` (and moved by a pixel to the upper left and the lower right), or `flip_shift`.
    """

    def __init__(self, body: nn.Module, kind: str) -> None:
        super().__init__()
        self.body, self.kind = body, kind

    @property
    def final(self) -> nn.Module | None:
        """The last layer, where the body names one."""
        return getattr(self.body, "final", None)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K)."""
        if self.training:
            return self.body(x)
        return torch.stack([self.body(view) for view in self._views(x)]).mean(0)

    def _views(self, x: Tensor) -> Iterator[Tensor]:
        moved = [x]
        if "shift" in self.kind:
            height, width = x.shape[2:]
            padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
            moved += [padded[:, :, :height, :width], padded[:, :, 2:, 2:]]
        for view in moved:
            yield view
            if "flip" in self.kind:
                yield view.flip(3)
