"""How training feels: how fast weights move, which units are dead, and, where the loss stops being a number, which layer broke first.

Sources: CS231n, "Neural Networks Part 3" (update ratio about 1e-3, dead units); Glorot and Bengio 2010 (saturation).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.engine import memory, shards
from surefoot.engine.feed import Feed
from surefoot.engine.step import Gear, take_step
from surefoot.types.configs import TrainConfig

if TYPE_CHECKING:
    from surefoot.engine.fit import Job

ACTIVATIONS = (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU)
_SATURATED = 0.97
"""|tanh| or distance of a sigmoid from its middle beyond which its gradient is under 6 % of the largest."""
_SHOWN = 64
"""Items that the activity is measured on: a forward pass of them each time val is looked at costs next to nothing."""


@dataclass(frozen=True)
class Fault:
    """Where a run broke: the step (counted from 0), the first layer whose values were no finite numbers, which of them, and the ids of its batch."""

    step: int
    layer: str
    what: str
    ids: tuple[str, ...]

    def describe(self) -> str:
        """A sentence."""
        return f"At step {self.step + 1} the {self.what} of {self.layer} stopped being finite numbers."


def copy_weights(network: nn.Module) -> list[Tensor]:
    """The matrices and kernels as they are now."""
    return [p.detach().clone() for p in network.parameters() if p.requires_grad and p.ndim > 1]


def measure_update(before: list[Tensor], network: nn.Module) -> float:
    """How far the last step moved the weights: norm of the change over norm of the weights, all matrices together."""
    if not before:
        return 0.0
    now = [p.detach() for p in network.parameters() if p.requires_grad and p.ndim > 1]
    moved = torch.nn.utils.get_total_norm(torch._foreach_sub(now, before))
    return float(shards.whole(moved) / shards.whole(torch.nn.utils.get_total_norm(before)).clamp_min(1e-12))


def pick_shown(rows: np.ndarray) -> np.ndarray:
    """Items that the activity is measured on, from all over some rows: the first often lie in one class, and for these many a sound unit is zero."""
    return rows[np.linspace(0, len(rows) - 1, min(_SHOWN, len(rows))).astype(np.int64)]


@torch.no_grad()
def measure_activity(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[float | None, float | None]:
    """The worst layer's share of units that are zero for every item, and of saturated values; None where no layer can be either.

    Args:
        inputs: raw fields of some items, see `pick_shown`.
    """
    seen: list[tuple[nn.Module, Tensor]] = []
    handles = [m.register_forward_hook(lambda module, _, output: seen.append((module, output))) for m in network.modules() if isinstance(m, ACTIVATIONS)]
    was_training = network.training
    network.eval()

    def show(num: int) -> None:
        seen.clear()
        network(*(field[:num] for field in inputs))

    memory.take_some(len(inputs[0]), show)
    network.train(was_training)
    for handle in handles:
        handle.remove()
    dead = [share_dead(output) for module, output in seen if isinstance(module, nn.ReLU)]
    saturated = [share for module, output in seen if (share := share_saturated(module, output)) is not None]
    return max(dead, default=None), max(saturated, default=None)


def share_dead(output: Tensor) -> float:
    """Share of the units, or channels, that are zero for every item. output: (B, units, ...)."""
    flat = output.movedim(1, 0).flatten(1) if output.ndim > 1 else output[None]
    return float((flat == 0).all(1).float().mean())


def share_saturated(module: nn.Module, output: Tensor) -> float | None:
    """Share of the values where the gradient is nearly 0; None for activations that do not saturate on both sides."""
    if isinstance(module, nn.Tanh):
        return share_squashed(output, 0.0)
    return share_squashed(output, 0.5) if isinstance(module, nn.Sigmoid) else None


def share_squashed(output: Tensor, middle: float) -> float:
    """Share of the values near the ends of a tanh (middle 0) or a sigmoid (middle 0.5)."""
    return float(((output - middle).abs() > _SATURATED * (1 - middle)).float().mean())


def find_fault(job: Job, config: TrainConfig, gear: Gear, feed: Feed, steps: range) -> Fault:
    """Takes steps again, from a state that was healthy, and looks at every layer until one breaks.

    The plain net takes them: a compiled one calls no hook that was added after it was compiled.

    Args:
        steps: the first was healthy before it; by the end of the last the loss was no finite number.
    """
    gear = replace(gear, forward=getattr(gear.forward, "_orig_mod", gear.forward))
    for step in steps:
        batch = feed.take(step)
        with _watching(job.network, gradients=gear.scaler is None) as broken:
            take_step(job, config, gear, batch, step, (feed.seed, feed.name))
        layer, what = next(iter(broken or _find_weights(job.network)), ("", ""))
        if layer or step == steps[-1]:
            ids = job.examples.pack.ids(np.asarray(feed.rows(step).cpu()))
            return Fault(step, layer or "the net", what or "loss", tuple(map(str, ids)))
    raise AssertionError("steps must not be empty")


@contextlib.contextmanager
def _watching(network: nn.Module, *, gradients: bool) -> Iterator[list[tuple[str, str]]]:
    """Inside the block the list gathers what is no finite number, in the order it happens: outputs going forward, gradients coming back.

    Args:
        gradients: whether these are looked at. Those that are scaled up for fp16 overflow now and then; the scaler leaves out that step and takes less.
    """
    broken: list[tuple[str, str]] = []

    def note(layer: str, what: str, values: object) -> None:
        tensors = values if isinstance(values, tuple) else (values,)
        if any(isinstance(t, Tensor) and t.is_floating_point() and not bool(torch.isfinite(t).all()) for t in tensors):
            broken.append((layer, what))

    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: note(name, "outputs", output))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    handles += [
        parameter.register_post_accumulate_grad_hook(lambda p, name=name: note(name.rpartition(".")[0], "gradients", p.grad))
        for name, parameter in network.named_parameters()
        if gradients and parameter.requires_grad
    ]
    try:
        yield broken
    finally:
        for handle in handles:
            handle.remove()


def _find_weights(network: nn.Module) -> list[tuple[str, str]]:
    """The layers whose weights are no finite numbers."""
    return [(name.rpartition(".")[0], "weights") for name, parameter in network.named_parameters() if not bool(torch.isfinite(shards.whole(parameter)).all())]
