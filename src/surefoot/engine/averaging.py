"""Copies of the weights that are kept beside them: their moving average, and the slow weights of lookahead.

The average (Polyak and Juditsky 1992) has less noise than the last weights, at no cost in speed worth naming. Lookahead (Zhang et al. 2019) lets
the optimizer run ahead for some steps, then goes half of the way after it, and begins again from there. Both are about the weights that a run ends with:
val is asked about these, and these are kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

Average = dict[str, Tensor]

_CATCH_UP = 0.5


def start(network: nn.Module, amount: float) -> Average:
    """A copy of all floating-point state; empty when `amount` (a decay, a number of steps) is 0, which turns it off."""
    return {name: value.detach().clone() for name, value in _floats(network).items()} if amount else {}


def decay_at(step: int, most: float) -> float:
    """The decay of a step, counted from 0: it rises to the one that was asked for.

    Were it the same from the first step on, 0.99 would leave 74 % of the untrained weights in the average after 30 steps. So it is at most
    (1 + step) / (10 + step), by which a run's average holds about its last tenth.
    """
    return min(most, (1 + step) / (10 + step))


@torch.no_grad()
def update(average: Average, network: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * weights, once per step."""
    if average:
        torch._foreach_lerp_(list(average.values()), list(_floats(network).values()), 1 - decay)


@torch.no_grad()
def catch_up(slow: Average, network: nn.Module) -> None:
    """slow <- the middle between slow and the network's weights; the network goes on from there."""
    for name, value in _floats(network).items():
        slow[name].lerp_(value, _CATCH_UP)
        value.copy_(slow[name])


@torch.no_grad()
def find_last(network: nn.Module, average: Average, slow: Average) -> Average:
    """The weights that a run ends with if it ends here: the average; else those of lookahead, as if it caught up now; empty where they are the network's own.

    Between two times of catching up the fast weights are the noisy ones and the slow ones are old (Zhang et al. evaluate after catching up): a run of fewer
    steps than lie between would be left with its untrained weights.
    """
    if average or not slow:
        return average
    return {name: slow[name].lerp(value, _CATCH_UP) for name, value in _floats(network).items()}


@contextlib.contextmanager
def swapped(network: nn.Module, average: Average) -> Iterator[None]:
    """Inside the block the network has these weights; after it, its own."""
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
    """Gives the network these weights."""
    for name, value in _floats(network).items():
        if name in average:
            value.copy_(average[name])


def _floats(network: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
