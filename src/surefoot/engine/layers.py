"""What happens in each layer of a net on one batch: dead and saturated units, size of values and gradients, units that are alike.

Activations are seen where they are computed, whether a module or a plain function does it. Axis letters: `B` items.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from surefoot.engine.fit import Job
from surefoot.engine.head import without_dropout
from surefoot.engine.health import share_dead, share_squashed
from surefoot.models.network import Network

_SQUASHING = {"tanh": 0.0, "sigmoid": 0.5}
"""Name of a function -> the middle of its outputs."""
_ALIKE = 1e-6
_NOTHING = 1e-6


@dataclass(frozen=True)
class LayerEvidence:
    """A layer on one batch; None: not measured here.

    Attributes:
        dead_frac: share of units that are zero for every item. saturated_frac: share of values at the ends of a tanh or sigmoid.
        grad_norm: norm of the gradient of weights and bias over that of the weights.
        growth: root mean square of a hidden layer's outputs over that of the net's inputs.
        is_symmetric: all units have the same weights and get the same gradient.
    """

    name: str
    dead_frac: float | None = None
    saturated_frac: float | None = None
    grad_norm: float | None = None
    growth: float | None = None
    is_symmetric: bool = False


def look_at_layers(job: Job, rows: np.ndarray) -> list[LayerEvidence]:
    """Activations, gradients and symmetry of every layer on some rows, without a step being taken."""
    picked = torch.from_numpy(rows)
    inputs, targets = job.examples.inputs(picked), job.targets[picked]
    network = copy.deepcopy(job.network).train()
    with without_dropout(network), _named(network) as names, _Watch(names) as watch:
        outputs = network(*inputs)
    job.loss(outputs, targets).backward()
    return [*watch.seen, *_measure_growth(network, inputs), *_measure_gradients(network), *_find_alike(job, inputs, targets)]


class _Watch(TorchFunctionMode):
    """Notes what every activation gives, in order, under the name of the module that it happens in."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names, self.seen = names, list[LayerEvidence]()

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "").rstrip("_")
        least = args[1] if len(args) > 1 else (kwargs or {}).get("min")
        is_activation = name in _SQUASHING or name == "relu" or (name in ("clamp", "clamp_min") and type(least) in (int, float) and least == 0)
        if is_activation and isinstance(output, Tensor) and output.ndim > 1:
            values = output.detach()
            if name in _SQUASHING:
                self.seen.append(LayerEvidence(self._place(name), saturated_frac=share_squashed(values, _SQUASHING[name])))
            else:
                self.seen.append(LayerEvidence(self._place(name), dead_frac=share_dead(values)))
        return output

    def _place(self, kind: str) -> str:
        base = self.names[-1] if self.names else "body"
        taken = {evidence.name for evidence in self.seen}
        return next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}, {kind} {n}") not in taken)


@contextmanager
def _named(network: Network) -> Iterator[list[str]]:
    """Inside the block the list ends with the name of the module at work."""
    stack: list[str] = []
    handles = []
    for name, module in network.body.named_modules(prefix="body"):
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: stack.append(name)))
        handles.append(module.register_forward_hook(lambda *_: (stack.pop(), None)[1]))
    try:
        yield stack
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def _measure_growth(network: Network, inputs: tuple[Tensor, ...]) -> list[LayerEvidence]:
    """Of each hidden layer with weights, in eval mode; the last one makes the outputs, whose size the loss at init judges."""
    sizes: dict[str, float] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: sizes.__setitem__(name, _size(output)))
        for name, module in network.body.named_modules(prefix="body")
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)
    ]
    network.train()  # batch norm by the batch itself: its running statistics are not yet those of the data
    prepared = network.prepare(*inputs)
    numbers = [_size(field) for field in prepared if field.is_floating_point()]
    network.body(*prepared)
    for handle in handles:
        handle.remove()
    whole = max([*numbers, 1.0])
    return [LayerEvidence(name, growth=size / whole) for name, size in list(sizes.items())[:-1]]


def _size(values: Tensor) -> float:
    return float(values.float().square().mean().sqrt()) if values.numel() else 0.0


def _measure_gradients(network: Network) -> list[LayerEvidence]:
    """Of weights and bias together: behind an input that is 0 the weights get none, although it arrives."""
    found, parameters = [], dict(network.body.named_parameters(prefix="body"))
    for name, weight in parameters.items():
        if weight.ndim > 1 and weight.requires_grad:  # what is frozen has no gradient, and needs none
            bias = parameters.get(f"{name.rpartition('.')[0]}.bias") if name.endswith(".weight") else None
            grads = [p.grad.norm() for p in (weight, bias) if p is not None and p.grad is not None]
            found.append(LayerEvidence(name, grad_norm=float(torch.stack(grads).norm()) / _weigh(weight) if grads else 0.0))
    return found


def _weigh(weight: Tensor) -> float:
    """The norm of some weights; of those that start at zero, that of weights which keep the size of what goes through: 1 per unit."""
    norm, usual = float(weight.detach().norm()), math.sqrt(len(weight))
    return norm if norm > _NOTHING * usual else usual


def _find_alike(job: Job, inputs: tuple[Tensor, ...], targets: Tensor) -> list[LayerEvidence]:
    """Layers whose units are alike and stay so. In eval mode: dropout would tell them apart by chance, for as long as it is on."""
    network = copy.deepcopy(job.network).eval()
    job.loss(network(*inputs), targets).backward()
    found = []
    for path, module in network.body.named_modules(prefix="body"):
        if not isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d) or module.weight.shape[0] < 2 or not module.weight.requires_grad:
            continue
        weight = module.weight
        grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        biases = [] if module.bias is None else [module.bias.detach()]
        if all(_are_rows_equal(rows) for rows in (weight.detach(), grad, *biases)):
            found.append(LayerEvidence(f"{path}.weight", is_symmetric=True))
    return found


def _are_rows_equal(rows: Tensor) -> bool:
    apart = float((rows - rows[:1]).abs().max())
    return not apart > _ALIKE * float(rows.abs().max())


def find_unknown_weights(job: Job, rows: np.ndarray) -> list[str]:
    """Shapes of the weights that the loss depends on and that are no parameters of the net: training would never move them."""
    picked = torch.from_numpy(rows)
    known = {id(parameter) for parameter in job.network.parameters()}
    loss = job.loss(job.network.eval()(*job.examples.inputs(picked)), job.targets[picked])
    found, seen, ahead = dict[int, str](), set[Any](), [loss.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None and id(variable) not in known:
            found[id(variable)] = "x".join(map(str, variable.shape)) or "one number"
        ahead += [before for before, _ in node.next_functions]
    return list(found.values())
