"""The moving average of the weights (Polyak and Juditsky 1992), kept beside them: less noise in the last weights at no cost in speed worth naming."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

Average = dict[str, Tensor]


def start(network: nn.Module, decay: float) -> Average:
    """A copy of all floating-point state; empty when `decay` is 0, which turns averaging off."""
    return {name: value.detach().clone() for name, value in _floats(network).items()} if decay else {}


@torch.no_grad()
def update(average: Average, network: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * weights, once per step."""
    if average:
        torch._foreach_lerp_(list(average.values()), list(_floats(network).values()), 1 - decay)


@contextlib.contextmanager
def swapped(network: nn.Module, average: Average) -> Iterator[None]:
    """Inside the block the network has the averaged weights; after it, its own."""
    if not average:
        yield
        return
    own = {name: value.detach().clone() for name, value in _floats(network).items()}
    finish(network, average)
    try:
        yield
    finally:
        finish(network, own)


@torch.no_grad()
def finish(network: nn.Module, average: Average) -> None:
    """Gives the network the averaged weights."""
    for name, value in _floats(network).items():
        if name in average:
            value.copy_(average[name])


def _floats(network: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
