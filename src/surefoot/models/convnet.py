"""A net built from the layer notation, for pictures or for a row of numbers.

Axis letters: `B` batch, `C` channels, `H W` height and width, `K` outputs.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict

from torch import Tensor, nn

from surefoot.models.grammar import ACTIVATIONS, LayerSpec
from surefoot.models.notation import LayerRow, default_layers, describe
from surefoot.models.whiten import Whiten

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "RELU": nn.ReLU,
    "GELU": nn.GELU,
    "SILU": nn.SiLU,
    "TANH": nn.Tanh,
    "SIGMOID": nn.Sigmoid,
    "LEAKY": nn.LeakyReLU,
    "ELU": nn.ELU,
}
_RECTIFIERS = ("RELU", "GELU", "SILU", "LEAKY", "ELU")


class GlobalMax(nn.Module):
    """The largest value of each channel; its gradient is deterministic on every device."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, 1, 1)."""
        return x.amax((2, 3), keepdim=True)


class ConvNet(nn.Module):
    """The layers of a notation, in order.

    Args:
        input_shape: (C, H, W), or (F,) where the notation holds only FC layers.
        num_outputs: K.
        layers: the notation; empty: the default for the size of the pictures.
        width: channels of the first stage, where the notation leaves them open.
        depth: convolutions per stage of the default notation.
        dropout: share of units dropped before the last FC.

    Attributes:
        layers: the notation with nothing left open; building it again gives the same net.

    Raises:
        ConfigError: the notation can't be read, or a layer has no room.
    """

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, layers: str = "", width: int = 32, depth: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        text = layers or default_layers(input_shape, width=width, depth=depth)
        names = [row.name for row in describe(text, input_shape, num_outputs, width)]
        if dropout:
            names.insert(-1, LayerSpec("DROP", rate=dropout).name)
        self.layers = " -> ".join(names)
        rows = describe(self.layers, input_shape, num_outputs, width)
        self.body = nn.Sequential(OrderedDict(_build(rows, is_flat=len(input_shape) == 1)))
        _initialise(rows, self.body)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) or (B, F) float -> (B, K) raw outputs."""
        return self.body(x)

    @property
    def final(self) -> nn.Linear:
        """The last layer."""
        return self.body[-1]  # type: ignore[return-value]


def start_small(final: nn.Linear) -> None:
    """Outputs near 0 at the start, so that every class is equally likely and the loss is ln K.

    With inputs of size 1 the outputs have a standard deviation of 0.1, which moves the loss by 0.005; exact zeros would
    leave the layers before it without a gradient at the first step.
    """
    nn.init.normal_(final.weight, std=0.1 / math.sqrt(final.in_features))
    nn.init.zeros_(final.bias)


def _build(rows: tuple[LayerRow, ...], is_flat: bool) -> list[tuple[str, nn.Module]]:
    """The modules with their names, e.g. `3_conv`: position and kind, as the report shows them."""
    modules: list[tuple[str, nn.Module]] = []
    for before, row in itertools.pairwise(rows):
        if row.spec.kind == "FC" and not is_flat:
            modules.append((f"{len(modules)}_flatten", nn.Flatten()))
            is_flat = True
        modules.append((f"{len(modules)}_{row.spec.kind.lower()}", _make(row, before.volume, is_flat)))
    return modules


def _make(row: LayerRow, volume: tuple[int, int, int], is_flat: bool) -> nn.Module:
    spec, channels = row.spec, volume[0]
    window = (spec.kernel, spec.stride, spec.padding)
    if spec.kind == "CONV":
        return nn.Conv2d(channels, spec.width, *window, bias=row.has_bias)
    if spec.kind == "WHITEN":
        return Whiten(channels, spec.width, *window)
    if spec.kind == "FC":
        return nn.Linear(math.prod(volume), spec.width, bias=row.has_bias)
    if spec.kind == "BN":
        return nn.BatchNorm1d(channels) if is_flat else nn.BatchNorm2d(channels)
    if spec.kind == "MAXPOOL":
        return nn.MaxPool2d(*window)
    if spec.kind == "AVGPOOL":
        return nn.AvgPool2d(*window)
    if spec.kind == "DROP":
        return nn.Dropout(spec.rate)
    if spec.kind in ACTIVATIONS:
        return _ACTIVATIONS[spec.kind]()
    return nn.AdaptiveAvgPool2d(1) if spec.kind == "GAP" else GlobalMax()


def _initialise(rows: tuple[LayerRow, ...], body: nn.Sequential) -> None:
    """He et al. 2015 before rectifiers, Glorot and Bengio 2010 before all else; the last layer starts small."""
    learned = [module for module in body if isinstance(module, nn.Conv2d | nn.Linear) and not isinstance(module, Whiten)]
    places = [place for place, row in enumerate(rows) if row.flops and row.parameters]
    for module, place in zip(learned, places):
        follower = next((row.spec.kind for row in rows[place + 1 :] if row.flops or row.spec.kind in ACTIVATIONS), "")
        if follower in _RECTIFIERS:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        else:
            nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    start_small(learned[-1])  # type: ignore[arg-type]
