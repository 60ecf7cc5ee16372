"""Backprop by hand on any net: the four equations, each beside what autograd says.

With z = w a + b of a layer, C the loss and δ = ∂C/∂z:

1. δ of the last layer follows from the loss: for softmax or sigmoid with cross-entropy, and for squared error, from outputs minus targets.
2. δ goes back through a layer: δ of the layer before = (wᵀ δ) ⊙ σ'(z); here in two halves, one for the weights, one for the activation.
3. ∂C/∂b = δ, summed over the items (and places, for convolutions).
4. ∂C/∂w = δ aᵀ, summed alike.

Where something stands between two layers that is no layer we know, δ is taken from autograd, and said so.

Source: Rumelhart, Hinton and Williams 1986; Nielsen, Neural Networks and Deep Learning, chapter 2. Axis letters: `B` items, `K` outputs.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import grad as conv_grad

from surefoot.engine.fit import Job
from surefoot.losses.classification import binary_cross_entropy, cross_entropy
from surefoot.losses.regression import mse
from surefoot.models.network import Network

LAST, BACK, BIAS, WEIGHT = "δ of the last layer", "δ back through it", "∂C/∂b", "∂C/∂w"


@dataclass(frozen=True)
class Row:
    """One equation at one layer.

    Attributes:
        by_hand, by_autograd: norms of the two results. error: norm of their difference over the larger of them.
        is_given: δ coming into the layer was taken from autograd, because what follows the layer is none we know.
    """

    layer: str
    kind: str
    equation: str
    shape: tuple[int, ...]
    by_hand: float
    by_autograd: float
    error: float
    is_given: bool = False


@dataclass
class _Visit:
    """A call of a layer: what went in, what came out.

    Attributes:
        node: of autograd's graph, through which what came out was passed on.
        parts: the δs that came back from what it was passed on to.
    """

    name: str
    module: nn.Module
    given: Tensor
    made: Tensor
    node: Any
    parts: list[Tensor] = field(default_factory=list)


def run_backprop(job: Job, rows: np.ndarray) -> list[Row]:
    """Goes forward in float64 and eval mode, then back by hand, the last layer first.

    Args:
        rows: of the pack; a dozen suffice.
    """
    network = copy.deepcopy(job.network).double().eval()
    picked = torch.from_numpy(rows)
    inputs = tuple(t.double() if t.is_floating_point() else t for t in job.examples.inputs(picked))
    targets = job.targets[picked]
    targets = targets.double() if targets.is_floating_point() else targets
    with _recorded(network) as visits:
        outputs = network(*inputs)
    outputs.retain_grad()
    loss = job.loss(outputs, targets)
    uses = _count_uses(loss)
    loss.backward()
    assert outputs.grad is not None
    delta, found = outputs.grad, []
    if job.loss in _START and not job.loss_options:  # by the function itself: a user's own may have the same name
        delta = _START[job.loss](outputs.detach(), targets)
        found.append(_compare("the loss", "", LAST, delta, outputs.grad))
    _hand_over(visits, outputs.grad_fn, [delta / uses[outputs.grad_fn]] * uses[outputs.grad_fn])
    for visit in reversed(visits):
        found += _go_back(visit, visits, uses[visit.node])
    return found


def _count_uses(loss: Tensor) -> Counter[Any]:
    """How often what each node of autograd's graph gives is used on the way to the loss."""
    uses, seen, ahead = Counter[Any](), set[Any](), [loss.grad_fn]
    while ahead:
        for before, _ in ahead.pop().next_functions:  # type: ignore[union-attr]
            if before is not None:
                uses[before] += 1
                ahead += [before] if before not in seen else []
                seen.add(before)
    return uses


