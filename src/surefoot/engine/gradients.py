"""Is autograd's gradient that of the loss? Central differences in float64, for the loss alone, the whole net, and each of its weights.

Source: CS231n, Neural Networks Part 3, gradient checks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surefoot import randomness
from surefoot.engine.fit import Job
from surefoot.models.network import Network

_SIZES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Steps of the differences: a small one passes fewer kinks, a large one bears a loss or a net that rounds to float32 on the way (6e-4 off at 1e-4, 6e-6 at
1e-2). The best of them counts."""
_MOST = 60
"""Weights that are asked one by one where the net as a whole disagrees."""
DOUBLE, SINGLE = 1e-4, 3e-2
"""Relative errors up to which the two agree, in float64 and, for nets that hold numbers of their own in float32, in float32."""


@dataclass(frozen=True)
class GradientEvidence:
    """Relative error of the gradient, what is wrong (empty: nothing), and up to which error nothing is."""

    error: float
    where: str
    threshold: float = DOUBLE


def check_gradients(job: Job, rows: np.ndarray, seed: int) -> GradientEvidence:
    """Compares autograd with differences in eval mode, every draw of the net's own seeded alike."""
    try:
        return _check(job, rows, seed, torch.float64)
    except RuntimeError as error:
        if "dtype" not in str(error) and "type" not in str(error):
            raise
        return _check(job, rows, seed, torch.float32)


def _check(job: Job, rows: np.ndarray, seed: int, dtype: torch.dtype) -> GradientEvidence:
    threshold = DOUBLE if dtype is torch.float64 else SINGLE
    network = copy.deepcopy(job.network).to(dtype).eval()
    _move_away(network, randomness.key(seed, "gradient check, weights"))
    inputs = tuple(t.to(dtype) if t.is_floating_point() else t for t in job.examples.inputs(torch.from_numpy(rows)))
    targets = job.targets[torch.from_numpy(rows)]
    targets = targets.to(dtype) if targets.is_floating_point() else targets
    key = randomness.key(seed, "gradient check")

    def answer() -> Tensor:
        torch.manual_seed(key)  # what the net draws itself is drawn alike each time
        return network(*inputs)

    outputs = answer().detach().clone().requires_grad_()
    of_loss = compare(lambda: job.loss(outputs, targets), [outputs], key)
    if not of_loss <= threshold:
        return GradientEvidence(of_loss, "the loss", threshold)
    named = [(name, p) for name, p in network.body.named_parameters(prefix="body") if p.requires_grad]
    whole = compare(lambda: job.loss(answer(), targets), [p for _, p in named], key)
    if whole <= threshold:
        return GradientEvidence(max(whole, of_loss), "", threshold)
    wrong = [name for name, p in named[-_MOST:] if not compare(lambda: job.loss(answer(), targets), [p], key) <= threshold]
    told = f"the gradient of {', '.join(wrong[:5])}" + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "") if wrong else "the net as a whole"
    return GradientEvidence(whole, told, threshold)


@torch.no_grad()
def _move_away(network: Network, key: int) -> None:
    """Draws other weights, of He's size, and moves the rest a little: whether a gradient is right is a matter of the code, not of the point.

    Zeros, dead units and signals that have faded to 1e-13 would hide a wrong one, or stand on a kink of every ReLU and belie a right one.
    """
    generator = torch.Generator().manual_seed(key)
    for parameter in network.body.parameters():
        if parameter.requires_grad:
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(parameter)
            is_matrix = parameter.ndim > 1
            parameter.copy_(drawn * math.sqrt(2 / parameter[0].numel()) if is_matrix else parameter.clamp(-1, 1) + 0.1 * drawn)


def compare(loss: Callable[[], Tensor], values: Sequence[Tensor], key: int) -> float:
    """Relative error of autograd's derivative along one direction against the differences along it.

    The direction is the gradient plus a random one of the same length: where they disagree in any part, the second shows it, and the first keeps the
    derivative large. The random part is in proportion to each weight's own size (zeros stay): in a net of tiny weights any other would jump over kinks.
    """
    grads = torch.autograd.grad(loss(), values, allow_unused=True)
    known = [torch.zeros_like(p) if g is None else g for p, g in zip(values, grads)]
    generator = torch.Generator().manual_seed(key)
    drawn = [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p) for p in values]
    random = [r * (p.detach().norm() / _norm([r])) for p, r in zip(values, drawn)]
    directions = [k / _norm(known) + r / _norm(random) for k, r in zip(known, random)]
    exact = sum(float((k * d).sum()) for k, d in zip(known, directions))
    errors = []
    with torch.no_grad():
        for size in _SIZES:
            costs = []
            for sign in (1, -2):
                torch._foreach_add_([*values], directions, alpha=sign * size)
                costs.append(float(loss()))
            torch._foreach_add_([*values], directions, alpha=size)
            numerical = (costs[0] - costs[1]) / (2 * size)
            errors.append(abs(exact - numerical) / max(abs(exact), abs(numerical), 1e-8))
    return min((error for error in errors if math.isfinite(error)), default=math.inf)


def _norm(tensors: Sequence[Tensor]) -> float:
    return max(float(torch.stack([t.norm() for t in tensors]).norm()), 1e-12)
