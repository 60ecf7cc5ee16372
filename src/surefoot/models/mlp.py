"""A plain multilayer perceptron: the yardstick for every other net.

Axis letters: `B` batch, `F` numbers of an item, `K` outputs.
"""

from __future__ import annotations

from surefoot.models.convnet import ConvNet
from surefoot.models.grammar import LayerSpec


class MLP(ConvNet):
    """[FC -> BN -> RELU -> DROP]*depth -> FC on the flattened item: (B, ...) float -> (B, K) raw outputs.

    Args:
        input_shape: (F,) or (C, H, W).
        num_outputs: K.
        width: units of a hidden layer.
        depth: hidden layers; 0 leaves a linear model.
        dropout: share of units dropped after each hidden layer (Srivastava et al. 2014).
    """

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, width: int = 128, depth: int = 2, dropout: float = 0.0) -> None:
        drop = f" -> {LayerSpec('DROP', rate=dropout)}" if dropout else ""
        super().__init__(input_shape, num_outputs, f"[FC{width} -> BN -> RELU{drop}]*{depth} -> FC")