@contextlib.contextmanager
def _recorded(network: Network) -> Iterator[list[_Visit]]:
    """Inside the block the list gathers the calls of every layer that we know, with nodes of their own in autograd's graph."""
    visits: list[_Visit] = []

    def enter(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not given:  # what is given by name is not seen here
            return given
        first = given[0].clone()  # a node of its own: its gradient is the part that comes back through this layer
        if first.requires_grad:
            first.retain_grad()
        first.source = given[0].grad_fn  # type: ignore[attr-defined]
        return (first, *given[1:])

    def leave(name: str, module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> Tensor:
        if not given or not made.requires_grad:
            return made
        made.retain_grad()
        passed = made.clone()  # what is done to it in place later is no longer this layer's
        visits.append(_Visit(name, module, given[0], made, passed.grad_fn))
        return passed

    handles = []
    for name, module in network.body.named_modules(prefix="body"):
        if type(module) in _BACK and not _has_own_way(module):
            if hasattr(module, "inplace"):
                module.inplace = False
            handles.append(module.register_forward_pre_hook(lambda _, given: enter(given)))
            handles.append(module.register_forward_hook(lambda module, given, made, name=name: leave(name, module, given, made)))
    try:
        yield visits
    finally:
        for handle in handles:
            handle.remove()


def _has_own_way(module: nn.Module) -> bool:
    """Whether a layer of a kind that we know works in a way that we don't: its equations would not be its own."""
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return module.running_var is None  # which norms by the batch itself, in eval mode too
    if isinstance(module, nn.Conv2d):
        return module.padding_mode != "zeros"  # a place beyond the edge is one within it once more
    return isinstance(module, nn.MaxPool2d) and module.return_indices


def _go_back(visit: _Visit, visits: list[_Visit], uses: int) -> list[Row]:
    """Equations 2 to 4 at one layer; hands δ on to the layer before."""
    if visit.made.grad is None:
        return []
    is_given = not uses or len(visit.parts) != uses  # something that we don't know uses it too
    delta = visit.made.grad if is_given else torch.stack(visit.parts).sum(0)
    kind, module, found = type(visit.module).__name__, visit.module, []
    bias, weight = getattr(module, "bias", None), getattr(module, "weight", None)
    if isinstance(module, nn.Linear | nn.Conv2d) and sum(other.module is module for other in visits) == 1:  # used twice, it sums up over its uses
        if bias is not None and bias.grad is not None:
            found.append(_compare(visit.name, kind, BIAS, _sum_bias(module, delta), bias.grad, is_given))
        if weight is not None and weight.grad is not None:
            found.append(_compare(visit.name, kind, WEIGHT, _make_weight(module, visit.given.detach(), delta), weight.grad, is_given))
    if visit.given.grad is not None:
        before = _BACK[type(module)](module, visit.given.detach(), visit.made.detach(), delta)
        found.append(_compare(visit.name, kind, BACK, before, visit.given.grad, is_given))
        _hand_over(visits, visit.given.source, [before])  # type: ignore[attr-defined]
    return found


def _hand_over(visits: list[_Visit], node: Any, deltas: list[Tensor]) -> None:
    """Gives δ to the layer whose output this node passes on."""
    for visit in visits:
        if visit.node is node:
            visit.parts += deltas


def _sum_bias(module: nn.Module, delta: Tensor) -> Tensor:
    return delta.flatten(2).sum((0, 2)) if isinstance(module, nn.Conv2d) else delta.flatten(0, -2).sum(0)


def _make_weight(module: nn.Module, given: Tensor, delta: Tensor) -> Tensor:
    if isinstance(module, nn.Linear):
        return delta.flatten(0, -2).T @ given.flatten(0, -2)
    assert isinstance(module, nn.Conv2d)
    return conv_grad.conv2d_weight(F.pad(given, _pads(module)), module.weight.shape, delta, module.stride, 0, module.dilation, module.groups)


def _pads(module: nn.Conv2d) -> list[int]:
    """Zeros before and after each axis, the last axis first: "same" puts the odd one behind."""
    if module.padding == "same":
        each = [size * (kernel - 1) for size, kernel in zip(module.dilation, module.kernel_size)]
        return [pad for whole in reversed(each) for pad in (whole // 2, whole - whole // 2)]
    return [0] * 4 if isinstance(module.padding, str) else [pad for pad in reversed(module.padding) for _ in range(2)]


def _compare(layer: str, kind: str, equation: str, by_hand: Tensor, by_autograd: Tensor, is_given: bool = False) -> Row:
    size = max(float(by_hand.norm()), float(by_autograd.norm()))
    error = float((by_hand - by_autograd).norm()) / size if size > 0 else 0.0
    return Row(layer, kind, equation, tuple(by_autograd.shape), float(by_hand.norm()), float(by_autograd.norm()), error, is_given)


# Equation 1 for each of our losses: (outputs (B, K), targets) -> ∂C/∂z of the last layer, (B, K).

_START: dict[Callable[..., Tensor], Callable[[Tensor, Tensor], Tensor]] = {
    cross_entropy: lambda outputs, targets: (outputs.softmax(1) - F.one_hot(targets, outputs.shape[1])) / len(outputs),
    binary_cross_entropy: lambda outputs, targets: (outputs.sigmoid() - targets) / outputs.numel(),
    mse: lambda outputs, targets: 2 * (outputs - targets) / outputs.numel(),
}

# Equation 2 for each kind of layer: (module, a going in, z coming out, δ of z) -> δ of a.

Back = Callable[[Any, Tensor, Tensor, Tensor], Tensor]


def _back_linear(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    return delta @ module.weight.detach()


def _back_conv(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    padded = F.pad(given, pads := _pads(module))
    back = conv_grad.conv2d_input(padded.shape, module.weight.detach(), delta, module.stride, 0, module.dilation, module.groups)
    left, _, top, _ = pads
    return back[:, :, top : top + given.shape[2], left : left + given.shape[3]]


def _back_norm(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    """In eval mode batch norm is a scale per channel."""
    scale = 1 / (module.running_var + module.eps).sqrt()
    scale = scale * module.weight.detach() if module.weight is not None else scale
    return delta * scale.reshape(1, -1, *[1] * (delta.ndim - 2))


def _back_max_pool(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    """δ goes to the place that held the largest value."""
    _, places = F.max_pool2d(given, module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, return_indices=True)
    back = torch.zeros_like(given).flatten(2)
    return back.scatter_add_(2, places.flatten(2), delta.flatten(2)).reshape(given.shape)


def _back_gelu(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    if module.approximate == "tanh":  # Hendrycks and Gimpel 2016, section 2
        curve = math.sqrt(2 / math.pi) * (given + 0.044715 * given**3)
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * given.square())
        return delta * 0.5 * (1 + curve.tanh() + given * (1 - curve.tanh().square()) * slope)
    bell = torch.exp(-given.square() / 2) / math.sqrt(2 * math.pi)
    return delta * (0.5 * (1 + torch.erf(given / math.sqrt(2))) + given * bell)


def _back_silu(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    share = given.sigmoid()
    return delta * share * (1 + given * (1 - share))


def _back_same(module: Any, given: Tensor, made: Tensor, delta: Tensor) -> Tensor:
    return delta.reshape(given.shape)


_BACK: dict[type[nn.Module], Back] = {
    nn.Linear: _back_linear,
    nn.Conv2d: _back_conv,
    nn.BatchNorm1d: _back_norm,
    nn.BatchNorm2d: _back_norm,
    nn.MaxPool2d: _back_max_pool,
    nn.ReLU: lambda module, given, made, delta: delta * (given > 0),
    nn.LeakyReLU: lambda module, given, made, delta: torch.where(given > 0, delta, delta * module.negative_slope),
    nn.ELU: lambda module, given, made, delta: delta * torch.where(given > 0, torch.ones_like(given), made + module.alpha),
    nn.Tanh: lambda module, given, made, delta: delta * (1 - made.square()),
    nn.Sigmoid: lambda module, given, made, delta: delta * made * (1 - made),
    nn.GELU: _back_gelu,
    nn.SiLU: _back_silu,
    nn.Flatten: _back_same,
    nn.Dropout: _back_same,
    nn.Identity: _back_same,
}
